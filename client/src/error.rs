//! One error for everything, with what to do about it and the tool's exit code.

use crate::{account::AccountError, dealing::DealingError, keyfile::KeyFileError};
use keyshare_constraints::ConstraintsInputError;
use keyshare_primitives::{AccountId, SubgroupId};
use std::fmt;

/// A result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Exit codes of the tool.
pub mod exit {
	/// Done.
	pub const OK: u8 = 0;
	/// Another failure: the node cannot be reached, or answers what cannot be read.
	pub const FAILED: u8 = 1;
	/// The command line or an input file is wrong.
	pub const USAGE: u8 = 2;
	/// The chain refuses the call, or its state leaves nothing to do.
	pub const REFUSED: u8 = 3;
	/// The deadline passed, or something is incomplete; what is missing is named.
	pub const INCOMPLETE: u8 = 4;
	/// A verification failed.
	pub const VERIFICATION: u8 = 5;
	/// Another chain, or another version of the protocol.
	pub const WRONG_CHAIN: u8 = 6;
}

/// Why something was not done. [`Error::hint`] says what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
	/// The private key cannot be read or written.
	#[error(transparent)]
	KeyFile(#[from] KeyFileError),
	/// The constraints are malformed.
	#[error(transparent)]
	Constraints(#[from] ConstraintsInputError),
	/// The signing account or an address is malformed.
	#[error(transparent)]
	Account(#[from] AccountError),
	/// Something else in the input is wrong.
	#[error("{0}")]
	Input(String),
	/// No connection to the node, or it was lost.
	#[error("cannot reach the node at {url}: {reason}")]
	Unreachable {
		/// The node's address.
		url: String,
		/// What the transport says.
		reason: String,
	},
	/// The node answers an error, or what cannot be read.
	#[error("the node's answer to {request} cannot be used: {reason}")]
	Answer {
		/// What was asked.
		request: String,
		/// What is wrong with the answer.
		reason: String,
	},
	/// The chain is not the one this tool speaks to.
	#[error("{0}")]
	WrongChain(String),
	/// The chain refuses the call, or would.
	#[error("the chain refuses the call: {0}")]
	Refused(Refusal),
	/// The chain's state leaves nothing to do for this command.
	#[error("{0}")]
	State(Refusal),
	/// The deadline passed.
	#[error("{0}")]
	Incomplete(Incomplete),
	/// What the chain holds is not what this key and these shares make.
	#[error(transparent)]
	Dealing(#[from] DealingError),
	/// A verification failed.
	#[error("{0}")]
	Verification(String),
	/// Output cannot be written.
	#[error("cannot write the output: {0}")]
	Output(#[from] std::io::Error),
}

impl Error {
	/// The tool's exit code.
	pub fn exit_code(&self) -> u8 {
		match self {
			Self::KeyFile(_) | Self::Constraints(_) | Self::Account(_) | Self::Input(_) => {
				exit::USAGE
			}
			Self::Unreachable { .. } | Self::Answer { .. } | Self::Output(_) => exit::FAILED,
			Self::WrongChain(_) => exit::WRONG_CHAIN,
			Self::Refused(_) | Self::State(_) => exit::REFUSED,
			Self::Incomplete(_) => exit::INCOMPLETE,
			Self::Dealing(_) | Self::Verification(_) => exit::VERIFICATION,
		}
	}

	/// A stable word for programs.
	pub fn kind(&self) -> &'static str {
		match self.exit_code() {
			exit::USAGE => "input",
			exit::WRONG_CHAIN => "wrong-chain",
			exit::REFUSED => "refused",
			exit::INCOMPLETE => "incomplete",
			exit::VERIFICATION => "verification",
			_ => "failed",
		}
	}

	/// What to do about it, where the message does not say so already.
	pub fn hint(&self) -> Option<&'static str> {
		match self {
			Self::Unreachable { .. } => {
				Some("Is the node running? Name another with --url or KEYSHARE_URL.")
			}
			Self::Answer { .. } => Some("Is it the RPC address of a Keyshare node?"),
			Self::WrongChain(_) => Some(
				"Nothing was signed. Name another node with --url, or use the version of this \
				 tool that belongs to the chain.",
			),
			Self::Refused(refusal) | Self::State(refusal) => refusal.hint(),
			Self::Incomplete(incomplete) => Some(incomplete.hint),
			_ => None,
		}
	}
}

/// Why the chain refuses a call.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
	/// The error's name, as in `Registration::AlreadyRegistered`, where it has one.
	pub name: Option<String>,
	/// What the runtime says about it.
	pub description: String,
}

impl Refusal {
	/// A refusal without a name.
	pub fn unnamed(description: impl Into<String>) -> Self {
		Self { name: None, description: description.into() }
	}

	/// One of the registration pallet's errors, seen coming.
	pub fn registration(name: &str, description: impl Into<String>) -> Self {
		Self { name: Some(format!("Registration::{name}")), description: description.into() }
	}

	/// One of the subgroup pallet's errors, seen coming.
	pub fn subgroups(name: &str, description: impl Into<String>) -> Self {
		Self { name: Some(format!("Subgroups::{name}")), description: description.into() }
	}

	/// What to do about it.
	pub fn hint(&self) -> Option<&'static str> {
		let name = self.name.as_deref().unwrap_or_default();
		match name.split_once("::").map_or(name, |(_, name)| name) {
			"AlreadyRegistered" => {
				Some("`keyshare swap-key` replaces the key, `keyshare deregister` removes it.")
			}
			"AlreadyRegistering" => Some(
				"`keyshare resume` with the same key completes the attempt, `keyshare cancel` \
				 gives it up.",
			),
			"NotRegistered" => Some(
				"`keyshare register` registers a key; `keyshare status ACCOUNT` shows whether an \
				 attempt is under way.",
			),
			"NotRegistering" => {
				Some("`keyshare status ACCOUNT` shows what the chain holds for the account.")
			}
			"NoConstraints" => Some(
				"Constraints belong to a key: `keyshare register` registers one together with them. \
				 `keyshare status ACCOUNT` shows what the chain holds for the account.",
			),
			"SchemeChanged" => Some(
				"`keyshare deregister` removes the key in force, `keyshare register` registers the \
				 other one.",
			),
			"NotConstraintAccount" => Some(
				"Sign with the constraint-modification account; `keyshare constraints get \
				 ACCOUNT` names it.",
			),
			"NoReadyMember" => {
				Some("The network is not ready; `keyshare subgroups` shows who is there.")
			}
			"KeyReplacedTooSoon" => Some(
				"`keyshare server status ACCOUNT` shows the block at which the grace period ends.",
			),
			"NoServer" => Some("`keyshare server declare` publishes one."),
			"ServerAccountInUse" => Some(
				"A server account belongs to one validator for ever: make a new server with \
				 `keyshare-node key generate-server`.",
			),
			name => operator_hint(name),
		}
	}
}

