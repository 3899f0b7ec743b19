//! A runtime of this pallet, the subgroups and balances, with real extrinsics and a real pool
//! check: a confirmation goes through `AuthorizeCall` as it does on chain.

use crate as pallet_registration;
use codec::{Decode, Encode};
use frame_support::{
	assert_ok, derive_impl,
	dispatch::GetDispatchInfo,
	parameter_types,
	traits::{
		fungible::Mutate,
		tokens::{Fortitude, Precision, Preservation},
		Hooks, LinearStoragePrice,
	},
	weights::{Weight, WeightMeter},
	BoundedVec,
};
use frame_system::{
	offchain::{CreateAuthorizedTransaction, CreateTransaction, CreateTransactionBase},
	AuthorizeCall,
};
use keyshare_primitives::{
	messages,
	offchain::server_crypto,
	seal::EncryptionSecret,
	split::{PrivateKey, SplitKey},
	AccountId, Confirmation, Constraints, CustodyProof, EncryptionKey, Endpoint, Generation,
	GenesisHash, KeyScheme, ServerInfo, SubgroupId,
};
use keyshare_primitives::{
	record::{Attempt, RegisteredKey},
	SessionIndex,
};
use pallet_session::SessionManager;
use pallet_subgroups::{
	genesis::{GenesisOperator, GenesisServer},
	ValidatorSet,
};
use rand::SeedableRng;
use sp_core::{
	offchain::{testing, OffchainDbExt, OffchainWorkerExt, TransactionPoolExt},
	sr25519, ConstU32, Pair, H256,
};
use sp_keystore::{testing::MemoryKeystore, Keystore, KeystoreExt};
use sp_runtime::{
	generic,
	traits::{Applyable, BlakeTwo256, Checkable, Dispatchable, IdentityLookup},
	transaction_validity::{TransactionSource, TransactionValidity, TransactionValidityError},
	BuildStorage, DispatchResult, MultiSignature, Perbill,
};
use std::sync::Arc;

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
	pub type Registration = pallet_registration;
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
	pub static DepositPerByte: u64 = 1;
	pub Quorum: Perbill = Perbill::from_rational(2u32, 3u32);
	/// The part of a block that confirmations may fill.
	pub static Share: Perbill = Perbill::from_percent(50);
}

impl pallet_subgroups::Config for Test {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, u64>;
	type Validators = Set;
	type AdmitOrigin = frame_system::EnsureRoot<AccountId>;
	type ReadmitOrigin = frame_system::EnsureRoot<AccountId>;
	type MaxMembers = ConstU32<4>;
	type MaxValidators = ConstU32<64>;
	type MaxOperators = ConstU32<16>;
	type ReportingSessions = ConstU32<1>;
	type IdleSessions = ConstU32<100>;
	type Paused = frame_support::traits::ConstBool<false>;
	type SilenceWindow = ConstU32<1_000>;
	type KeyGracePeriod = ConstU32<1>;
	type WeightInfo = ();
}

parameter_types! {
	/// The validators of the session now, by number; those of the genesis if none are named.
	pub static Validators: Vec<u8> = Vec::new();
	/// The session now.
	pub static Session: SessionIndex = 0;
}

/// A set that the tests name.
pub struct Set;

impl ValidatorSet for Set {
	fn active() -> Vec<AccountId> {
		Validators::get().into_iter().map(validator).collect()
	}

	fn queued() -> Vec<AccountId> {
		Self::active()
	}

	fn session() -> SessionIndex {
		Session::get()
	}

	fn session_keys(_: &AccountId) -> Option<Vec<u8>> {
		Some(Vec::new())
	}

	fn any_has_new_keys(_: &[AccountId]) -> bool {
		false
	}

	fn disable(_: &AccountId) {}

	fn forget_before(_: SessionIndex) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_session_keys(_: &AccountId) {}
}

/// A session begins with these validators.
pub fn begin_session(validators: &[u8]) {
	Validators::set(validators.to_vec());
	Session::mutate(|session| *session += 1);
	<Subgroups as SessionManager<AccountId>>::start_session(Session::get());
}

