//! Accounts that others act for.

use super::{blocks::User, preset_ext};
use crate::*;
use frame_support::{assert_noop, assert_ok, dispatch::DispatchResult};
use keyshare_primitives::{Constraints, KeyScheme};
use pallet_registration::Call as Registering;
use sp_keyring::Sr25519Keyring::{Alice, Bob, Charlie};
use sp_runtime::traits::Dispatchable;

fn dispatch(who: &AccountId, call: RuntimeCall) -> DispatchResult {
	call.dispatch(RuntimeOrigin::signed(who.clone())).map(drop).map_err(|error| error.error)
}

/// What became of the call that a proxy made.
fn proxied() -> DispatchResult {
	let last = System::events().into_iter().rev().find_map(|record| match record.event {
		RuntimeEvent::Proxy(pallet_proxy::Event::ProxyExecuted { result }) => Some(result),
		_ => None,
	});
	last.expect("a proxy has acted")
}

#[test]
fn a_proxy_for_constraints_changes_them_and_nothing_else() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		System::set_block_number(1);
		let user = User::new(1, KeyScheme::Ed25519);
		assert_ok!(dispatch(&user.account, user.registering()));
		let delegate = Bob.to_account_id();
		let name = |proxy_type| {
			let delegate = delegate.clone().into();
			RuntimeCall::Proxy(pallet_proxy::Call::add_proxy { delegate, proxy_type, delay: 0 })
		};
		assert_ok!(dispatch(&user.account, name(accounts::ProxyType::Constraints)));
		let act = |call| {
			let (real, call) = (user.account.clone().into(), Box::new(call));
			let force_proxy_type = None;
			let proxy = pallet_proxy::Call::proxy { real, force_proxy_type, call };
			assert_ok!(dispatch(&delegate, RuntimeCall::Proxy(proxy)));
			proxied()
		};
		let account = user.account.clone();
		let constraints = Constraints::default();
		let update =
			RuntimeCall::Registration(Registering::update_constraints { account, constraints });
		assert_ok!(act(update.clone()));
		let (account, new) = (user.account.clone(), delegate.clone());
		let filtered = || frame_system::Error::<Runtime>::CallFiltered.into();
		for other in [
			RuntimeCall::Registration(Registering::change_constraint_account { account, new }),
			RuntimeCall::Registration(Registering::cancel {}),
			RuntimeCall::Balances(pallet_balances::Call::transfer_all {
				dest: delegate.clone().into(),
				keep_alive: false,
			}),
			RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![update] }),
			name(accounts::ProxyType::Any),
		] {
			assert_eq!(act(other), Err(filtered()));
		}
	});
}

#[test]
fn what_nobody_may_do_nobody_may_do_through_another() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		System::set_block_number(1);
		let alice = Alice.to_account_id();
		let purge = || RuntimeCall::Session(pallet_session::Call::purge_keys {});
		let filtered = || frame_system::Error::<Runtime>::CallFiltered;
		let batch = pallet_utility::Call::batch_all { calls: vec![purge()] };
		assert_noop!(dispatch(&alice, RuntimeCall::Utility(batch)), filtered());
		let call = Box::new(purge());
		let as_derivative = pallet_utility::Call::as_derivative { index: 0, call };
		assert_noop!(dispatch(&alice, RuntimeCall::Utility(as_derivative)), filtered());
		assert!(pallet_session::NextKeys::<Runtime>::contains_key(&alice));
	});
}

#[test]
fn a_multisig_registers_a_key() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		System::set_block_number(1);
		let mut signatories = [Alice, Bob, Charlie].map(|who| who.to_account_id());
		signatories.sort();
		let [first, second, third] = &signatories;
		let multisig = Multisig::multi_account_id(&signatories, 2);
		let user = User::new(1, KeyScheme::Secp256k1);
		assert_ok!(dispatch(
			&user.account,
			RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive {
				dest: multisig.clone().into(),
				value: 100 * KEY,
			})
		));
		let approve = |others: [&AccountId; 2], maybe_timepoint| {
			RuntimeCall::Multisig(pallet_multisig::Call::as_multi {
				threshold: 2,
				other_signatories: others.into_iter().cloned().collect(),
				maybe_timepoint,
				call: Box::new(user.registering()),
				max_weight: RuntimeBlockWeightsMax::get(),
			})
		};
		assert_ok!(dispatch(first, approve([second, third], None)));
		assert!(Registration::account_info(&multisig).registering.is_none());
		let began = Multisig::timepoint();
		assert_ok!(dispatch(second, approve([first, third], Some(began))));
		assert!(Registration::account_info(&multisig).registering.is_some());
	});
}

frame_support::parameter_types! {
	RuntimeBlockWeightsMax: frame_support::weights::Weight = configs::RuntimeBlockWeights::get().max_block;
}
