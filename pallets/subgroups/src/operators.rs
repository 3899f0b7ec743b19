//! Who is admitted to run validators, and whose validators are whose: protocol §7.
//!
//! The chain sees accounts and not hands, so it cannot tell whether two validators belong to one
//! person. Whoever admits operators can find out, and names the subgroup; the chain holds everybody
//! to it for ever.

use crate::{membership::saturated, pallet::*, Config, Pallet};
use alloc::vec::Vec;
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, DefaultNoBound};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{AccountId, SubgroupId};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{
	traits::{Saturating, Zero},
	BoundedVec,
};

/// The longest name, in bytes.
pub const MAX_NAME_LENGTH: u32 = 32;

/// An operator's name: printable ASCII.
pub type OperatorName = BoundedVec<u8, ConstU32<MAX_NAME_LENGTH>>;

/// An operator as it is stored.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo, DefaultNoBound)]
#[scale_info(skip_type_params(MaxMembers))]
pub struct Operator<Number: Zero, MaxMembers: Get<u32>> {
	/// Its name.
	pub name: OperatorName,
	/// The subgroup that all its validators are in, for ever.
	pub subgroup: SubgroupId,
	/// Whether it may have validators.
	pub standing: Standing<Number>,
	/// How many it may have while it is in force.
	pub seats: u32,
	/// How many it may have from a later block on, if these are more.
	pub later_seats: Option<(u32, Number)>,
	/// The validators that have accepted it, in that order.
	pub validators: BoundedVec<AccountId, MaxMembers>,
	/// Those that it has assigned and that have not accepted it yet.
	pub assigned: BoundedVec<AccountId, MaxMembers>,
}

/// Whether an operator may have validators.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Standing<Number> {
	/// It was admitted.
	Admitted {
		/// The first block in which it is in force.
		since: Number,
	},
	/// It was dismissed.
	Dismissed {
		/// In that block.
		since: Number,
		/// Whether not even a last ready member of it stays.
		force: bool,
	},
}

impl<Number: Zero> Default for Standing<Number> {
	fn default() -> Self {
		Self::Admitted { since: Zero::zero() }
	}
}

impl<Number: Zero + PartialOrd + Copy, MaxMembers: Get<u32>> Operator<Number, MaxMembers> {
	/// How many validators it may have in block `now`.
	pub fn seats_at(&self, now: Number) -> u32 {
		match (self.standing, self.later_seats) {
			(Standing::Admitted { since }, _) if now < since => 0,
			(Standing::Admitted { .. }, Some((seats, from))) if now >= from => seats,
			(Standing::Admitted { .. }, _) => self.seats,
			(Standing::Dismissed { .. }, _) => 0,
		}
	}

	/// The most validators it may ever have as things are.
	pub fn most_seats(&self) -> u32 {
		match self.standing {
			Standing::Admitted { .. } => {
				self.later_seats.map_or(self.seats, |(seats, _)| seats.max(self.seats))
			}
			Standing::Dismissed { .. } => 0,
		}
	}

	/// Whether it was dismissed, and how.
	pub fn dismissed(&self) -> Option<bool> {
		match self.standing {
			Standing::Admitted { .. } => None,
			Standing::Dismissed { force, .. } => Some(force),
		}
	}
}

/// Whether a name can be shown to people as it is, and not be taken for another.
pub(crate) fn name_is_well_formed(name: &[u8]) -> bool {
	let (Some(first), Some(last)) = (name.first(), name.last()) else { return false };
	let printable = name.iter().all(|byte| byte.is_ascii_graphic() || *byte == b' ');
	printable && *first != b' ' && *last != b' ' && !name.windows(2).any(|two| two == b"  ")
}

/// Under which a name is looked for: case does not make another.
pub(crate) fn lower_case(name: &OperatorName) -> OperatorName {
	OperatorName::truncate_from(name.to_ascii_lowercase())
}

