//! Commands of those who run the network: validators, operators, root.

use super::{options::number, Signed, OPERATOR_NOTE, ROOT_NOTE};
use clap::Subcommand;
use keyshare_client::account::parse_address;
use keyshare_primitives::AccountId;

/// `server`.
#[derive(Subcommand)]
pub enum Server {
	/// Publish a server that the node hosts, or replace the one published
	///
	/// If the server's account is another one than before, keep the node's share store: the new server
	/// takes the shares of the one before from it, and confirms each again. Until then it is not ready.
	/// The last ready member of a subgroup counts as ready all the same, so that registrations go on, and
	/// nobody would notice if the store were gone.
	#[command(after_long_help = OPERATOR_NOTE)]
	Declare {
		/// The server, where the node hosts several
		#[arg(long, value_name = "ACCOUNT", value_parser = parse_address)]
		server: Option<AccountId>,
		/// Where the world reaches the node's share listener: an https or http URL
		#[arg(long, value_name = "URL")]
		endpoint: String,
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Publish the server under another address
	#[command(after_long_help = OPERATOR_NOTE)]
	ChangeEndpoint {
		/// The new address
		endpoint: String,
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Have the node make a new encryption key, and publish it; the old one still opens envelopes
	/// for the grace period, and is erased after it
	#[command(after_long_help = OPERATOR_NOTE)]
	RotateKey {
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Leave: selected no more, and no member from the session after the next, unless no other member
	/// of the subgroup is ready
	Withdraw {
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Show where a validator stands, and what keeps it from being selected
	Status {
		/// The validator, or the server of one that is a member
		#[arg(value_parser = parse_address)]
		account: AccountId,
	},
}

/// `session-keys`.
#[derive(Subcommand)]
pub enum SessionKeys {
	/// Have the node make new session keys, and set them with its proof that the validator owns
	/// them
	#[command(after_long_help = OPERATOR_NOTE)]
	Rotate {
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
}

/// `validator`.
#[derive(Subcommand)]
pub enum Validator {
	/// Accept an operator that has assigned this validator; signed by the validator
	///
	/// A validator that is another operator's leaves that one. One that was ever a member of a
	/// subgroup can change to operators of the same subgroup only.
	Accept {
		/// The operator
		#[arg(value_parser = parse_address)]
		operator: AccountId,
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Leave the operator: the validator is selected no more; signed by the validator
	///
	/// It stays a member, and its node has to run, until `validator status` says that it is none: it is
	/// kept until another member of its subgroup is ready.
	Leave(Signed),
	/// Show where a validator stands, and what keeps it from being selected
	Status {
		/// The validator, or the server of one that is a member
		#[arg(value_parser = parse_address)]
		account: AccountId,
	},
}

/// `operator`.
#[derive(Subcommand)]
pub enum Operator {
	/// Admit an operator to a subgroup, or change the name or the seats of one; for root
	#[command(after_long_help = ROOT_NOTE)]
	Admit {
		/// The operator's account
		#[arg(value_parser = parse_address)]
		account: AccountId,
		/// By which name people know it: 1 to 32 characters of printable ASCII, which no other
		/// operator has in whatever case
		#[arg(long)]
		name: String,
		/// The subgroup of all its validators. That is for ever: see that nobody has a hand in two
		/// subgroups, who would hold two shares of every key
		#[arg(long, value_name = "G", value_parser = number::<u8>)]
		subgroup: u8,
		/// How many validators it may have, 1 to 32. More than before, like a new operator, come into
		/// force after the chain's delay; fewer do at once
		#[arg(long, value_name = "N", value_parser = number::<u32>)]
		seats: u32,
		/// The sudo key.
		#[command(flatten)]
		signed: Signed,
	},
	/// Dismiss an operator: its validators are selected no more; for root
	///
	/// It keeps the shares that it holds: nobody can take them away. Every user who does not trust it
	/// should deal the key anew now, with `keyshare reshare`, before others turn bad. Its name stays
	/// taken, and it can be admitted again, to the same subgroup.
	#[command(after_long_help = ROOT_NOTE)]
	Dismiss {
		/// The operator's account
		#[arg(value_parser = parse_address)]
		account: AccountId,
		/// Remove its members even if no other member of the subgroup is ready. Without it they stay
		/// members until one is; with it that subgroup's share may be lost. It can be added to a dismissal
		/// later
		#[arg(long)]
		force: bool,
		/// The sudo key.
		#[command(flatten)]
		signed: Signed,
	},
	/// Say that a validator is to be the operator's; it has to accept. Signed by the operator
	Assign {
		/// The validator
		#[arg(value_parser = parse_address)]
		validator: AccountId,
		/// The operator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Take that back: the validator is selected no more. Signed by the operator
	Unassign {
		/// The validator
		#[arg(value_parser = parse_address)]
		validator: AccountId,
		/// The operator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Let a validator be selected again that was idle. Signed by its operator, who has seen to it
	/// that it makes blocks
	Back {
		/// The validator
		#[arg(value_parser = parse_address)]
		validator: AccountId,
		/// The operator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Show every operator by subgroup: name, standing, seats, validators
	List,
	/// Show one operator
	Status {
		/// The operator's account
		#[arg(value_parser = parse_address)]
		account: AccountId,
	},
}
