//! When there is a new set, what proves the members of an old one, and who may not be in any.

use super::{last_event, members};
use crate::{mock::*, Barred, Error, Event};
use codec::Encode;
use frame_support::{assert_noop, assert_ok, traits::KeyOwnerProofSystem};
use pallet_session::historical;
use sp_core::crypto::key_types::DUMMY;
use sp_runtime::{testing::UintAuthorityId, DispatchError, Perbill};
use sp_staking::offence::{OffenceDetails, OnOffenceHandler};

/// Gives a validator other session keys.
fn rotate_keys(number: u8, key: u64) {
	let keys = SessionKeys { dummy: UintAuthorityId(key) };
	pallet_session::KeyOwner::<Test>::insert((DUMMY, keys.dummy.encode()), validator(number));
	pallet_session::NextKeys::<Test>::insert(validator(number), keys);
}

#[test]
fn ten_quiet_sessions_are_no_new_set() {
	new_test_ext().execute_with(|| {
		pass(2);
		let before = SetChanges::get();
		pass(10);
		assert_eq!(SetChanges::get(), before);
		assert_eq!(Session::validators(), [1, 2, 3, 4].map(validator));
	});
}

#[test]
fn who_stays_keeps_its_place_in_the_set() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		let before = Session::validators();
		leave(1);
		pass(2);
		let expected: Vec<_> = before.into_iter().filter(|other| *other != validator(1)).collect();
		assert_eq!(Session::validators(), expected);
	});
}

#[test]
fn a_key_rotation_in_an_unchanged_set_can_be_proved_sessions_later() {
	new_test_ext().execute_with(|| {
		pass(2);
		rotate_keys(2, 77);
		let before = SetChanges::get();
		pass(2);
		assert_eq!(SetChanges::get(), before + 1, "the new keys are in force");
		let key = (DUMMY, UintAuthorityId(77).encode());
		let proof = Historical::prove(key.clone()).expect("its owner is a validator");
		// While the session lasts, and when only its root is left.
		for _ in 0..2 {
			let owner = Historical::check_proof(key.clone(), proof.clone());
			assert_eq!(owner, Some((validator(2), ())));
			pass(1);
		}
		let before = SetChanges::get();
		pass(3);
		assert_eq!(SetChanges::get(), before, "once is enough");
	});
}

fn equivocates(number: u8) {
	let offender = (validator(number), ());
	Subgroups::on_offence(
		&[OffenceDetails { offender, reporters: Vec::new() }],
		&[Perbill::one()],
		Session::current_index(),
	);
}

#[test]
fn who_equivocates_is_out_until_readmitted() {
	new_test_ext().execute_with(|| {
		join(5, 1);
		make_ready(5);
		let session = Session::current_index();
		equivocates(2);
		assert_eq!(Disabled::get(), [1], "it makes no more blocks in this session");
		assert_eq!(
			last_event(),
			Event::ValidatorBarred { validator: validator(2), session }.into()
		);
		pass(2);
		assert!(!Session::validators().contains(&validator(2)));
		assert_eq!(members(1), [5].map(validator));
		// A second report says nothing new.
		System::reset_events();
		equivocates(2);
		assert!(System::events().is_empty());

		assert_noop!(
			Subgroups::readmit(RuntimeOrigin::signed(validator(2)), validator(2)),
			DispatchError::BadOrigin
		);
		assert_noop!(
			Subgroups::readmit(RuntimeOrigin::root(), validator(1)),
			Error::<Test>::NotBarred
		);
		assert_ok!(Subgroups::readmit(RuntimeOrigin::root(), validator(2)));
		assert_eq!(last_event(), Event::ValidatorReadmitted { validator: validator(2) }.into());
		assert!(!Barred::<Test>::contains_key(validator(2)));
		pass(2);
		assert_eq!(members(1), [5, 2].map(validator));
	});
}

#[test]
fn of_three_validators_none_is_disabled_within_its_session() {
	let mut ext = ext_with(genesis(2, &[&[1], &[2], &[3]]));
	ext.execute_with(|| {
		// The mock's fourth validator has session keys only, and is not selected.
		pass(2);
		assert_eq!(Session::validators().len(), 3);
		equivocates(2);
		assert_eq!(Disabled::get(), Vec::<u32>::new(), "a third of two, rounded down, is none");
		pass(2);
		assert!(!Session::validators().contains(&validator(2)), "it goes with the next set");
	});
}

#[test]
fn validators_of_old_sessions_are_forgotten() {
	new_test_ext().execute_with(|| {
		pass(6);
		let (first, _) = historical::StoredRange::<Test>::get().expect("some are kept");
		assert_eq!(first, Session::current_index() - 2);
	});
}
