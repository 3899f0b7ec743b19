//! The constants and types each pallet asks for.

use super::*;
use frame_support::{
	derive_impl,
	dispatch::DispatchResult,
	parameter_types,
	traits::{
		fungible::{Balanced, Credit},
		tokens::{Fortitude, Precision, Preservation},
		ConstBool, ConstU128, ConstU32, ConstU64, ConstU8, Contains, Imbalance, LinearStoragePrice,
		OnUnbalanced, VariantCountOf,
	},
	weights::{
		constants::{ParityDbWeight, WEIGHT_REF_TIME_PER_SECOND},
		ConstantMultiplier, IdentityFee, Weight,
	},
};
use frame_system::limits::{BlockLength, BlockWeights};
use pallet_transaction_payment::{FungibleAdapter, Multiplier, TargetedFeeAdjustment};
use sp_consensus_aura::sr25519::AuthorityId as AuraId;
use sp_runtime::{FixedPointNumber, Perbill, Perquintill};

/// The part of a block that ordinary transactions may fill.
const NORMAL_DISPATCH_RATIO: Perbill = Perbill::from_percent(75);

parameter_types! {
	pub const BlockHashCount: BlockNumber = 2_400;
	pub const Version: RuntimeVersion = VERSION;
	/// Half a second of computation for each block of two seconds.
	pub RuntimeBlockWeights: BlockWeights = BlockWeights::with_sensible_defaults(
		Weight::from_parts(WEIGHT_REF_TIME_PER_SECOND / 2, u64::MAX),
		NORMAL_DISPATCH_RATIO,
	);
	pub RuntimeBlockLength: BlockLength = BlockLength::builder()
		.max_length(5 * 1024 * 1024)
		.modify_max_length_for_class(frame_support::dispatch::DispatchClass::Normal, |max| {
			*max = NORMAL_DISPATCH_RATIO * *max
		})
		.build();
}

#[derive_impl(frame_system::config_preludes::SolochainDefaultConfig)]
impl frame_system::Config for Runtime {
	type Block = Block;
	type BlockWeights = RuntimeBlockWeights;
	type BlockLength = RuntimeBlockLength;
	type AccountId = AccountId;
	type Nonce = Nonce;
	type Hash = Hash;
	type BlockHashCount = BlockHashCount;
	type DbWeight = ParityDbWeight;
	type Version = Version;
	type AccountData = pallet_balances::AccountData<Balance>;
	type SS58Prefix = frame_support::traits::ConstU16<42>;
	type MaxConsumers = ConstU32<16>;
	type BaseCallFilter = frame_support::traits::InsideBoth<
		frame_support::traits::EverythingBut<PurgeKeys>,
		SafeMode,
	>;
	type SingleBlockMigrations = migrations::SingleBlock;
	type MultiBlockMigrator = MultiBlockMigrations;
	// Stock measurements, over our database and not over RocksDB.
	type SystemWeightInfo = frame_system::weights::SubstrateWeight<Runtime>;
	type ExtensionsWeightInfo = frame_system::SubstrateExtensionsWeight<Runtime>;
}

/// Session keys are replaced and not purged: if all validators of the set did, there would be nobody left
/// to make the next block.
pub struct PurgeKeys;

impl Contains<RuntimeCall> for PurgeKeys {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(call, RuntimeCall::Session(pallet_session::Call::purge_keys { .. }))
	}
}

impl pallet_timestamp::Config for Runtime {
	type Moment = u64;
	type OnTimestampSet = Aura;
	type MinimumPeriod = ConstU64<{ SLOT_DURATION / 2 }>;
	type WeightInfo = pallet_timestamp::weights::SubstrateWeight<Runtime>;
}

impl pallet_aura::Config for Runtime {
	type AuthorityId = AuraId;
	type DisabledValidators = Session;
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type AllowMultipleBlocksPerSlot = ConstBool<false>;
	type SlotDuration = pallet_aura::MinimumPeriodTimesTwo<Runtime>;
}

impl pallet_grandpa::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type WeightInfo = ();
	type MaxAuthorities = ConstU32<MAX_VALIDATORS>;
	type MaxNominators = ConstU32<0>;
	type MaxSetIdSessionEntries = ConstU64<{ REPORTING_SESSIONS as u64 }>;
	type KeyOwnerProof = sp_session::MembershipProof;
	type EquivocationReportSystem = pallet_grandpa::EquivocationReportSystem<
		Self,
		Offences,
		Historical,
		ConstU64<REPORT_LONGEVITY>,
	>;
}

