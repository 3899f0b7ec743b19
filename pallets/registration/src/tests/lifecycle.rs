//! Registering, cancelling, swapping and leaving.

use crate::{mock::*, pallet::*, Call};
use frame_support::{assert_noop, assert_ok};
use keyshare_primitives::{api::RegistrationStatus, messages, Element, KeyCommitments, KeyScheme};
use sp_runtime::{BoundedVec, DispatchError};

#[test]
fn registering_publishes_the_key_and_what_follows_from_it() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		let attempt = attempt(&ALICE).expect("begun");
		let id = messages::registration_id(&GENESIS, &ALICE, 1, &key.commitments);
		assert_eq!(attempt.key.id, id);
		assert_eq!(attempt.key.generation, 1);
		assert_eq!(attempt.key.commitments, key.commitments);
		assert_eq!(attempt.expires_at, 1 + TIMEOUT);
		assert_eq!(
			events(),
			vec![Event::RegistrationBegun {
				account: ALICE,
				generation: 1,
				id,
				expires_at: 1 + TIMEOUT,
				fee: Registration::confirmation_fee(),
			}]
		);
		let info = Registration::account_info(&ALICE);
		assert_eq!(info.generation, 1);
		assert!(info.registered.is_none());
		let shown = info.registering.expect("under way");
		assert_eq!(shown.key, attempt.key);
		assert_eq!(shown.status, RegistrationStatus::Registering { expires_at: 1 + TIMEOUT });
		check();
	});
}

#[test]
fn the_last_quorum_registers_in_the_same_call() {
	for scheme in [KeyScheme::Ed25519, KeyScheme::Secp256k1] {
		new_test_ext().execute_with(|| {
			let key = split(scheme, 1);
			assert_ok!(register(&ALICE, &key));
			let (last, others) = QUORUM.split_last().expect("not empty");
			confirm_all(&key, &ALICE, 1, others);
			assert!(key_of(&ALICE).is_none(), "one subgroup is missing");
			confirm_all(&key, &ALICE, 1, &[*last]);
			let registration = key_of(&ALICE).expect("every quorum is reached");
			assert!(attempt(&ALICE).is_none());
			assert_eq!(
				events().pop(),
				Some(Event::KeyRegistered {
					account: ALICE,
					generation: 1,
					id: registration.key.id,
					replaced: None,
				})
			);
			let info = Registration::account_info(&ALICE);
			let coverage = info.registered.expect("in force").coverage;
			assert_eq!(
				coverage.iter().map(|c| c.quorum).collect::<Vec<_>>(),
				[Some(2), Some(2), Some(1)]
			);
			assert!(coverage.iter().all(|coverage| coverage.is_reached()));
			check();
		});
	}
}

#[test]
fn an_account_has_one_attempt_and_one_key() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_noop!(register(&ALICE, &ed25519(2)), Error::<Test>::AlreadyRegistering);
		assert_noop!(swap(&ALICE, &ed25519(2)), Error::<Test>::NotRegistered);
		confirm_all(&ed25519(1), &ALICE, 1, &QUORUM);
		assert_noop!(register(&ALICE, &ed25519(2)), Error::<Test>::AlreadyRegistered);
		assert_ok!(swap(&ALICE, &ed25519(2)));
		assert_noop!(swap(&ALICE, &ed25519(3)), Error::<Test>::AlreadyRegistering);
	});
}

