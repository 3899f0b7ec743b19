//! What is held, on every path, and that it comes back.

use super::constraints::{allowing, allowing_for, update};
use crate::{mock::*, Call, Event};
use frame_support::{assert_noop, assert_ok, traits::fungible::Mutate};
use keyshare_primitives::{Constraints, KeyScheme};
use sp_runtime::TokenError;

fn free() -> u64 {
	Balances::free_balance(ALICE)
}

#[test]
fn the_deposit_is_what_the_chain_says_beforehand() {
	for scheme in [KeyScheme::Ed25519, KeyScheme::Secp256k1] {
		new_test_ext().execute_with(|| {
			let constraints = allowing_for(scheme, [1, 2]);
			let due = Registration::deposit(scheme, 2, Some(constraints.clone()));
			assert_ok!(register_with(&ALICE, &split(scheme, 1), constraints));
			assert_eq!(held(&ALICE), due);
			assert_eq!(free(), FUNDS - due - Registration::confirmation_fee());
		});
	}
}

#[test]
fn more_storage_costs_more() {
	new_test_ext().execute_with(|| {
		let price = |scheme, constraints| Registration::deposit(scheme, 2, Some(constraints));
		let base = price(KeyScheme::Ed25519, Constraints::default());
		assert!(price(KeyScheme::Secp256k1, Constraints::default()) > base);
		let one = price(KeyScheme::Ed25519, allowing([1]));
		let two = price(KeyScheme::Ed25519, allowing([1, 2]));
		assert_eq!(two - one, (2 + 1 + 1 + 1 + 32 + 1 + 8) * DepositPerByte::get());
	});
}

/// What is held for the record itself, which is never removed: its key of 80 bytes, the generation,
/// and two bytes for the key and the attempt that are not there.
const STAYS: u64 = 100 + 80 + 4 + 2;

#[test]
fn what_stays_held_for_the_record_is_said_beforehand() {
	new_test_ext().execute_with(|| assert_eq!(Registration::record_deposit(), STAYS));
}

#[test]
fn a_higher_threshold_costs_more() {
	new_test_ext().execute_with(|| {
		let two = Registration::deposit(KeyScheme::Ed25519, 2, None);
		let three = Registration::deposit(KeyScheme::Ed25519, 3, None);
		assert_eq!(three - two, 32 * DepositPerByte::get());
		let key = split_for(KeyScheme::Ed25519, 3, 1);
		assert_ok!(register(&ALICE, &key));
		let due = Registration::deposit(KeyScheme::Ed25519, 3, Some(Constraints::default()));
		assert_eq!(held(&ALICE), due);
	});
}

#[test]
fn it_stays_the_same_when_a_first_attempt_becomes_the_key() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		let before = (held(&ALICE), free());
		confirm_all(&ed25519(1), &ALICE, 1, &QUORUM);
		assert_eq!((held(&ALICE), free()), before);
	});
}

#[test]
fn one_user_takes_no_more_than_six_hundred_bytes() {
	new_test_ext().execute_with(|| {
		let size = || {
			let mut sum = 0;
			let mut key = Vec::new();
			while let Some(next) = sp_io::storage::next_key(&key) {
				sum += next.len() + sp_io::storage::get(&next).map_or(0, |value| value.len());
				key = next;
			}
			sum
		};
		// An account that is there, in a chain in which others have registered; its free balance alone
		// is not the registration's.
		make_registered(&BOB, &ed25519(2));
		System::reset_events();
		let before = size();
		make_registered(&ALICE, &ed25519(1));
		System::reset_events();
		let bytes = size() - before;
		println!("an Ed25519 user with t = 2 and n = 3 takes {bytes} bytes");
		assert!(bytes <= 600, "{bytes}");
		// And pays for them, but for what the chain itself counts: the hold's own entry.
		assert!(held(&ALICE) >= 2 * DepositBase::get() + 400);
	});
}

#[test]
fn prices_that_an_upgrade_raises_stop_no_completion_and_no_expiry() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		assert_ok!(register(&BOB, &ed25519(2)));
		Balances::set_balance(&ALICE, 1);
		Balances::set_balance(&BOB, 1);
		let before = held(&ALICE);
		DepositPerByte::set(100);
		confirm_all(&key, &ALICE, 1, &QUORUM);
		assert!(key_of(&ALICE).is_some());
		assert_eq!(held(&ALICE), before, "no more than was held");
		run_to(1 + TIMEOUT);
		assert!(attempt(&BOB).is_none());
		assert!(held(&BOB) <= before);
		assert_ok!(dispatch(&ALICE, Call::deregister {}));
		DepositPerByte::set(1);
	});
}

