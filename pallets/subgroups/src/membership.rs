//! Who is a member of which subgroup: protocol §7.
//!
//! A validator is a member of its operator's subgroup, and never of another: two shares in one hand
//! can be the whole key. Whoever is no validator any more is no member either, unless nobody else
//! of its subgroup holds every share: a share lives only in the members.

use crate::{pallet::*, Config, Pallet, WeightInfo};
use alloc::{
	collections::{BTreeMap, BTreeSet},
	vec::Vec,
};
use frame_support::{defensive, traits::Get};
use keyshare_primitives::{membership::Syncing, AccountId, SessionIndex, SubgroupId};

const LOG_TARGET: &str = "keyshare";

impl<T: Config> Pallet<T> {
	/// The members of all subgroups now.
	pub(crate) fn current_members() -> BTreeMap<AccountId, SubgroupId> {
		(0..SubgroupCount::<T>::get())
			.flat_map(|id| Subgroups::<T>::get(id).into_iter().map(move |member| (member, id)))
			.collect()
	}

	/// These candidates in an order that stays as it is while they do: first those of the set now, in its
	/// order. There is room for all: operators never have more seats than a subgroup has.
	pub(crate) fn in_order(candidates: Vec<AccountId>, active: &[AccountId]) -> Vec<AccountId> {
		let candidates: BTreeSet<_> = candidates.into_iter().collect();
		let stay = active.iter().filter(|validator| candidates.contains(validator));
		let join = candidates.iter().filter(|validator| !active.contains(validator));
		stay.chain(join).cloned().collect()
	}

	/// Makes the validators of the session that starts the members. One without a server, as a
	/// genesis may have, is none, and neither is one whose operator has gone in the meantime.
	pub(crate) fn follow(validators: &[AccountId], session: SessionIndex) {
		let before = Self::current_members();
		let mut changes = 0;
		for subgroup in 0..SubgroupCount::<T>::get() {
			let members = Subgroups::<T>::get(subgroup);
			let (staying, leaving): (Vec<_>, Vec<_>) =
				members.iter().partition(|member| validators.contains(member));
			let kept = Self::who_is_kept(&staying, &leaving);
			staying.into_iter().for_each(Kept::<T>::remove);
			for validator in leaving {
				if kept.contains(validator) {
					Self::keep(subgroup, validator);
				} else {
					Self::remove_member(subgroup, validator);
					changes += 1;
				}
			}
		}
		for validator in validators.iter().filter(|validator| !before.contains_key(*validator)) {
			changes += u32::from(Self::join(validator, session));
		}
		Self::weigh(T::WeightInfo::follow(changes));
		Self::watch(validators, session);
		for subgroup in 0..SubgroupCount::<T>::get() {
			let was_empty = !before.values().any(|of| *of == subgroup);
			if !was_empty && Subgroups::<T>::decode_len(subgroup).unwrap_or(0) == 0 {
				log::error!(
					target: LOG_TARGET,
					"Subgroup {subgroup} has no members left: its shares are lost unless one of its \
					 validators returns, and no registration can be begun until then",
				);
				Self::deposit_event(Event::SubgroupEmptied { subgroup });
			}
		}
	}

	/// Of the members that leave, none if one that stays is ready, and otherwise all, for only they may
	/// hold what the others still fetch. Whoever was forced out goes all the same; and a seat is left for
	/// a newcomer, for which one that does not count as ready goes before one that does.
	fn who_is_kept<'a>(
		staying: &[&'a AccountId],
		leaving: &[&'a AccountId],
	) -> BTreeSet<&'a AccountId> {
		let is_syncing = |validator: &&AccountId| Joining::<T>::contains_key(*validator);
		if staying.iter().any(|validator| !is_syncing(validator)) {
			return BTreeSet::new();
		}
		let mut kept: Vec<_> =
			leaving.iter().filter(|validator| !Self::is_forced_out(validator)).copied().collect();
		kept.sort_by_key(|validator| !Self::counts_as_ready(validator));
		let seats = (T::MaxMembers::get() as usize).saturating_sub(1);
		kept.truncate(seats.saturating_sub(staying.len()).max(1));
		kept.into_iter().collect()
	}

	fn keep(subgroup: SubgroupId, validator: &AccountId) {
		if !Kept::<T>::contains_key(validator) {
			Kept::<T>::insert(validator, ());
			let validator = validator.clone();
			Self::deposit_event(Event::MemberKept { validator, subgroup });
		}
	}

	/// Makes a validator a member of its operator's subgroup; false if it cannot be one.
	fn join(validator: &AccountId, session: SessionIndex) -> bool {
		let has_server = Servers::<T>::contains_key(validator);
		let Some(subgroup) = Self::home(validator).filter(|_| has_server) else { return false };
		// A member that is kept may have taken the room.
		if Self::add_member(subgroup, validator).is_err() {
			return false;
		}
		if session == 0 {
			// There is nothing to fetch yet.
			Self::make_ready(validator);
		}
		Self::deposit_event(Event::MemberJoined { validator: validator.clone(), subgroup });
		true
	}

	/// Makes a validator with a published server a syncing member of a subgroup.
	pub(crate) fn add_member(
		subgroup: SubgroupId,
		validator: &AccountId,
	) -> Result<(), &'static str> {
		let server = Servers::<T>::get(validator).ok_or("the validator has no server")?;
		let members = Subgroups::<T>::decode_len(subgroup).unwrap_or(0);
		if members >= T::MaxMembers::get() as usize {
			return Err("the subgroup is full");
		}
		let change = Self::take_seat(subgroup, &server.info.account)?;
		let appended = Subgroups::<T>::try_append(subgroup, validator);
		appended.map_err(|()| "the subgroup is full")?;
		Assignments::<T>::insert(validator, subgroup);
		Joining::<T>::insert(validator, Syncing { since: change, silent: false });
		Ok(())
	}

	fn remove_member(subgroup: SubgroupId, validator: &AccountId) {
		Subgroups::<T>::mutate(subgroup, |members| members.retain(|member| member != validator));
		match Servers::<T>::get(validator) {
			Some(server) => drop(Self::vacate_seat(&server.info.account)),
			None => {
				defensive!("every member has a server");
			}
		}
		Joining::<T>::remove(validator);
		Kept::<T>::remove(validator);
		Self::deposit_event(Event::MemberLeft { validator: validator.clone(), subgroup });
		if Withdrawing::<T>::contains_key(validator) {
			Self::remove_server(validator);
		}
	}
}

/// A count that is bounded far below the limit anyway.
pub(crate) fn saturated(count: usize) -> u32 {
	u32::try_from(count).unwrap_or(u32::MAX)
}
