//! What others ask of the subgroups.

use crate::{operators::Standing, pallet::*, session::ValidatorSet, Config, Pallet, WeightInfo};
use alloc::vec::Vec;
use frame_support::weights::Weight;
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	api::{
		Later, MemberInfo, Membership, OperatorInfo, OperatorStanding, Readiness, ValidatorInfo,
	},
	membership::{Ended, Masks as MasksOfAll, Seat, SubgroupMembership, Syncing},
	AccountId, BlockNumber, RetiredKey, SubgroupId,
};
use sp_runtime::SaturatedConversion;

impl<T: Config> Pallet<T> {
	/// A subgroup's members with their servers, in the order in which they joined.
	pub fn member_infos(subgroup: SubgroupId) -> Vec<MemberInfo> {
		Subgroups::<T>::get(subgroup)
			.into_iter()
			.filter_map(|validator| {
				let server = Servers::<T>::get(&validator)?.info;
				let readiness = match Self::counts_as_ready(&validator) {
					true => Readiness::Ready,
					false => Readiness::Syncing,
				};
				let operator = OperatorOf::<T>::get(&validator);
				Some(MemberInfo { validator, server, readiness, operator })
			})
			.collect()
	}

	/// Whether a validator is a member whose confirmations count.
	pub(crate) fn counts_as_ready(validator: &AccountId) -> bool {
		let server = Servers::<T>::get(validator).map(|server| server.info.account);
		let masks = Masks::<T>::get();
		server.and_then(MemberOf::<T>::get).is_some_and(|seat| {
			masks.of(seat.subgroup).is_some_and(|of| of.ready & seat.bit() != 0)
		})
	}

	/// Every operator there ever was, by subgroup and then in the order of their accounts.
	pub fn operator_infos() -> Vec<OperatorInfo> {
		let now = frame_system::Pallet::<T>::block_number();
		let number = |block: BlockNumberFor<T>| -> BlockNumber { block.saturated_into() };
		let blocks_left = |from| number(from).saturating_sub(number(now));
		let mut infos: Vec<_> = Operators::<T>::iter()
			.map(|(account, operator)| OperatorInfo {
				account,
				seats: operator.seats_at(now),
				next_seats: match (operator.standing, operator.later_seats) {
					(Standing::Admitted { since }, _) if now < since => Some(Later {
						value: operator.seats,
						from: number(since),
						blocks_left: blocks_left(since),
					}),
					(Standing::Admitted { .. }, Some((value, from))) if now < from => {
						Some(Later { value, from: number(from), blocks_left: blocks_left(from) })
					}
					_ => None,
				},
				name: operator.name.into_inner(),
				subgroup: operator.subgroup,
				standing: match operator.standing {
					Standing::Admitted { since } if now < since => OperatorStanding::Pending {
						from: number(since),
						blocks_left: blocks_left(since),
					},
					Standing::Admitted { since } => {
						OperatorStanding::Admitted { since: number(since) }
					}
					Standing::Dismissed { since, force } => {
						OperatorStanding::Dismissed { since: number(since), force }
					}
				},
				validators: operator.validators.into_inner(),
				assigned: operator.assigned.into_inner(),
			})
			.collect();
		infos.sort_by(|a, b| (a.subgroup, &a.account).cmp(&(b.subgroup, &b.account)));
		infos
	}

	/// Where a validator stands.
	pub fn validator_info(validator: &AccountId) -> ValidatorInfo {
		let published = Servers::<T>::get(validator);
		let now = frame_system::Pallet::<T>::block_number();
		let retired = published.as_ref().and_then(|published| published.retired);
		let retired = retired
			.filter(|retired| now < retired.until)
			.map(|retired| RetiredKey { key: retired.key, until: retired.until.saturated_into() });
		let server = published.map(|published| published.info);
		let is_member =
			server.as_ref().is_some_and(|server| MemberOf::<T>::contains_key(&server.account));
		let membership = match (is_member, Joining::<T>::get(validator)) {
			(true, syncing) if Kept::<T>::contains_key(validator) => {
				Membership::Kept { ready: syncing.is_none() }
			}
			(true, Some(Syncing { since, silent })) => {
				Membership::Syncing { joined: since, silent }
			}
			(true, None) => Membership::Ready,
			(false, _) if T::Validators::queued().contains(validator) => Membership::Next,
			(false, _) => Membership::Outside,
		};
		let assigned_by = Operators::<T>::iter()
			.filter(|(_, operator)| operator.assigned.contains(validator))
			.map(|(account, _)| account)
			.collect();
		ValidatorInfo {
			server,
			retired,
			session_keys: T::Validators::session_keys(validator),
			subgroup: Assignments::<T>::get(validator),
			membership,
			obstacles: Self::obstacles(validator),
			operator: Self::operator_of(validator).map(|(operator, _)| operator),
			assigned_by,
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

	fn masks() -> MasksOfAll {
		Masks::<T>::get()
	}

	fn seat_of(server: &AccountId) -> Option<Seat> {
		MemberOf::<T>::get(server)
	}

	fn members(subgroup: SubgroupId) -> Vec<(AccountId, Seat)> {
		Subgroups::<T>::get(subgroup)
			.into_iter()
			.filter_map(|validator| {
				let server = Servers::<T>::get(&validator)?.info.account;
				let seat = MemberOf::<T>::get(&server)?;
				Some((server, seat))
			})
			.collect()
	}

	fn note_hearings(ended: &[Ended], now: BlockNumber) -> Weight {
		match ended.iter().all(|attempt| attempt.hearings.is_empty()) {
			true => Weight::zero(),
			false => Self::hear(ended, now),
		}
	}

	fn hearings_weight(hearings: u32) -> Weight {
		T::WeightInfo::hear(hearings)
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_members(subgroups: Vec<Vec<AccountId>>, threshold: u8) {
		use keyshare_primitives::{EncryptionKey, Endpoint, ServerInfo};
		use sp_runtime::traits::Zero;

		let _ = Subgroups::<T>::clear(u32::MAX, None);
		let _ = SeatHolders::<T>::clear(u32::MAX, None);
		let _ = MemberOf::<T>::clear(u32::MAX, None);
		let _ = Joining::<T>::clear(u32::MAX, None);
		crate::genesis::set_up::<T>(subgroups.len() as u8, threshold);
		for (subgroup, servers) in (0u8..).zip(subgroups) {
			for account in servers {
				// The server account stands for its validator too.
				let validator = account.clone();
				let encryption_key = EncryptionKey::X25519(account.clone().into());
				let endpoint = Endpoint::truncate_from(b"http://127.0.0.1:9955".to_vec());
				let info = ServerInfo { account, encryption_key, endpoint };
				Self::store_server(&validator, info, Zero::zero());
				Self::add_member(subgroup, &validator).expect("benchmarks fit the subgroups");
				Self::make_ready(&validator);
			}
		}
	}
}
