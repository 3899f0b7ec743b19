//! Accounts that others act for: multisigs, proxies, and several calls in one.

use crate::{configs::*, *};
use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use frame_support::traits::{ConstU32, InstanceFilter};
use scale_info::TypeInfo;

impl pallet_utility::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type PalletsOrigin = OriginCaller;
	type WeightInfo = pallet_utility::weights::SubstrateWeight<Runtime>;
}

impl pallet_multisig::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type DepositBase = DepositBase;
	type DepositFactor = DepositPerSignatory;
	type MaxSignatories = ConstU32<100>;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_multisig::weights::SubstrateWeight<Runtime>;
}

/// What a proxy may do for the account that named it.
///
/// Variants are only ever appended, at the end: their numbers stand in storage and in signed calls.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Default,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum ProxyType {
	/// Everything.
	#[default]
	Any,
	/// To change the constraints of the users whose constraint-modification account it acts for. Not to
	/// hand that right over: a proxy can be dismissed, a new constraint-modification account cannot.
	Constraints,
}

impl InstanceFilter<RuntimeCall> for ProxyType {
	fn filter(&self, call: &RuntimeCall) -> bool {
		match self {
			Self::Any => true,
			Self::Constraints => matches!(
				call,
				RuntimeCall::Registration(pallet_registration::Call::update_constraints { .. })
			),
		}
	}

	fn is_superset(&self, other: &Self) -> bool {
		self == other || *self == Self::Any
	}
}

impl pallet_proxy::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type Currency = Balances;
	type ProxyType = ProxyType;
	type ProxyDepositBase = DepositBase;
	type ProxyDepositFactor = DepositPerProxy;
	type MaxProxies = ConstU32<32>;
	type MaxPending = ConstU32<32>;
	type CallHasher = BlakeTwo256;
	type AnnouncementDepositBase = DepositBase;
	type AnnouncementDepositFactor = DepositPerAnnouncement;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_proxy::weights::SubstrateWeight<Runtime>;
}

frame_support::parameter_types! {
	/// Each further signatory of a call that waits is an account.
	pub const DepositPerSignatory: Balance = 32 * DepositPerByte::get();
	/// An account, the type and the delay.
	pub const DepositPerProxy: Balance = 37 * DepositPerByte::get();
	/// An account, the call's hash and the block.
	pub const DepositPerAnnouncement: Balance = 68 * DepositPerByte::get();
}
