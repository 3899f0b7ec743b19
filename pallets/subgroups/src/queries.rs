//! What others ask of the subgroups.

use crate::{pallet::*, Config, Pallet};
use alloc::vec::Vec;
use keyshare_primitives::{
	api::{MemberInfo, Readiness},
	membership::SubgroupMembership,
	AccountId, SubgroupId,
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
