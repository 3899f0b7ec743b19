//! Declaring oneself ready, and the off-chain worker that does.

use super::{last_event, publishing::publish};
use crate::{mock::*, Call, Event, Joining, Refusal};
use codec::Decode;
use frame_support::{
	assert_ok,
	pallet_prelude::{Authorize, InvalidTransaction, TransactionSource},
	traits::Hooks,
};
use keyshare_primitives::{
	api::Readiness,
	membership::Change,
	messages,
	offchain::{server_crypto, READY_KEY},
	GenesisHash,
};
use sp_core::{
	offchain::{testing, OffchainDbExt, OffchainWorkerExt, TransactionPoolExt},
	Pair,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::{
	offchain::storage::StorageValueRef, transaction_validity::TransactionValidityError,
};

/// Lets 5 join, and gives the change with which it did.
fn joins() -> Change {
	join(5, 1);
	Joining::<Test>::get(validator(5)).expect("it is syncing").since
}

fn declaration(number: u8, signer: u8, genesis: GenesisHash, joined: Change) -> Call<Test> {
	let account = server(number).account;
	let message = messages::ready_message(&genesis, &account, joined);
	Call::declare_ready { server: account, joined, signature: server_pair(signer).sign(&message) }
}

/// What the pool says, and then, if it is admitted, the block.
fn declare(call: Call<Test>) -> Result<(), TransactionValidityError> {
	call.authorize(TransactionSource::External).expect("it is authorized")?;
	let Call::declare_ready { server, joined, signature } = call else { panic!("another call") };
	assert_ok!(Subgroups::declare_ready(
		frame_system::RawOrigin::Authorized.into(),
		server,
		joined,
		signature
	));
	Ok(())
}

fn refused(refusal: Refusal) -> Result<(), TransactionValidityError> {
	Err(InvalidTransaction::Custom(refusal as u8).into())
}

#[test]
fn a_member_that_joined_declares_itself_ready() {
	new_test_ext().execute_with(|| {
		let joined = joins();
		let readiness = || {
			let mut infos = (0..3).flat_map(Subgroups::member_infos);
			infos.find(|info| info.validator == validator(5)).expect("a member").readiness
		};
		assert_eq!(readiness(), Readiness::Syncing);
		assert_eq!(declare(declaration(5, 5, GENESIS, joined)), Ok(()));
		assert_eq!(readiness(), Readiness::Ready);
		assert_eq!(
			last_event(),
			Event::ServerReady { validator: validator(5), server: server(5).account }.into()
		);
		// Once is enough.
		assert_eq!(declare(declaration(5, 5, GENESIS, joined)), refused(Refusal::NotJoining));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_declaration_is_for_one_membership_of_one_server_on_one_chain() {
	new_test_ext().execute_with(|| {
		let joined = joins();
		let other = declaration(5, 5, GENESIS, joined + 1);
		assert_eq!(declare(other), refused(Refusal::NotJoining));
		let forged = declaration(5, 6, GENESIS, joined);
		assert_eq!(declare(forged), refused(Refusal::BadSignature));
		let other_chain = declaration(5, 5, GenesisHash::zero(), joined);
		assert_eq!(declare(other_chain), refused(Refusal::BadSignature));
		let ready = declaration(1, 1, GENESIS, 0);
		assert_eq!(declare(ready), refused(Refusal::NotJoining));
		// Whoever leaves and returns has to declare anew.
		leave(5);
		pass(2);
		assert_eq!(declare(declaration(5, 5, GENESIS, joined)), refused(Refusal::NotJoining));
		join(5, 1);
		assert_eq!(declare(declaration(5, 5, GENESIS, joined)), refused(Refusal::NotJoining));
		let again = Joining::<Test>::get(validator(5)).expect("it is syncing").since;
		assert_eq!(declare(declaration(5, 5, GENESIS, again)), Ok(()));
	});
}

#[test]
fn a_member_with_a_new_server_account_has_to_declare_anew() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(1), server(9)));
		assert!(Joining::<Test>::contains_key(validator(1)));
		assert_ok!(Subgroups::check_state());
	});
	new_test_ext().execute_with(|| {
		let mut other_key = server(1);
		other_key.encryption_key = server(9).encryption_key;
		assert_ok!(publish(1, &validator(1), other_key));
		assert!(!Joining::<Test>::contains_key(validator(1)), "it holds what it held");
	});
}

