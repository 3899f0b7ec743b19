//! Who is a member of which subgroup: protocol §7.
//!
//! A validator that stays keeps its subgroup, one that returns goes back to the subgroup it was
//! in, and a newcomer goes to the smallest one. Nobody ever moves to another: two shares in one
//! hand can be the whole key.

use crate::{pallet::*, Config, Pallet, WeightInfo};
use alloc::{collections::BTreeMap, vec, vec::Vec};
use frame_support::{defensive, traits::Get};
use keyshare_primitives::{membership::SubgroupMembership, AccountId, SessionIndex, SubgroupId};

const LOG_TARGET: &str = "keyshare";

impl<T: Config> Pallet<T> {
	/// The members of all subgroups now.
	pub(crate) fn current_members() -> BTreeMap<AccountId, SubgroupId> {
		(0..Self::count())
			.flat_map(|id| Subgroups::<T>::get(id).into_iter().map(move |member| (member, id)))
			.collect()
	}

	/// Where each of these validators belongs. Who stays has precedence over who returns, and who
	/// returns over newcomers; who finds no room is left out.
	pub(crate) fn place(validators: &[AccountId]) -> BTreeMap<AccountId, SubgroupId> {
		let members = Self::current_members();
		let mut sizes = vec![0u32; usize::from(Self::count())];
		let mut placed = BTreeMap::new();
		let mut put = |validator: &AccountId, subgroup: SubgroupId, sizes: &mut Vec<u32>| {
			let size = sizes.get_mut(usize::from(subgroup));
			if let Some(size) = size.filter(|size| **size < T::MaxMembers::get()) {
				*size += 1;
				placed.insert(validator.clone(), subgroup);
			}
		};
		let mut joining = Vec::new();
		for validator in validators {
			match members.get(validator) {
				Some(subgroup) => put(validator, *subgroup, &mut sizes),
				None => joining.push(validator),
			}
		}
		let mut newcomers = Vec::new();
		for validator in joining {
			match Assignments::<T>::get(validator) {
				Some(subgroup) => put(validator, subgroup, &mut sizes),
				None => newcomers.push(validator),
			}
		}
		// What a newcomer is assigned is kept for ever, so there is an end to it.
		let room = T::MaxAssignments::get().saturating_sub(Assignments::<T>::count());
		for validator in newcomers.into_iter().take(room as usize) {
			if let Some(subgroup) = smallest(&sizes) {
				put(validator, subgroup, &mut sizes);
			}
		}
		placed
	}

	/// Makes exactly the validators of the session that starts the members. One without a server,
	/// as a genesis may have, is none.
	pub(crate) fn follow(validators: &[AccountId], session: SessionIndex) {
		let with_server = |validator: &&AccountId| Servers::<T>::contains_key(validator);
		let validators: Vec<_> = validators.iter().filter(with_server).cloned().collect();
		let placed = Self::place(&validators);
		let before = Self::current_members();
		let leaving: Vec<_> =
			before.iter().filter(|(validator, _)| !placed.contains_key(validator)).collect();
		let joining: Vec<_> = validators
			.iter()
			.filter(|validator| !before.contains_key(validator))
			.filter_map(|validator| placed.get(validator).map(|subgroup| (validator, *subgroup)))
			.collect();
		let changes = leaving.len().max(joining.len());
		Self::weigh(T::WeightInfo::follow(saturated(changes)));

		for (validator, subgroup) in leaving {
			Self::remove_member(*subgroup, validator);
		}
		for (validator, subgroup) in joining {
			if let Err(reason) = Self::add_member(subgroup, validator) {
				// It has a server, and a place was found for it.
				defensive!(reason);
				continue;
			}
			// Before the first session there is nothing to fetch.
			if session > 0 {
				Joining::<T>::insert(validator, session);
			}
			Self::deposit_event(Event::MemberJoined { validator: validator.clone(), subgroup });
		}
		for subgroup in 0..Self::count() {
			let was_empty = !before.values().any(|of| *of == subgroup);
			if !was_empty && Self::size(subgroup) == 0 {
				log::error!(
					target: LOG_TARGET,
					"Subgroup {subgroup} has no members left: its shares cannot be used, and no \
					 registration can be completed until one of its validators returns",
				);
				Self::deposit_event(Event::SubgroupEmptied { subgroup });
			}
		}
	}

	/// Makes a validator with a published server a member of a subgroup.
	pub(crate) fn add_member(
		subgroup: SubgroupId,
		validator: &AccountId,
	) -> Result<(), &'static str> {
		let server = Servers::<T>::get(validator).ok_or("the validator has no server")?;
		Subgroups::<T>::try_append(subgroup, validator).map_err(|()| "the subgroup is full")?;
		Assignments::<T>::insert(validator, subgroup);
		MemberOf::<T>::insert(server.info.account, subgroup);
		Ok(())
	}

	fn remove_member(subgroup: SubgroupId, validator: &AccountId) {
		Subgroups::<T>::mutate(subgroup, |members| members.retain(|member| member != validator));
		if let Some(server) = Servers::<T>::get(validator) {
			MemberOf::<T>::remove(server.info.account);
		}
		Joining::<T>::remove(validator);
		Self::deposit_event(Event::MemberLeft { validator: validator.clone(), subgroup });
		if Withdrawing::<T>::contains_key(validator) {
			Self::remove_server(validator);
		}
	}
}

/// The smallest subgroup; of several, the one with the lowest id.
fn smallest(sizes: &[u32]) -> Option<SubgroupId> {
	let (id, _) = sizes.iter().enumerate().min_by_key(|(id, size)| (**size, *id))?;
	SubgroupId::try_from(id).ok()
}

/// A count that is bounded far below the limit anyway.
pub(crate) fn saturated(count: usize) -> u32 {
	u32::try_from(count).unwrap_or(u32::MAX)
}