#[test]
fn it_comes_back_by_cancelling_expiring_and_leaving() {
	new_test_ext().execute_with(|| {
		// The fee does not.
		let left = |attempts| FUNDS - STAYS - attempts * Registration::confirmation_fee();
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!((held(&ALICE), free()), (STAYS, left(1)));

		assert_ok!(register(&ALICE, &ed25519(1)));
		run_to(1 + TIMEOUT);
		assert_eq!((held(&ALICE), free()), (STAYS, left(2)));

		make_registered(&ALICE, &ed25519(1));
		assert_ok!(swap(&ALICE, &ed25519(2)));
		assert_ok!(dispatch(&ALICE, Call::deregister {}));
		assert_eq!((held(&ALICE), free()), (STAYS, left(4)));
	});
}

#[test]
fn a_swap_is_held_beside_the_key_until_it_is_over() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		let one = held(&ALICE);
		let new = split_for(KeyScheme::Ed25519, 3, 2);
		assert_ok!(swap(&ALICE, &new));
		assert_eq!(held(&ALICE), one + Registration::deposit(KeyScheme::Ed25519, 3, None));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!(held(&ALICE), one);

		assert_ok!(swap(&ALICE, &new));
		confirm_all(&new, &ALICE, 3, &QUORUM);
		// One key again, with one commitment more.
		assert_eq!(held(&ALICE), one + 32 * DepositPerByte::get());
	});
}

#[test]
fn constraints_are_paid_by_the_user_in_both_directions() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		let before = held(&ALICE);
		assert_ok!(update(&GUARDIAN, &ALICE, allowing([1, 2])));
		assert!(held(&ALICE) > before);
		assert_ok!(update(&GUARDIAN, &ALICE, Constraints::default()));
		assert_eq!(held(&ALICE), before);
		assert_eq!(held(&GUARDIAN), 0);
	});
}

/// What six members' confirmations, one completed swap and what that tells of three subgroups weigh; the mock
/// makes a unit of a thousand.
#[test]
fn the_confirmations_that_an_attempt_causes_are_paid_for() {
	new_test_ext().execute_with(|| {
		let fee = Registration::confirmation_fee();
		assert_eq!(fee, 6 * 2 + 2 * 3 + 4);
		assert_ok!(register(&ALICE, &ed25519(1)));
		let paid = |event| match event {
			Event::RegistrationBegun { fee, .. } => Some(fee),
			_ => None,
		};
		assert_eq!(events().into_iter().find_map(paid), Some(fee));
		assert_eq!(free() + held(&ALICE), FUNDS - fee);
		assert_eq!(pallet_balances::TotalIssuance::<Test>::get(), before_anybody_paid() - fee);
		// Fewer members confirm less.
		begin_session(&[1, 11, 21]);
		assert_eq!(Registration::confirmation_fee(), 3 * 2 + 2 * 3 + 4);
	});
}

fn before_anybody_paid() -> u64 {
	new_test_ext().execute_with(pallet_balances::TotalIssuance::<Test>::get)
}

#[test]
fn who_can_pay_the_deposit_and_not_the_fee_changes_nothing() {
	new_test_ext().execute_with(|| {
		let due = Registration::deposit(KeyScheme::Ed25519, 2, Some(Constraints::default()));
		let needed = due + Registration::confirmation_fee() + 1;
		Balances::set_balance(&ALICE, needed - 1);
		assert_noop!(register(&ALICE, &ed25519(1)), TokenError::FundsUnavailable);
		Balances::set_balance(&ALICE, needed);
		assert_ok!(register(&ALICE, &ed25519(1)));
		check();
	});
}

#[test]
fn who_cannot_pay_changes_nothing() {
	new_test_ext().execute_with(|| {
		assert_noop!(register(&POOR, &ed25519(1)), TokenError::FundsUnavailable);

		make_registered(&ALICE, &ed25519(1));
		Balances::set_balance(&ALICE, 1);
		assert_noop!(swap(&ALICE, &ed25519(2)), TokenError::FundsUnavailable);
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), TokenError::FundsUnavailable);
		check();
	});
}
