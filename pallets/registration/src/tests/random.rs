//! Random sequences of all calls, sessions and changes of the members: whatever happens, the state
//! stays whole.

use super::constraints::{allowing_for, update};
use crate::{mock::*, Call};
use frame_support::assert_ok;
use keyshare_primitives::{split::SplitKey, KeyScheme};
use proptest::prelude::*;
use std::{collections::BTreeMap, sync::LazyLock};

const USERS: u8 = 3;
const KEYS: u8 = 4;

/// Splitting is slow beside everything else: each key is split once.
static SPLIT: LazyLock<BTreeMap<u8, SplitKey>> = LazyLock::new(|| {
	let scheme = |key| match key % 2 {
		0 => KeyScheme::Ed25519,
		_ => KeyScheme::Secp256k1,
	};
	// Thresholds of two and of three.
	let threshold = |key| 2 + key / 2 % 2;
	(0..KEYS).map(|key| (key, split_for(scheme(key), threshold(key), key + 1))).collect()
});

#[derive(Clone, Debug)]
enum Step {
	Register { user: u8, key: u8, rules: u8 },
	Swap { user: u8, key: u8 },
	Confirm { server: u8, users: Vec<(u8, u8, u32)> },
	ConfirmAll { user: u8, key: u8 },
	Cancel { user: u8 },
	Expire { user: u8 },
	Update { by: u8, user: u8, rules: u8 },
	HandOver { by: u8, user: u8, to: u8 },
	Deregister { user: u8 },
	Pay { from: u8, part: u64 },
	Session(Vec<u8>),
	Move { server: u8 },
	Ready { server: u8 },
	Operator(Change),
	Blocks(u32),
}

/// What may happen to an operator between two sessions.
#[derive(Clone, Debug)]
enum Change {
	Admit { subgroup: u8, seats: u32 },
	Dismiss { subgroup: u8, force: bool },
	Assign { subgroup: u8, server: u8 },
	Leave { server: u8 },
}

fn step() -> impl Strategy<Value = Step> {
	let user = || 0..USERS;
	let key = || 0..KEYS;
	let servers = vec![1u8, 2, 3, 11, 12, 13, 21];
	let server = prop::sample::select(servers.clone());
	let member = || prop::sample::select(vec![1u8, 2, 11, 12, 13, 21]);
	let change = prop_oneof![
		(0..3u8, 1..5u32).prop_map(|(subgroup, seats)| Change::Admit { subgroup, seats }),
		(0..3u8, any::<bool>()).prop_map(|(subgroup, force)| Change::Dismiss { subgroup, force }),
		(0..3u8, member()).prop_map(|(subgroup, server)| Change::Assign { subgroup, server }),
		member().prop_map(|server| Change::Leave { server }),
	];
	prop_oneof![
		3 => prop::sample::subsequence(vec![1u8, 2, 11, 12, 13, 21], 1..=6).prop_map(Step::Session),
		1 => member().prop_map(|server| Step::Move { server }),
		3 => member().prop_map(|server| Step::Ready { server }),
		2 => change.prop_map(Step::Operator),
		4 => (user(), key(), 0..6u8)
			.prop_map(|(user, key, rules)| Step::Register { user, key, rules }),
		2 => (user(), key()).prop_map(|(user, key)| Step::Swap { user, key }),
		6 => (server, prop::collection::vec((user(), key(), 0..4u32), 1..4))
			.prop_map(|(server, users)| Step::Confirm { server, users }),
		4 => (user(), key()).prop_map(|(user, key)| Step::ConfirmAll { user, key }),
		1 => user().prop_map(|user| Step::Cancel { user }),
		1 => user().prop_map(|user| Step::Expire { user }),
		2 => (0..4u8, user(), 0..6u8)
			.prop_map(|(by, user, rules)| Step::Update { by, user, rules }),
		1 => (0..4u8, user(), 0..4u8).prop_map(|(by, user, to)| Step::HandOver { by, user, to }),
		1 => user().prop_map(|user| Step::Deregister { user }),
		1 => (user(), 0..1_000_000u64).prop_map(|(from, part)| Step::Pay { from, part }),
		2 => (1..TIMEOUT).prop_map(Step::Blocks),
	]
}

fn account(number: u8) -> keyshare_primitives::AccountId {
	match number {
		3 => GUARDIAN,
		number => user(103 + number),
	}
}

