//! Attempts that run out of time.

use crate::{migrations::RenewAttempts, mock::*, pallet::*, weights::WeightInfo, Call, Refusal};
use frame_support::{
	assert_noop, assert_ok,
	migrations::{SteppedMigration, SteppedMigrationError},
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

#[test]
fn nothing_expires_during_a_pause_and_what_was_alive_has_its_time_anew() {
	new_test_ext().execute_with(|| {
		for (number, who) in [(1, ALICE), (2, BOB)] {
			assert_ok!(register(&who, &ed25519(number)));
			run_to(System::block_number() + 1);
		}
		confirm_all(&ed25519(2), &BOB, 1, &[1]);
		// Alice's attempt is over in the block with which the pause begins, and Bob's is not.
		let begin = 1 + TIMEOUT;
		run_to(begin - 1);
		Registration::pause();
		System::set_block_number(begin + 7);
		Registration::pause();
		assert_eq!(PausedSince::<Test>::get(), Some(begin), "it is one pause");
		run_to(begin + 50);
		assert_eq!(events(), vec![]);

		let mut cursor = Some((System::block_number() + TIMEOUT, None));
		let mut steps = 0;
		while cursor.is_some() {
			let mut meter = WeightMeter::with_limit(
				<() as WeightInfo>::renew_attempt().max(Registration::expire_weight()),
			);
			cursor = RenewAttempts::<Test>::step(cursor, &mut meter).expect("enough weight");
			steps += 1;
		}
		assert!((3..=4).contains(&steps), "each once, but for one that moves ahead: {steps}");
		Registration::resume();
		let expires_at = begin + 50 + TIMEOUT;
		let id = attempt(&BOB).expect("alive").key.id;
		let renewed = Event::RegistrationRenewed { account: BOB, id, expires_at };
		assert!(events().contains(&renewed), "{:?}", events());
		let renewed = attempt(&BOB).expect("alive");
		assert_eq!(renewed.expires_at, expires_at);
		assert!(renewed.expectations.iter().all(|of| of.first_heard.is_none()));
		assert!(attempt(&ALICE).is_none(), "the dead are not raised");
		assert_eq!(NextExpiry::<Test>::get(), expires_at, "nothing of the pause is gone through");
		run_to(expires_at - 1);
		assert!(attempt(&BOB).is_some());
		check();
		run_to(expires_at);
		assert!(attempt(&BOB).is_none());
		check();
	});
}

#[test]
fn a_step_without_the_weight_for_one_says_how_much_it_needs() {
	new_test_ext().execute_with(|| {
		let required = <() as WeightInfo>::renew_attempt().max(Registration::expire_weight());
		let too_little = required - Weight::from_parts(1, 0);
		let mut meter = WeightMeter::with_limit(too_little);
		assert_eq!(
			RenewAttempts::<Test>::step(None, &mut meter),
			Err(SteppedMigrationError::InsufficientWeight { required })
		);
	});
}