impl<T: Config> Pallet<T> {
	/// Admits an operator, in force `delay` blocks from now; see [`Call::admit`].
	pub(crate) fn admit_operator(
		operator: AccountId,
		name: OperatorName,
		subgroup: SubgroupId,
		seats: u32,
		delay: BlockNumberFor<T>,
	) -> DispatchResult {
		ensure!(name_is_well_formed(&name), Error::<T>::InvalidName);
		ensure!(subgroup < SubgroupCount::<T>::get(), Error::<T>::NoSuchSubgroup);
		ensure!(seats > 0, Error::<T>::NoSeats);
		let index = lower_case(&name);
		let owner = OperatorNames::<T>::get(&index);
		ensure!(owner.is_none_or(|owner| owner == operator), Error::<T>::NameTaken);
		let before = Operators::<T>::get(&operator);
		if let Some(before) = &before {
			ensure!(before.subgroup == subgroup, Error::<T>::OperatorOfAnotherSubgroup);
		} else {
			let room = Operators::<T>::count() < T::MaxOperators::get();
			ensure!(room, Error::<T>::TooManyOperators);
		}
		Self::ensure_seats(&operator, subgroup, seats)?;

		let now = frame_system::Pallet::<T>::block_number();
		let from = now.saturating_add(delay);
		let mut entry = before.unwrap_or_default();
		if !entry.name.is_empty() {
			OperatorNames::<T>::remove(lower_case(&entry.name));
		}
		OperatorNames::<T>::insert(index, &operator);
		let has_now = entry.seats_at(now);
		let in_force_from = match has_now {
			// It is new, was dismissed, or is not in force yet: its time begins anew.
			0 => {
				entry.standing = Standing::Admitted { since: from };
				(entry.seats, entry.later_seats) = (seats, None);
				from
			}
			_ if seats <= has_now => {
				(entry.seats, entry.later_seats) = (seats, None);
				now
			}
			_ => {
				(entry.seats, entry.later_seats) = (has_now, Some((seats, from)));
				from
			}
		};
		entry.name = name.clone();
		entry.subgroup = subgroup;
		Operators::<T>::insert(&operator, entry);
		Self::deposit_event(Event::OperatorAdmitted {
			operator,
			name,
			subgroup,
			seats,
			from: in_force_from,
		});
		Ok(())
	}

	/// Seats are there to be sat on: as many validators as all operators may have can be selected, so
	/// that nobody who is admitted crowds out another.
	fn ensure_seats(operator: &AccountId, subgroup: SubgroupId, seats: u32) -> DispatchResult {
		let (mut of_subgroup, mut of_all) = (seats, seats);
		for (account, other) in Operators::<T>::iter() {
			if account != *operator {
				of_all = of_all.saturating_add(other.most_seats());
				if other.subgroup == subgroup {
					of_subgroup = of_subgroup.saturating_add(other.most_seats());
				}
			}
		}
		let room = of_subgroup <= T::MaxMembers::get() && of_all <= T::MaxValidators::get();
		ensure!(room, Error::<T>::NoSeatsLeft);
		Ok(())
	}

	pub(crate) fn dismiss_operator(operator: AccountId, force: bool) -> DispatchResult {
		let mut entry = Operators::<T>::get(&operator).ok_or(Error::<T>::NotAnOperator)?;
		// Only force can be added to what was done.
		let done = entry.dismissed().is_some_and(|before| before || !force);
		ensure!(!done, Error::<T>::OperatorDismissed);
		let since = frame_system::Pallet::<T>::block_number();
		entry.standing = Standing::Dismissed { since, force };
		Operators::<T>::insert(&operator, entry);
		Self::deposit_event(Event::OperatorDismissed { operator, force });
		Ok(())
	}

	pub(crate) fn assign_validator(operator: AccountId, validator: AccountId) -> DispatchResult {
		let mut entry = Operators::<T>::get(&operator).ok_or(Error::<T>::NotAnOperator)?;
		ensure!(entry.dismissed().is_none(), Error::<T>::OperatorDismissed);
		let there = entry.validators.contains(&validator) || entry.assigned.contains(&validator);
		ensure!(!there, Error::<T>::AlreadyAssigned);
		Self::ensure_subgroup(&validator, entry.subgroup)?;
		let all = saturated(entry.validators.len().saturating_add(entry.assigned.len()));
		ensure!(all < entry.most_seats(), Error::<T>::NoSeatForValidator);
		let pushed = entry.assigned.try_push(validator.clone());
		pushed.map_err(|_| Error::<T>::NoSeatForValidator)?;
		Operators::<T>::insert(&operator, entry);
		Self::deposit_event(Event::ValidatorAssigned { operator, validator });
		Ok(())
	}