/// The most validators.
const MAX_VALIDATORS: u32 = 128;
/// How many sessions back an equivocation can be reported.
const REPORTING_SESSIONS: u32 = 32;
/// How many blocks a report stays valid in the pool.
const REPORT_LONGEVITY: u64 = 256;

impl pallet_authorship::Config for Runtime {
	type FindAuthor = pallet_session::FindAccountFromAuthorIndex<Self, Aura>;
	type EventHandler = Subgroups;
}

type Sessions =
	pallet_session::PeriodicSessions<pallet_subgroups::SessionLengthOf<Runtime>, ConstU32<0>>;

impl pallet_session::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type ValidatorId = AccountId;
	type ValidatorIdOf = sp_runtime::traits::ConvertInto;
	type ShouldEndSession = Sessions;
	type NextSessionRotation = Sessions;
	type SessionManager = pallet_session::historical::NoteHistoricalRoot<Self, Subgroups>;
	type SessionHandler = <SessionKeys as sp_runtime::traits::OpaqueKeys>::KeyTypeIdProviders;
	type Keys = SessionKeys;
	type DisablingStrategy = pallet_session::disabling::UpToLimitWithReEnablingDisablingStrategy;
	type WeightInfo = pallet_session::weights::SubstrateWeight<Runtime>;
	type Currency = Balances;
	type KeyDeposit = DepositBase;
}

impl pallet_session::historical::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type FullIdentification = ();
	type FullIdentificationOf = pallet_subgroups::AccountAlone;
}

impl pallet_offences::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type IdentificationTuple = pallet_session::historical::IdentificationTuple<Self>;
	type OnOffenceHandler = Subgroups;
}

impl pallet_balances::Config for Runtime {
	type MaxLocks = ConstU32<50>;
	type MaxReserves = ();
	type ReserveIdentifier = [u8; 8];
	type Balance = Balance;
	type RuntimeEvent = RuntimeEvent;
	type DustRemoval = ();
	type ExistentialDeposit = ConstU128<EXISTENTIAL_DEPOSIT>;
	type AccountStore = System;
	type WeightInfo = pallet_balances::weights::SubstrateWeight<Runtime>;
	type FreezeIdentifier = RuntimeFreezeReason;
	type MaxFreezes = VariantCountOf<RuntimeFreezeReason>;
	type RuntimeHoldReason = RuntimeHoldReason;
	type RuntimeFreezeReason = RuntimeFreezeReason;
	type DoneSlashHandler = ();
}

parameter_types! {
	pub TargetBlockFullness: Perquintill = Perquintill::from_percent(25);
	/// Doubles in ten minutes of full blocks.
	pub AdjustmentVariable: Multiplier = Multiplier::saturating_from_rational(3, 1_000);
	pub MinimumMultiplier: Multiplier = Multiplier::from_u32(1);
	pub MaximumMultiplier: Multiplier = Multiplier::from_u32(1_000);
	/// A block that is full by its length then costs what one costs that is full by its weight.
	pub const LengthFee: Balance = 100_000;
	/// The part of a fee that is burnt, in percent.
	pub const BurntPart: u32 = 20;
}

/// Of a fee a part is burnt; the rest goes to the block's author, with the whole tip. Without an author,
/// or if its account cannot be there, all of it is burnt.
pub struct FeesToAuthor;

impl OnUnbalanced<Credit<AccountId, Balances>> for FeesToAuthor {
	fn on_unbalanceds(mut fees_then_tips: impl Iterator<Item = Credit<AccountId, Balances>>) {
		let Some(fees) = fees_then_tips.next() else { return };
		let burnt = BurntPart::get();
		let (_, mut rest) = fees.ration(burnt, 100u32.saturating_sub(burnt));
		if let Some(tips) = fees_then_tips.next() {
			tips.merge_into(&mut rest);
		}
		if let Some(author) = Authorship::author() {
			// What cannot be paid out is dropped, and so burnt.
			let _ = Balances::resolve(&author, rest);
		}
	}
}

/// The confirmations that an attempt causes cost what any transaction of that weight does.
impl pallet_registration::ChargeFee<Balance> for FeesToAuthor {
	fn fee(weight: Weight) -> Balance {
		let fee = TransactionPayment::weight_to_fee(weight);
		TransactionPayment::next_fee_multiplier().saturating_mul_int(fee)
	}

	fn charge(who: &AccountId, fee: Balance) -> DispatchResult {
		let (exact, preserve, polite) =
			(Precision::Exact, Preservation::Preserve, Fortitude::Polite);
		let fees = Balances::withdraw(who, fee, exact, preserve, polite)?;
		Self::on_unbalanceds(core::iter::once(fees));
		Ok(())
	}
}

