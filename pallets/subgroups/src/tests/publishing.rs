//! Publishing and replacing servers.

use super::last_event;
use crate::{mock::*, Error, Event, HoldReason, Servers};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use keyshare_primitives::{AccountId, EncryptionKey, Endpoint, RetiredKey, ServerInfo};
use sp_core::Pair;
use sp_runtime::TokenError;

pub(super) fn publish(
	number: u8,
	as_validator: &AccountId,
	server: ServerInfo,
) -> sp_runtime::DispatchResult {
	let proof = proof(number, as_validator, &server);
	Subgroups::publish_server(RuntimeOrigin::signed(as_validator.clone()), server, proof)
}

pub(super) fn held(validator: &AccountId) -> u64 {
	Balances::balance_on_hold(&HoldReason::Server.into(), validator)
}

/// With the proof of whichever of the servers has the account.
pub(super) fn publish_any(
	as_validator: &AccountId,
	info: ServerInfo,
) -> sp_runtime::DispatchResult {
	let number = (0..=u8::MAX).find(|number| server(*number).account == info.account);
	publish(number.expect("one of the mock's"), as_validator, info)
}

#[test]
fn a_validator_publishes_its_first_server_for_a_deposit() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_eq!(Servers::<Test>::get(validator(9)).expect("published").info, server(9));
		assert!(held(&validator(9)) > DepositBase::get());
		assert_eq!(seat(9), None, "publishing is not joining");
		assert_eq!(
			last_event(),
			Event::ServerPublished { validator: validator(9), server: server(9).account }.into()
		);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_member_that_replaces_its_server_stays_a_member_under_the_new_account() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(1), server(9)));
		assert_eq!(seat(1), None);
		assert_eq!(seat(9).expect("a member").subgroup, 0);
		assert_eq!(super::members(0), [1, 4].map(validator));
		assert_eq!(
			last_event(),
			Event::ServerReplaced {
				validator: validator(1),
				server: server(9).account,
				previous: server(1).account,
			}
			.into()
		);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn replacing_adjusts_the_deposit() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(9), server(9)));
		let before = held(&validator(9));
		let mut longer = server(9);
		let url = b"https://server.example:9955/longer".to_vec();
		let difference = (url.len() - longer.endpoint.len()) as u64;
		longer.endpoint = Endpoint::truncate_from(url);
		assert_ok!(publish(9, &validator(9), longer));
		assert_eq!(held(&validator(9)), before + difference);
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_eq!(held(&validator(9)), before);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn no_server_account_of_another_validator_can_be_published_not_even_a_former_one() {
	new_test_ext().execute_with(|| {
		// Validator 1 gives up its genesis keys.
		assert_ok!(publish(9, &validator(1), server(9)));
		System::set_block_number(1 + GRACE);
		for taken in [1, 2, 9] {
			assert_noop!(
				publish(taken, &validator(7), server(taken)),
				Error::<Test>::ServerAccountInUse
			);
		}
		// Its own former one is still its own.
		assert_ok!(publish(1, &validator(1), server(1)));
	});
}

