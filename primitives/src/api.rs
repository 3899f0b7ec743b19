//! The runtime API: everything a client or a server asks the chain, in one call each.

use crate::{constraints::Constraints, membership::Change, types::*};
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
	/// `t`: the least that a key's threshold can be; the most is `n`.
	pub threshold: u8,
	/// The part of a subgroup's ready members that must confirm.
	pub confirmation_quorum: Perbill,
	/// Blocks after which an attempt expires.
	pub registration_timeout: BlockNumber,
	/// The most confirmations in one extrinsic.
	pub max_confirmations: u32,
	/// How many blocks after its admission an operator is in force.
	pub admission_delay: BlockNumber,
}

/// Whether a member holds every share of its subgroup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Readiness {
	/// It was there from the beginning or has declared that it holds all.
	Ready,
	/// It still fetches shares, or was silent in too many attempts.
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
	/// The operator it accepted last: whose it is, or was before it left.
	pub operator: Option<AccountId>,
}

/// A signing subgroup.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct SubgroupInfo {
	/// Its number.
	pub id: SubgroupId,
	/// Its members, in the order in which they joined.
	pub members: Vec<MemberInfo>,
	/// How many of those that are ready must confirm; none if none is.
	pub quorum: Option<u32>,
}

/// Who runs validators of one subgroup, and is answered for by whoever admitted it.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct OperatorInfo {
	/// The account that signs for it.
	pub account: AccountId,
	/// Its name, in printable ASCII.
	pub name: Vec<u8>,
	/// The subgroup that all its validators are in, for ever.
	pub subgroup: SubgroupId,
	/// Whether it may have validators.
	pub standing: OperatorStanding,
	/// How many validators it may have now.
	pub seats: u32,
	/// How many it may have from a block on, if that is to change.
	pub next_seats: Option<Later<u32>>,
	/// The validators that have accepted it.
	pub validators: Vec<AccountId>,
	/// Those that it has assigned and that have not accepted it yet.
	pub assigned: Vec<AccountId>,
}

/// What is to be from a later block on.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub struct Later<Value> {
	/// What is to be.
	pub value: Value,
	/// The first block in which it is.
	pub from: BlockNumber,
	/// How many blocks are left until then.
	pub blocks_left: BlockNumber,
}

/// Whether an operator may have validators.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum OperatorStanding {
	/// It was admitted, and will be in force.
	Pending {
		/// The first block in which it is.
		from: BlockNumber,
		/// How many blocks are left until then.
		blocks_left: BlockNumber,
	},
	/// It is in force.
	Admitted {
		/// Since that block.
		since: BlockNumber,
	},
	/// It was dismissed.
	Dismissed {
		/// In that block.
		since: BlockNumber,
		/// Whether not even a last ready member of it stays.
		force: bool,
	},
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
	/// Those of `members` that are ready: only their confirmations count.
	pub ready: Vec<AccountId>,
	/// How many of them must have confirmed; none when nobody is ready.
	pub quorum: Option<u32>,
	/// Those of `members` that have confirmed, ready or not.
	pub confirmed: Vec<AccountId>,
}

impl Coverage {
	/// How many confirmations count.
	pub fn counted(&self) -> usize {
		self.confirmed.iter().filter(|server| self.ready.contains(server)).count()
	}

	/// Whether the quorum is reached.
	pub fn is_reached(&self) -> bool {
		self.quorum.is_some_and(|quorum| self.counted() as u64 >= u64::from(quorum))
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

/// What the chain holds for an account. Both `registering` and `registered` are set while a key is swapped.
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

impl AccountInfo {
	/// The scheme of the account's keys: a swap keeps it.
	pub fn scheme(&self) -> Option<KeyScheme> {
		let registration = self.registering.as_ref().or(self.registered.as_ref())?;
		Some(registration.key.commitments.scheme())
	}
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
	/// Whose validator it is.
	pub operator: Option<AccountId>,
	/// The operators that have assigned it, and that it has not accepted.
	pub assigned_by: Vec<AccountId>,
}

/// Whether a validator is a member of its subgroup.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, TypeInfo)]
pub enum Membership {
	/// It is none.
	Outside,
	/// It is selected for the next session.
	Next,
	/// It is a member and not ready: it still fetches shares, or was silent in too many attempts.
	Syncing {
		/// The change with which it joined, came back, changed its server account or was found silent.
		joined: Change,
		/// Whether it was ready and was then found silent.
		silent: bool,
	},
	/// It is a member and holds every share, as it has declared.
	Ready,
	/// It is a member and no validator any more: no other member of its subgroup is ready.
	Kept {
		/// Whether it is ready itself.
		ready: bool,
	},
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
	/// It belongs to no operator: one has to assign it, and it has to accept.
	NoOperator,
	/// Its operator is not in force yet.
	OperatorPending {
		/// The first block in which it is.
		from: BlockNumber,
	},
	/// Its operator was dismissed.
	OperatorDismissed,
	/// Its operator has no seat left for it: others of its validators come first.
	NoSeat,
	/// It made no block for too long: its operator calls it back.
	Idle {
		/// The session from which on it is not selected.
		session: SessionIndex,
	},
}

sp_api::decl_runtime_apis! {
	/// What clients and servers ask the chain.
	pub trait KeyshareApi {
		/// The chain's parameters.
		fn parameters() -> Parameters;
		/// Every subgroup with its members, by id.
		fn subgroups() -> Vec<SubgroupInfo>;
		/// Every operator there ever was, by subgroup and then in the order of their accounts.
		fn operators() -> Vec<OperatorInfo>;
		/// Where the validator `account` stands; nobody needs to be one to be asked about.
		fn validator(account: AccountId) -> ValidatorInfo;
		/// What the chain holds for `account`; empty fields where it holds nothing.
		fn registration(account: AccountId) -> AccountInfo;
		/// The deposit, in the chain's smallest unit, that `register` holds for a key of `scheme` and
		/// `threshold` with these constraints, or `swap_key` (without constraints) until the swap is
		/// done.
		fn deposit(scheme: KeyScheme, threshold: u8, constraints: Option<Constraints>) -> Balance;
		/// What `register` and `swap_key` take as a fee, in the chain's smallest unit and beside that of
		/// the transaction, for the confirmations that they cause.
		fn confirmation_fee() -> Balance;
		/// What of a deposit stays held for the account's record, in the chain's smallest unit, when all
		/// else was given back.
		fn record_deposit() -> Balance;
	}
}
