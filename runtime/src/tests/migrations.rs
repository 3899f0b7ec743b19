//! A chain is upgraded with users on it: whole blocks, as the node makes them.

use super::{
	blocks::{apply, begin_block, confirm, end_block, signed, User},
	preset_ext,
};
use crate::*;
use codec::Encode;
use frame_support::{
	migrations::MultiStepMigrator,
	traits::{
		fungible::{InspectHold, MutateHold},
		Contains, GetStorageVersion, StorageVersion,
	},
};
use frame_system::{LastRuntimeUpgrade, LastRuntimeUpgradeInfo};
use keyshare_primitives::{Constraints, KeyScheme};
use pallet_registration::{Accounts, ConstraintsOf, Expiries, PausedSince};
use sp_keyring::Sr25519Keyring::{Alice, Bob, Eve};

/// What version 2 kept of an account: that it may pay one address on EVM chains, and anybody on Bitcoin but
/// one.
fn lists(constraint_account: &AccountId) -> Vec<u8> {
	let evm = (1u8, 0u8, vec![[0x11u8; 20]], false);
	let bitcoin = (1u8, 1u8, vec![[0x22u8; 32]], true);
	(constraint_account, evm, bitcoin).encode()
}

pub(super) fn put_lists(of: &AccountId) {
	sp_io::storage::set(&ConstraintsOf::<Runtime>::hashed_key_for(of), &lists(of));
}

fn somebody(number: u32) -> AccountId {
	let mut bytes = [9; 32];
	bytes[..4].copy_from_slice(&number.to_be_bytes());
	bytes.into()
}

/// As if the next block were the first of this runtime, after one with storage version 2.
pub(super) fn is_upgraded() {
	StorageVersion::new(2).put::<Registration>();
	let spec_version = VERSION.spec_version - 1;
	let info =
		LastRuntimeUpgradeInfo { spec_version: spec_version.into(), spec_name: VERSION.spec_name };
	LastRuntimeUpgrade::<Runtime>::put(info);
}

/// Makes blocks from this one on until no migration is left; gives the next one's number.
fn migrate_from(mut number: BlockNumber) -> BlockNumber {
	loop {
		begin_block(number);
		end_block();
		number += 1;
		if !MultiBlockMigrations::ongoing() {
			return number;
		}
	}
}

fn held(of: &AccountId) -> Balance {
	Balances::balance_on_hold(&pallet_registration::HoldReason::Deposit.into(), of)
}

fn expires_at(user: &User) -> Option<BlockNumber> {
	Accounts::<Runtime>::get(&user.account).registering.map(|attempt| attempt.expires_at)
}

fn transfer() -> RuntimeCall {
	let dest = Eve.to_account_id().into();
	RuntimeCall::Balances(pallet_balances::Call::transfer_keep_alive { dest, value: KEY })
}

#[test]
fn lists_become_no_permission_over_many_blocks_and_attempts_get_their_time_anew() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let user = User::new(1, KeyScheme::Secp256k1);
		let late = User::new(2, KeyScheme::Ed25519);
		let others: Vec<_> = (0..6_000).map(somebody).collect();
		for user in [&user, &late] {
			user.register();
			put_lists(&user.account);
		}
		others.iter().for_each(put_lists);
		// Another attempt's time is over with the block that brings the upgrade.
		let before = expires_at(&late).expect("begun");
		Expiries::<Runtime>::swap(before, &late.account, 2, &late.account);
		Accounts::<Runtime>::mutate(&late.account, |record| {
			record.registering.as_mut().expect("begun").expires_at = 2;
		});
		let reason = pallet_registration::HoldReason::Deposit.into();
		Balances::hold(&reason, &user.account, KEY).expect("it has more");
		let too_much = held(&user.account);
		end_block();

		is_upgraded();
		let next = migrate_from(2);
		assert!(next > 4, "it took more than a block");
		assert_eq!(Registration::on_chain_storage_version(), 3);
		for account in others.iter().chain([&user.account]) {
			let entry = ConstraintsOf::<Runtime>::get(account).expect("it can be read");
			assert_eq!(entry.constraint_account, *account);
			assert_eq!(entry.constraints.into_inner(), Constraints::default());
		}
		others.iter().for_each(ConstraintsOf::<Runtime>::remove);
		// What is shorter costs less: the rest is back.
		let due = Registration::deposit(KeyScheme::Secp256k1, 2, Some(Constraints::default()));
		assert!(too_much > due);
		assert_eq!(held(&user.account), due);
		let whole = configs::RegistrationTimeout::get();
		let until = expires_at(&user).expect("it is still there");
		assert!(until > 2 + whole && until < next + whole, "{until}");
		assert_eq!(expires_at(&late), None, "the dead are not raised");
		assert!(!ConstraintsOf::<Runtime>::contains_key(&late.account));
		assert_eq!(PausedSince::<Runtime>::get(), None);

		begin_block(next);
		assert_eq!(apply(signed(&Alice.pair(), 0, 0, transfer())), Ok(Ok(())));
		end_block();
		assert_eq!(Registration::check_state(), Ok(()));
		// Once: the next upgrade finds nothing to do.
		is_upgraded();
		StorageVersion::new(3).put::<Registration>();
		assert_eq!(migrate_from(next + 1), next + 2);
		assert_eq!(expires_at(&user), Some(until));
	});
}