	pub(crate) fn unassign_validator(operator: AccountId, validator: AccountId) -> DispatchResult {
		let mut entry = Operators::<T>::get(&operator).ok_or(Error::<T>::NotAnOperator)?;
		let there = entry.validators.contains(&validator) || entry.assigned.contains(&validator);
		ensure!(there, Error::<T>::NotAssigned);
		entry.validators.retain(|other| *other != validator);
		entry.assigned.retain(|other| *other != validator);
		Operators::<T>::insert(&operator, entry);
		Self::deposit_event(Event::ValidatorUnassigned { operator, validator });
		Ok(())
	}

	pub(crate) fn accept_operator(validator: AccountId, operator: AccountId) -> DispatchResult {
		let mut entry = Operators::<T>::get(&operator).ok_or(Error::<T>::NotAnOperator)?;
		ensure!(entry.dismissed().is_none(), Error::<T>::OperatorDismissed);
		ensure!(entry.assigned.contains(&validator), Error::<T>::NotAssigned);
		// It may have become a member elsewhere since it was assigned.
		Self::ensure_subgroup(&validator, entry.subgroup)?;
		Self::part(&validator);
		entry.assigned.retain(|other| *other != validator);
		let pushed = entry.validators.try_push(validator.clone());
		pushed.map_err(|_| Error::<T>::NoSeatForValidator)?;
		Operators::<T>::insert(&operator, entry);
		OperatorOf::<T>::insert(&validator, &operator);
		Self::deposit_event(Event::ValidatorAccepted { operator, validator });
		Ok(())
	}

	pub(crate) fn leave_operator(validator: AccountId) -> DispatchResult {
		ensure!(Self::part(&validator), Error::<T>::NoOperator);
		Ok(())
	}

	/// Takes a validator from its operator's list; false if it is on none.
	fn part(validator: &AccountId) -> bool {
		let Some((operator, mut entry)) = Self::operator_of(validator) else { return false };
		entry.validators.retain(|other| other != validator);
		Operators::<T>::insert(&operator, entry);
		let validator = validator.clone();
		Self::deposit_event(Event::ValidatorLeft { operator, validator });
		true
	}

	/// Whoever was ever a member of a subgroup is of no other.
	fn ensure_subgroup(validator: &AccountId, subgroup: SubgroupId) -> DispatchResult {
		let former = Assignments::<T>::get(validator);
		let same = former.is_none_or(|former| former == subgroup);
		ensure!(same, Error::<T>::ValidatorOfAnotherSubgroup);
		Ok(())
	}

	/// Whose validator it is.
	pub(crate) fn operator_of(validator: &AccountId) -> Option<(AccountId, OperatorOfT<T>)> {
		let operator = OperatorOf::<T>::get(validator)?;
		let entry = Operators::<T>::get(&operator)?;
		entry.validators.contains(validator).then_some((operator, entry))
	}

	/// The subgroup that a validator may be a member of now: that of its operator, if that is in
	/// force.
	pub(crate) fn home(validator: &AccountId) -> Option<SubgroupId> {
		let now = frame_system::Pallet::<T>::block_number();
		let (_, entry) = Self::operator_of(validator)?;
		let former = Assignments::<T>::get(validator);
		let at_home = former.is_none_or(|former| former == entry.subgroup);
		(at_home && entry.seats_at(now) > 0).then_some(entry.subgroup)
	}

	/// Whether the operator that a validator accepted last was dismissed with force.
	pub(crate) fn is_forced_out(validator: &AccountId) -> bool {
		let entry = OperatorOf::<T>::get(validator).and_then(Operators::<T>::get);
		entry.is_some_and(|entry| entry.dismissed() == Some(true))
	}

	/// Of each operator in force, the first validators that may be selected, as many as it has seats;
	/// and how many validators were looked at.
	pub(crate) fn candidates() -> (Vec<AccountId>, u32) {
		let now = frame_system::Pallet::<T>::block_number();
		let (mut candidates, mut looked_at) = (Vec::new(), 0u32);
		for operator in Operators::<T>::iter_values() {
			let seats = operator.seats_at(now) as usize;
			let eligible = operator.validators.into_iter().filter(|validator| {
				looked_at = looked_at.saturating_add(1);
				Self::may_serve(validator)
			});
			candidates.extend(eligible.take(seats));
		}
		(candidates, looked_at)
	}
}
