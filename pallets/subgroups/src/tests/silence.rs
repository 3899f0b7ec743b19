//! Ready members that confirm nothing.

use super::has_happened;
use crate::{mock::*, Event, Joining, Silences};
use frame_support::assert_ok;
use keyshare_primitives::{
	membership::{Ended, Hearing, SubgroupMembership},
	AccountId,
};
use sp_runtime::traits::Zero;

fn end_of(user: AccountId, hearing: Hearing, now: u32) {
	Subgroups::hear(&[Ended { user, hearings: vec![hearing] }], now);
}

/// An attempt of a user ends that member 4 did not confirm, and member 1 did.
fn attempt_ends(user: u8, now: u32) {
	let (one, four) = (seat(1).expect("a member"), seat(4).expect("a member"));
	let hearing = Hearing { subgroup: 0, expected: one.bit() | four.bit(), heard: one.bit() };
	end_of(AccountId::new([user; 32]), hearing, now);
}

fn missed(number: u8) -> u32 {
	let seat = seat(number).expect("a member");
	Silences::<Test>::get().missed(seat)
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
			let event = Event::MembersSilent { subgroup: 0, servers: vec![server(4).account] };
			assert!(has_happened(event));
			assert_eq!(missed(4), u32::from(count));
			assert!(is_ready(4));
		}
		attempt_ends(0, 80);
		assert!(!is_ready(4) && is_ready(1));
		let event = Event::MemberUnready { validator: validator(4), subgroup: 0 };
		assert!(has_happened(event));
		assert_eq!((missed(4), masks(0)), (0, (0b11, 0b01)));
		let why = Joining::<Test>::get(validator(4)).map(|syncing| syncing.silent);
		assert_eq!(why, Some(true), "it was ready, and need not fetch what was withheld from it");
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
		end_of(validator(9), hearing, 8);
		assert_eq!(missed(4), 0);
		assert_eq!(Silences::<Test>::get(), Default::default());
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
		make_syncing(1);
		for count in 0..16 {
			attempt_ends(count, u32::from(count));
		}
		assert!(is_ready(4));
		assert_eq!(missed(4), 8);
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

#[test]
fn no_user_crowds_out_the_others() {
	new_test_ext().execute_with(|| {
		(1..=3).for_each(|user| attempt_ends(user, 1));
		// One user alone fills the list, again and again.
		(0..20).for_each(|_| attempt_ends(1, 2));
		assert!(is_ready(4));
		attempt_ends(4, 3);
		assert!(!is_ready(4), "these are four users");
	});
}

#[test]
fn attempts_that_end_in_one_call_are_noted_together() {
	new_test_ext().execute_with(|| {
		let (one, four) = (seat(1).expect("a member"), seat(4).expect("a member"));
		let silent = Hearing { subgroup: 0, expected: one.bit() | four.bit(), heard: one.bit() };
		let heard = Hearing { heard: one.bit() | four.bit(), ..silent };
		let of = |user: u8, hearings| Ended { user: AccountId::new([user; 32]), hearings };
		let attempts = [of(1, vec![silent]), of(2, vec![]), of(3, vec![silent])];
		let weight = Subgroups::note_hearings(&attempts, 1);
		assert_eq!(weight, Subgroups::hearings_weight(2));
		assert_eq!(missed(4), 2);
		// In the order in which they ended.
		let attempts = [of(1, vec![silent]), of(2, vec![heard]), of(3, vec![silent])];
		assert!(!Subgroups::note_hearings(&attempts, 1).is_zero());
		assert_eq!(missed(4), 1);
		assert!(Subgroups::note_hearings(&[of(1, vec![])], 1).is_zero(), "nothing to note");
	});
}

/// Member 5 joins 1 and 4; what an attempt tells that only 1 confirmed.
fn two_of_three_are_silent() -> Hearing {
	join(5, 0);
	make_ready(5);
	let seats = [1, 4, 5].map(|number| seat(number).expect("a member"));
	let [one, four, five] = seats.map(|seat| seat.bit());
	Hearing { subgroup: 0, expected: one | four | five, heard: one }
}

#[test]
fn one_member_a_time_is_found_silent() {
	new_test_ext().execute_with(|| {
		let hearing = two_of_three_are_silent();
		let end = |user: u8| end_of(AccountId::new([user; 32]), hearing, 1);
		for user in 0..8 {
			end(user);
		}
		assert!(!is_ready(4) && is_ready(5));
		end(8);
		assert!(!is_ready(5) && is_ready(1));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn one_member_a_batch_is_found_silent() {
	new_test_ext().execute_with(|| {
		let hearing = two_of_three_are_silent();
		let of = |user| Ended { user: AccountId::new([user; 32]), hearings: vec![hearing] };
		let batch: Vec<_> = (0..64).map(of).collect();
		Subgroups::hear(&batch, 1);
		assert!(!is_ready(4) && is_ready(5), "both were due");
		Subgroups::hear(&batch[..1], 1);
		assert!(!is_ready(5) && is_ready(1));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn who_has_changed_its_account_and_is_silent_still_has_to_fetch_everything() {
	new_test_ext().execute_with(|| {
		// The last ready member has another account and has confirmed nothing under it yet.
		make_syncing(4);
		assert_ok!(super::publishing::publish(9, &validator(1), server(9)));
		make_ready(4);
		let moved = crate::MemberOf::<Test>::get(server(9).account).expect("a member");
		let four = seat(4).expect("a member");
		let expected = moved.bit() | four.bit();
		let hearing = Hearing { subgroup: 0, expected, heard: four.bit() };
		for user in 0..8 {
			end_of(AccountId::new([user; 32]), hearing, 1);
		}
		assert_eq!(masks(0).1, four.bit());
		assert_eq!(Joining::<Test>::get(validator(1)).map(|syncing| syncing.silent), Some(false));
		assert_ok!(Subgroups::check_state());
	});
}
