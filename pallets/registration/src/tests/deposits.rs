//! What is held, on every path, and that it comes back.

use super::constraints::{allowing, update};
use crate::{mock::*, Call};
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
			let due = Registration::deposit(scheme, Some(allowing([1, 2])));
			assert_ok!(register_with(&ALICE, &split(scheme, 1), allowing([1, 2])));
			assert_eq!(held(&ALICE), due);
			assert_eq!(free(), FUNDS - due);
		});
	}
}

#[test]
fn more_storage_costs_more() {
	new_test_ext().execute_with(|| {
		let price = |scheme, constraints| Registration::deposit(scheme, Some(constraints));
		let base = price(KeyScheme::Ed25519, Constraints::default());
		assert!(price(KeyScheme::Secp256k1, Constraints::default()) > base);
		let one = price(KeyScheme::Ed25519, allowing([1]));
		let two = price(KeyScheme::Ed25519, allowing([1, 2]));
		assert_eq!(two - one, 20 * DepositPerByte::get());
	});
}

#[test]
fn it_stays_when_an_attempt_becomes_the_key() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		let before = held(&ALICE);
		confirm_all(&ed25519(1), &ALICE, 1, &QUORUM);
		assert_eq!(held(&ALICE), before);
	});
}

#[test]
fn it_comes_back_by_cancelling_expiring_and_leaving() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!((held(&ALICE), free()), (0, FUNDS));

		assert_ok!(register(&ALICE, &ed25519(1)));
		run_to(1 + TIMEOUT);
		assert_eq!((held(&ALICE), free()), (0, FUNDS));

		make_registered(&ALICE, &ed25519(1));
		assert_ok!(swap(&ALICE, &ed25519(2)));
		assert_ok!(dispatch(&ALICE, Call::deregister {}));
		assert_eq!((held(&ALICE), free()), (0, FUNDS));
	});
}

#[test]
fn a_swap_is_held_beside_the_key_until_it_is_over() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		let one = held(&ALICE);
		let new = split(KeyScheme::Secp256k1, 2);
		assert_ok!(swap(&ALICE, &new));
		assert_eq!(held(&ALICE), one + Registration::deposit(KeyScheme::Secp256k1, None));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!(held(&ALICE), one);

		assert_ok!(swap(&ALICE, &new));
		confirm_all(&new, &ALICE, 3, &QUORUM);
		let constraints = Some(Constraints::default());
		assert_eq!(held(&ALICE), Registration::deposit(KeyScheme::Secp256k1, constraints));
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

#[test]
fn who_cannot_pay_changes_nothing() {
	new_test_ext().execute_with(|| {
		assert_noop!(register(&POOR, &ed25519(1)), TokenError::FundsUnavailable);

		make_registered(&ALICE, &ed25519(1));
		Balances::set_balance(&ALICE, 1);
		assert_noop!(swap(&ALICE, &ed25519(2)), TokenError::FundsUnavailable);
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), TokenError::FundsUnavailable);
		assert_ok!(Registration::check_state());
	});
}
