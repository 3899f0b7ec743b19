//! Ready members that confirm nothing.

use super::has_happened;
use crate::{mock::*, Event, SilencesOf};
use frame_support::assert_ok;
use keyshare_primitives::{membership::Hearing, AccountId};

/// An attempt of a user ends that member 4 did not confirm, and member 1 did.
fn attempt_ends(user: u8, now: u32) {
	let (one, four) = (seat(1).expect("a member"), seat(4).expect("a member"));
	let hearing = Hearing { subgroup: 0, expected: one.bit() | four.bit(), heard: one.bit() };
	Subgroups::hear(&AccountId::new([user; 32]), hearing, now);
}

fn missed(number: u8) -> u32 {
	let seat = seat(number).expect("a member");
	SilencesOf::<Test>::get(seat.subgroup).missed(seat)
}

fn is_ready(number: u8) -> bool {
	let seat = seat(number).expect("a member");
	masks(seat.subgroup).1 & seat.bit() != 0
}

#[test]
fn who_is_silent_in_eight_attempts_of_four_users_is_not_ready_any_more() {
	new_test_ext().execute_with(|| {
		for count in 1..8 {
			attempt_ends(count % 4, 10 * u32::from(count));
			let missed = count.into();
			let event = Event::MemberSilent { validator: validator(4), subgroup: 0, missed };
			assert!(has_happened(event));
			assert!(is_ready(4));
		}
		attempt_ends(0, 80);
		assert!(!is_ready(4) && is_ready(1));
		let event = Event::MemberUnready { validator: validator(4), subgroup: 0 };
		assert!(has_happened(event));
		assert_eq!((missed(4), masks(0)), (0, (0b11, 0b01)));
		assert_ok!(Subgroups::check_state());
		// It is still a member and a validator, and declares itself ready again.
		pass(2);
		assert!(Session::validators().contains(&validator(4)));
		make_ready(4);
		assert_eq!(masks(0), (0b11, 0b11));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn three_users_alone_judge_nobody() {
	new_test_ext().execute_with(|| {
		for count in 0..24 {
			attempt_ends(count % 3, u32::from(count));
		}
		assert!(is_ready(4));
	});
}

#[test]
fn one_confirmation_is_enough() {
	new_test_ext().execute_with(|| {
		for count in 0..7 {
			attempt_ends(count, u32::from(count));
		}
		let both = seat(1).expect("a member").bit() | seat(4).expect("a member").bit();
		let hearing = Hearing { subgroup: 0, expected: both, heard: both };
		Subgroups::hear(&validator(9), hearing, 8);
		assert_eq!(missed(4), 0);
		assert!(!SilencesOf::<Test>::get(0).seats().any(|_| true));
		attempt_ends(9, 9);
		assert!(is_ready(4));
	});
}

#[test]
fn what_is_long_ago_does_not_count() {
	new_test_ext().execute_with(|| {
		for count in 0..7 {
			attempt_ends(count, u32::from(count));
		}
		attempt_ends(7, WINDOW);
		assert_eq!(missed(4), 7, "the first one is out of the window");
		assert!(is_ready(4));
	});
}

#[test]
fn the_last_ready_member_stays_so_however_silent() {
	new_test_ext().execute_with(|| {
		crate::Joining::<Test>::insert(validator(1), 1);
		Subgroups::set_ready(seat(1).expect("a member"), false);
		for count in 0..16 {
			attempt_ends(count, u32::from(count));
		}
		assert!(is_ready(4));
		assert!(missed(4) >= 8);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_newcomer_in_a_seat_answers_for_nobody_before() {
	new_test_ext().execute_with(|| {
		attempt_ends(1, 1);
		assert_eq!(missed(4), 1);
		leave(4);
		pass(2);
		join(4, 0);
		assert_eq!(missed(4), 0);
	});
}