/// What to do about an error that has to do with operators, or with the signature.
fn operator_hint(name: &str) -> Option<&'static str> {
	match name {
		"RequireSudo" => {
			Some("Sign with the sudo key: --account-file, --account-stdin or --external-signer.")
		}
		"NameTaken" | "NoSeatsLeft" | "NotAnOperator" => {
			Some("`keyshare operator list` shows who is admitted, with name, subgroup and seats.")
		}
		"NoSuchSubgroup" => Some("`keyshare subgroups` shows which there are."),
		"OperatorOfAnotherSubgroup" => Some(
			"One operator in two subgroups would hold two shares of every key: admit another \
			 account, of somebody else.",
		),
		"OperatorDismissed" => {
			Some("`keyshare operator admit` admits it again, to the same subgroup as before.")
		}
		"AlreadyAssigned" | "NotAssigned" => Some(
			"`keyshare operator status OPERATOR` shows whom it has assigned and who has accepted.",
		),
		"ValidatorOfAnotherSubgroup" => Some(
			"Whoever was a member of one subgroup stays out of all others for ever: use a new \
			 validator account, with a new server.",
		),
		"NoSeatForValidator" => Some(
			"`keyshare operator unassign` makes room; `keyshare operator admit` with more --seats \
			 does too.",
		),
		"NotItsOperator" | "NoOperator" | "NotIdle" => {
			Some("`keyshare validator status VALIDATOR` shows where it stands, and whose it is.")
		}
		"Payment" | "FundsUnavailable" => Some(
			"An account cannot pay the fees, or the deposit that is held for what the call stores: send \
			 it KEY. With `--dry-run`, `keyshare register`, `swap-key`, `reshare` and `constraints set` \
			 show how much is needed.",
		),
		"BadProof" => Some("The chain is being upgraded; try again."),
		"Stale" => Some("Another transaction of this account came first; try again."),
		_ => None,
	}
}

impl fmt::Display for Refusal {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		match &self.name {
			Some(name) => write!(f, "{} ({name})", self.description),
			None => f.write_str(&self.description),
		}
	}
}

/// What goes on with an attempt that was begun.
pub const RESUME: &str = "Nothing is lost: `keyshare resume` with the same key goes on from here, as \
                          long as the attempt has not expired; `keyshare status` shows where it stands.";
/// What to do when the deadline came before the call.
pub const NOTHING_SIGNED: &str = "Nothing was signed. Is the node running, and has it caught up with \
                                  the chain? Wait longer with --deadline, or name another node with \
                                  --url or KEYSHARE_URL.";
/// What to do about a call that may have been sent, and is not seen to be done.
pub const LOOK: &str = "The call may have been sent, and may still get into a block: look with \
                        `keyshare status ACCOUNT` before you make it again.";
/// The same for a call about a validator.
pub const LOOK_AT_VALIDATOR: &str =
	"The call may have been sent, and may still get into a block: look with `keyshare validator status \
	 VALIDATOR` before you make it again.";
