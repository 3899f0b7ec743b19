//! The runtime holds to what `primitives` tells readers of the chain.

mod accounts;
mod blocks;
mod costs;
mod fees;
mod governance;
mod metadata;
mod migrations;
mod random;
mod releases;
mod sessions;

use super::*;
use codec::{Decode, Encode};
use frame_support::{
	storage::StoragePrefixedMap,
	traits::{GetStorageVersion, StorageVersion},
};
use keyshare_primitives::{development, storage, EncryptionKey};
use sp_keyring::Sr25519Keyring;
use sp_runtime::BuildStorage;

fn account() -> AccountId {
	Sr25519Keyring::Dave.to_account_id()
}

#[test]
fn storage_keys_are_those_of_the_primitives() {
	assert_eq!(
		pallet_registration::Accounts::<Runtime>::hashed_key_for(account()),
		storage::account(&account())
	);
	assert_eq!(pallet_subgroups::Masks::<Runtime>::hashed_key().to_vec(), storage::masks());
	assert_eq!(
		pallet_subgroups::MemberOf::<Runtime>::hashed_key_for(account()),
		storage::member_of(&account())
	);
	assert_eq!(pallet_subgroups::Subgroups::<Runtime>::hashed_key_for(2), storage::subgroup(2));
	assert_eq!(
		pallet_subgroups::ServerAccounts::<Runtime>::hashed_key_for(account()),
		storage::server_account(&account())
	);
	assert_eq!(
		pallet_subgroups::Servers::<Runtime>::hashed_key_for(account()),
		storage::server(&account())
	);
	assert_eq!(
		pallet_subgroups::Joining::<Runtime>::hashed_key_for(account()),
		storage::joining(&account())
	);
	assert_eq!(pallet_subgroups::Silences::<Runtime>::hashed_key().to_vec(), storage::silences());
	assert_eq!(
		pallet_subgroups::SubgroupCount::<Runtime>::hashed_key().to_vec(),
		storage::subgroup_count()
	);
	for (pallet, version) in [
		(storage::REGISTRATION, StorageVersion::storage_key::<Registration>()),
		(storage::SUBGROUPS, StorageVersion::storage_key::<Subgroups>()),
	] {
		assert_eq!(storage::version(pallet), version);
	}
	let number = frame_support::storage::storage_prefix(b"System", b"Number");
	assert_eq!(number.to_vec(), storage::block_number());
	let now = frame_support::storage::storage_prefix(b"Timestamp", b"Now");
	assert_eq!(now.to_vec(), storage::timestamp());
	let attempt = pallet_registration::Expiries::<Runtime>::hashed_key_for(7, account());
	for (all, one) in [
		(storage::all_accounts(), storage::account(&account())),
		(storage::all_attempts(), attempt),
	] {
		assert!(one.starts_with(&all));
		assert_eq!(storage::account_of(&one), Some(account()));
	}
	assert_eq!(
		storage::all_accounts(),
		pallet_registration::Accounts::<Runtime>::final_prefix(),
		"nothing else begins so"
	);
	assert_eq!(
		storage::all_attempts(),
		pallet_registration::Expiries::<Runtime>::final_prefix(),
		"nothing else begins so"
	);
}

