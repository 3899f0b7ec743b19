//! Who decides, without sudo: the council.

use super::preset_ext;
use crate::*;
use codec::Encode;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use keyshare_primitives::api::{OperatorInfo, OperatorStanding};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie, Dave, Ferdie};
use sp_runtime::traits::{Dispatchable, Hash as _};

fn by(who: Sr25519Keyring) -> RuntimeOrigin {
	RuntimeOrigin::signed(who.to_account_id())
}

fn dispatch(who: Sr25519Keyring, call: RuntimeCall) -> DispatchResult {
	call.dispatch(by(who)).map(drop).map_err(|error| error.error)
}

fn without_sudo() -> sp_io::TestExternalities {
	let mut ext = preset_ext(genesis::LOCAL_PRESET);
	ext.execute_with(|| {
		System::set_block_number(1);
		assert_ok!(Sudo::remove_key(by(Alice)));
		assert_noop!(
			Sudo::sudo(by(Alice), Box::new(remark())),
			pallet_sudo::Error::<Runtime>::RequireSudo
		);
	});
	ext
}

fn remark() -> RuntimeCall {
	RuntimeCall::System(frame_system::Call::remark { remark: vec![] })
}

/// The members vote for a call; it is carried out if they are two of three.
fn decide(members: &[Sr25519Keyring], call: RuntimeCall) -> DispatchResult {
	let hash = BlakeTwo256::hash_of(&call);
	let length = u32::try_from(call.encoded_size()).expect("short");
	let [first, ..] = members else { panic!("somebody proposes") };
	let index = pallet_collective::ProposalCount::<Runtime, governance::CouncilInstance>::get();
	Council::propose(by(*first), 2, Box::new(call.clone()), length).map_err(|error| error.error)?;
	for member in members {
		Council::vote(by(*member), hash, index, true).map_err(|error| error.error)?;
	}
	let weight = frame_support::dispatch::GetDispatchInfo::get_dispatch_info(&call).call_weight;
	Council::close(by(*first), hash, index, weight, length).map_err(|error| error.error)?;
	let executed = System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Council(pallet_collective::Event::Executed { result, .. }) => Some(result),
		_ => None,
	});
	executed.expect("it was closed with a decision")
}

fn admit(operator: Sr25519Keyring, name: &str) -> RuntimeCall {
	RuntimeCall::Subgroups(pallet_subgroups::Call::admit {
		operator: operator.to_account_id(),
		name: name.as_bytes().to_vec().try_into().expect("short"),
		subgroup: 0,
		seats: 1,
	})
}

#[test]
fn two_thirds_of_the_council_admit_an_operator_and_one_alone_does_not() {
	without_sudo().execute_with(|| {
		assert_noop!(dispatch(Alice, admit(Dave, "Dave")), sp_runtime::DispatchError::BadOrigin);
		let standing = || {
			let is_dave = |info: &OperatorInfo| info.account == Dave.to_account_id();
			Subgroups::operator_infos().into_iter().find(is_dave).map(|info| info.standing)
		};
		assert!(decide(&[Alice], admit(Dave, "Dave")).is_err(), "it is not decided yet");
		assert_eq!(standing(), None);
		assert_ok!(decide(&[Bob, Charlie], admit(Dave, "Dave again")));
		assert_eq!(standing(), Some(OperatorStanding::Admitted { since: 1 }));
	});
}

#[test]
fn the_council_replaces_one_of_its_own() {
	without_sudo().execute_with(|| {
		let members = |new: &[Sr25519Keyring]| {
			RuntimeCall::Council(pallet_collective::Call::set_members {
				new_members: new.iter().map(|member| member.to_account_id()).collect(),
				prime: None,
				old_count: 3,
			})
		};
		let replace = members(&[Alice, Bob, Ferdie]);
		assert_noop!(dispatch(Bob, replace.clone()), sp_runtime::DispatchError::BadOrigin);
		assert_ok!(decide(&[Alice, Bob], replace));
		assert!(
			decide(&[Charlie, Alice], admit(Dave, "Dave")).is_err(),
			"it is no member any more"
		);
		assert_ok!(decide(&[Ferdie, Alice], admit(Dave, "Dave")));
	});
}

#[test]
fn two_thirds_of_the_council_name_a_call_and_a_member_carries_it_out_as_root() {
	without_sudo().execute_with(|| {
		let code = b"another runtime".to_vec();
		let upgrade =
			RuntimeCall::System(frame_system::Call::set_code_without_checks { code: code.clone() });
		let dispatch_it = || {
			RuntimeCall::Whitelist(
				pallet_whitelist::Call::dispatch_whitelisted_call_with_preimage {
					call: Box::new(upgrade.clone()),
				},
			)
		};
		// Asking for it before it is named does nothing, nor lets anybody carry it out later.
		assert_ok!(dispatch(Alice, dispatch_it()));
		let call_hash = BlakeTwo256::hash_of(&upgrade);
		let name = RuntimeCall::Whitelist(pallet_whitelist::Call::whitelist_call { call_hash });
		assert_noop!(dispatch(Alice, name.clone()), sp_runtime::DispatchError::BadOrigin);
		assert_ok!(decide(&[Alice, Bob], name));
		let late = pallet_whitelist::Error::<Runtime>::DeferredDispatchExpired;
		assert_noop!(dispatch(Dave, dispatch_it()), late);
		assert_ok!(dispatch(Charlie, dispatch_it()));
		assert!(sp_io::storage::get(sp_core::storage::well_known_keys::CODE)
			.is_some_and(|set| set == code));
		// Once: it is to be named anew.
		sp_io::storage::clear(sp_core::storage::well_known_keys::CODE);
		let _ = dispatch(Charlie, dispatch_it());
		assert!(sp_io::storage::get(sp_core::storage::well_known_keys::CODE).is_none());
	});
}