#[test]
fn the_last_ready_member_stays_ready_under_a_new_account() {
	new_test_ext().execute_with(|| {
		// Subgroup 1 has one member, and without a ready one nobody can register.
		assert_ok!(publish(9, &validator(2), server(9)));
		let seat = crate::MemberOf::<Test>::get(server(9).account).expect("a member");
		assert_eq!(masks(1).1, seat.bit());
		let info = || Subgroups::member_infos(1).remove(0);
		assert_eq!(info().readiness, Readiness::Ready);
		// Whoever joins waits for it all the same, for it has confirmed nothing yet.
		assert!(Joining::<Test>::contains_key(validator(2)));
		assert_ok!(Subgroups::check_state());
		// Beside a syncing one it is still the last.
		join(5, 1);
		System::set_block_number(System::block_number() + GRACE);
		assert_ok!(publish(10, &validator(2), server(10)));
		assert_eq!(masks(1).1.count_ones(), 1);
		let joined = Joining::<Test>::get(validator(2)).expect("it has to declare itself").since;
		assert_eq!(declare(declaration(10, 10, GENESIS, joined)), Ok(()));
		assert!(!Joining::<Test>::contains_key(validator(2)));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_declaration_comes_before_what_ordinary_users_send() {
	new_test_ext().execute_with(|| {
		let joined = joins();
		let call = declaration(5, 5, GENESIS, joined);
		let validity = call.authorize(TransactionSource::External).expect("it is authorized");
		let (validity, _) = validity.expect("rightly signed");
		assert_eq!(validity.priority, keyshare_primitives::offchain::SERVER_PRIORITY);
	});
}

#[test]
fn a_declaration_cannot_be_played_back_after_another_account_in_between() {
	new_test_ext().execute_with(|| {
		let joined = joins();
		let first = declaration(5, 5, GENESIS, joined);
		assert_eq!(declare(first.clone()), Ok(()));
		// A, B and A again, all in one session.
		let session = Session::current_index();
		assert_ok!(publish(9, &validator(5), server(9)));
		System::set_block_number(System::block_number() + GRACE);
		assert_ok!(publish(5, &validator(5), server(5)));
		assert_eq!(Session::current_index(), session);
		assert_eq!(declare(first), refused(Refusal::NotJoining));
		let again = Joining::<Test>::get(validator(5)).expect("it is syncing").since;
		assert_eq!(declare(declaration(5, 5, GENESIS, again)), Ok(()));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn the_off_chain_worker_declares_what_the_node_has_found() {
	let mut ext = new_test_ext();
	let (offchain, _) = testing::TestOffchainExt::new();
	let (pool, submitted) = testing::TestTransactionPoolExt::new();
	let keystore = MemoryKeystore::new();
	let seed = format!("0x{}", "05".repeat(32));
	let key = keystore.sr25519_generate_new(server_crypto::KEY_TYPE, Some(&seed)).expect("a key");
	assert_eq!(key, server_pair(5).public());
	ext.register_extension(OffchainDbExt::new(offchain.clone()));
	ext.register_extension(OffchainWorkerExt::new(offchain));
	ext.register_extension(TransactionPoolExt::new(pool));
	ext.register_extension(KeystoreExt::new(keystore));
	ext.execute_with(|| {
		let joined = joins();
		Subgroups::offchain_worker(1);
		assert!(submitted.read().transactions.is_empty(), "it has not been found ready");
		let found = |servers: &[(u8, Change)]| {
			let servers: Vec<_> =
				servers.iter().map(|(number, joined)| (server(*number).account, *joined)).collect();
			StorageValueRef::persistent(READY_KEY).set(&servers);
		};
		// One that is ready already, and one that was found ready when it was a member before.
		found(&[(1, 0), (5, joined - 1)]);
		Subgroups::offchain_worker(2);
		assert!(submitted.read().transactions.is_empty());
		found(&[(1, 0), (5, joined)]);
		Subgroups::offchain_worker(2);
		let sent = submitted.write().transactions.pop().expect("a declaration");
		assert!(submitted.read().transactions.is_empty());
		let extrinsic = Extrinsic::decode(&mut sent.as_slice()).expect("an extrinsic");
		let RuntimeCall::Subgroups(call) = extrinsic.function else { panic!("another pallet") };
		assert!(matches!(call, Call::declare_ready { joined: named, .. } if named == joined));
		assert_eq!(declare(call), Ok(()));
		Subgroups::offchain_worker(3);
		assert!(submitted.read().transactions.is_empty());
	});
}
