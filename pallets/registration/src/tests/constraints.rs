//! Constraints: what they may be, and who may change them.

use crate::{mock::*, pallet::*, Call};
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::{
	constraints::{
		Amount, BitcoinAllow, Clause, ConstraintsV2, EvmAllow, Messages, Network, Rule, RuleId,
		SolanaAllow, Who,
	},
	AccountId, Constraints, KeyScheme,
};
use sp_runtime::DispatchResult;

/// Constraints for an Ed25519 key, with a rule for each recipient.
pub fn allowing(recipients: impl IntoIterator<Item = u8>) -> Constraints {
	allowing_for(KeyScheme::Ed25519, recipients)
}

/// The same for a key of any scheme.
pub fn allowing_for(scheme: KeyScheme, recipients: impl IntoIterator<Item = u8>) -> Constraints {
	let pay = match scheme {
		KeyScheme::Ed25519 => pay_solana,
		KeyScheme::Secp256k1 => pay_evm,
	};
	with_rules(recipients.into_iter().map(|byte| (byte.into(), pay(byte))).collect())
}

fn pay_solana(to: u8) -> Rule {
	let (to, largest) = (Who::Only([to; 32]), Amount::UpTo(1));
	Rule::Solana { allow: SolanaAllow::Pay { to, largest } }
}

fn pay_evm(to: u8) -> Rule {
	let (to, largest) = (Who::Only([to; 20]), Amount::UpTo(1));
	Rule::Evm { chain: 1, allow: EvmAllow::Pay { to, largest } }
}

fn with_rules(rules: Vec<(RuleId, Rule)>) -> Constraints {
	Constraints::V2(ConstraintsV2 { rules, ..Default::default() })
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

fn v2(change: fn(&mut ConstraintsV2)) -> Constraints {
	let mut constraints = ConstraintsV2::default();
	change(&mut constraints);
	Constraints::V2(constraints)
}

fn many(count: u16) -> Constraints {
	let call = |id: u16| {
		let mut program = [0; 32];
		program[..2].copy_from_slice(&id.to_be_bytes());
		(id, Rule::Solana { allow: SolanaAllow::Call { program } })
	};
	with_rules((0..count).map(call).collect())
}

/// What the chain refuses, for an Ed25519 key, and by which name.
fn refused() -> [(Constraints, Error<Test>); 9] {
	let data = Rule::Bitcoin { allow: BitcoinAllow::Data };
	[
		(many(257), Error::<Test>::TooManyRules),
		(v2(|v2| v2.fees = (1..=17).map(|id| (Network::Evm(id), 1)).collect()), Error::TooManyFees),
		(v2(|v2| v2.clauses = vec![Clause::Reserved]), Error::ReservedClause),
		(v2(|v2| v2.fees = vec![(Network::Evm(0), 1)]), Error::InvalidChainId),
		(with_rules(vec![(1, data)]), Error::SchemeMismatch),
		(allowing([2, 1]), Error::RulesOutOfOrder),
		(allowing([1, 1]), Error::RulesOutOfOrder),
		(v2(|v2| v2.fees = vec![(Network::Solana, 1); 2]), Error::FeesOutOfOrder),
		(with_rules(vec![(1, pay_solana(1)), (2, pay_solana(1))]), Error::RepeatedRule),
	]
}

#[test]
fn constraints_that_the_protocol_does_not_know_are_refused_by_name() {
	new_test_ext().execute_with(|| {
		for (constraints, error) in refused() {
			assert_noop!(register_with(&ALICE, &ed25519(1), constraints), error);
		}
		assert_ok!(register_with(&ALICE, &ed25519(1), many(256)));
		for (constraints, error) in refused() {
			assert_noop!(update(&GUARDIAN, &ALICE, constraints), error);
		}
		assert_ok!(update(&GUARDIAN, &ALICE, v2(|v2| v2.messages = Messages::Any)));
		check();
	});
}

#[test]
fn rules_are_for_networks_of_the_keys_scheme() {
	new_test_ext().execute_with(|| {
		let bitcoin = || with_rules(vec![(1, Rule::Bitcoin { allow: BitcoinAllow::Data })]);
		let mismatch = || Error::<Test>::SchemeMismatch;
		assert_noop!(register_with(&ALICE, &ed25519(1), bitcoin()), mismatch());
		assert_noop!(register_with(&ALICE, &secp256k1(1), allowing([1])), mismatch());
		assert_ok!(register_with(&ALICE, &secp256k1(1), bitcoin()));
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), mismatch());
		// Once in force as while it is under way.
		confirm_all(&secp256k1(1), &ALICE, 1, &QUORUM);
		assert_noop!(update(&GUARDIAN, &ALICE, allowing([1])), mismatch());
		assert_ok!(update(&GUARDIAN, &ALICE, bitcoin()));
		check();
	});
}

#[test]
fn a_swap_keeps_the_scheme_that_the_rules_are_for() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		assert_noop!(swap(&ALICE, &secp256k1(2)), Error::<Test>::SchemeChanged);
		assert_ok!(swap(&ALICE, &ed25519(2)));
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
