//! What attempts tell, at their end, of members that confirmed nothing.

use crate::{mock::*, Call};
use frame_support::assert_ok;
use keyshare_primitives::{membership::Silences, AccountId};

/// Servers 11, 12 and 13 are subgroup 1: two of them are a quorum.
const CONFIRM: [u8; 2] = [11, 12];

fn is_ready(number: u8) -> bool {
	let seat = pallet_subgroups::MemberOf::<Test>::get(server(number)).expect("a member");
	let masks = pallet_subgroups::Masks::<Test>::get();
	masks.of(seat.subgroup).expect("it is there").ready & seat.bit() != 0
}

/// In how many attempts in a row a member was silent.
fn missed(number: u8) -> u32 {
	let seat = pallet_subgroups::MemberOf::<Test>::get(server(number)).expect("a member");
	pallet_subgroups::Silences::<Test>::get().missed(seat)
}

fn nobody_was_silent() -> bool {
	pallet_subgroups::Silences::<Test>::get() == Silences::default()
}

/// Four users, of whom each one's key is made from its number.
fn users() -> impl Iterator<Item = (AccountId, u8)> {
	(103..107).map(|number| (user(number), number))
}

/// An attempt of `who` that these confirm at once.
fn attempt_confirmed_by(who: &AccountId, seed: u8, servers: &[u8]) {
	assert_ok!(register(who, &ed25519(seed)));
	confirm_all(&ed25519(seed), who, generation_of(who), servers);
}

/// One of server 13, which is ready, and silent; it ends in its block `TIMEOUT`.
fn attempt_without_13() {
	attempt_confirmed_by(&ALICE, 1, &CONFIRM);
}

fn expire() {
	run_to(System::block_number() + TIMEOUT);
	assert!(attempt(&ALICE).is_none() && key_of(&ALICE).is_none());
}

#[test]
fn who_confirms_nothing_for_long_is_not_ready_any_more() {
	new_test_ext().execute_with(|| {
		for round in 0..2 {
			for (who, seed) in users() {
				assert!(is_ready(13));
				attempt_confirmed_by(&who, seed, &CONFIRM);
			}
			// One block later than they expire: no more than three do in one.
			run_to(1 + (round + 1) * (TIMEOUT + 1));
			assert_eq!(is_ready(13), round == 0);
		}
		assert_ok!(Subgroups::check_state());
		declare_ready(13);
		assert!(is_ready(13));
	});
}

#[test]
fn of_two_ready_members_a_silent_one_stops_everybody_for_eight_attempts() {
	new_test_ext().execute_with(|| {
		// Server 2 is dead, and both of subgroup 0 make up its quorum.
		let all_but_two = [1, 11, 12, 21];
		for round in 0..2 {
			for (who, seed) in users() {
				attempt_confirmed_by(&who, seed, &all_but_two);
				assert!(key_of(&who).is_none());
			}
			run_to(1 + (round + 1) * (TIMEOUT + 1));
		}
		assert!(is_ready(1) && !is_ready(2));
		make_registered_by(&ALICE, &ed25519(1), &all_but_two);
		check();
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn an_attempt_that_completes_tells_too() {
	new_test_ext().execute_with(|| {
		attempt_without_13();
		run_to(1 + HEARD_BEFORE);
		confirm_all(&ed25519(1), &ALICE, 1, &[1, 2, 21]);
		assert!(key_of(&ALICE).is_some());
		assert_eq!((missed(13), missed(11)), (1, 0));
		// A swap is an attempt as well; 13 is heard of in time, and begins with a clean sheet.
		assert_ok!(swap(&ALICE, &ed25519(2)));
		confirm_all(&ed25519(2), &ALICE, 2, &[11, 12, 13]);
		run_to(1 + 2 * HEARD_BEFORE);
		confirm_all(&ed25519(2), &ALICE, 2, &[1, 2, 21]);
		assert!(nobody_was_silent());
	});
}

#[test]
fn what_nobody_confirmed_long_before_the_end_counts_against_nobody() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		// A dealer that gives shares to two of three at the last moment.
		run_to(1 + TIMEOUT - HEARD_BEFORE + 1);
		confirm_all(&ed25519(1), &ALICE, 1, &CONFIRM);
		run_to(1 + TIMEOUT);
		assert!(attempt(&ALICE).is_none() && nobody_was_silent());
	});
}

#[test]
fn an_attempt_ends_when_its_time_is_over_however_late_it_is_removed() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		run_to(1 + TIMEOUT - HEARD_BEFORE + 1);
		confirm_all(&ed25519(1), &ALICE, 1, &CONFIRM);
		// No block had room for its removal.
		System::set_block_number(1 + 3 * TIMEOUT);
		assert_ok!(dispatch(&BOB, Call::expire { account: ALICE }));
		assert!(attempt(&ALICE).is_none() && nobody_was_silent());
	});
}

#[test]
fn an_attempt_that_is_cancelled_tells_nothing() {
	new_test_ext().execute_with(|| {
		attempt_without_13();
		run_to(TIMEOUT);
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert!(nobody_was_silent());
	});
}

#[test]
fn who_was_syncing_when_it_began_is_not_asked() {
	new_test_ext().execute_with(|| {
		assert!(move_server(13, 14));
		attempt_without_13();
		declare_ready(13);
		expire();
		assert!(nobody_was_silent());
	});
}

#[test]
fn who_took_its_seat_since_it_began_is_not_asked() {
	new_test_ext().execute_with(|| {
		attempt_without_13();
		// Another account of the same validator, and back: the seat is the same, and taken anew or not.
		assert!(move_server(13, 14));
		declare_ready(13);
		expire();
		assert!(nobody_was_silent());
	});
}

#[test]
fn a_share_that_only_departed_members_had_counts_against_nobody() {
	new_test_ext().execute_with(|| {
		attempt_without_13();
		// Server 13 could ask nobody any more.
		begin_session(&[1, 2, 13, 21]);
		expire();
		assert!(nobody_was_silent());
	});
	new_test_ext().execute_with(|| {
		attempt_without_13();
		begin_session(&[1, 2, 12, 13, 21]);
		expire();
		assert_eq!(missed(13), 1, "one is enough");
	});
}

#[test]
fn attempts_that_expire_in_one_block_are_decided_before_any_is_judged() {
	new_test_ext().execute_with(|| {
		// Server 13 has missed seven attempts of four users.
		let seat = pallet_subgroups::MemberOf::<Test>::get(server(13)).expect("a member");
		pallet_subgroups::Silences::<Test>::mutate(|silences| {
			let missed = (0..7)
				.map(|n| keyshare_primitives::membership::Missed { at: 1, user: [n, 0, 0, 0] });
			let missed = missed.collect::<Vec<_>>().try_into().expect("seven");
			silences.0.try_insert(seat, missed).expect("there is room");
		});
		// Of two ready members left one would be a quorum, and it has confirmed.
		begin_session(&[1, 2, 11, 13, 21]);
		for (who, seed) in users().take(2) {
			attempt_confirmed_by(&who, seed, &[1, 2, 11, 21]);
		}
		run_to(1 + TIMEOUT);
		assert!(!is_ready(13));
		for (who, _) in users().take(2) {
			assert!(attempt(&who).is_none() && key_of(&who).is_none());
		}
	});
}
