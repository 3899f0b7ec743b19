//! Ready members that confirm nothing: protocol §7.
//!
//! An attempt tells of a member's silence only if it could have known: another member of its
//! subgroup held the share, and had confirmed it long before the end, so that it could have been asked
//! for it. A share that a dealer withholds from somebody counts against nobody.

use crate::{membership::saturated, pallet::*, Config, Pallet, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{traits::Get, weights::Weight};
use keyshare_primitives::{
	membership::{
		Ended, Hearing, Masks as MasksOfAll, Missed, Seat, SeatMask, Silences as SilencesOfAll,
		Syncing, SILENT_ATTEMPTS, SILENT_USERS,
	},
	AccountId, BlockNumber, SubgroupId,
};

/// The seats in a mask.
fn seats_in(subgroup: SubgroupId, mask: SeatMask) -> impl Iterator<Item = Seat> {
	let seats = (0u8..).map(move |number| Seat { subgroup, number });
	seats.take_while(|seat| seat.bit() != 0).filter(move |seat| mask & seat.bit() != 0)
}

/// Notes an attempt that whoever sits in `seat` was silent in; whether these are too many now.
fn note_missed(
	silences: &mut SilencesOfAll,
	seat: Seat,
	missed: Missed,
	window: BlockNumber,
) -> bool {
	if !silences.0.contains_key(&seat) {
		// There is room for every seat.
		let _ = silences.0.try_insert(seat, Default::default());
	}
	let Some(of_seat) = silences.0.get_mut(&seat) else { return false };
	of_seat.retain(|before| missed.at.saturating_sub(before.at) < window);
	if of_seat.is_full() {
		// A user that is there more than once makes room, so that no user can crowd out the others.
		let is_repeated =
			|one: &Missed| of_seat.iter().filter(|other| other.user == one.user).count() > 1;
		let oldest = of_seat.iter().position(is_repeated).unwrap_or(0);
		of_seat.remove(oldest);
	}
	// There is room now.
	let _ = of_seat.try_push(missed);
	let is_first = |(place, one): &(usize, &Missed)| {
		of_seat.iter().take(*place).all(|before| before.user != one.user)
	};
	of_seat.is_full()
		&& saturated(of_seat.iter().enumerate().filter(is_first).count()) >= SILENT_USERS
}

impl<T: Config> Pallet<T> {
	/// Takes note of attempts that ended; see [`SILENT_ATTEMPTS`]. At most one member a time is found to
	/// have been silent for too long, so that what a call can cost is bounded: a second one is found the
	/// next time.
	pub(crate) fn hear(ended: &[Ended], now: BlockNumber) -> Weight {
		let masks = Masks::<T>::get();
		let mut silences = Silences::<T>::get();
		let (mut found, mut changed, mut count) = (None, false, 0u32);
		for Ended { user, hearings } in ended {
			let [first, second, third, fourth, ..] = sp_io::hashing::blake2_128(&user.encode());
			let missed = Missed { at: now, user: [first, second, third, fourth] };
			for Hearing { subgroup, expected, heard } in hearings.iter().copied() {
				count = count.saturating_add(1);
				for seat in seats_in(subgroup, expected & heard) {
					changed |= silences.0.remove(&seat).is_some();
				}
				let ready = masks.of(subgroup).map_or(0, |of| of.ready);
				let silent = expected & !heard & ready;
				if silent == 0 {
					continue;
				}
				changed = true;
				for seat in seats_in(subgroup, silent) {
					let window = T::SilenceWindow::get();
					let too_many = note_missed(&mut silences, seat, missed, window);
					if too_many && found.is_none() && masks.ready(subgroup) > 1 {
						found = Some(seat);
					}
				}
				let servers = Self::holders(subgroup, silent);
				Self::deposit_event(Event::MembersSilent { subgroup, servers });
			}
		}
		if let Some(seat) = found {
			silences.0.remove(&seat);
			Self::unready(seat, masks);
		}
		if changed {
			Silences::<T>::put(silences);
		}
		T::WeightInfo::hear(count)
	}

	/// The server accounts in these seats.
	fn holders(subgroup: SubgroupId, mask: SeatMask) -> Vec<AccountId> {
		let holders = SeatHolders::<T>::get(subgroup);
		let holder = |seat: Seat| holders.get(usize::from(seat.number)).cloned();
		seats_in(subgroup, mask).filter_map(holder).collect()
	}

	/// The member in a seat is not ready any more; it declares itself so again.
	fn unready(seat: Seat, mut masks: MasksOfAll) {
		let holder = Self::holders(seat.subgroup, seat.bit()).pop();
		let Some(validator) = holder.and_then(|server| Self::validator_of(&server)) else { return };
		// A number of its own, so that no declaration of before can be played back.
		masks.last_change = masks.last_change.saturating_add(1);
		let since = masks.last_change;
		if let Some(of) = masks.subgroups.get_mut(usize::from(seat.subgroup)) {
			of.ready &= !seat.bit();
		}
		Masks::<T>::put(masks);
		// Only of one that was ready for all else is silence the reason.
		let silent = !Joining::<T>::contains_key(&validator);
		Joining::<T>::insert(&validator, Syncing { since, silent });
		Self::deposit_event(Event::MemberUnready { validator, subgroup: seat.subgroup });
	}

	/// Whoever sits down in a seat begins with a clean sheet.
	pub(crate) fn forget_silence(seat: Seat) {
		let mut silences = Silences::<T>::get();
		if silences.0.remove(&seat).is_some() {
			Silences::<T>::put(silences);
		}
	}
}

const _: () = assert!(SILENT_USERS <= SILENT_ATTEMPTS, "so many users can be told apart");