/// The same for a call about an operator.
pub const LOOK_AT_OPERATOR: &str =
	"The call may have been sent, and may still get into a block: look with `keyshare operator status \
	 OPERATOR` before you make it again.";

/// What was not reached before the deadline.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incomplete {
	/// What was waited for.
	pub waiting_for: String,
	/// The subgroups without quorum.
	pub missing: Vec<MissingSubgroup>,
	/// What to do about it: [`RESUME`] or another that fits the call.
	pub hint: &'static str,
}

impl Incomplete {
	/// Something that is not about subgroups.
	pub fn waiting_for(what: impl Into<String>, hint: &'static str) -> Self {
		Self { waiting_for: what.into(), missing: Vec::new(), hint }
	}
}

impl fmt::Display for Incomplete {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		write!(f, "stopped before {}", self.waiting_for)?;
		for subgroup in &self.missing {
			write!(f, "\n  {subgroup}")?;
		}
		Ok(())
	}
}

/// A subgroup without quorum, and who is missing.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingSubgroup {
	/// The subgroup.
	pub subgroup: SubgroupId,
	/// How many ready members must confirm; none when no member is ready.
	pub quorum: Option<u32>,
	/// How many of them have confirmed.
	pub confirmed: u32,
	/// The members that have not, or are not ready and do not count.
	pub servers: Vec<MissingServer>,
}

impl fmt::Display for MissingSubgroup {
	fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
		let (subgroup, confirmed) = (self.subgroup, self.confirmed);
		match self.quorum {
			Some(quorum) => write!(
				f,
				"subgroup {subgroup}: {confirmed} of at least {quorum} confirmed; missing:"
			)?,
			None => write!(f, "subgroup {subgroup}: no member of it is ready")?,
		}
		for server in &self.servers {
			write!(f, "\n    {} ({})", server.account, server.state)?;
		}
		Ok(())
	}
}

/// A server that has not confirmed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MissingServer {
	/// The server.
	pub account: AccountId,
	/// How far it came, in words.
	pub state: String,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn the_missing_are_named() {
		let missing = Incomplete {
			waiting_for: "every subgroup reached its quorum".into(),
			missing: vec![
				MissingSubgroup {
					subgroup: 1,
					quorum: Some(2),
					confirmed: 1,
					servers: vec![MissingServer {
						account: AccountId::new([7; 32]),
						state: "sent, no answer".into(),
					}],
				},
				MissingSubgroup { subgroup: 2, quorum: None, confirmed: 0, servers: vec![] },
			],
			hint: RESUME,
		};
		let text = missing.to_string();
		assert!(text.contains("subgroup 1: 1 of at least 2 confirmed"), "{text}");
		assert!(text.contains(&AccountId::new([7; 32]).to_string()), "{text}");
		assert!(text.contains("sent, no answer"), "{text}");
		assert!(text.contains("subgroup 2: no member of it is ready"), "{text}");
		assert_eq!(Error::Incomplete(missing).exit_code(), exit::INCOMPLETE);
	}

	#[test]
	fn a_refusal_keeps_its_name_and_gets_a_hint() {
		let refusal = Refusal::registration("AlreadyRegistered", "The account has a key in force");
		assert!(refusal.to_string().contains("Registration::AlreadyRegistered"));
		assert!(refusal.hint().is_some_and(|hint| hint.contains("swap-key")));
		assert_eq!(Refusal::unnamed("no").hint(), None);
		let of_operators = Refusal::subgroups("NameTaken", "another has it");
		assert_eq!(of_operators.name.as_deref(), Some("Subgroups::NameTaken"));
		assert!(of_operators.hint().is_some_and(|hint| hint.contains("operator list")));
		let not_sudo = Refusal { name: Some("Sudo::RequireSudo".into()), ..of_operators };
		assert!(not_sudo.hint().is_some_and(|hint| hint.contains("sudo key")));
		assert_eq!(Error::Refused(refusal).exit_code(), exit::REFUSED);
	}

	#[test]
	fn hints_fit_the_command() {
		let hint = |name| Refusal::registration(name, "").hint().unwrap_or_default();
		// Nothing is registered: `status` alone leads nowhere.
		assert!(hint("NotRegistered").contains("`keyshare register`"));
		assert!(hint("NoConstraints").contains("`keyshare register`"));
		assert!(hint("SchemeChanged").contains("`keyshare deregister`"));
		// Whatever the call was, it names commands that have the option.
		let payment = Refusal { name: Some("Payment".into()), description: String::new() };
		assert!(payment.hint().is_some_and(|hint| hint.contains("`constraints set`")));
		// Only an attempt can be resumed.
		let hint = |hint| Error::Incomplete(Incomplete::waiting_for("it", hint)).hint();
		assert!(hint(RESUME).is_some_and(|hint| hint.contains("keyshare resume")));
		assert!(hint(LOOK).is_some_and(|hint| !hint.contains("resume")));
		assert!(hint(NOTHING_SIGNED).is_some_and(|hint| hint.contains("--url")));
	}
}
