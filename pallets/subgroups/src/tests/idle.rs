//! Validators that make no blocks.

use super::{has_happened, last_event, members};
use crate::{mock::*, Error, Event, Idle, LastBlocks};
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::api::Obstacle;

fn back(as_operator: u8, number: u8) -> frame_support::dispatch::DispatchResult {
	Subgroups::back(RuntimeOrigin::signed(operator(as_operator)), validator(number))
}

/// How long four validators have: more than the configured sessions if these are short.
fn patience() -> u32 {
	Subgroups::patience(4)
}

#[test]
fn who_makes_no_block_for_so_many_sessions_is_not_selected_until_called_back() {
	new_test_ext().execute_with(|| {
		pass(2);
		pass_without(patience() - 1, &[4]);
		assert!(!Idle::<Test>::contains_key(validator(4)), "one session is left");
		pass_without(1, &[4]);
		let session = Session::current_index();
		assert!(has_happened(Event::ValidatorIdle { validator: validator(4), session }));
		assert_eq!(Subgroups::obstacles(&validator(4)), vec![Obstacle::Idle { session }]);
		pass(1);
		assert!(!Session::validators().contains(&validator(4)));
		assert_eq!(members(0), [1].map(validator));
		assert!(!LastBlocks::<Test>::contains_key(validator(4)), "nobody counts any more");

		assert_noop!(back(1, 4), Error::<Test>::NotItsOperator);
		assert_noop!(back(0, 1), Error::<Test>::NotIdle);
		assert_ok!(back(0, 4));
		assert_eq!(last_event(), Event::ValidatorBack { validator: validator(4) }.into());
		pass(2);
		assert_eq!(members(0), [1, 4].map(validator));
		// It has as long as anybody.
		pass_without(patience() - 1, &[4]);
		assert!(!Idle::<Test>::contains_key(validator(4)));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn one_block_is_enough() {
	new_test_ext().execute_with(|| {
		for _ in 0..4 {
			pass_without(patience() - 1, &[4]);
			pass(1);
		}
		assert!(!Idle::<Test>::contains_key(validator(4)));
	});
}

#[test]
fn with_short_sessions_and_many_validators_it_takes_longer() {
	new_test_ext().execute_with(|| {
		assert_eq!(Subgroups::patience(1), IDLE);
		// Six turns of each of forty make up 240 blocks, 48 sessions of five.
		assert_eq!(Subgroups::patience(40), 48);
	});
}

#[test]
fn a_sole_member_that_is_idle_stays_a_member() {
	new_test_ext().execute_with(|| {
		pass_without(patience() + 3, &[2]);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(members(1), [2].map(validator));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_chain_that_stands_still_does_not_lose_its_last_validators() {
	new_test_ext().execute_with(|| {
		pass_without(patience() + 3, &[1, 2, 3, 4]);
		assert_eq!(Session::validators().len(), 4);
		assert_ok!(back(1, 2));
		pass(2);
		// It is the only one that was called back.
		assert_eq!(Session::validators(), [2].map(validator));
	});
}

#[test]
fn who_made_no_block_among_many_begins_anew_among_few() {
	new_test_ext().execute_with(|| {
		let last = || crate::LastBlocks::<Test>::get(validator(4)).expect("it is watched");
		pass_without(patience() - 1, &[4]);
		let (before, session) = (last(), Session::current_index());
		let set = |numbers: &[u8]| numbers.iter().copied().map(validator).collect::<Vec<_>>();
		Subgroups::watch(&set(&[1, 2, 3, 4]), session);
		assert_eq!(last(), before, "the set is as large as it was");
		Subgroups::watch(&set(&[1, 2, 3, 4, 5]), session);
		assert_eq!(last(), before, "in a larger one turns come less often");
		Subgroups::watch(&set(&[3, 4, 5]), session);
		assert_eq!(last(), session - 1);
	});
}