fn change_operator(change: Change) -> bool {
	let operator = |subgroup| keyshare_primitives::AccountId::new([200 + subgroup; 32]);
	let root = RuntimeOrigin::root;
	match change {
		Change::Admit { subgroup, seats } => {
			let name = format!("Operator {subgroup}").into_bytes().try_into().expect("short");
			Subgroups::admit(root(), operator(subgroup), name, subgroup, seats).is_ok()
		}
		Change::Dismiss { subgroup, force } => {
			Subgroups::dismiss(root(), operator(subgroup), force).is_ok()
		}
		Change::Assign { subgroup, server } => {
			let by = RuntimeOrigin::signed(operator(subgroup));
			let assigned = Subgroups::assign(by, validator(server)).is_ok();
			let of = RuntimeOrigin::signed(validator(server));
			Subgroups::accept(of, operator(subgroup)).is_ok() || assigned
		}
		Change::Leave { server } => {
			Subgroups::leave(RuntimeOrigin::signed(validator(server))).is_ok()
		}
	}
}

/// Tries the step; most fail in some states, and then must change nothing.
fn take(step: Step) {
	let root = || sp_io::storage::root(sp_runtime::StateVersion::V1);
	let before = root();
	let changed = match step {
		Step::Register { user, key, rules } => {
			let constraints = allowing_for(SPLIT[&key].commitments.scheme(), 0..rules);
			register_with(&account(user), &SPLIT[&key], constraints).is_ok()
		}
		Step::Swap { user, key } => swap(&account(user), &SPLIT[&key]).is_ok(),
		Step::Confirm { server, users } => {
			let entries = users
				.into_iter()
				.map(|(user, key, generation)| {
					prove(&SPLIT[&key], &account(user), generation, server)
				})
				.collect();
			apply(&confirmation(server, entries)).is_ok()
		}
		Step::ConfirmAll { user, key } => {
			let generation = generation_of(&account(user));
			QUORUM
				.iter()
				.filter(|by| {
					let entry = prove(&SPLIT[&key], &account(user), generation, **by);
					apply(&confirmation(**by, vec![entry])).is_ok()
				})
				.count() > 0
		}
		Step::Cancel { user } => dispatch(&account(user), Call::cancel {}).is_ok(),
		Step::Expire { user } => {
			dispatch(&GUARDIAN, Call::expire { account: account(user) }).is_ok()
		}
		Step::Update { by, user, rules } => {
			// As often as not of the scheme that the key has not.
			let scheme = if rules % 2 == 0 { KeyScheme::Ed25519 } else { KeyScheme::Secp256k1 };
			update(&account(by), &account(user), allowing_for(scheme, 0..rules)).is_ok()
		}
		Step::HandOver { by, user, to } => {
			let call = Call::change_constraint_account { account: account(user), new: account(to) };
			dispatch(&account(by), call).is_ok()
		}
		Step::Deregister { user } => dispatch(&account(user), Call::deregister {}).is_ok(),
		Step::Pay { from, part } => {
			use frame_support::traits::{fungible::Mutate, tokens::Preservation};
			let amount = Balances::free_balance(account(from)) * part / 1_000_000;
			let to = keyshare_primitives::AccountId::new([200; 32]);
			Balances::transfer(&account(from), &to, amount, Preservation::Preserve).is_ok()
		}
		Step::Session(validators) => {
			begin_session(&validators);
			true
		}
		Step::Move { server: number } => {
			// Back and forth between two accounts; the second one confirms nothing.
			let published = pallet_subgroups::Servers::<Test>::get(validator(number));
			let Some(info) = published.map(|published| published.info) else { return };
			let next = if info.account == server(number) { number + 50 } else { number };
			move_server(number, next)
		}
		Step::Ready { server } => declare_ready_if_syncing(server),
		Step::Operator(change) => change_operator(change),
		Step::Blocks(blocks) => {
			run_to(System::block_number() + blocks);
			true
		}
	};
	assert!(changed || root() == before, "what fails changes nothing");
}

proptest! {
	#![proptest_config(ProptestConfig::with_cases(64))]

	#[test]
	fn the_state_stays_whole(steps in prop::collection::vec(step(), 1..60)) {
		new_test_ext().execute_with(|| {
			for step in steps {
				let shown = format!("{step:?}");
				take(step);
				assert_eq!(Registration::check_state(), Ok(()), "after {shown}");
				check_deposits();
				assert_ok!(Subgroups::check_state());
			}
		});
	}
}