impl pallet_transaction_payment::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type OnChargeTransaction = FungibleAdapter<Balances, FeesToAuthor>;
	type OperationalFeeMultiplier = ConstU8<5>;
	type WeightToFee = IdentityFee<Balance>;
	type LengthToFee = ConstantMultiplier<Balance, LengthFee>;
	type FeeMultiplierUpdate = TargetedFeeAdjustment<
		Runtime,
		TargetBlockFullness,
		AdjustmentVariable,
		MinimumMultiplier,
		MaximumMultiplier,
	>;
	type WeightInfo = pallet_transaction_payment::weights::SubstrateWeight<Runtime>;
}

parameter_types! {
	/// For each entry in the chain's storage.
	pub const DepositBase: Balance = 100 * MILLI_KEY;
	/// For each byte of it.
	pub const DepositPerByte: Balance = 100 * MICRO_KEY;
	pub ConfirmationQuorum: Perbill = Perbill::from_rational(2u32, 3u32);
	pub ConfirmationShare: Perbill = Perbill::from_percent(75);
	pub const RegistrationTimeout: BlockNumber = 10 * MINUTES;
	/// For envelopes on their way, and clients that have read the key just before.
	pub const KeyGracePeriod: BlockNumber = keyshare_primitives::KEY_GRACE_PERIOD;
}

pub(crate) type DepositPrice = LinearStoragePrice<DepositBase, DepositPerByte, Balance>;

impl pallet_subgroups::Config for Runtime {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = DepositPrice;
	type Validators = Session;
	type AdmitOrigin = governance::RootOrCouncil;
	type ReadmitOrigin = governance::RootOrCouncil;
	type MaxMembers = ConstU32<{ keyshare_primitives::membership::MAX_SEATS }>;
	type MaxValidators = ConstU32<MAX_VALIDATORS>;
	type MaxOperators = ConstU32<256>;
	type ReportingSessions = ConstU32<REPORTING_SESSIONS>;
	type IdleSessions = ConstU32<6>;
	type Paused = pallet_registration::migrations::Paused<Runtime>;
	type SilenceWindow = ConstU32<HOURS>;
	type KeyGracePeriod = KeyGracePeriod;
	type WeightInfo = weights::pallet_subgroups::WeightInfo<Runtime>;
}

impl pallet_registration::Config for Runtime {
	type NativeBalance = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type DepositPrice = DepositPrice;
	type Subgroups = Subgroups;
	type ConfirmationFee = FeesToAuthor;
	type ConfirmationShare = ConfirmationShare;
	type ConfirmationQuorum = ConfirmationQuorum;
	type RegistrationTimeout = RegistrationTimeout;
	type HeardBefore = ConstU32<50>;
	type MaxConfirmations = ConstU32<64>;
	type MaxExpiriesPerBlock = ConstU32<32>;
	type WeightInfo = weights::pallet_registration::WeightInfo<Runtime>;
}

impl<LocalCall> frame_system::offchain::CreateTransactionBase<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extrinsic = UncheckedExtrinsic;
	type RuntimeCall = RuntimeCall;
}

impl<LocalCall> frame_system::offchain::CreateTransaction<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	type Extension = TxExtension;

	fn create_transaction(call: RuntimeCall, extension: TxExtension) -> UncheckedExtrinsic {
		generic::UncheckedExtrinsic::new_transaction(call, extension)
	}
}

/// An equivocation report is its own evidence.
impl<LocalCall> frame_system::offchain::CreateBare<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_bare(call: RuntimeCall) -> UncheckedExtrinsic {
		generic::UncheckedExtrinsic::new_bare(call)
	}
}

/// An extrinsic of an off-chain worker has no signer: nothing in its extension is charged or
/// counted, and `AuthorizeCall` decides.
impl<LocalCall> frame_system::offchain::CreateAuthorizedTransaction<LocalCall> for Runtime
where
	RuntimeCall: From<LocalCall>,
{
	fn create_extension() -> TxExtension {
		(
			frame_system::AuthorizeCall::new(),
			frame_system::CheckNonZeroSender::new(),
			frame_system::CheckSpecVersion::new(),
			frame_system::CheckTxVersion::new(),
			frame_system::CheckGenesis::new(),
			frame_system::CheckMortality::from(generic::Era::Immortal),
			frame_system::CheckNonce::from(0),
			frame_system::CheckWeight::new(),
			pallet_transaction_payment::ChargeTransactionPayment::from(0),
			frame_metadata_hash_extension::CheckMetadataHash::new(false),
			frame_system::WeightReclaim::new(),
		)
	}
}
