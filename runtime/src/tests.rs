//! The runtime holds to what `primitives` tells readers of the chain.

use super::*;
use codec::{Decode, Encode};
use frame_support::traits::GetStorageVersion;
use keyshare_primitives::{development, storage, EncryptionKey, KeyRecord, RegistrationId};
use sp_keyring::Sr25519Keyring;
use sp_runtime::BuildStorage;

fn account() -> AccountId {
	Sr25519Keyring::Dave.to_account_id()
}

#[test]
fn storage_keys_are_those_of_the_primitives() {
	let id = RegistrationId::repeat_byte(7);
	assert_eq!(
		pallet_registration::Registering::<Runtime>::hashed_key_for(account()),
		storage::registering(&account())
	);
	assert_eq!(
		pallet_registration::Registered::<Runtime>::hashed_key_for(account()),
		storage::registered(&account())
	);
	assert_eq!(
		pallet_registration::Confirmations::<Runtime>::hashed_key_for(id, 2),
		storage::confirmations(&id, 2)
	);
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
	for (all, one) in [
		(storage::all_registering(), storage::registering(&account())),
		(storage::all_registered(), storage::registered(&account())),
	] {
		assert!(one.starts_with(&all));
		assert_eq!(storage::account_of(&one), Some(account()));
	}
}

#[test]
fn storage_values_begin_with_a_key_record() {
	let mut rng = rand::rngs::OsRng;
	let key = keyshare_primitives::split::PrivateKey::generate(
		keyshare_primitives::KeyScheme::Ed25519,
		&mut rng,
	);
	let commitments = key.split(2, 3, &mut rng).expect("valid parameters").commitments;
	let verifying_shares =
		keyshare_primitives::elements::verifying_shares(&commitments, 2, 3).expect("valid");
	let record =
		KeyRecord { id: RegistrationId::zero(), generation: 3, commitments, verifying_shares };
	let registration =
		pallet_registration::RegisteredKeyOf::<Runtime> { key: record.clone(), since: 9 };
	assert_eq!(KeyRecord::decode(&mut registration.encode().as_slice()), Ok(record));
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

#[test]
fn presets_build_with_the_development_servers() {
	for preset in genesis::preset_names() {
		let json = genesis::preset(&preset).expect("named");
		let patch: serde_json::Value = serde_json::from_slice(&json).expect("JSON");
		let mut config = serde_json::to_value(RuntimeGenesisConfig::default()).expect("JSON");
		merge(&mut config, patch);
		let config: RuntimeGenesisConfig = serde_json::from_value(config).expect("of its shape");
		let storage = config.build_storage().expect("valid");
		sp_io::TestExternalities::new(storage).execute_with(|| {
			for server in development::SERVERS {
				let members = Subgroups::member_infos(server.subgroup);
				let [member] = members.as_slice() else { panic!("one member a subgroup") };
				let pair: sp_core::sr25519::Pair =
					sp_core::Pair::from_string(&server.server_uri(), None).expect("valid URI");
				assert_eq!(member.server.account, sp_core::Pair::public(&pair).into());
				let EncryptionKey::X25519(_) = member.server.encryption_key;
				assert_eq!(member.server.encryption_key, server.encryption_key());
			}
			assert_eq!(Subgroups::on_chain_storage_version(), 1);
			assert_eq!(Registration::on_chain_storage_version(), 1);
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