#[test]
fn nobody_squats_an_encryption_key_by_publishing_it_first() {
	new_test_ext().execute_with(|| {
		let squatted = ServerInfo { account: server(8).account, ..server(9) };
		assert_ok!(publish(8, &validator(7), squatted));
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn an_account_that_was_published_stays_paid_for() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(9), server(9)));
		let one = held(&validator(9));
		assert_ok!(publish(
			8,
			&validator(9),
			ServerInfo { account: server(8).account, ..server(9) }
		));
		let two = held(&validator(9));
		let entry = two - one;
		assert_eq!(entry, DepositBase::get() + 64 * DepositPerByte::get());
		// The first account again costs nothing more.
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_eq!(held(&validator(9)), two);
		assert_ok!(Subgroups::withdraw_server(RuntimeOrigin::signed(validator(9))));
		let assignment = DepositBase::get() + 33 * DepositPerByte::get();
		assert_eq!(held(&validator(9)), 2 * entry + assignment);
		assert_ok!(publish(
			8,
			&validator(9),
			ServerInfo { account: server(8).account, ..server(9) }
		));
		assert_eq!(held(&validator(9)), two);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_replaced_encryption_key_has_its_grace_period() {
	new_test_ext().execute_with(|| {
		let publish_key = |number: u8| {
			let info = ServerInfo { encryption_key: server(number).encryption_key, ..server(1) };
			publish(1, &validator(1), info)
		};
		let retired = || Servers::<Test>::get(validator(1)).expect("published").retired;
		assert_eq!(retired(), None);
		assert_ok!(publish_key(8));
		let first = RetiredKey { key: server(1).encryption_key, until: 1 + GRACE };
		assert_eq!(retired(), Some(first));
		// Another endpoint changes nothing about it.
		System::set_block_number(GRACE);
		assert_ok!(publish_key(8));
		assert_eq!(retired(), Some(first));
		assert_noop!(publish_key(9), Error::<Test>::KeyReplacedTooSoon);
		System::set_block_number(1 + GRACE);
		assert_ok!(publish_key(9));
		let second = RetiredKey { key: server(8).encryption_key, until: 1 + 2 * GRACE };
		assert_eq!(retired(), Some(second));
	});
}

#[test]
fn the_server_account_must_agree_to_exactly_this() {
	new_test_ext().execute_with(|| {
		let me = validator(9);
		let call = |signer: u8, named: &AccountId, signed: &ServerInfo| {
			let proof = proof(signer, named, signed);
			Subgroups::publish_server(RuntimeOrigin::signed(me.clone()), server(9), proof)
		};
		let other_endpoint =
			ServerInfo { endpoint: Endpoint::truncate_from(b"http://other".to_vec()), ..server(9) };
		assert_noop!(call(8, &me, &server(9)), Error::<Test>::InvalidProof);
		assert_noop!(call(9, &validator(8), &server(9)), Error::<Test>::InvalidProof);
		assert_noop!(call(9, &me, &other_endpoint), Error::<Test>::InvalidProof);
		let other_chain = server_pair(9).sign(&keyshare_primitives::messages::server_message(
			&sp_core::H256::zero(),
			&me,
			&server(9),
		));
		assert_noop!(
			Subgroups::publish_server(RuntimeOrigin::signed(me.clone()), server(9), other_chain),
			Error::<Test>::InvalidProof
		);
		assert_ok!(call(9, &me, &server(9)));
	});
}

#[test]
fn unusable_endpoints_and_keys_are_refused() {
	new_test_ext().execute_with(|| {
		let endpoint = Endpoint::truncate_from(b"server.example:9955".to_vec());
		let server_ = ServerInfo { endpoint, ..server(9) };
		assert_noop!(publish(9, &validator(9), server_), Error::<Test>::InvalidEndpoint);
		let EncryptionKey::X25519(good) = server(9).encryption_key;
		let mut high_bit = good;
		high_bit[31] |= 0x80;
		for bad in [[0; 32], [0xff; 32], high_bit] {
			let server_ = ServerInfo { encryption_key: EncryptionKey::X25519(bad), ..server(9) };
			assert_noop!(publish(9, &validator(9), server_), Error::<Test>::InvalidEncryptionKey);
		}
		let endpoint = Endpoint::truncate_from(b"https://h:99999".to_vec());
		let server_ = ServerInfo { endpoint, ..server(9) };
		assert_noop!(publish(9, &validator(9), server_), Error::<Test>::InvalidEndpoint);
		assert_noop!(
			Subgroups::publish_server(
				RuntimeOrigin::none(),
				server(9),
				proof(9, &validator(9), &server(9))
			),
			sp_runtime::DispatchError::BadOrigin
		);
	});
}

#[test]
fn without_the_deposit_nothing_is_published() {
	new_test_ext().execute_with(|| {
		assert_noop!(publish(9, &validator(99), server(9)), TokenError::FundsUnavailable);
	});
}
