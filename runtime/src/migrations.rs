//! How a live chain's storage is changed: which migrations run, and what goes on when one fails.
//!
//! What is small is changed in the block of the upgrade ([`SingleBlock`]); what grows with users is changed
//! over many ([`MultiBlock`]), in which no transaction is taken. A migration that fails leaves storage half
//! changed, and nobody may build on that: the chain goes over to *safe mode*, in which only what leads to
//! another upgrade is taken. The next migrations that complete end it.

use crate::{configs::*, *};
use frame_support::{
	migrations::{FailedMigrationHandler, FailedMigrationHandling, MigrationStatusHandler},
	parameter_types,
	traits::{ConstU32, Contains, NeverEnsureOrigin},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_registration::migrations::RulesInPlaceOfLists;
use sp_runtime::Perbill;

/// What is changed at once; each checks the version of what it changes.
pub type SingleBlock = ();

/// What is changed over many blocks, in this order. What the last release that can be upgraded has done is
/// removed; `RenewAttempts` is always the last.
#[cfg(not(feature = "runtime-benchmarks"))]
pub type MultiBlock =
	(RulesInPlaceOfLists<Runtime>, pallet_registration::migrations::RenewAttempts<Runtime>);

/// The pallet's benchmarks bring their own.
#[cfg(feature = "runtime-benchmarks")]
pub type MultiBlock = pallet_migrations::mock_helpers::MockedMigrations;

parameter_types! {
	/// Of a block; the rest is for what must be in it.
	pub MigrationWeight: Weight = Perbill::from_percent(80) * RuntimeBlockWeights::get().max_block;
}

impl pallet_migrations::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Migrations = MultiBlock;
	type CursorMaxLen = ConstU32<1_024>;
	type IdentifierMaxLen = ConstU32<64>;
	type MigrationStatusHandler = (Registration, EndSafeMode);
	type FailedMigrationHandler = EnterSafeMode;
	type MaxServiceWeight = MigrationWeight;
	type WeightInfo = pallet_migrations::weights::SubstrateWeight<Runtime>;
}

/// Takes transactions again after a migration failed, but only those of safe mode; none if it cannot be
/// entered. The handler that FRAME has for this goes on to take none even so.
pub struct EnterSafeMode;

impl FailedMigrationHandler for EnterSafeMode {
	fn failed(_: Option<u32>) -> FailedMigrationHandling {
		// One that fails after another finds it entered, for ever.
		let enter = <SafeMode as frame_support::traits::SafeMode>::enter;
		let entered = SafeMode::is_entered() || enter(BlockNumber::MAX).is_ok();
		match entered {
			true => FailedMigrationHandling::ForceUnstuck,
			false => FailedMigrationHandling::KeepStuck,
		}
	}
}

/// Whatever had failed before is made good by migrations that complete.
pub struct EndSafeMode;

impl MigrationStatusHandler for EndSafeMode {
	fn completed() {
		if SafeMode::is_entered() {
			let exited = <SafeMode as frame_support::traits::SafeMode>::exit();
			frame_support::defensive_assert!(exited.is_ok(), "what is entered can be left");
		}
	}
}

/// What leads to another upgrade, by sudo or by the council, whose members may be multisigs and act by
/// proxies; and what the block itself and finality bring. Everything that these carry out is asked again.
pub struct TowardsAnUpgrade;

impl Contains<RuntimeCall> for TowardsAnUpgrade {
	fn contains(call: &RuntimeCall) -> bool {
		matches!(
			call,
			RuntimeCall::System(_)
				| RuntimeCall::Timestamp(_)
				| RuntimeCall::Grandpa(_)
				| RuntimeCall::Sudo(_)
				| RuntimeCall::Multisig(_)
				| RuntimeCall::Proxy(_)
				| RuntimeCall::Council(_)
				| RuntimeCall::Whitelist(_)
		)
	}
}

parameter_types! {
	/// Nobody pays to enter it, since nobody can but a migration that fails.
	pub const NoDeposit: Option<Balance> = None;
	pub const NoDelay: Option<BlockNumber> = None;
}

impl pallet_safe_mode::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type Currency = Balances;
	type RuntimeHoldReason = RuntimeHoldReason;
	type WhitelistedCalls = TowardsAnUpgrade;
	type EnterDuration = ConstU32<0>;
	type ExtendDuration = ConstU32<0>;
	type EnterDepositAmount = NoDeposit;
	type ExtendDepositAmount = NoDeposit;
	type ForceEnterOrigin = NeverEnsureOrigin<BlockNumber>;
	type ForceExtendOrigin = NeverEnsureOrigin<BlockNumber>;
	// It ends with migrations that complete, which renew the attempts.
	type ForceExitOrigin = NeverEnsureOrigin<()>;
	type ForceDepositOrigin = EnsureRoot<AccountId>;
	type Notify = ();
	type ReleaseDelay = NoDelay;
	type WeightInfo = pallet_safe_mode::weights::SubstrateWeight<Runtime>;
}