#[test]
fn commitments_must_be_valid_elements_without_a_zero_share() {
	new_test_ext().execute_with(|| {
		let begin = |elements: Vec<[u8; 32]>| {
			let key = KeyCommitments::Ed25519(BoundedVec::truncate_from(elements));
			dispatch(
				&ALICE,
				Call::register {
					constraint_account: GUARDIAN,
					constraints: Default::default(),
					key,
				},
			)
		};
		let Some(Element::Ed25519(good)) = ed25519(1).commitments.get(0) else { panic!("first") };
		assert_noop!(begin(vec![]), Error::<Test>::WrongNumberOfCommitments);
		assert_noop!(begin(vec![good]), Error::<Test>::WrongNumberOfCommitments);
		assert_noop!(begin(vec![good; 4]), Error::<Test>::WrongNumberOfCommitments);
		assert_noop!(begin(vec![good, [2; 32]]), Error::<Test>::InvalidCommitment);
		// The constant term is the negated linear one: f(1) = 0.
		let mut negated = good;
		negated[31] ^= 0x80;
		assert_noop!(begin(vec![good, negated]), Error::<Test>::ZeroShare);
		assert_ok!(begin(vec![good, good]));
	});
}

#[test]
fn a_threshold_is_its_owners() {
	new_test_ext().execute_with(|| {
		// Three of three subgroups: each of them is needed.
		let key = split_for(KeyScheme::Ed25519, 3, 1);
		assert_ok!(register(&ALICE, &key));
		confirm_all(&key, &ALICE, 1, &QUORUM);
		assert_eq!(key_of(&ALICE).expect("in force").key.commitments.len(), 3);
		check();
		// And another one after a swap.
		assert_ok!(swap(&ALICE, &ed25519(2)));
		check();
	});
}

#[test]
fn with_a_subgroup_of_nobody_registering_is_refused_at_once() {
	ext_with(&[&[1, 2], &[11], &[]]).0.execute_with(|| {
		assert_noop!(register(&ALICE, &ed25519(1)), Error::<Test>::NoReadyMember);
	});
}

#[test]
fn with_a_subgroup_in_which_nobody_is_ready_registering_is_refused_at_once() {
	let (mut ext, _) = ext_with(&[&[1, 2], &[11], &[21]]);
	ext.execute_with(|| {
		make_registered_by(&ALICE, &ed25519(1), &[1, 2, 11, 21]);
		pallet_subgroups::Masks::<Test>::mutate(|masks| masks.subgroups[2].ready = 0);
		assert_noop!(register(&BOB, &ed25519(2)), Error::<Test>::NoReadyMember);
		assert_noop!(swap(&ALICE, &ed25519(2)), Error::<Test>::NoReadyMember);
	});
}

#[test]
fn a_generation_is_never_used_twice() {
	new_test_ext().execute_with(|| {
		let cancel = || dispatch(&ALICE, Call::cancel {});
		for generation in 1..=3 {
			assert_ok!(register(&ALICE, &ed25519(1)));
			let attempt = attempt(&ALICE).expect("begun");
			assert_eq!(attempt.key.generation, generation);
			assert_ok!(cancel());
		}
		make_registered(&ALICE, &ed25519(1));
		assert_ok!(dispatch(&ALICE, Call::deregister {}));
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_eq!(attempt(&ALICE).expect("begun").key.generation, 5);
		assert_ok!(cancel());
		Accounts::<Test>::mutate(ALICE, |record| record.last_generation = u32::MAX);
		assert_noop!(register(&ALICE, &ed25519(1)), Error::<Test>::TooManyGenerations);
	});
}

#[test]
fn cancelling_leaves_nothing_of_the_attempt() {
	new_test_ext().execute_with(|| {
		assert_noop!(dispatch(&ALICE, Call::cancel {}), Error::<Test>::NotRegistering);
		let key = ed25519(1);
		assert_ok!(register(&ALICE, &key));
		confirm_all(&key, &ALICE, 1, &[1, 11]);
		let id = attempt(&ALICE).expect("begun").key.id;
		assert_noop!(dispatch(&BOB, Call::cancel {}), Error::<Test>::NotRegistering);
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		assert_eq!(events().pop(), Some(Event::RegistrationCancelled { account: ALICE, id }));
		assert_eq!(Registration::account_info(&ALICE).constraints, None);
		assert_eq!(Expiries::<Test>::iter().count(), 0);
		check();
	});
}