/// What the node decodes is what the pallets store: the same types, or the front of it.
#[test]
fn storage_values_are_those_of_the_primitives() {
	use keyshare_primitives::{
		membership::{Masks, Missed, Seat, Silences, Syncing},
		record::AccountRecord,
	};
	sp_io::TestExternalities::default().execute_with(|| {
		fn raw<T: Decode>(key: Vec<u8>) -> T {
			let value = sp_io::storage::get(&key).expect("it was stored");
			T::decode(&mut &*value).expect("it is of its type")
		}
		let record = AccountRecord::<BlockNumber> { last_generation: 3, ..Default::default() };
		pallet_registration::Accounts::<Runtime>::insert(account(), record.clone());
		assert_eq!(raw::<AccountRecord<u32>>(storage::account(&account())), record);
		let masks = Masks { last_change: 9, ..Default::default() };
		pallet_subgroups::Masks::<Runtime>::put(masks.clone());
		assert_eq!(raw::<Masks>(storage::masks()), masks);
		let seat = Seat { subgroup: 2, number: 31 };
		pallet_subgroups::MemberOf::<Runtime>::insert(account(), seat);
		assert_eq!(raw::<Seat>(storage::member_of(&account())), seat);
		let syncing = Syncing { since: 5, silent: true };
		pallet_subgroups::Joining::<Runtime>::insert(account(), syncing);
		assert_eq!(raw::<Syncing>(storage::joining(&account())), syncing);
		let mut silences = Silences::default();
		let missed = vec![Missed { at: 3, user: [1; 4] }].try_into().expect("one");
		silences.0.try_insert(seat, missed).expect("there is room");
		pallet_subgroups::Silences::<Runtime>::put(silences.clone());
		assert_eq!(raw::<Silences>(storage::silences()), silences);
		pallet_subgroups::SubgroupCount::<Runtime>::put(4);
		assert_eq!(raw::<u8>(storage::subgroup_count()), 4);
		System::set_block_number(17);
		assert_eq!(raw::<u32>(storage::block_number()), 17);
		pallet_timestamp::Now::<Runtime>::put(1_234);
		assert_eq!(raw::<u64>(storage::timestamp()), 1_234);
		pallet_subgroups::ServerAccounts::<Runtime>::insert(account(), account());
		assert_eq!(raw::<AccountId>(storage::server_account(&account())), account());
		pallet_subgroups::Subgroups::<Runtime>::try_append(1, account()).expect("there is room");
		assert_eq!(raw::<Vec<AccountId>>(storage::subgroup(1)), vec![account()]);
	});
}

#[test]
fn a_published_server_begins_with_its_keys() {
	let info = keyshare_primitives::ServerInfo {
		account: account(),
		encryption_key: EncryptionKey::X25519([1; 32]),
		endpoint: keyshare_primitives::Endpoint::truncate_from(b"http://h".to_vec()),
	};
	let retired =
		Some(keyshare_primitives::RetiredKey { key: EncryptionKey::X25519([2; 32]), until: 7 });
	let published =
		pallet_subgroups::PublishedServerOf::<Runtime> { info: info.clone(), retired, deposit: 9 };
	let front =
		<(keyshare_primitives::ServerInfo, Option<keyshare_primitives::RetiredKey<u32>>)>::decode(
			&mut published.encode().as_slice(),
		);
	assert_eq!(front, Ok((info, retired)));
}

/// A preset's state before the first block.
fn preset_ext(name: &str) -> sp_io::TestExternalities {
	preset_ext_with(name, |_| ())
}

/// The same, after a change.
fn preset_ext_with(
	name: &str,
	change: impl FnOnce(&mut RuntimeGenesisConfig),
) -> sp_io::TestExternalities {
	let json = genesis::preset(&name.into()).expect("named");
	let patch: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
	let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
	merge(&mut config, patch);
	let mut config: RuntimeGenesisConfig = serde_json::from_value(config).expect("of its shape");
	change(&mut config);
	sp_io::TestExternalities::new(config.build_storage().expect("valid"))
}

#[test]
fn presets_build_with_the_development_servers() {
	for preset in genesis::preset_names() {
		preset_ext(preset.as_ref()).execute_with(|| {
			for server in development::SERVERS {
				let members = Subgroups::member_infos(server.subgroup);
				let [member] = members.as_slice() else { panic!("one member a subgroup") };
				let pair: sp_core::sr25519::Pair =
					sp_core::Pair::from_string(&server.server_uri(), None).expect("valid URI");
				assert_eq!(member.server.account, sp_core::Pair::public(&pair).into());
				let EncryptionKey::X25519(_) = member.server.encryption_key;
				assert_eq!(member.server.encryption_key, server.encryption_key());
				// Its own operator, with its name.
				assert_eq!(member.operator.as_ref(), Some(&member.validator));
				let operator = Subgroups::operator_infos().remove(server.subgroup.into());
				assert_eq!(operator.name, server.name.as_bytes());
				assert_eq!(Subgroups::obstacles(&member.validator), vec![]);
			}
			assert_eq!(Session::validators().len(), development::SERVERS.len());
			assert_eq!(Subgroups::on_chain_storage_version(), 2);
			assert_eq!(Registration::on_chain_storage_version(), 3);
			assert_eq!(Subgroups::check_state(), Ok(()));
		});
	}
}

fn merge(into: &mut serde_json::Value, patch: serde_json::Value) {
	match (into, patch) {
		(serde_json::Value::Object(into), serde_json::Value::Object(patch)) => {
			for (key, value) in patch {
				merge(into.entry(key).or_insert(serde_json::Value::Null), value);
			}
		}
		(into, patch) => *into = patch,
	}
}
