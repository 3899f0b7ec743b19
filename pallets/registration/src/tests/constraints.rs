//! Constraints: what they may be, and who may change them.

use crate::{mock::*, pallet::*, Call};
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::{AccountId, Acl, AclKind, Constraints};
use sp_runtime::DispatchResult;

pub fn allowing(addresses: impl IntoIterator<Item = u8>) -> Constraints {
	let acl = Acl {
		kind: AclKind::Allow,
		addresses: addresses.into_iter().map(|byte| [byte; 20]).collect(),
		allow_null_recipient: false,
	};
	Constraints { evm_acl: Some(acl), btc_acl: None }
}

pub fn update(by: &AccountId, of: &AccountId, constraints: Constraints) -> DispatchResult {
	dispatch(by, Call::update_constraints { account: of.clone(), constraints })
}

fn shown(who: &AccountId) -> Option<(AccountId, Constraints)> {
	Registration::account_info(who).constraints
}

#[test]
fn they_are_set_by_registering() {
	new_test_ext().execute_with(|| {
		assert_ok!(register_with(&ALICE, &ed25519(1), allowing([1, 2])));
		assert_eq!(shown(&ALICE), Some((GUARDIAN, allowing([1, 2]))));
		assert_eq!(shown(&BOB), None);
	});
}

#[test]
fn lists_are_bounded_and_without_duplicates_or_the_call_fails() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_noop!(register_with(&ALICE, &key, allowing(1..=5)), Error::<Test>::TooManyAddresses);
		assert_noop!(
			register_with(&ALICE, &key, allowing([1, 1])),
			Error::<Test>::DuplicateAddress
		);
		assert_ok!(register_with(&ALICE, &key, allowing(1..=4)));
		assert_noop!(update(&GUARDIAN, &ALICE, allowing(1..=5)), Error::<Test>::TooManyAddresses);
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1, 1])), Error::<Test>::DuplicateAddress);
	});
}

#[test]
fn only_the_constraint_modification_account_changes_them() {
	new_test_ext().execute_with(|| {
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), Error::<Test>::NoConstraints);
		make_registered(&ALICE, &ed25519(1));
		for other in [ALICE, BOB] {
			assert_noop!(
				update(&other, &ALICE, allowing([1])),
				Error::<Test>::NotConstraintAccount
			);
		}
		assert_ok!(update(&GUARDIAN, &ALICE, allowing([1])));
		assert_eq!(events().pop(), Some(Event::ConstraintsUpdated { account: ALICE }));
		assert_eq!(shown(&ALICE), Some((GUARDIAN, allowing([1]))));
		check();
	});
}

#[test]
fn the_right_to_change_them_is_handed_over_whole() {
	new_test_ext().execute_with(|| {
		let hand = |by: &AccountId, new: AccountId| {
			dispatch(by, Call::change_constraint_account { account: ALICE, new })
		};
		assert_noop!(hand(&GUARDIAN, BOB), Error::<Test>::NoConstraints);
		make_registered(&ALICE, &ed25519(1));
		assert_noop!(hand(&ALICE, ALICE), Error::<Test>::NotConstraintAccount);
		assert_ok!(hand(&GUARDIAN, BOB));
		assert_eq!(
			events().pop(),
			Some(Event::ConstraintAccountChanged {
				account: ALICE,
				previous: GUARDIAN,
				current: BOB,
			})
		);
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), Error::<Test>::NotConstraintAccount);
		assert_noop!(hand(&GUARDIAN, GUARDIAN), Error::<Test>::NotConstraintAccount);
		assert_ok!(update(&BOB, &ALICE, allowing([1])));
	});
}

#[test]
fn a_swap_does_not_touch_them() {
	new_test_ext().execute_with(|| {
		assert_ok!(register_with(&ALICE, &ed25519(1), allowing([1])));
		confirm_all(&ed25519(1), &ALICE, 1, &QUORUM);
		assert_ok!(swap(&ALICE, &ed25519(2)));
		confirm_all(&ed25519(2), &ALICE, 2, &QUORUM);
		assert_eq!(shown(&ALICE), Some((GUARDIAN, allowing([1]))));
	});
}
