//! Who is in which subgroup, as one value that a confirmation is counted against, and how the
//! registration pallet sees it, so that it knows nothing of how membership comes about.
//!
//! A server account that is or was a member has a [`Seat`] in its subgroup: a number below
//! [`MAX_SEATS`]. Whatever is noted about the members of a subgroup is a mask with one bit a seat:
//! who is a member, who is ready ([`Masks`]), who has confirmed a key ([`Confirmed`]).
//!
//! Seats are used again, and a bit must not pass from one holder to the next. So each change that
//! makes a server a member has a number ([`Change`]), a seat knows the change that gave it to its
//! present holder (`taken`), and confirmations know the last change they have seen (`as_of`). A bit
//! counts only if `taken <= as_of`; and before a bit is added, those are cleared that do not count.

use crate::{AccountId, BlockNumber, SubgroupId, MAX_SUBGROUPS};
use alloc::vec::Vec;
use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedBTreeMap, BoundedVec, Weight};

/// The number of a change that made a server a member, or a member one that is not ready any more,
/// counted from 1 over the whole chain.
pub type Change = u32;

/// How many seats a subgroup can have: the bits of a mask.
pub const MAX_SEATS: u32 = 32;

/// A bit for each seat of a subgroup.
pub type SeatMask = u32;

/// A member that is not ready.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Syncing {
	/// The change with which it joined, came back, changed its server account or was found silent.
	pub since: Change,
	/// Whether it was found silent: it was ready, and what it lacks may have been withheld from it.
	pub silent: bool,
}

/// The place of a server account in its subgroup.
#[derive(
	Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Encode, Decode, MaxEncodedLen, TypeInfo,
)]
pub struct Seat {
	/// The subgroup.
	pub subgroup: SubgroupId,
	/// Its number in the subgroup, below [`MAX_SEATS`].
	pub number: u8,
}

impl Seat {
	/// The seat's bit.
	pub fn bit(&self) -> SeatMask {
		1u32.checked_shl(u32::from(self.number)).unwrap_or(0)
	}
}

/// The seats of one subgroup.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct SubgroupMasks {
	/// Seats of those that are members now.
	pub members: SeatMask,
	/// Of these, the seats of those that hold every share of the subgroup, as they have declared.
	pub ready: SeatMask,
	/// For each seat, the change that gave it to its present holder, who need not be a member now.
	pub taken: BoundedVec<Change, ConstU32<MAX_SEATS>>,
}

impl SubgroupMasks {
	/// The seats whose holders had them when change `as_of` was the last one.
	pub fn held_since(&self, as_of: Change) -> SeatMask {
		let held = self.taken.iter().zip(0u32..).filter(|(taken, _)| **taken <= as_of);
		held.fold(0, |mask, (_, number)| mask | 1u32.checked_shl(number).unwrap_or(0))
	}
}

/// The seats of every subgroup, by its id.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Masks {
	/// The last change there was.
	pub last_change: Change,
	/// By subgroup id.
	pub subgroups: BoundedVec<SubgroupMasks, ConstU32<MAX_SUBGROUPS>>,
}

impl Masks {
	/// The seats of a subgroup; of one that does not exist, none.
	pub fn of(&self, subgroup: SubgroupId) -> Option<&SubgroupMasks> {
		self.subgroups.get(usize::from(subgroup))
	}

	/// How many members a subgroup has.
	pub fn size(&self, subgroup: SubgroupId) -> u32 {
		self.of(subgroup).map_or(0, |masks| masks.members.count_ones())
	}

	/// How many of them are ready.
	pub fn ready(&self, subgroup: SubgroupId) -> u32 {
		self.of(subgroup).map_or(0, |masks| masks.ready.count_ones())
	}

	/// The ready members of every subgroup, by its id.
	pub fn all_ready(&self) -> impl Iterator<Item = SeatMask> + '_ {
		self.subgroups.iter().map(|masks| masks.ready)
	}
}

/// Who has confirmed an attempt or key.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Confirmed {
	/// The last change when a confirmation was added.
	pub as_of: Change,
	/// For each subgroup, by its id, the seats that have confirmed.
	pub seats: BoundedVec<SeatMask, ConstU32<MAX_SUBGROUPS>>,
}

impl Confirmed {
	/// Nobody yet, of so many subgroups.
	pub fn nobody(subgroups: u8) -> Self {
		let seats = core::iter::repeat_n(0, usize::from(subgroups)).collect::<Vec<_>>();
		Self { as_of: 0, seats: BoundedVec::truncate_from(seats) }
	}

	/// The seats of a subgroup whose present holders have confirmed, members or not.
	pub fn by(&self, masks: &Masks, subgroup: SubgroupId) -> SeatMask {
		let seats = self.seats.get(usize::from(subgroup)).copied().unwrap_or(0);
		masks.of(subgroup).map_or(0, |of| seats & of.held_since(self.as_of))
	}

	/// Whether the present holder of `seat` has confirmed.
	pub fn has(&self, masks: &Masks, seat: Seat) -> bool {
		self.by(masks, seat.subgroup) & seat.bit() != 0
	}

	/// Adds the confirmation of the present holder of `seat`, and forgets those of former ones.
	pub fn add(&mut self, masks: &Masks, seat: Seat) {
		for (subgroup, of) in (0u8..).zip(&masks.subgroups) {
			if let Some(seats) = self.seats.get_mut(usize::from(subgroup)) {
				*seats &= of.held_since(self.as_of);
			}
		}
		self.as_of = masks.last_change;
		if let Some(seats) = self.seats.get_mut(usize::from(seat.subgroup)) {
			*seats |= seat.bit();
		}
	}

