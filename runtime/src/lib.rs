//! The Keyshare chain's runtime: composition only. What it composes is in `pallets/`.
//!
//! | module | what it holds |
//! |---|---|
//! | [`configs`] | the constants and types each pallet asks for |
//! | [`accounts`] | accounts that others act for: multisigs, proxies, batches |
//! | [`governance`] | who decides: sudo, the council, root by whitelist |
//! | [`apis`] | the runtime APIs |
//! | [`migrations`] | how a live chain's storage is changed, and safe mode |
//! | [`genesis`] | the presets `development` and `local` |
//! | [`weights`] | what our pallets' calls weigh |

#![cfg_attr(not(feature = "std"), no_std)]
#![recursion_limit = "256"]
// The runtime macros generate items that no comment can be put on; what is written here is documented.
#![allow(missing_docs)]

extern crate alloc;

pub mod accounts;
pub mod apis;
pub mod configs;
pub mod genesis;
pub mod governance;
pub mod migrations;
#[cfg(test)]
mod tests;
pub mod weights;

use alloc::{borrow::Cow, vec::Vec};
use sp_runtime::{
	generic,
	traits::{BlakeTwo256, IdentifyAccount, Verify},
	MultiAddress, MultiSignature,
};
use sp_version::RuntimeVersion;

#[cfg(feature = "std")]
include!(concat!(env!("OUT_DIR"), "/wasm_binary.rs"));

/// A signature of any of the chain's account types.
pub type Signature = MultiSignature;
/// An account.
pub type AccountId = <<Signature as Verify>::Signer as IdentifyAccount>::AccountId;
/// An address in an extrinsic.
pub type Address = MultiAddress<AccountId, ()>;
/// An amount, in units of 10⁻¹² `KEY`.
pub type Balance = keyshare_primitives::Balance;
/// An account's transaction counter.
pub type Nonce = u32;
/// A block's number.
pub type BlockNumber = keyshare_primitives::BlockNumber;
/// A hash of the chain.
pub type Hash = sp_core::H256;
/// A block header.
pub type Header = generic::Header<BlockNumber, BlakeTwo256>;
/// A block.
pub type Block = generic::Block<Header, UncheckedExtrinsic>;
/// What an extrinsic carries beside its call, in this order.
pub type TxExtension = (
	frame_system::AuthorizeCall<Runtime>,
	frame_system::CheckNonZeroSender<Runtime>,
	frame_system::CheckSpecVersion<Runtime>,
	frame_system::CheckTxVersion<Runtime>,
	frame_system::CheckGenesis<Runtime>,
	frame_system::CheckMortality<Runtime>,
	frame_system::CheckNonce<Runtime>,
	frame_system::CheckWeight<Runtime>,
	pallet_transaction_payment::ChargeTransactionPayment<Runtime>,
	frame_metadata_hash_extension::CheckMetadataHash<Runtime>,
	frame_system::WeightReclaim<Runtime>,
);
/// An extrinsic before it is checked.
pub type UncheckedExtrinsic =
	generic::UncheckedExtrinsic<Address, RuntimeCall, Signature, TxExtension>;
/// What a signed extrinsic signs.
pub type SignedPayload = generic::SignedPayload<RuntimeCall, TxExtension>;
/// Runs blocks.
pub type Executive = frame_executive::Executive<
	Runtime,
	Block,
	frame_system::ChainContext<Runtime>,
	Runtime,
	AllPalletsWithSystem,
>;

/// Blocks as the node sees them: extrinsics are bytes.
pub mod opaque {
	use super::*;
	pub use sp_runtime::OpaqueExtrinsic as UncheckedExtrinsic;

	/// A block header.
	pub type Header = super::Header;
	/// A block of opaque extrinsics.
	pub type Block = generic::Block<Header, UncheckedExtrinsic>;
	/// A block's id.
	pub type BlockId = generic::BlockId<Block>;
	/// A hash of the chain.
	pub type Hash = super::Hash;
}

sp_runtime::impl_opaque_keys! {
	/// What a validator signs blocks and votes with.
	pub struct SessionKeys {
		/// Block authorship.
		pub aura: Aura,
		/// Finality votes.
		pub grandpa: Grandpa,
	}
}

/// Time between blocks, in milliseconds.
pub const SLOT_DURATION: u64 = 2_000;
/// Blocks in a minute.
pub const MINUTES: BlockNumber = 60_000 / (SLOT_DURATION as BlockNumber);
/// Blocks in an hour.
pub const HOURS: BlockNumber = 60 * MINUTES;
/// One `KEY`.
pub const KEY: Balance = 1_000_000_000_000;
/// A thousandth of a `KEY`.
pub const MILLI_KEY: Balance = KEY / 1_000;
/// A millionth of a `KEY`.
pub const MICRO_KEY: Balance = MILLI_KEY / 1_000;
/// The least an account can hold.
pub const EXISTENTIAL_DEPOSIT: Balance = MILLI_KEY;

/// The version of this runtime.
#[sp_version::runtime_version]
pub const VERSION: RuntimeVersion = RuntimeVersion {
	spec_name: Cow::Borrowed("keyshare"),
	impl_name: Cow::Borrowed("keyshare-node"),
	authoring_version: 1,
	spec_version: 4,
	impl_version: 1,
	apis: apis::RUNTIME_API_VERSIONS,
	transaction_version: 3,
	system_version: 1,
};

#[frame_support::runtime]
mod runtime {
	/// The runtime.
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
		RuntimeTask,
		RuntimeViewFunction
	)]
	pub struct Runtime;

	#[runtime::pallet_index(0)]
	pub type System = frame_system;
	#[runtime::pallet_index(1)]
	pub type Timestamp = pallet_timestamp;
	#[runtime::pallet_index(2)]
	pub type Aura = pallet_aura;
	#[runtime::pallet_index(3)]
	pub type Grandpa = pallet_grandpa;
	#[runtime::pallet_index(4)]
	pub type Balances = pallet_balances;
	#[runtime::pallet_index(5)]
	pub type TransactionPayment = pallet_transaction_payment;
	#[runtime::pallet_index(6)]
	pub type Sudo = pallet_sudo;
	#[runtime::pallet_index(7)]
	pub type Authorship = pallet_authorship;
	#[runtime::pallet_index(10)]
	pub type Subgroups = pallet_subgroups;
	#[runtime::pallet_index(11)]
	pub type Registration = pallet_registration;
	// After the pallets that its genesis asks for the first validators.
	#[runtime::pallet_index(12)]
	pub type Session = pallet_session;
	#[runtime::pallet_index(13)]
	pub type Historical = pallet_session::historical;
	#[runtime::pallet_index(14)]
	pub type Offences = pallet_offences;
	#[runtime::pallet_index(20)]
	pub type Utility = pallet_utility;
	#[runtime::pallet_index(21)]
	pub type Multisig = pallet_multisig;
	#[runtime::pallet_index(22)]
	pub type Proxy = pallet_proxy;
	#[runtime::pallet_index(23)]
	pub type Council = pallet_collective<Instance1>;
	#[runtime::pallet_index(24)]
	pub type Whitelist = pallet_whitelist;
	#[runtime::pallet_index(25)]
	pub type MultiBlockMigrations = pallet_migrations;
	#[runtime::pallet_index(26)]
	pub type SafeMode = pallet_safe_mode;
}

#[cfg(feature = "runtime-benchmarks")]
mod benches {
	frame_benchmarking::define_benchmarks!(
		[pallet_registration, Registration]
		[pallet_subgroups, Subgroups]
	);
}
