//! Who decides what nobody may decide alone: sudo, as long as there is one; the council; and root, for
//! calls that the council has put on the whitelist.

use crate::{configs::*, *};
use frame_support::{
	parameter_types,
	traits::{ConstU32, EitherOfDiverse, EnsureOrigin, OriginTrait},
	weights::Weight,
};
use frame_system::EnsureRoot;
use pallet_collective::EnsureProportionAtLeast;
use sp_runtime::Perbill;

/// The council, among collectives.
pub type CouncilInstance = pallet_collective::Instance1;

/// Root, or two thirds of the council.
pub type RootOrCouncil = EitherOfDiverse<
	EnsureRoot<AccountId>,
	EnsureProportionAtLeast<AccountId, CouncilInstance, 2, 3>,
>;

/// Root, or one member of the council: for what two thirds have decided already.
type RootOrMember = EitherOfDiverse<EnsureRoot<AccountId>, SignedMember>;

/// The signature of one member of the council.
pub struct SignedMember;

impl EnsureOrigin<RuntimeOrigin> for SignedMember {
	type Success = AccountId;

	fn try_origin(origin: RuntimeOrigin) -> Result<AccountId, RuntimeOrigin> {
		match origin.as_signer() {
			Some(who) if Council::is_member(who) => Ok(who.clone()),
			_ => Err(origin),
		}
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn try_successful_origin() -> Result<RuntimeOrigin, ()> {
		let member = pallet_collective::Members::<Runtime, CouncilInstance>::get().first().cloned();
		member.map(RuntimeOrigin::signed).ok_or(())
	}
}

parameter_types! {
	/// How long the council has for a proposal.
	pub const MotionDuration: BlockNumber = 7 * 24 * HOURS;
	pub MaxProposalWeight: Weight = Perbill::from_percent(50) * RuntimeBlockWeights::get().max_block;
}

impl pallet_collective::Config<CouncilInstance> for Runtime {
	type RuntimeOrigin = RuntimeOrigin;
	type Proposal = RuntimeCall;
	type RuntimeEvent = RuntimeEvent;
	type MotionDuration = MotionDuration;
	type MaxProposals = ConstU32<32>;
	type MaxMembers = ConstU32<32>;
	// Who does not vote has not agreed.
	type DefaultVote = NotAgreed;
	type WeightInfo = pallet_collective::weights::SubstrateWeight<Runtime>;
	type SetMembersOrigin = RootOrCouncil;
	type MaxProposalWeight = MaxProposalWeight;
	type DisapproveOrigin = RootOrCouncil;
	type KillOrigin = RootOrCouncil;
	// Members are few, and proposals end.
	type Consideration = ();
}

/// Silence is a no.
pub struct NotAgreed;

impl pallet_collective::DefaultVote for NotAgreed {
	fn default_vote(
		_: Option<bool>,
		_: pallet_collective::MemberCount,
		_: pallet_collective::MemberCount,
		_: pallet_collective::MemberCount,
	) -> bool {
		false
	}
}

/// What two thirds of the council have named by its hash, any member carries out as root.
impl pallet_whitelist::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WhitelistOrigin = RootOrCouncil;
	type DispatchWhitelistedOrigin = RootOrMember;
	// The call comes with its dispatch: nothing is stored but its hash.
	type Preimages = ();
	// A dispatch before its call is named would wait for anybody to carry it out, at a time of their
	// choosing. It is over before it begins.
	type DeferredDispatchExpiration = ConstU32<0>;
	type BlockNumberProvider = System;
	type WeightInfo = pallet_whitelist::weights::SubstrateWeight<Runtime>;
}

impl pallet_sudo::Config for Runtime {
	type RuntimeEvent = RuntimeEvent;
	type RuntimeCall = RuntimeCall;
	type WeightInfo = pallet_sudo::weights::SubstrateWeight<Runtime>;
}
