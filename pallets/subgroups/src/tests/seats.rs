//! Seats: who has one, who has had it, and what is never carried over.

use crate::{mock::*, Masks, SeatHolders};
use frame_support::assert_ok;
use keyshare_primitives::{membership::Confirmed, AccountId, ServerInfo};

/// A server account of its own for each number beyond those of [`server`].
fn other_server(number: u8) -> ServerInfo {
	ServerInfo { account: AccountId::new([number; 32]), ..server(1) }
}

/// The validator gets another server account, as if it had proved that it is its own.
fn move_to(number: u8, info: ServerInfo) {
	Subgroups::store_server(&validator(number), info, 0);
}

#[test]
fn a_former_holder_finds_its_seat_as_it_left_it() {
	new_test_ext().execute_with(|| {
		let (before, taken) =
			(seat(4).expect("a member"), Masks::<Test>::get().subgroups[0].taken[1]);
		leave(4);
		pass(2);
		join(4, 0);
		assert_eq!(seat(4), Some(before));
		assert_eq!(
			Masks::<Test>::get().subgroups[0].taken[1],
			taken,
			"what it confirmed counts again"
		);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn newcomers_take_new_seats_first_and_then_the_one_taken_longest_ago() {
	new_test_ext().execute_with(|| {
		leave(4);
		pass(2);
		// Five seats are left that nobody has had or whose holder is away.
		join(5, 0);
		assert_eq!(seat(5).map(|seat| seat.number), Some(2));
		for account in 100..103 {
			move_to(1, other_server(account));
		}
		// Six seats have had holders: 1, 4, 5 and three accounts of the first validator.
		assert_eq!(SeatHolders::<Test>::get(0).len(), MAX_MEMBERS as usize);
		move_to(1, other_server(103));
		assert_eq!(SeatHolders::<Test>::get(0)[0], AccountId::new([103; 32]));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_seat_used_again_after_forty_changes_of_server_account_confers_nothing() {
	new_test_ext().execute_with(|| {
		let first = seat(1).expect("a member");
		let mut confirmed = Confirmed::nobody(3);
		confirmed.add(&Masks::<Test>::get(), first);
		assert!(confirmed.has(&Masks::<Test>::get(), first));
		for account in 100..140 {
			move_to(1, other_server(account));
			make_ready(1);
			assert_ok!(Subgroups::check_state());
			let masks = Masks::<Test>::get();
			let sits = crate::MemberOf::<Test>::get(AccountId::new([account; 32]));
			let sits = sits.expect("it is a member");
			assert!(!confirmed.has(&masks, sits), "in seat {}", sits.number);
			assert_eq!(confirmed.ready_count(&masks, 0), 0);
		}
		// Another member confirms: nothing of before comes back with it.
		let fourth = seat(4).expect("a member");
		confirmed.add(&Masks::<Test>::get(), fourth);
		assert_eq!(confirmed.ready_count(&Masks::<Test>::get(), 0), 1);
		assert_eq!(confirmed.by(&Masks::<Test>::get(), 0), fourth.bit());
	});
}
