//! A runtime of this pallet, balances and real sessions.

use crate as pallet_subgroups;
use crate::{
	genesis::{GenesisOperator, GenesisServer},
	GenesisConfig, OperatorName,
};
use frame_support::{assert_ok, derive_impl, parameter_types, traits::LinearStoragePrice};
use frame_system::{
	offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase},
	AuthorizeCall, EnsureRoot,
};
use keyshare_primitives::{
	membership::{Seat, SeatMask, Syncing},
	messages,
	seal::EncryptionSecret,
	AccountId, Endpoint, GenesisHash, ServerInfo, SubgroupId,
};
use pallet_session::{historical, PeriodicSessions, SessionHandler};
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

pub const MAX_MEMBERS: u32 = 6;
/// Three operators of three seats are there from the beginning.
pub const SEATS: u32 = 3;
pub const MAX_VALIDATORS: u32 = 14;
pub const GRACE: u32 = 10;
pub const IDLE: u32 = 4;
pub const WINDOW: u32 = 100;
/// Blocks in a session.
pub const SESSION: u32 = 5;

impl crate::Config for Test {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, u64>;
	type Validators = Session;
	type AdmitOrigin = EnsureRoot<AccountId>;
	type ReadmitOrigin = EnsureRoot<AccountId>;
	type MaxMembers = ConstU32<MAX_MEMBERS>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type MaxOperators = ConstU32<6>;
	type ReportingSessions = ConstU32<2>;
	type IdleSessions = ConstU32<IDLE>;
	type Paused = frame_support::traits::ConstBool<false>;
	type SilenceWindow = ConstU32<WINDOW>;
	type KeyGracePeriod = ConstU32<GRACE>;
	type WeightInfo = ();
}

parameter_types! {
	/// Validators that were kept from making blocks, by index.
	pub static Disabled: Vec<u32> = Vec::new();
	/// How many sessions began with another set or other keys.
	pub static SetChanges: u32 = 0;
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

	fn on_new_session<Keys: OpaqueKeys>(
		changed: bool,
		_: &[(AccountId, Keys)],
		_: &[(AccountId, Keys)],
	) {
		SetChanges::mutate(|changes| *changes += u32::from(changed));
	}

	fn on_disabled(index: u32) {
		Disabled::mutate(|disabled| disabled.push(index));
	}
}

impl pallet_session::Config for Test {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = ConvertInto;
	type ShouldEndSession = PeriodicSessions<ConstU32<SESSION>, ConstU32<0>>;
	type NextSessionRotation = PeriodicSessions<ConstU32<SESSION>, ConstU32<0>>;
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

/// Lets `sessions` pass, in each of which every validator makes a block.
pub fn pass(sessions: u32) {
	pass_without(sessions, &[]);
}

/// The same, but these validators make none.
pub fn pass_without(sessions: u32, silent: &[u8]) {
	use pallet_authorship::EventHandler;
	let silent: Vec<_> = silent.iter().copied().map(validator).collect();
	for _ in 0..sessions {
		for author in Session::validators().into_iter().filter(|author| !silent.contains(author)) {
			Subgroups::note_author(author);
		}
		System::set_block_number(System::block_number() + SESSION);
		Session::rotate_session();
	}
}

/// The operator of a subgroup that was there from the beginning.
pub fn operator(subgroup: SubgroupId) -> AccountId {
	AccountId::new([200 + subgroup; 32])
}

pub fn name(name: &str) -> OperatorName {
	OperatorName::try_from(name.as_bytes().to_vec()).expect("short enough")
}

/// A validator with session keys becomes one of the subgroup's operator, with a server.
pub fn assign(number: u8, subgroup: SubgroupId) {
	if !crate::Servers::<Test>::contains_key(validator(number)) {
		let (account, server) = (validator(number), server(number));
		let proof = proof(number, &account, &server);
		assert_ok!(Subgroups::publish_server(RuntimeOrigin::signed(account), server, proof));
	}
	let of = operator(subgroup);
	assert_ok!(Subgroups::assign(RuntimeOrigin::signed(of.clone()), validator(number)));
	assert_ok!(Subgroups::accept(RuntimeOrigin::signed(validator(number)), of));
}

/// Assigns a validator, and lets it become a member.
pub fn join(number: u8, subgroup: SubgroupId) {
	assign(number, subgroup);
	pass(2);
}

pub fn leave(number: u8) {
	assert_ok!(Subgroups::leave(RuntimeOrigin::signed(validator(number))));
}

/// The member's server declares itself ready.
pub fn make_ready(number: u8) {
	Subgroups::make_ready(&validator(number));
}

/// A member is not ready any more.
pub fn make_syncing(number: u8) {
	let server = crate::Servers::<Test>::get(validator(number)).expect("published").info.account;
	let seat = crate::MemberOf::<Test>::get(server).expect("a member");
	crate::Masks::<Test>::mutate(|masks| {
		masks.subgroups[usize::from(seat.subgroup)].ready &= !seat.bit();
	});
	let syncing = Syncing { since: 0, silent: false };
	crate::Joining::<Test>::insert(validator(number), syncing);
}

/// The seat of a server by number, a member now.
pub fn seat(number: u8) -> Option<Seat> {
	crate::MemberOf::<Test>::get(server(number).account)
}

/// Members and ready members of a subgroup.
pub fn masks(subgroup: SubgroupId) -> (SeatMask, SeatMask) {
	let masks = crate::Masks::<Test>::get();
	masks.of(subgroup).map(|of| (of.members, of.ready)).expect("it is there")
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

pub fn genesis_server(number: u8) -> GenesisServer {
	let server = server(number);
	let keyshare_primitives::EncryptionKey::X25519(key) = server.encryption_key;
	GenesisServer {
		validator: validator(number),
		server: server.account,
		encryption_key: H256(key),
		endpoint: String::from_utf8(server.endpoint.into_inner()).expect("ASCII"),
	}
}

pub fn genesis_operator(subgroup: SubgroupId, validators: &[u8]) -> GenesisOperator {
	GenesisOperator {
		account: operator(subgroup),
		name: format!("Operator {subgroup}"),
		subgroup,
		seats: SEATS,
		validators: validators.iter().copied().map(validator).collect(),
	}
}

/// The validators of each subgroup's operator, all of them with servers.
pub fn genesis(threshold: u8, subgroups: &[&[u8]]) -> GenesisConfig<Test> {
	let operators = (0..).zip(subgroups);
	GenesisConfig {
		threshold,
		subgroup_count: subgroups.len() as u8,
		session_length: SESSION,
		admission_delay: 0,
		operators: operators.map(|(id, numbers)| genesis_operator(id, numbers)).collect(),
		servers: subgroups.concat().into_iter().map(genesis_server).collect(),
		..Default::default()
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
	let mut ext = ext_with(genesis(2, &[&[1, 4], &[2], &[3]]));
	ext.register_extension(sp_keystore::KeystoreExt::new(
		sp_keystore::testing::MemoryKeystore::new(),
	));
	ext
}