	/// How many ready members of a subgroup have confirmed.
	pub fn ready_count(&self, masks: &Masks, subgroup: SubgroupId) -> u32 {
		let ready = masks.of(subgroup).map_or(0, |of| of.ready);
		(self.by(masks, subgroup) & ready).count_ones()
	}
}

/// What an attempt that ended tells of the members of one subgroup, all by their seats.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hearing {
	/// The subgroup.
	pub subgroup: SubgroupId,
	/// Members that were ready when the attempt began and have kept their seats since.
	pub expected: SeatMask,
	/// Seats whose holders confirmed it.
	pub heard: SeatMask,
}

/// What an attempt that ended tells.
#[must_use]
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ended {
	/// Whose attempt it was.
	pub user: AccountId,
	/// Of every subgroup that it tells of.
	pub hearings: Vec<Hearing>,
}

/// How many attempts in a row a member may be silent in, less one: with so many, by at least
/// [`SILENT_USERS`] users, it is not ready any more.
pub const SILENT_ATTEMPTS: u32 = 8;

/// See [`SILENT_ATTEMPTS`].
pub const SILENT_USERS: u32 = 4;

/// An attempt that a member was silent in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Missed {
	/// The block in which the attempt ended.
	pub at: BlockNumber,
	/// Which user it was of: the first four bytes of the account's Blake2 hash, to tell users apart.
	pub user: [u8; 4],
}

/// The attempts that each member was silent in since it was last heard of, the oldest first; at most
/// [`SILENT_ATTEMPTS`] of them.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Silences(
	pub  BoundedBTreeMap<
		Seat,
		BoundedVec<Missed, ConstU32<SILENT_ATTEMPTS>>,
		ConstU32<{ MAX_SEATS * MAX_SUBGROUPS }>,
	>,
);

impl Silences {
	/// How many attempts in a row whoever sits in a seat was silent in.
	pub fn missed(&self, seat: Seat) -> u32 {
		let missed = self.0.get(&seat).map_or(0, |missed| missed.len());
		u32::try_from(missed).unwrap_or(SILENT_ATTEMPTS)
	}
}

/// The signing subgroups as they are now.
pub trait SubgroupMembership {
	/// `n`.
	fn count() -> u8;
	/// `t`, the least that a key's threshold can be.
	fn threshold() -> u8;
	/// The seats of all subgroups; one read.
	fn masks() -> Masks;
	/// The seat of a server account that is a member now.
	fn seat_of(server: &AccountId) -> Option<Seat>;
	/// The server accounts of a subgroup's members with their seats, in the order in which they
	/// joined.
	fn members(subgroup: SubgroupId) -> Vec<(AccountId, Seat)>;
	/// Takes note of who was heard of and who was silent in attempts that ended now. Gives what it
	/// weighed.
	fn note_hearings(ended: &[Ended], now: BlockNumber) -> Weight;
	/// The most that so many hearings can weigh, noted at once.
	fn hearings_weight(hearings: u32) -> Weight;

	/// Makes exactly these servers the members of the subgroups, by subgroup id, all ready.
	#[cfg(feature = "runtime-benchmarks")]
	fn set_members(subgroups: Vec<Vec<AccountId>>, threshold: u8);
}

#[cfg(test)]
mod tests {
	use super::*;

	const FIRST: Seat = Seat { subgroup: 0, number: 0 };
	const SECOND: Seat = Seat { subgroup: 0, number: 1 };

	/// One subgroup of two ready members.
	fn masks(last_change: Change, taken: [Change; 2]) -> Masks {
		let taken = BoundedVec::truncate_from(taken.to_vec());
		let of = SubgroupMasks { members: 0b11, ready: 0b11, taken };
		Masks { last_change, subgroups: BoundedVec::truncate_from(alloc::vec![of]) }
	}

	#[test]
	fn a_bit_counts_for_the_holder_that_set_it() {
		let before = masks(2, [1, 2]);
		let mut confirmed = Confirmed::nobody(1);
		confirmed.add(&before, FIRST);
		assert!(confirmed.has(&before, FIRST) && !confirmed.has(&before, SECOND));
		assert_eq!(confirmed.ready_count(&before, 0), 1);
		// Another server takes the seat.
		let after = masks(3, [3, 2]);
		assert!(!confirmed.has(&after, FIRST));
		assert_eq!(confirmed.ready_count(&after, 0), 0);
	}

	#[test]
	fn a_later_confirmation_does_not_revive_the_bit_of_a_former_holder() {
		let mut confirmed = Confirmed::nobody(1);
		confirmed.add(&masks(2, [1, 2]), FIRST);
		let after = masks(3, [3, 2]);
		confirmed.add(&after, SECOND);
		assert_eq!(confirmed.by(&after, 0), SECOND.bit());
		assert_eq!(confirmed.as_of, 3);
	}

	#[test]
	fn only_ready_members_count() {
		let mut syncing = masks(2, [1, 2]);
		syncing.subgroups[0].ready = FIRST.bit();
		let mut confirmed = Confirmed::nobody(1);
		confirmed.add(&syncing, SECOND);
		assert!(confirmed.has(&syncing, SECOND));
		assert_eq!(confirmed.ready_count(&syncing, 0), 0);
	}

	#[test]
	fn what_does_not_exist_is_nothing() {
		let masks = masks(2, [1, 2]);
		let mut confirmed = Confirmed::nobody(1);
		confirmed.add(&masks, Seat { subgroup: 9, number: 0 });
		assert_eq!(confirmed.by(&masks, 9), 0);
		assert_eq!(Seat { subgroup: 0, number: 32 }.bit(), 0);
		assert_eq!((masks.size(9), masks.ready(9)), (0, 0));
	}
}
