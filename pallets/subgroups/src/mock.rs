//! A runtime of this pallet and balances alone.

use crate as pallet_subgroups;
use crate::{genesis::Member, GenesisConfig};
use frame_support::{derive_impl, parameter_types, traits::LinearStoragePrice};
use keyshare_primitives::{
	messages, seal::EncryptionSecret, AccountId, Endpoint, GenesisHash, ServerInfo,
};
use sp_core::{sr25519, ConstU32, Pair, H256};
use sp_runtime::{traits::IdentityLookup, BuildStorage};

type Block = frame_system::mocking::MockBlock<Test>;

#[frame_support::runtime]
mod runtime {
	#[runtime::runtime]
	#[runtime::derive(
		RuntimeCall,
		RuntimeEvent,
		RuntimeError,
		RuntimeOrigin,
		RuntimeFreezeReason,
		RuntimeHoldReason,
		RuntimeSlashReason,
		RuntimeLockId,
		RuntimeTask
	)]
	pub struct Test;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(2)]
	pub type Subgroups = pallet_subgroups;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
	type Block = Block;
	type AccountId = AccountId;
	type Lookup = IdentityLookup<AccountId>;
	type AccountData = pallet_balances::AccountData<u64>;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
	type AccountStore = System;
}

parameter_types! {
	pub const DepositBase: u64 = 100;
	pub const DepositPerByte: u64 = 1;
}

impl crate::Config for Test {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, u64>;
	type MaxMembers = ConstU32<3>;
	type WeightInfo = ();
}

pub const GENESIS: GenesisHash = H256::repeat_byte(0x47);
pub const FUNDS: u64 = 1_000_000;

/// A validator's account by number.
pub fn validator(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

/// The key pair of a server by number.
pub fn server_pair(number: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[number; 32])
}

/// The server of a number: its account and its encryption key.
pub fn server(number: u8) -> ServerInfo {
	ServerInfo {
		account: server_pair(number).public().into(),
		encryption_key: EncryptionSecret::new([number; 32]).public(),
		endpoint: Endpoint::truncate_from(b"https://server.example:9955".to_vec()),
	}
}

/// The proof that the server's account belongs to `server(number)`.
pub fn proof(number: u8, validator: &AccountId, server: &ServerInfo) -> sr25519::Signature {
	server_pair(number).sign(&messages::server_message(&GENESIS, validator, server))
}

pub fn genesis_member(number: u8) -> Member {
	let server = server(number);
	let keyshare_primitives::EncryptionKey::X25519(key) = server.encryption_key;
	Member {
		validator: validator(number),
		server: server.account,
		encryption_key: H256(key),
		endpoint: String::from_utf8(server.endpoint.into_inner()).expect("ASCII"),
	}
}

pub fn ext_with(config: GenesisConfig<Test>) -> sp_io::TestExternalities {
	let mut storage =
		frame_system::GenesisConfig::<Test>::default().build_storage().expect("no conditions");
	let balances = (0..=20).map(|number| (validator(number), FUNDS)).collect();
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("distinct accounts");
	config.assimilate_storage(&mut storage).expect("valid genesis");
	let mut ext = sp_io::TestExternalities::new(storage);
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, GENESIS);
	});
	ext
}

/// Three subgroups, `t = 2`: validators 1 and 4 in subgroup 0, 2 in 1, 3 in 2.
pub fn new_test_ext() -> sp_io::TestExternalities {
	let mut ext = ext_with(GenesisConfig {
		threshold: 2,
		subgroups: vec![
			vec![genesis_member(1), genesis_member(4)],
			vec![genesis_member(2)],
			vec![genesis_member(3)],
		],
		..Default::default()
	});
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext
}
