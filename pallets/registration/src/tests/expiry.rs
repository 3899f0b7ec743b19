//! Attempts that run out of time.

use crate::{mock::*, pallet::*, weights::WeightInfo, Call, Refusal};
use frame_support::{
	assert_noop, assert_ok,
	weights::{Weight, WeightMeter},
};
use sp_runtime::transaction_validity::TransactionValidityError;

#[test]
fn an_attempt_goes_by_itself_when_its_time_is_over() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		let id = attempt(&ALICE).expect("begun").key.id;
		confirm_all(&ed25519(1), &ALICE, 1, &[1]);
		run_to(TIMEOUT);
		assert!(attempt(&ALICE).is_some(), "one block is left");
		run_to(1 + TIMEOUT);
		assert_eq!(events(), vec![Event::RegistrationExpired { account: ALICE, id }]);
		assert_eq!(Registration::account_info(&ALICE).constraints, None);
		check();
		assert_ok!(register(&ALICE, &ed25519(1)));
	});
}

#[test]
fn the_last_block_still_counts_and_the_next_does_not() {
	for (block, counts) in [(TIMEOUT, true), (1 + TIMEOUT, false)] {
		new_test_ext().execute_with(|| {
			let key = ed25519(1);
			assert_ok!(register(&ALICE, &key));
			let (last, others) = QUORUM.split_last().expect("not empty");
			confirm_all(&key, &ALICE, 1, others);
			// Expiry runs before a block's extrinsics, so in the same block it comes first.
			run_to(block);
			let confirmation = confirmation(*last, vec![prove(&key, &ALICE, 1, *last)]);
			let expected = match counts {
				true => Ok(Ok(())),
				false => Err(TransactionValidityError::from(Refusal::NothingLive)),
			};
			assert_eq!(apply(&confirmation), expected);
			assert_eq!(key_of(&ALICE).is_some(), counts);
			check();
		});
	}
}

#[test]
fn work_is_bounded_a_block_and_nothing_waiting_is_live() {
	new_test_ext().execute_with(|| {
		let keys: Vec<_> = (100..108).map(|number| (user(number), ed25519(number))).collect();
		for (who, key) in &keys {
			assert_ok!(register(who, key));
		}
		run_to(1 + TIMEOUT);
		assert_eq!(events().len() as u32, MAX_EXPIRIES);
		assert_eq!(Expiries::<Test>::iter().count(), 5);
		check();
		// Those that wait for their turn are over all the same.
		for (who, key) in &keys {
			if attempt(who).is_some() {
				let late = confirmation(1, vec![prove(key, who, 1, 1)]);
				assert_eq!(apply(&late), Err(Refusal::NothingLive.into()));
			}
		}
		run_to(2 + TIMEOUT);
		assert_eq!(Expiries::<Test>::iter().count(), 2);
		run_to(3 + TIMEOUT);
		assert_eq!(Expiries::<Test>::iter().count(), 0);
		check();
	});
}

#[test]
fn a_block_without_room_expires_nothing_and_the_next_catches_up() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		run_to_with(1 + TIMEOUT, &mut WeightMeter::with_limit(Weight::zero()));
		assert!(attempt(&ALICE).is_some());
		let step = <() as WeightInfo>::expiry_step();
		let just_enough = step * u64::from(2 + TIMEOUT) + Registration::expire_weight();
		run_to_with(2 + TIMEOUT, &mut WeightMeter::with_limit(just_enough));
		assert!(attempt(&ALICE).is_none());
		check();
	});
}

#[test]
fn anyone_may_remove_what_is_over_and_nobody_what_is_not() {
	new_test_ext().execute_with(|| {
		let expire = || dispatch(&BOB, Call::expire { account: ALICE });
		assert_noop!(expire(), Error::<Test>::NotRegistering);
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_noop!(expire(), Error::<Test>::NotExpired);
		run_to_with(1 + TIMEOUT, &mut WeightMeter::with_limit(Weight::zero()));
		let id = attempt(&ALICE).expect("waiting").key.id;
		assert_ok!(expire());
		assert_eq!(events(), vec![Event::RegistrationExpired { account: ALICE, id }]);
		check();
	});
}

#[test]
fn a_swap_that_runs_out_of_time_leaves_the_key() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		assert_ok!(swap(&ALICE, &ed25519(2)));
		run_to(1 + TIMEOUT);
		let info = Registration::account_info(&ALICE);
		assert_eq!(info.registered.expect("in force").key.generation, 1);
		assert!(info.registering.is_none() && info.constraints.is_some());
		check();
	});
}

#[test]
fn an_attempt_that_has_its_quorums_because_members_left_is_completed() {
	for (stay, completed) in [(&[1, 2, 11, 21][..], true), (&[1, 2, 11, 12, 21], false)] {
		new_test_ext().execute_with(|| {
			let key = ed25519(1);
			assert_ok!(register(&ALICE, &key));
			confirm_all(&key, &ALICE, 1, &[1, 2, 11, 21]);
			begin_session(stay);
			run_to(1 + TIMEOUT);
			assert_eq!(key_of(&ALICE).is_some(), completed);
			assert!(attempt(&ALICE).is_none());
			check();
		});
	}
}
