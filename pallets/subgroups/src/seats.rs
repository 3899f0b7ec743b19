//! The members' seats: protocol §6 and §7. See [`keyshare_primitives::membership`] for what they are
//! for.

use crate::{pallet::*, Config, Pallet};
use frame_support::traits::Get;
use keyshare_primitives::{
	membership::{Change, Seat, SubgroupMasks},
	AccountId, SubgroupId,
};

impl<T: Config> Pallet<T> {
	/// Makes a server account a syncing member, in its former seat if that is still its own. Gives
	/// the number of the change.
	pub(crate) fn take_seat(
		subgroup: SubgroupId,
		server: &AccountId,
	) -> Result<Change, &'static str> {
		Masks::<T>::try_mutate(|masks| {
			let change = masks.last_change.checked_add(1).ok_or("the changes are used up")?;
			let of = masks
				.subgroups
				.get_mut(usize::from(subgroup))
				.ok_or("no subgroup of that number")?;
			let mut holders = SeatHolders::<T>::get(subgroup);
			let number = match holders.iter().position(|holder| holder == server) {
				Some(number) => number,
				None => {
					let number = match vacant(of, T::MaxMembers::get() as usize) {
						Vacant::New(number) => number,
						Vacant::Used(number) => number,
						Vacant::None => return Err("the subgroup is full"),
					};
					let full = "no more seats than a mask has bits";
					match holders.get_mut(number) {
						Some(holder) => *holder = server.clone(),
						None => holders.try_push(server.clone()).map_err(|_| full)?,
					}
					match of.taken.get_mut(number) {
						Some(taken) => *taken = change,
						None => of.taken.try_push(change).map_err(|_| full)?,
					}
					SeatHolders::<T>::insert(subgroup, holders);
					number
				}
			};
			let number = u8::try_from(number).map_err(|_| "a mask has 32 bits")?;
			let seat = Seat { subgroup, number };
			of.members |= seat.bit();
			of.ready &= !seat.bit();
			masks.last_change = change;
			MemberOf::<T>::insert(server, seat);
			Self::forget_silence(seat);
			Ok(change)
		})
	}

	/// Makes a server account no member any more. Its seat stays its own as long as nobody needs it.
	pub(crate) fn vacate_seat(server: &AccountId) -> Option<Seat> {
		let seat = MemberOf::<T>::take(server)?;
		Masks::<T>::mutate(|masks| {
			if let Some(of) = masks.subgroups.get_mut(usize::from(seat.subgroup)) {
				of.members &= !seat.bit();
				of.ready &= !seat.bit();
			}
		});
		Some(seat)
	}

	/// Notes that the member in a seat counts as ready.
	pub(crate) fn set_ready(seat: Seat) {
		Masks::<T>::mutate(|masks| {
			if let Some(of) = masks.subgroups.get_mut(usize::from(seat.subgroup)) {
				of.ready |= seat.bit() & of.members;
			}
		});
	}
}

/// Where a newcomer can sit.
enum Vacant {
	/// In a seat that nobody has had.
	New(usize),
	/// In a seat whose holder is no member: of several, the one that has had it longest.
	Used(usize),
	/// Nowhere.
	None,
}

fn vacant(of: &SubgroupMasks, seats: usize) -> Vacant {
	if of.taken.len() < seats {
		return Vacant::New(of.taken.len());
	}
	let left = of.taken.iter().enumerate().filter(|(number, _)| {
		let bit = u32::try_from(*number).ok().and_then(|number| 1u32.checked_shl(number));
		bit.is_some_and(|bit| of.members & bit == 0)
	});
	left.min_by_key(|(_, taken)| **taken).map_or(Vacant::None, |(number, _)| Vacant::Used(number))
}
