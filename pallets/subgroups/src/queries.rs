//! What others ask of the subgroups.

use crate::{pallet::*, session::ValidatorSet, Config, Pallet};
use alloc::vec::Vec;
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	api::{MemberInfo, Membership, Readiness, ValidatorInfo},
	membership::SubgroupMembership,
	AccountId, BlockNumber, SubgroupId,
};

impl<T: Config> Pallet<T> {
	/// A subgroup's members with their servers, in the order in which they joined.
	pub fn member_infos(subgroup: SubgroupId) -> Vec<MemberInfo> {
		Subgroups::<T>::get(subgroup)
			.into_iter()
			.filter_map(|validator| {
				let server = Servers::<T>::get(&validator)?.info;
				let readiness = match Joining::<T>::contains_key(&validator) {
					true => Readiness::Syncing,
					false => Readiness::Ready,
				};
				Some(MemberInfo { validator, server, readiness })
			})
			.collect()
	}

	/// Where a validator stands, but for what only who elects validators knows.
	pub fn validator_info(validator: &AccountId) -> ValidatorInfo
	where
		BlockNumberFor<T>: Into<BlockNumber>,
	{
		let published = Servers::<T>::get(validator);
		let now = frame_system::Pallet::<T>::block_number();
		let retired = published.as_ref().and_then(|published| published.retired);
		let retired = retired.filter(|retired| now < retired.until).map(|retired| {
			keyshare_primitives::RetiredKey { key: retired.key, until: retired.until.into() }
		});
		let server = published.map(|published| published.info);
		let is_member =
			server.as_ref().is_some_and(|server| MemberOf::<T>::contains_key(&server.account));
		let membership = match (is_member, Joining::<T>::get(validator)) {
			(true, Some(since)) => Membership::Syncing { since },
			(true, None) => Membership::Ready,
			(false, _) if T::Validators::queued().contains(validator) => Membership::Next,
			(false, _) => Membership::Outside,
		};
		ValidatorInfo {
			server,
			retired,
			session_keys: T::Validators::session_keys(validator),
			subgroup: Assignments::<T>::get(validator),
			membership,
			obstacles: Self::obstacles(validator),
		}
	}
}

impl<T: Config> SubgroupMembership for Pallet<T> {
	fn count() -> u8 {
		SubgroupCount::<T>::get()
	}

	fn threshold() -> u8 {
		Threshold::<T>::get()
	}

	fn size(subgroup: SubgroupId) -> u32 {
		Subgroups::<T>::decode_len(subgroup)
			.map_or(0, |size| u32::try_from(size).unwrap_or(u32::MAX))
	}

	fn member_of(server: &AccountId) -> Option<SubgroupId> {
		MemberOf::<T>::get(server)
	}

	fn members(subgroup: SubgroupId) -> Vec<AccountId> {
		Self::member_infos(subgroup).into_iter().map(|member| member.server.account).collect()
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_members(subgroups: Vec<Vec<AccountId>>, threshold: u8) {
		use keyshare_primitives::{EncryptionKey, Endpoint, ServerInfo};
		use sp_runtime::traits::Zero;

		let _ = Subgroups::<T>::clear(u32::MAX, None);
		let _ = MemberOf::<T>::clear(u32::MAX, None);
		let _ = Joining::<T>::clear(u32::MAX, None);
		SubgroupCount::<T>::put(subgroups.len() as u8);
		Threshold::<T>::put(threshold);
		for (subgroup, servers) in (0u8..).zip(subgroups) {
			for account in servers {
				// The server account stands for its validator too.
				let validator = account.clone();
				let encryption_key = EncryptionKey::X25519(account.clone().into());
				let endpoint = Endpoint::truncate_from(b"http://127.0.0.1:9955".to_vec());
				let info = ServerInfo { account, encryption_key, endpoint };
				Self::store_server(&validator, info, Zero::zero());
				Self::add_member(subgroup, &validator).expect("benchmarks fit the subgroups");
			}
		}
	}
}