/// The validator of a server by number.
pub fn validator(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

/// The server of a member that is syncing declares itself ready.
pub fn declare_ready(number: u8) {
	assert!(declare_ready_if_syncing(number));
}

/// The same; false if it is none or ready already.
pub fn declare_ready_if_syncing(number: u8) -> bool {
	let published = pallet_subgroups::Servers::<Test>::get(validator(number));
	let joined = pallet_subgroups::Joining::<Test>::get(validator(number));
	let (Some(published), Some(joined)) = (published, joined) else { return false };
	// Checked before the call gets here.
	let signature = sr25519::Signature::from_raw([0; 64]);
	let origin = frame_system::RawOrigin::Authorized.into();
	Subgroups::declare_ready(origin, published.info.account, joined.since, signature).is_ok()
}

/// The validator of a server by number gets the server of another number in its place.
pub fn move_server(number: u8, next: u8) -> bool {
	let EncryptionKey::X25519(key) = EncryptionSecret::new([number; 32]).public();
	let info = ServerInfo {
		account: server(next),
		encryption_key: EncryptionKey::X25519(key),
		endpoint: Endpoint::truncate_from(b"http://127.0.0.1:9955".to_vec()),
	};
	let validator = validator(number);
	let proof = server_pair(next).sign(&messages::server_message(&GENESIS, &validator, &info));
	Subgroups::publish_server(RuntimeOrigin::signed(validator), info, proof).is_ok()
}

pub const TIMEOUT: u32 = 10;
pub const HEARD_BEFORE: u32 = 5;
pub const MAX_EXPIRIES: u32 = 3;

impl crate::Config for Test {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, u64>;
	type Subgroups = Subgroups;
	type ConfirmationFee = Burns;
	type ConfirmationShare = Share;
	type ConfirmationQuorum = Quorum;
	type RegistrationTimeout = ConstU32<TIMEOUT>;
	type HeardBefore = ConstU32<HEARD_BEFORE>;
	type MaxConfirmations = ConstU32<4>;
	type MaxExpiriesPerBlock = ConstU32<MAX_EXPIRIES>;
	type WeightInfo = ();
}

/// A unit for a thousand picoseconds, which is burnt.
pub struct Burns;

impl crate::ChargeFee<u64> for Burns {
	fn fee(weight: Weight) -> u64 {
		weight.ref_time() / 1_000
	}

	fn charge(who: &AccountId, fee: u64) -> DispatchResult {
		let (exact, preserve) = (Precision::Exact, Preservation::Preserve);
		Balances::burn_from(who, fee, preserve, exact, Fortitude::Polite).map(drop)
	}
}

/// What holds of the pallet's storage.
pub fn check() {
	assert_ok!(Registration::check_state());
	check_deposits();
}

/// As no price has changed, exactly what is due is held.
pub fn check_deposits() {
	for account in frame_system::Account::<Test>::iter_keys() {
		let (held, due) = Registration::deposit_of(&account);
		assert_eq!(held, due, "the deposit held is the deposit due");
	}
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

/// Three subgroups of two, three and one members: quorums two, two and one. Servers are numbered
/// `10 · subgroup + place`; that is also their validators' number.
pub const SERVERS: [&[u8]; 3] = [&[1, 2], &[11, 12, 13], &[21]];

/// A user's account by number, from 100 on; 199 has nothing.
pub fn user(number: u8) -> AccountId {
	AccountId::new([number; 32])
}

pub const ALICE: AccountId = AccountId::new([100; 32]);
pub const BOB: AccountId = AccountId::new([101; 32]);
pub const GUARDIAN: AccountId = AccountId::new([102; 32]);
pub const POOR: AccountId = AccountId::new([199; 32]);

pub fn server_pair(number: u8) -> sr25519::Pair {
	sr25519::Pair::from_seed(&[number; 32])
}

pub fn server(number: u8) -> AccountId {
	server_pair(number).public().into()
}

pub fn subgroup_of(server: u8) -> SubgroupId {
	server / 10
}

fn genesis_operator(subgroup: SubgroupId, servers: &[u8]) -> GenesisOperator {
	GenesisOperator {
		account: AccountId::new([200 + subgroup; 32]),
		name: format!("Operator {subgroup}"),
		subgroup,
		seats: 4,
		validators: servers.iter().copied().map(validator).collect(),
	}
}

fn genesis_server(number: u8) -> GenesisServer {
	let EncryptionKey::X25519(key) = EncryptionSecret::new([number; 32]).public();
	GenesisServer {
		validator: validator(number),
		server: server(number),
		encryption_key: key.into(),
		endpoint: "http://127.0.0.1:9955".into(),
	}
}

/// The pool and the key store that an off-chain worker in the test sees.
pub struct Offchain {
	pub pool: Arc<parking_lot::RwLock<testing::PoolState>>,
	pub keystore: Arc<MemoryKeystore>,
}

pub fn new_test_ext() -> sp_io::TestExternalities {
	ext_with(&SERVERS).0
}

pub fn ext_with(servers: &[&[u8]]) -> (sp_io::TestExternalities, Offchain) {
	let mut storage =
		frame_system::GenesisConfig::<Test>::default().build_storage().expect("no conditions");
	let balances = (100..=120).chain(1..=22).map(|number| (user(number), FUNDS)).collect();
	pallet_balances::GenesisConfig::<Test> { balances, ..Default::default() }
		.assimilate_storage(&mut storage)
		.expect("distinct accounts");
	pallet_subgroups::GenesisConfig::<Test> {
		threshold: 2,
		subgroup_count: servers.len() as u8,
		operators: (0..).zip(servers).map(|(id, numbers)| genesis_operator(id, numbers)).collect(),
		servers: servers.concat().into_iter().map(genesis_server).collect(),
		..Default::default()
	}
	.assimilate_storage(&mut storage)
	.expect("valid genesis");
	let mut ext = sp_io::TestExternalities::new(storage);
	let (offchain, _) = testing::TestOffchainExt::new();
	let (pool, pool_state) = testing::TestTransactionPoolExt::new();
	let keystore = Arc::new(MemoryKeystore::new());
	ext.register_extension(OffchainDbExt::new(offchain.clone()));
	ext.register_extension(OffchainWorkerExt::new(offchain));
	ext.register_extension(TransactionPoolExt::new(pool));
	ext.register_extension(KeystoreExt::from(keystore.clone() as Arc<dyn Keystore>));
	Validators::set(servers.concat());
	ext.execute_with(|| {
		System::set_block_number(1);
		frame_system::BlockHash::<Test>::insert(0, GENESIS);
	});
	(ext, Offchain { pool: pool_state, keystore })
}

impl Offchain {
	/// Puts a server's `ksrv` key into the key store.
	pub fn insert_key(&self, number: u8) {
		self.keystore
			.insert(
				server_crypto::KEY_TYPE,
				&format!("0x{}", hex_of(&[number; 32])),
				server_pair(number).public().as_ref(),
			)
			.expect("in memory");
	}

	/// Takes what is in the pool.
	pub fn take(&self) -> Vec<Extrinsic> {
		std::mem::take(&mut self.pool.write().transactions)
			.into_iter()
			.map(|bytes| Extrinsic::decode(&mut bytes.as_slice()).expect("it was encoded"))
			.collect()
	}
}

fn hex_of(bytes: &[u8]) -> String {
	bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A user's key, split for three subgroups; the seed makes it another.
pub fn split(scheme: KeyScheme, seed: u8) -> SplitKey {
	split_for(scheme, 2, seed)
}

/// The same for a threshold.
pub fn split_for(scheme: KeyScheme, threshold: u8, seed: u8) -> SplitKey {
	let mut rng = rand::rngs::StdRng::from_seed([seed; 32]);
	PrivateKey::generate(scheme, &mut rng).split(threshold, 3, &mut rng).expect("valid parameters")
}

pub fn ed25519(seed: u8) -> SplitKey {
	split(KeyScheme::Ed25519, seed)
}

pub fn secp256k1(seed: u8) -> SplitKey {
	split(KeyScheme::Secp256k1, seed)
}

/// The attempt of an account that is under way.
pub fn attempt(who: &AccountId) -> Option<Attempt<u32>> {
	crate::Accounts::<Test>::get(who).registering
}

/// The key of an account that is in force.
pub fn key_of(who: &AccountId) -> Option<RegisteredKey<u32>> {
	crate::Accounts::<Test>::get(who).registered
}

/// The generation of an account's last attempt.
pub fn generation_of(who: &AccountId) -> Generation {
	crate::Accounts::<Test>::get(who).last_generation
}

/// Dispatches as a signed extrinsic does: what fails changes nothing.
pub fn dispatch(who: &AccountId, call: crate::Call<Test>) -> DispatchResult {
	let result = RuntimeCall::Registration(call).dispatch(RuntimeOrigin::signed(who.clone()));
	result.map(|_| ()).map_err(|error| error.error)
}

pub fn register(who: &AccountId, key: &SplitKey) -> DispatchResult {
	register_with(who, key, Constraints::default())
}

pub fn register_with(who: &AccountId, key: &SplitKey, constraints: Constraints) -> DispatchResult {
	let constraint_account = GUARDIAN;
	let key = key.commitments.clone();
	dispatch(who, crate::Call::register { constraint_account, constraints, key })
}

pub fn swap(who: &AccountId, key: &SplitKey) -> DispatchResult {
	dispatch(who, crate::Call::swap_key { key: key.commitments.clone() })
}

/// The custody proof of a server with the share of its subgroup.
pub fn prove(key: &SplitKey, who: &AccountId, generation: Generation, by: u8) -> Confirmation {
	Confirmation {
		account: who.clone(),
		generation,
		proof: proof_for(key, who, generation, by, by),
	}
}

/// A proof with the share of `holder`'s subgroup, over the message of `named`.
pub fn proof_for(
	key: &SplitKey,
	who: &AccountId,
	generation: Generation,
	holder: u8,
	named: u8,
) -> CustodyProof {
	let subgroup = usize::from(subgroup_of(holder));
	let verifying_shares =
		keyshare_primitives::elements::verifying_shares(&key.commitments, 2, 3).expect("valid");
	let share = key.shares[subgroup]
		.clone()
		.verify(verifying_shares.get(subgroup).expect("one a subgroup"))
		.unwrap_or_else(|error| panic!("dealt for it: {error:?}"));
	let id = messages::registration_id(&GENESIS, who, generation, &key.commitments);
	share.prove(&messages::custody_message(&id, &server(named)))
}

/// A server's extrinsic, rightly signed.
pub fn confirmation(by: u8, entries: Vec<Confirmation>) -> Extrinsic {
	confirmation_signed_by(by, by, entries)
}

pub fn confirmation_signed_by(signer: u8, by: u8, entries: Vec<Confirmation>) -> Extrinsic {
	let confirmations: BoundedVec<_, _> = entries.try_into().expect("few");
	let message = messages::confirm_message(&GENESIS, &server(by), &confirmations);
	let signature = server_pair(signer).sign(&message);
	let call = crate::Call::<Test>::confirm { server: server(by), confirmations, signature };
	<Test as CreateAuthorizedTransaction<crate::Call<Test>>>::create_authorized_transaction(
		call.into(),
	)
}

/// What the pool says of an extrinsic.
pub fn validate(extrinsic: &Extrinsic) -> TransactionValidity {
	let info = extrinsic.get_dispatch_info();
	let len = extrinsic.encoded_size();
	let context = frame_system::ChainContext::<Test>::default();
	let checked = extrinsic.clone().check(&context)?;
	checked.validate::<Test>(TransactionSource::External, &info, len)
}

/// Applies an extrinsic as a block does.
pub fn apply(extrinsic: &Extrinsic) -> Result<DispatchResult, TransactionValidityError> {
	let info = extrinsic.get_dispatch_info();
	let len = extrinsic.encoded_size();
	let context = frame_system::ChainContext::<Test>::default();
	let checked = extrinsic.clone().check(&context)?;
	checked.apply::<Test>(&info, len).map(|result| result.map(|_| ()).map_err(|error| error.error))
}

/// Confirms with every server given, and expects each to be taken.
pub fn confirm_all(key: &SplitKey, who: &AccountId, generation: Generation, servers: &[u8]) {
	for by in servers {
		let extrinsic = confirmation(*by, vec![prove(key, who, generation, *by)]);
		assert_eq!(apply(&extrinsic), Ok(Ok(())), "server {by}");
	}
}

/// The servers that make up every quorum, and no more.
pub const QUORUM: [u8; 5] = [1, 2, 11, 12, 21];

/// Registers and confirms: the account's key in force.
pub fn make_registered(who: &AccountId, key: &SplitKey) {
	make_registered_by(who, key, &QUORUM);
}

/// The same with other servers than the mock's.
pub fn make_registered_by(who: &AccountId, key: &SplitKey, servers: &[u8]) {
	assert_eq!(register(who, key), Ok(()));
	confirm_all(key, who, generation_of(who), servers);
	assert!(key_of(who).is_some());
}

/// Goes on to a block, with the hooks that run before its extrinsics.
pub fn run_to(block: u32) {
	run_to_with(block, &mut WeightMeter::new());
}

pub fn run_to_with(block: u32, meter: &mut WeightMeter) {
	while System::block_number() < block {
		System::set_block_number(System::block_number() + 1);
		System::reset_events();
		Registration::on_poll(System::block_number(), meter);
	}
}

pub fn held(who: &AccountId) -> u64 {
	use frame_support::traits::fungible::InspectHold;
	Balances::balance_on_hold(&crate::HoldReason::Deposit.into(), who)
}

/// This pallet's events since the last block began.
pub fn events() -> Vec<crate::Event<Test>> {
	System::events()
		.into_iter()
		.filter_map(|record| match record.event {
			RuntimeEvent::Registration(event) => Some(event),
			_ => None,
		})
		.collect()
}
