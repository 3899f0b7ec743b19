//! The runtime API: everything a client or a server asks the chain, in one call each.

use crate::types::*;
use alloc::vec::Vec;
use codec::{Decode, Encode};
use scale_info::TypeInfo;
use sp_runtime::Perbill;

/// Parameters of the chain.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Parameters {
	/// [`crate::PROTOCOL_VERSION`] of the runtime.
	pub protocol_version: u32,
	/// `n`.
	pub subgroups: u8,
	/// `t`.
	pub threshold: u8,
	/// The part of a subgroup's members that must confirm.
	pub confirmation_quorum: Perbill,
	/// Blocks after which an attempt expires.
	pub registration_timeout: BlockNumber,
	/// The most addresses in one list of the constraints.
	pub max_acl_addresses: u32,
	/// The most confirmations in one extrinsic.
	pub max_confirmations: u32,
}

/// Whether a member holds every share of its subgroup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Readiness {
	/// It was there from the beginning or has declared that it holds all.
	Ready,
	/// It is still fetching shares.
	Syncing,
}

/// A member of a subgroup.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct MemberInfo {
	/// The validator that runs the server.
	pub validator: AccountId,
	/// Its server.
	pub server: ServerInfo,
	/// Whether it holds every share.
	pub readiness: Readiness,
}

/// A signing subgroup.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SubgroupInfo {
	/// Its number.
	pub id: SubgroupId,
	/// Its members, in the order in which they joined.
	pub members: Vec<MemberInfo>,
	/// How many of them must confirm; none when it is empty.
	pub quorum: Option<u32>,
}

/// Where an attempt or key stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum RegistrationStatus {
	/// Shares are on their way; expires at the block named.
	Registering {
		/// The first block in which it is gone.
		expires_at: BlockNumber,
	},
	/// In force.
	Registered,
}

/// One subgroup's coverage of an attempt or key.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Coverage {
	/// The subgroup.
	pub subgroup: SubgroupId,
	/// Server accounts of its members now.
	pub members: Vec<AccountId>,
	/// How many must have confirmed; none when it has no members.
	pub quorum: Option<u32>,
	/// Those of `members` that have confirmed.
	pub confirmed: Vec<AccountId>,
}

impl Coverage {
	/// Whether the quorum is reached.
	pub fn is_reached(&self) -> bool {
		self.quorum.is_some_and(|quorum| self.confirmed.len() as u64 >= u64::from(quorum))
	}
}

/// An attempt or a key in force.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct RegistrationInfo {
	/// Id, generation, commitments and verifying shares.
	pub key: KeyRecord,
	/// Where it stands.
	pub status: RegistrationStatus,
	/// By subgroup id.
	pub coverage: Vec<Coverage>,
}

/// What the chain holds for an account. Both fields are set while a key is being swapped.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct AccountInfo {
	/// The last generation used; the next attempt has this plus one.
	pub generation: Generation,
	/// The constraint-modification account and the constraints.
	pub constraints: Option<(AccountId, Constraints)>,
	/// The key in force.
	pub registered: Option<RegistrationInfo>,
	/// The attempt under way.
	pub registering: Option<RegistrationInfo>,
}

/// Where a validator stands.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct ValidatorInfo {
	/// The server it has published.
	pub server: Option<ServerInfo>,
	/// The encryption key before, while it still opens envelopes.
	pub retired: Option<RetiredKey<BlockNumber>>,
	/// Its session keys for the next sessions, SCALE-encoded.
	pub session_keys: Option<Vec<u8>>,
	/// The subgroup it belongs to, now or whenever it returns; none before it was first a member.
	pub subgroup: Option<SubgroupId>,
	/// Whether it is a member now.
	pub membership: Membership,
	/// What keeps it from being selected; nothing if it is or can be.
	pub obstacles: Vec<Obstacle>,
}

/// Whether a validator is a member of its subgroup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Membership {
	/// It is none.
	Outside,
	/// It is selected for the next session.
	Next,
	/// It is a member since that session, and still fetches shares.
	Syncing {
		/// When it joined, or changed its server account.
		since: SessionIndex,
	},
	/// It is a member and holds every share, as it has declared.
	Ready,
}

/// What keeps a validator from being selected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Obstacle {
	/// It has published no server.
	NoServer,
	/// It has set no session keys.
	NoSessionKeys,
	/// It is leaving.
	Withdrawing,
	/// It has equivocated.
	Barred {
		/// When.
		session: SessionIndex,
	},
	/// Nobody has elected it: it is neither a candidate nor set by root.
	NotACandidate,
}

sp_api::decl_runtime_apis! {
	/// What clients and servers ask the chain.
	pub trait KeyshareApi {
		/// The chain's parameters.
		fn parameters() -> Parameters;
		/// Every subgroup with its members, by id.
		fn subgroups() -> Vec<SubgroupInfo>;
		/// Where the validator `account` stands; nobody needs to be one to be asked about.
		fn validator(account: AccountId) -> ValidatorInfo;
		/// What the chain holds for `account`; empty fields where it holds nothing.
		fn registration(account: AccountId) -> AccountInfo;
		/// The deposit, in the chain's smallest unit, that `register` holds for a key of `scheme`
		/// with these constraints, or `swap_key` (without constraints) until the swap is done.
		fn deposit(scheme: KeyScheme, constraints: Option<Constraints>) -> Balance;
	}
}