#[test]
fn after_a_migration_that_fails_only_another_upgrade_is_taken() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		begin_block(1);
		let user = User::new(1, KeyScheme::Ed25519);
		user.register();
		let broken = ConstraintsOf::<Runtime>::hashed_key_for(somebody(1));
		sp_io::storage::set(&broken, b"neither lists nor rules");
		end_block();
		is_upgraded();
		let next = migrate_from(2);
		assert!(SafeMode::is_entered());
		assert_eq!(Registration::on_chain_storage_version(), 2);

		// The attempt outlives its time: its user can do nothing about it.
		let long_after = next + configs::RegistrationTimeout::get();
		for number in next..long_after {
			begin_block(number);
			end_block();
		}
		begin_block(long_after);
		// Nor is a block filled with what servers would send in vain.
		let confirmation = confirm(0, std::slice::from_ref(&user));
		let paused = pallet_registration::Refusal::Paused;
		assert_eq!(apply(confirmation), Err(paused.into()));
		let filtered: sp_runtime::DispatchError =
			frame_system::Error::<Runtime>::CallFiltered.into();
		assert_eq!(apply(signed(&Bob.pair(), 0, 0, transfer())), Ok(Err(filtered)));
		let remark = RuntimeCall::System(frame_system::Call::remark { remark: vec![] });
		let propose = pallet_collective::Call::propose {
			threshold: 2,
			proposal: Box::new(remark),
			length_bound: 10,
		};
		assert_eq!(apply(signed(&Bob.pair(), 1, 0, RuntimeCall::Council(propose))), Ok(Ok(())));
		end_block();
		assert!(expires_at(&user).is_some());

		// The next runtime knows what to do about it.
		sp_io::storage::clear(&broken);
		is_upgraded();
		let next = migrate_from(long_after + 1);
		assert!(!SafeMode::is_entered());
		assert_eq!(Registration::on_chain_storage_version(), 3);
		assert!(expires_at(&user).is_some_and(|until| until > next + 200));
		begin_block(next);
		assert_eq!(apply(signed(&Bob.pair(), 2, 0, transfer())), Ok(Ok(())));
		end_block();
		assert_eq!(Registration::check_state(), Ok(()));
	});
}

#[test]
fn every_upgrade_renews_attempts_also_one_that_changes_nothing() {
	preset_ext(genesis::LOCAL_PRESET).execute_with(|| {
		use frame_support::migrations::SteppedMigration;
		type Renewal = pallet_registration::migrations::RenewAttempts<Runtime>;
		assert_eq!(Renewal::id().1, VERSION.spec_version);
		// What was carried out with other versions does not count.
		for version in [0, 2, 3, VERSION.spec_version - 1, VERSION.spec_version + 1] {
			let id = (Renewal::id().0, version).encode().try_into().expect("short");
			pallet_migrations::Historic::<Runtime>::insert::<
				pallet_migrations::IdentifierOf<Runtime>,
				_,
			>(id, ());
		}
		begin_block(1);
		let user = User::new(1, KeyScheme::Ed25519);
		user.register();
		let before = expires_at(&user);
		end_block();
		is_upgraded();
		StorageVersion::new(3).put::<Registration>();
		migrate_from(2);
		assert!(expires_at(&user) > before);
	});
}

/// Without the first three no block is made; the rest is how people decide.
#[test]
fn safe_mode_takes_what_blocks_need_and_what_decides_and_nothing_of_users() {
	let admits = |call: RuntimeCall| migrations::TowardsAnUpgrade::contains(&call);
	assert!(admits(RuntimeCall::Timestamp(pallet_timestamp::Call::set { now: 0 })));
	assert!(admits(RuntimeCall::System(frame_system::Call::apply_authorized_upgrade {
		code: vec![]
	})));
	assert!(!admits(RuntimeCall::Registration(pallet_registration::Call::cancel {})));
	assert!(!admits(RuntimeCall::Utility(pallet_utility::Call::batch_all { calls: vec![] })));
	assert!(!admits(transfer()));
}
