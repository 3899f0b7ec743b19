//! The whole runtime through sessions.

use super::preset_ext;
use crate::*;
use codec::Encode;
use frame_support::traits::{KeyOwnerProofSystem, OnFinalize, OnInitialize};
use keyshare_primitives::development;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

/// Lets `sessions` pass, as far as sessions and GRANDPA notice.
fn pass(sessions: u32) {
	let length = pallet_subgroups::SessionLength::<Runtime>::get();
	for _ in 0..sessions * length {
		let number = System::block_number() + 1;
		System::reset_events();
		System::initialize(&number, &Default::default(), &Default::default());
		// Every validator makes blocks, so that none is idle.
		for author in Session::validators() {
			use pallet_authorship::EventHandler;
			Subgroups::note_author(author);
		}
		Session::on_initialize(number);
		Grandpa::on_finalize(number);
	}
}

fn set_id() -> u64 {
	pallet_grandpa::CurrentSetId::<Runtime>::get()
}

fn set_keys(validator: Sr25519Keyring, voter: Ed25519Keyring) {
	let keys = SessionKeys { aura: validator.public().into(), grandpa: voter.public().into() };
	let account = validator.to_account_id();
	let before = pallet_session::NextKeys::<Runtime>::get(&account).expect("of the genesis");
	let owner = |id, key: Vec<u8>| (id, key);
	let voting = sp_consensus_grandpa::KEY_TYPE;
	pallet_session::KeyOwner::<Runtime>::remove(owner(voting, before.grandpa.encode()));
	pallet_session::KeyOwner::<Runtime>::insert(owner(voting, keys.grandpa.encode()), &account);
	pallet_session::NextKeys::<Runtime>::insert(&account, keys);
}

#[test]
fn ten_quiet_sessions_leave_the_set_id_alone() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		pass(2);
		let before = set_id();
		pass(10);
		assert_eq!(set_id(), before);
		let expected: Vec<AccountId> = Session::validators();
		assert_eq!(expected.len(), development::SERVERS.len());
	});
}

#[test]
fn an_equivocation_with_a_rotated_key_is_still_proved_when_its_session_is_over() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		pass(2);
		let before = set_id();
		set_keys(Sr25519Keyring::Bob, Ed25519Keyring::Eve);
		pass(2);
		assert_eq!(set_id(), before + 1, "the voters are others");
		let voter: GrandpaId = Ed25519Keyring::Eve.public().into();
		assert!(Grandpa::grandpa_authorities().iter().any(|(authority, _)| *authority == voter));
		let key = (sp_consensus_grandpa::KEY_TYPE, voter);
		let proof = Historical::prove(key.clone()).expect("its owner is a validator");
		pass(3);
		let owner =
			Historical::check_proof((sp_consensus_grandpa::KEY_TYPE, key.1.encode()), proof);
		assert_eq!(owner, Some((Sr25519Keyring::Bob.to_account_id(), ())));
	});
}
