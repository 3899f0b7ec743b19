//! The whole runtime through sessions.

use super::preset_ext;
use crate::*;
use codec::Encode;
use frame_support::traits::{KeyOwnerProofSystem, OnFinalize, OnInitialize};
use keyshare_primitives::development;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};
use sp_runtime::{traits::Dispatchable, Digest, DigestItem};

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

/// Begins a block of a slot's author, who is Bob for the third.
fn begin_block_of_slot(number: BlockNumber, slot: u64) {
	let slot = sp_consensus_aura::Slot::from(slot);
	let log = DigestItem::PreRuntime(sp_consensus_aura::AURA_ENGINE_ID, slot.encode());
	System::initialize(&number, &Default::default(), &Digest { logs: vec![log] });
}

#[test]
fn whoever_makes_a_block_is_not_idle() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		pass(2);
		pallet_session::CurrentIndex::<Runtime>::put(5);
		let bob = Sr25519Keyring::Bob.to_account_id();
		let last = |of: &AccountId| pallet_subgroups::LastBlocks::<Runtime>::get(of);
		let before = Session::validators().iter().map(last).collect::<Vec<_>>();
		begin_block_of_slot(System::block_number() + 1, 3);
		Authorship::on_initialize(System::block_number());
		assert_eq!(Authorship::author(), Some(bob.clone()));
		let after = Session::validators().iter().map(last).collect::<Vec<_>>();
		assert_eq!(last(&bob), Some(5));
		assert_eq!(before.iter().zip(&after).filter(|(a, b)| a != b).count(), 1, "only its own");
	});
}

#[test]
fn a_chain_whose_validators_purge_their_keys_goes_on() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		pass(2);
		let purge = || RuntimeCall::Session(pallet_session::Call::purge_keys {});
		for validator in Session::validators() {
			let refused = purge().dispatch(RuntimeOrigin::signed(validator));
			let error = refused.expect_err("it is filtered").error;
			assert_eq!(error, frame_system::Error::<Runtime>::CallFiltered.into());
		}
		// Root does it for two of the three, who are left out as soon as they have no keys.
		for validator in Session::validators().into_iter().take(2) {
			let who = validator.clone().into();
			let call = Box::new(purge());
			let sudo = pallet_sudo::Key::<Runtime>::get().expect("the preset has it");
			let root = RuntimeOrigin::signed(sudo);
			assert_eq!(Sudo::sudo_as(root, who, call).map(drop), Ok(()));
			assert!(pallet_session::NextKeys::<Runtime>::get(&validator).is_none());
		}
		pass(3);
		assert_eq!(Session::validators().len(), 1);
		assert_eq!(Grandpa::grandpa_authorities().len(), 1);
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
