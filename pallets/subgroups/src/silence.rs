//! Ready members that confirm nothing: protocol §7.
//!
//! An attempt tells of a member's silence only if it could have known: another member of its
//! subgroup held the share, and had confirmed it long before the end, so that it could have been asked
//! for it. A share that a dealer withholds from somebody counts against nobody.

use crate::{pallet::*, Config, Pallet};
use alloc::collections::BTreeSet;
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::traits::Get;
use keyshare_primitives::{
	membership::{Hearing, Seat, MAX_SEATS},
	AccountId, BlockNumber,
};
use scale_info::TypeInfo;
use sp_core::ConstU32;
use sp_runtime::{BoundedBTreeMap, BoundedVec};

/// A member that was silent in so many attempts in a row,
pub(crate) const MISSED: u32 = 8;
/// by at least so many users, within [`Config::SilenceWindow`], is not ready.
pub(crate) const USERS: u32 = 4;

/// The attempts that one member was silent in, with the blocks in which they ended and their users;
/// the oldest first.
type Silence = BoundedVec<(BlockNumber, AccountId), ConstU32<{ 2 * MISSED }>>;

/// The silent members of a subgroup, by their seats.
#[derive(Clone, PartialEq, Eq, Debug, Default, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct Silences(BoundedBTreeMap<u8, Silence, ConstU32<MAX_SEATS>>);

impl Silences {
	/// The seats that somebody is silent in.
	#[cfg(any(test, feature = "std", feature = "try-runtime"))]
	pub(crate) fn seats(&self) -> impl Iterator<Item = u8> + '_ {
		self.0.keys().copied()
	}

	/// How many attempts in a row whoever sits in a seat was silent in.
	pub fn missed(&self, seat: Seat) -> u32 {
		self.0.get(&seat.number).map_or(0, |silence| count(silence.len()))
	}

	/// Adds an attempt; whether it is too many now, and how many there are.
	fn add(&mut self, seat: u8, user: &AccountId, now: BlockNumber, window: BlockNumber) -> Missed {
		let mut silence = self.0.remove(&seat).unwrap_or_default();
		silence.retain(|(at, _)| now.saturating_sub(*at) < window);
		if silence.is_full() {
			silence.remove(0);
		}
		let _ = silence.try_push((now, user.clone()));
		let users = silence.iter().map(|(_, user)| user).collect::<BTreeSet<_>>();
		let missed = count(silence.len());
		let too_many = missed >= MISSED && count(users.len()) >= USERS;
		// A key for each seat fits.
		let _ = self.0.try_insert(seat, silence);
		Missed { missed, too_many }
	}
}

struct Missed {
	missed: u32,
	too_many: bool,
}

/// A count that is bounded far below the limit anyway.
fn count(len: usize) -> u32 {
	u32::try_from(len).unwrap_or(u32::MAX)
}

impl<T: Config> Pallet<T> {
	/// Takes note of an attempt of `user` that ended.
	pub(crate) fn hear(user: &AccountId, hearing: Hearing, now: BlockNumber) {
		let Hearing { subgroup, expected, heard } = hearing;
		let mut silences = SilencesOf::<T>::get(subgroup);
		let before = silences.clone();
		for (number, holder) in (0u8..).zip(SeatHolders::<T>::get(subgroup)) {
			let seat = Seat { subgroup, number };
			let is_ready =
				|| Masks::<T>::get().of(subgroup).is_some_and(|of| of.ready & seat.bit() != 0);
			if expected & heard & seat.bit() != 0 {
				silences.0.remove(&number);
			} else if expected & seat.bit() != 0 && is_ready() {
				let Missed { missed, too_many } =
					silences.add(number, user, now, T::SilenceWindow::get());
				let Some(validator) = Self::validator_of(&holder) else { continue };
				Self::deposit_event(Event::MemberSilent {
					validator: validator.clone(),
					subgroup,
					missed,
				});
				if too_many && Masks::<T>::get().ready(subgroup) > 1 {
					silences.0.remove(&number);
					Self::unready(&validator, seat);
				}
			}
		}
		if silences != before {
			SilencesOf::<T>::insert(subgroup, silences);
		}
	}

	/// A member is not ready any more; it declares itself so again.
	fn unready(validator: &AccountId, seat: Seat) {
		let change = Masks::<T>::mutate(|masks| {
			// A number of its own, so that no declaration of before can be played back.
			masks.last_change = masks.last_change.saturating_add(1);
			masks.last_change
		});
		Self::set_ready(seat, false);
		Joining::<T>::insert(validator, change);
		let (validator, subgroup) = (validator.clone(), seat.subgroup);
		Self::deposit_event(Event::MemberUnready { validator, subgroup });
	}

	/// Whoever sits down in a seat begins with a clean sheet.
	pub(crate) fn forget_silence(seat: Seat) {
		if SilencesOf::<T>::contains_key(seat.subgroup) {
			SilencesOf::<T>::mutate(seat.subgroup, |silences| silences.0.remove(&seat.number));
		}
	}
}
