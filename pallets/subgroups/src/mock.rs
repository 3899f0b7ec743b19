//! A runtime of this pallet, balances and real sessions, whose candidates the tests name.

use crate as pallet_subgroups;
use crate::{genesis::Member, GenesisConfig};
use frame_support::{derive_impl, parameter_types, traits::LinearStoragePrice};
use frame_system::{
	offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase},
	AuthorizeCall, EnsureRoot,
};
use keyshare_primitives::{
	messages, seal::EncryptionSecret, AccountId, Endpoint, GenesisHash, ServerInfo, SessionIndex,
};
use pallet_session::{historical, PeriodicSessions, SessionHandler, SessionManager};
use sp_core::{crypto::key_types::DUMMY, sr25519, ConstU32, ConstU64, Pair, H256};
use sp_runtime::{
	generic, impl_opaque_keys,
	testing::UintAuthorityId,
	traits::{BlakeTwo256, ConvertInto, IdentityLookup, OpaqueKeys},
	BuildStorage, KeyTypeId, MultiSignature,
};

pub type Extrinsic =
	generic::UncheckedExtrinsic<AccountId, RuntimeCall, MultiSignature, AuthorizeCall<Test>>;
type Block = generic::Block<generic::Header<u32, BlakeTwo256>, Extrinsic>;

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
	#[runtime::pallet_index(3)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(4)]
	pub type Historical = pallet_session::historical;
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

pub const MAX_MEMBERS: u32 = 3;
pub const GRACE: u32 = 10;
pub const MAX_ASSIGNMENTS: u32 = MAX_MEMBERS * 16;

impl crate::Config for Test {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, u64>;
	type Validators = Session;
	type Candidates = Elected;
	type ReadmitOrigin = EnsureRoot<AccountId>;
	type MaxMembers = ConstU32<MAX_MEMBERS>;
	type MaxAssignments = ConstU32<MAX_ASSIGNMENTS>;
	type ReportingSessions = ConstU32<2>;
	type KeyGracePeriod = ConstU32<GRACE>;
	type WeightInfo = ();
}

parameter_types! {
	/// Whom the election gives for the next session.
	pub static Candidates: Vec<AccountId> = (1..=4).map(validator).collect();
	/// Validators that were kept from making blocks, by index.
	pub static Disabled: Vec<u32> = Vec::new();
}

pub struct Elected;

impl SessionManager<AccountId> for Elected {
	fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
		Some(Candidates::get())
	}

	fn start_session(_: SessionIndex) {}

	fn end_session(_: SessionIndex) {}
}

impl_opaque_keys! {
	pub struct SessionKeys {
		pub dummy: UintAuthorityId,
	}
}

pub struct NotesDisabled;

impl SessionHandler<AccountId> for NotesDisabled {
	const KEY_TYPE_IDS: &'static [KeyTypeId] = &[DUMMY];

	fn on_genesis_session<Keys: OpaqueKeys>(_: &[(AccountId, Keys)]) {}

	fn on_new_session<Keys: OpaqueKeys>(_: bool, _: &[(AccountId, Keys)], _: &[(AccountId, Keys)]) {
	}

	fn on_disabled(index: u32) {
		Disabled::mutate(|disabled| disabled.push(index));
	}
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = PeriodicSessions<ConstU32<5>, ConstU32<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU32<5>, ConstU32<0>>;
	type SessionManager = historical::NoteHistoricalRoot<Test, Subgroups>;
	type SessionHandler = NotesDisabled;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitDisablingStrategy;
	type WeightInfo = ();
	type Currency = Balances;
	type KeyDeposit = ConstU64<0>;
}

impl historical::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = crate::AccountAlone;
}

impl<LocalCall> CreateTransactionBase<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = Extrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> CreateTransaction<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	type Extension = AuthorizeCall<Test>;

	fn create_transaction(call: RuntimeCall, extension: Self::Extension) -> Extrinsic {
		Extrinsic::new_transaction(call, extension)
	}
}

impl<LocalCall> CreateAuthorizedTransaction<LocalCall> for Test
where
	RuntimeCall: From<LocalCall>,
{
	fn create_extension() -> Self::Extension {
		AuthorizeCall::new()
	}
}

pub const GENESIS: GenesisHash = H256::repeat_byte(0x47);
pub const FUNDS: u64 = 1_000_000;

/// A validator's account by number.
pub fn validator(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

/// A validator's session keys by number.
pub fn session_keys(number: u8) -> SessionKeys {
	SessionKeys { dummy: UintAuthorityId(number.into()) }
}

/// Lets `sessions` pass.
pub fn pass(sessions: u32) {
	for _ in 0..sessions {
		System::set_block_number(System::block_number() + 5);
		Session::rotate_session();
	}
}

/// Elects these, and lets their session begin.
pub fn elect(numbers: impl IntoIterator<Item = u8>) {
	Candidates::set(numbers.into_iter().map(validator).collect());
	pass(2);
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
	let balances = (0..=40).map(|number| (validator(number), FUNDS)).collect();
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("distinct accounts");
	config.assimilate_storage(&mut storage).expect("valid genesis");
	let keys = |numbers: std::ops::RangeInclusive<u8>| {
		numbers.map(|number| (validator(number), validator(number), session_keys(number))).collect()
	};
	// Number 40 has set no session keys.
	pallet_session::GenesisConfig::<Test> { keys: keys(1..=4), non_authority_keys: keys(5..=39) }
		.assimilate_storage(&mut storage)
		.expect("keys of their own");
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