#[test]
fn the_old_key_is_in_force_until_the_new_one_is_registered() {
	new_test_ext().execute_with(|| {
		let (old, new) = (ed25519(1), ed25519(2));
		make_registered(&ALICE, &old);
		let old_id = key_of(&ALICE).expect("in force").key.id;
		assert_ok!(swap(&ALICE, &new));
		let (last, others) = QUORUM.split_last().expect("not empty");
		confirm_all(&new, &ALICE, 2, others);
		assert_eq!(key_of(&ALICE).expect("in force").key.id, old_id);
		// A late server still confirms the old key while the new one is on its way.
		confirm_all(&old, &ALICE, 1, &[13]);
		confirm_all(&new, &ALICE, 2, &[*last]);
		let key = key_of(&ALICE).expect("in force").key;
		assert_eq!(key.commitments, new.commitments);
		assert_eq!(
			events().pop(),
			Some(Event::KeyRegistered {
				account: ALICE,
				generation: 2,
				id: key.id,
				replaced: Some(old_id),
			})
		);
		check();
	});
}

#[test]
fn cancelling_a_swap_keeps_the_key_and_its_constraints() {
	new_test_ext().execute_with(|| {
		make_registered(&ALICE, &ed25519(1));
		assert_ok!(swap(&ALICE, &ed25519(2)));
		assert_ok!(dispatch(&ALICE, Call::cancel {}));
		let info = Registration::account_info(&ALICE);
		assert_eq!(info.registered.expect("in force").key.generation, 1);
		assert!(info.registering.is_none());
		assert!(info.constraints.is_some());
		check();
	});
}

#[test]
fn leaving_removes_everything_even_a_swap_under_way() {
	new_test_ext().execute_with(|| {
		assert_noop!(dispatch(&ALICE, Call::deregister {}), Error::<Test>::NotRegistered);
		make_registered(&ALICE, &ed25519(1));
		let id = key_of(&ALICE).expect("in force").key.id;
		assert_ok!(swap(&ALICE, &ed25519(2)));
		confirm_all(&ed25519(2), &ALICE, 2, &[1]);
		assert_ok!(dispatch(&ALICE, Call::deregister {}));
		assert_eq!(events().pop(), Some(Event::Deregistered { account: ALICE, id }));
		let info = Registration::account_info(&ALICE);
		assert_eq!((info.registered, info.registering, info.constraints), (None, None, None));
		assert_eq!(info.generation, 2);
		check();
	});
}

#[test]
fn an_attempt_alone_cannot_be_left() {
	new_test_ext().execute_with(|| {
		assert_ok!(register(&ALICE, &ed25519(1)));
		assert_noop!(dispatch(&ALICE, Call::deregister {}), Error::<Test>::NotRegistered);
	});
}

#[test]
fn calls_want_a_signature() {
	new_test_ext().execute_with(|| {
		let none = RuntimeOrigin::none;
		let bad = DispatchError::BadOrigin;
		let key = ed25519(1).commitments;
		assert_noop!(
			Registration::register(none(), GUARDIAN, Default::default(), key.clone()),
			bad
		);
		assert_noop!(Registration::cancel(none()), bad);
		assert_noop!(Registration::expire(none(), ALICE), bad);
		assert_noop!(Registration::swap_key(none(), key), bad);
		assert_noop!(Registration::update_constraints(none(), ALICE, Default::default()), bad);
		assert_noop!(Registration::change_constraint_account(none(), ALICE, BOB), bad);
		assert_noop!(Registration::deregister(none()), bad);
	});
}

#[test]
fn the_deal_in_force_is_not_dealt_again() {
	new_test_ext().execute_with(|| {
		let key = ed25519(1);
		make_registered(&ALICE, &key);
		assert_noop!(swap(&ALICE, &key), Error::<Test>::SameCommitments);
		assert_ok!(swap(&ALICE, &ed25519(2)));
	});
}
