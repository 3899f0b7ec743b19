//! Publishing and replacing servers, and what genesis accepts.

use crate::{mock::*, Error, Event, GenesisConfig, HoldReason, Servers};
use frame_support::{assert_noop, assert_ok, traits::fungible::InspectHold};
use keyshare_primitives::{
	api::Readiness, membership::SubgroupMembership, AccountId, EncryptionKey, Endpoint, RetiredKey,
	ServerInfo,
};
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

pub(super) fn last_event() -> RuntimeEvent {
	System::events().pop().expect("an event").event
}

#[test]
fn genesis_makes_members() {
	new_test_ext().execute_with(|| {
		assert_eq!((Subgroups::count(), Subgroups::threshold()), (3, 2));
		assert_eq!([0, 1, 2, 3].map(Subgroups::size), [2, 1, 1, 0]);
		assert_eq!(Subgroups::members(0), vec![server(1).account, server(4).account]);
		assert_eq!(Subgroups::member_of(&server(2).account), Some(1));
		assert_eq!(Subgroups::member_of(&validator(2)), None);
		let infos = Subgroups::member_infos(2);
		assert_eq!(infos[0].validator, validator(3));
		assert_eq!(infos[0].server, server(3));
		assert_eq!(infos[0].readiness, Readiness::Ready);
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_validator_publishes_its_first_server_for_a_deposit() {
	new_test_ext().execute_with(|| {
		assert_ok!(publish(9, &validator(9), server(9)));
		assert_eq!(Servers::<Test>::get(validator(9)).expect("published").info, server(9));
		assert!(held(&validator(9)) > DepositBase::get());
		assert_eq!(Subgroups::member_of(&server(9).account), None, "publishing is not joining");
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
		assert_eq!(Subgroups::members(0), vec![server(9).account, server(4).account]);
		assert_eq!(Subgroups::member_of(&server(1).account), None);
		assert_eq!(Subgroups::member_of(&server(9).account), Some(0));
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
fn no_key_of_another_validator_can_be_published_not_even_a_former_one() {
	new_test_ext().execute_with(|| {
		// Validator 1 gives up its genesis keys.
		assert_ok!(publish(9, &validator(1), server(9)));
		System::set_block_number(1 + GRACE);
		for taken in [1, 2, 9] {
			assert_noop!(
				publish(taken, &validator(7), server(taken)),
				Error::<Test>::ServerAccountInUse
			);
			let other_account = ServerInfo { account: server(8).account, ..server(taken) };
			assert_noop!(
				publish(8, &validator(7), other_account),
				Error::<Test>::EncryptionKeyInUse
			);
		}
		// Its own former keys are still its own.
		assert_ok!(publish(1, &validator(1), server(1)));
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
		let server_ = ServerInfo { encryption_key: EncryptionKey::X25519([0; 32]), ..server(9) };
		assert_noop!(publish(9, &validator(9), server_), Error::<Test>::InvalidEncryptionKey);
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

fn genesis(threshold: u8, subgroups: Vec<Vec<crate::genesis::Member>>) {
	let config = GenesisConfig { threshold, subgroups, ..Default::default() };
	ext_with(config).execute_with(|| {
		assert_ok!(Subgroups::check_state());
	});
}

#[test]
fn a_genesis_may_leave_a_subgroup_empty() {
	genesis(2, vec![vec![genesis_member(1)], vec![]]);
}

#[test]
#[should_panic = "between 2 and the number"]
fn a_genesis_with_a_threshold_of_one_panics() {
	genesis(1, vec![vec![genesis_member(1)], vec![genesis_member(2)]]);
}

#[test]
#[should_panic = "between 2 and the number"]
fn a_genesis_with_a_threshold_above_n_panics() {
	genesis(3, vec![vec![genesis_member(1)], vec![genesis_member(2)]]);
}

#[test]
#[should_panic = "at most 16"]
fn a_genesis_with_seventeen_subgroups_panics() {
	genesis(2, vec![vec![]; 17]);
}

#[test]
#[should_panic = "in two places"]
fn a_genesis_with_a_validator_twice_panics() {
	genesis(2, vec![vec![genesis_member(1)], vec![genesis_member(1)]]);
}

#[test]
#[should_panic = "share a key"]
fn a_genesis_with_a_key_twice_panics() {
	let mut second = genesis_member(2);
	second.encryption_key = genesis_member(1).encryption_key;
	genesis(2, vec![vec![genesis_member(1)], vec![second]]);
}

#[test]
#[should_panic = "room"]
fn a_genesis_with_a_crowded_subgroup_panics() {
	genesis(2, vec![(1..=4).map(genesis_member).collect(), vec![]]);
}
