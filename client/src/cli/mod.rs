//! The command line.

mod operating;
mod options;

pub use operating::{Operator, Server, SessionKeys, Validator};
pub use options::{
	ConstraintsInput, Deadline, ExistingKey, InspectedKey, NewKey, SignerInput, Threshold,
};

use clap::{Args, Parser, Subcommand};
use keyshare_client::{account::parse_address, chain::DEFAULT_URL};
use keyshare_constraints::BitcoinNetwork;
use keyshare_primitives::{AccountId, KeyScheme};
use options::{scheme_parser, seconds};
use std::path::PathBuf;
use tokio::time::Instant;

const AFTER_HELP: &str = "\
Exit codes:
  0  done
  1  another failure: the node cannot be reached, or answers what cannot be read
  2  the command line or an input file is wrong
  3  the chain refuses the call
  4  the deadline passed, or something is incomplete; what is missing is named
  5  a verification failed
  6  another chain, or another version of the protocol

With --json, standard output carries data only, one JSON object a line; progress and messages go
to standard error. A failure is a last line {\"error\": {\"kind\", \"message\", \"hint\", \"exitCode\"}}.

A private key is never taken from the command line, where other users of the machine can see it.";

const ED25519_NOTE: &str = "\
An Ed25519 key is shared as the scalar that its seed expands to. The shares can sign like the key,
but the seed itself can never be recovered from them: keep your own copy if you need it.";

const OPERATOR_NOTE: &str = "\
The node's part needs its secrets, so the node itself does it, and only for its operator: run this
on the node's machine with --url ws://127.0.0.1:9946, the node's --operator-rpc-port; a development
node answers at its only port. The validator's account is the one that signs; with
--external-signer it never comes near the node.";

const ROOT_NOTE: &str = "\
Only root may do this. The call is sent as Sudo.sudo(call), and the account that signs must be the
sudo key; with --external-signer the whole is printed for its wallet.";

const RESHARE_NOTE: &str = "\
The key stays the same, and so do its public key and addresses; every subgroup gets a new share.
Old and new shares do not fit together, and servers erase the old ones as soon as the new are in
force.

This helps against shares that have got, or may get, into wrong hands: of an operator that was
dismissed or whose machine was broken into, or from a stolen backup.

It helps only as long as fewer subgroups of the OLD deal than its threshold are in such hands. As
many as that make up the key itself, however often it is dealt anew: then move what the key controls
to another key, and register that one. Nobody can prove that an old share was forgotten, so do it
while the others are still to be trusted.";

/// Registers private keys with a Keyshare network, and shows and checks what became of them.
#[derive(Parser)]
#[command(name = "keyshare", version, after_help = AFTER_HELP)]
pub struct Cli {
	/// What holds for every command.
	#[command(flatten)]
	pub global: Global,
	/// What to do.
	#[command(subcommand)]
	pub command: Command,
}

/// Options of every command.
#[derive(Args)]
pub struct Global {
	/// The node to talk to: a ws:// or wss:// URL. `keyshare key` talks to none
	#[arg(long, global = true, help_heading = "Node", env = "KEYSHARE_URL", hide_env_values = true, default_value = DEFAULT_URL)]
	pub url: String,
	/// Talk to a node on another machine without encryption: whoever is on the way can name servers of
	/// their own, and gets the key
	#[arg(long, global = true, help_heading = "Node")]
	pub allow_plaintext_node: bool,
	/// Data as JSON on standard output, everything else on standard error
	#[arg(long, global = true)]
	pub json: bool,
	/// The network whose addresses keys and rules for Bitcoin are shown and read with; signet has
	/// testnet's
	#[arg(long, global = true, value_name = "NETWORK", value_enum, default_value = "mainnet")]
	pub bitcoin_network: Bitcoin,
}

/// `--bitcoin-network`.
#[derive(Clone, Copy, clap::ValueEnum)]
pub enum Bitcoin {
	/// The one with money.
	Mainnet,
	/// Test networks and signet.
	Testnet,
	/// A network on one machine.
	Regtest,
}

impl From<Bitcoin> for BitcoinNetwork {
	fn from(network: Bitcoin) -> Self {
		match network {
			Bitcoin::Mainnet => Self::Mainnet,
			Bitcoin::Testnet => Self::Testnet,
			Bitcoin::Regtest => Self::Regtest,
		}
	}
}

/// The commands.
#[derive(Subcommand)]
pub enum Command {
	/// Register a private key: publish its commitments, and send every server its share
	#[command(after_long_help = ED25519_NOTE)]
	Register(Box<Register>),
	/// Go on with an attempt that was interrupted; needs the same key, and no signature
	Resume(Resume),
	/// Show what the chain holds for an account
	Status(Status),
	/// Show the subgroups and their servers
	Subgroups,
	/// Show or change a user's constraints
	#[command(subcommand)]
	Constraints(Constraints),
	/// Replace the registered key by another; the old one stays in force until the new one is ready
	#[command(after_long_help = ED25519_NOTE)]
	SwapKey(SwapKey),
	/// Deal the registered key anew: the same key, and a new share for every subgroup
	#[command(after_long_help = RESHARE_NOTE)]
	Reshare(Reshare),
	/// Give up the attempt under way; the deposit comes back
	Cancel(Signed),
	/// Remove the registered key; the servers erase its shares, and the deposit comes back
	Deregister(Signed),
	/// Check a registered key: ids, verifying shares, coverage, and a fresh proof of every server
	Verify(Verify),
	/// Make or look at a key file, without any network
	#[command(subcommand)]
	Key(Key),
	/// For validators: publish the server, replace its keys, see where it stands
	#[command(subcommand)]
	Server(Server),
	/// For validators: session keys
	#[command(subcommand)]
	SessionKeys(SessionKeys),
	/// For validators: accept an operator, leave it, see where it stands
	#[command(subcommand)]
	Validator(Validator),
	/// Show the operators; for operators: their validators; for root: admit and dismiss operators
	#[command(subcommand)]
	Operator(Operator),
}

impl Command {
	/// When to stop, with those that have a deadline.
	pub fn deadline(&self) -> Option<Instant> {
		let deadline = match self {
			Self::Register(args) => &args.deadline,
			Self::SwapKey(args) => &args.deadline,
			Self::Reshare(args) => &args.deadline,
			Self::Resume(args) => &args.deadline,
			Self::Cancel(signed)
			| Self::Deregister(signed)
			| Self::Constraints(
				Constraints::Set { signed, .. } | Constraints::Transfer { signed, .. },
			)
			| Self::Server(
				Server::Declare { signed, .. }
				| Server::ChangeEndpoint { signed, .. }
				| Server::RotateKey { signed }
				| Server::Withdraw { signed },
			)
			| Self::SessionKeys(SessionKeys::Rotate { signed })
			| Self::Validator(Validator::Accept { signed, .. } | Validator::Leave(signed))
			| Self::Operator(
				Operator::Admit { signed, .. }
				| Operator::Dismiss { signed, .. }
				| Operator::Assign { signed, .. }
				| Operator::Unassign { signed, .. }
				| Operator::Back { signed, .. },
			) => &signed.deadline,
			_ => return None,
		};
		Some(deadline.deadline)
	}
}

/// `register`.
#[derive(Args)]
pub struct Register {
	/// The key.
	#[command(flatten)]
	pub key: NewKey,
	/// The constraints.
	#[command(flatten)]
	pub constraints: ConstraintsInput,
	/// Who may change the constraints later; by default the account itself. Another account, kept
	/// elsewhere, protects more
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_address)]
	pub constraint_account: Option<AccountId>,
	/// How it is shared.
	#[command(flatten)]
	pub threshold: Threshold,
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
	/// Show the call, its deposit and its fees; sign, write and send nothing
	#[arg(long)]
	pub dry_run: bool,
}

/// `swap-key`.
#[derive(Args)]
pub struct SwapKey {
	/// The new key.
	#[command(flatten)]
	pub key: NewKey,
	/// How it is shared.
	#[command(flatten)]
	pub threshold: Threshold,
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
	/// Show the call, its deposit and its fees; sign, write and send nothing
	#[arg(long)]
	pub dry_run: bool,
}

/// `reshare`.
#[derive(Args)]
pub struct Reshare {
	/// The key in force.
	#[command(flatten)]
	pub key: ExistingKey,
	/// How it is shared.
	#[command(flatten)]
	pub threshold: Threshold,
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
	/// Show the call, its deposit and its fees; sign, write and send nothing
	#[arg(long)]
	pub dry_run: bool,
}

/// `resume`.
#[derive(Args)]
pub struct Resume {
	/// The account whose attempt it is
	#[arg(value_parser = parse_address)]
	pub account: AccountId,
	/// The key.
	#[command(flatten)]
	pub key: ExistingKey,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
}

/// `status`.
#[derive(Args)]
pub struct Status {
	/// The account
	#[arg(value_parser = parse_address)]
	pub account: AccountId,
	/// Show every change until no attempt is under way; exit code 4 if no key is in force then
	#[arg(long)]
	pub watch: bool,
}

/// `verify`.
#[derive(Args)]
pub struct Verify {
	/// The account
	#[arg(value_parser = parse_address)]
	pub account: AccountId,
	/// How long each server may take to answer
	#[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = seconds)]
	pub patience: u64,
}

/// A command that is one signed call.
#[derive(Args)]
pub struct Signed {
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
}

/// `constraints`.
#[derive(Subcommand)]
pub enum Constraints {
	/// Show a user's constraints, and who may change them
	Get {
		/// The user
		#[arg(value_parser = parse_address)]
		account: AccountId,
	},
	/// Replace a user's constraints; signed by the constraint-modification account
	Set {
		/// The user
		#[arg(value_parser = parse_address)]
		account: AccountId,
		/// The constraints.
		#[command(flatten)]
		constraints: ConstraintsInput,
		/// The call.
		#[command(flatten)]
		signed: Signed,
		/// Show the call, its fee and what becomes of the deposit; sign and send nothing
		#[arg(long)]
		dry_run: bool,
	},
	/// Hand a user's constraints over to another constraint-modification account
	Transfer {
		/// The user
		#[arg(value_parser = parse_address)]
		account: AccountId,
		/// The new constraint-modification account
		#[arg(value_parser = parse_address)]
		new: AccountId,
		/// The call.
		#[command(flatten)]
		signed: Signed,
	},
}

/// `key`.
#[derive(Subcommand)]
pub enum Key {
	/// Make a new key file that only you can read; never overwrites
	#[command(after_long_help = ED25519_NOTE)]
	Generate {
		/// The file to write
		path: PathBuf,
		/// The key's scheme
		#[arg(long, value_parser = scheme_parser())]
		scheme: KeyScheme,
	},
	/// Show the scheme, the public key and the addresses of a key
	Inspect {
		/// The key.
		#[command(flatten)]
		key: InspectedKey,
	},
}

#[cfg(test)]
mod tests {
	use super::*;
	use clap::{error::ErrorKind, CommandFactory};

	const ALICE: &str = "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY";

	fn parse(arguments: &[&str]) -> Result<Cli, ErrorKind> {
		let arguments = ["keyshare"].iter().chain(arguments);
		Cli::try_parse_from(arguments).map_err(|error| error.kind())
	}

	#[test]
	fn the_command_line_is_consistent() {
		Cli::command().debug_assert();
	}

	#[test]
	fn notes_are_no_wider_than_the_help() {
		for note in [AFTER_HELP, ED25519_NOTE, OPERATOR_NOTE, ROOT_NOTE, RESHARE_NOTE] {
			for line in note.lines() {
				assert!(line.chars().count() <= 100, "it is wrapped after a word: {line}");
			}
		}
	}

	#[test]
	fn a_key_to_look_at_is_named_once_in_one_of_three_ways() {
		for one in [&["k"][..], &["--key-file", "k"], &["--key-stdin"]] {
			assert!(parse(&[&["key", "inspect"][..], one].concat()).is_ok(), "{one:?}");
		}
		assert_eq!(parse(&["key", "inspect"]).map(drop), Err(ErrorKind::MissingRequiredArgument));
		let twice = parse(&["key", "inspect", "k", "--key-file", "k"]).map(drop);
		assert_eq!(twice, Err(ErrorKind::ArgumentConflict));
	}

	#[test]
	fn a_number_that_is_none_is_refused_in_words() {
		for (option, wrong, words) in [
			("--threshold", "x", "whole number"),
			("--threshold", "-1", "whole number"),
			("--threshold", "256", "too large"),
			("--deadline", "0", "from 1"),
		] {
			let given = format!("{option}={wrong}");
			let reshare =
				["keyshare", "reshare", "--key-file", "k", "--dev-account", "bob", &given];
			let error = Cli::try_parse_from(reshare).err().expect("no such number").to_string();
			assert!(error.contains(words), "{error}");
		}
	}

	#[test]
	fn a_registration_needs_one_key_and_one_signer() {
		let full = ["register", "--key-file", "k", "--dev-account", "alice"];
		assert!(parse(&full).is_ok());
		let missing = Err(ErrorKind::MissingRequiredArgument);
		assert_eq!(parse(&full[..3]).map(drop), missing);
		assert_eq!(parse(&[full[0], full[3], full[4]]).map(drop), missing);
		for extra in [["--generate", "g"], ["--external-signer", ALICE]] {
			let arguments: Vec<_> = full.into_iter().chain(extra).collect();
			assert_eq!(parse(&arguments).map(drop), Err(ErrorKind::ArgumentConflict), "{extra:?}");
		}
		let stdin = ["register", "--key-stdin", "--external-signer", ALICE];
		assert!(parse(&stdin).is_ok());
	}

	#[test]
	fn a_key_is_no_argument() {
		let seed = "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60";
		let result = parse(&["register", seed, "--dev-account", "alice"]).map(drop);
		assert_eq!(result, Err(ErrorKind::UnknownArgument));
	}

	#[test]
	fn options_of_constraints_take_one_value_each() {
		let with = |more: &[&str]| {
			let set = ["constraints", "set", "--dev-account", "bob"];
			let arguments: Vec<_> = set.iter().chain(more).copied().collect();
			match parse(&arguments).map(|cli| cli.command) {
				Ok(Command::Constraints(Constraints::Set { constraints, .. })) => Ok(constraints),
				Ok(_) => panic!("another command"),
				Err(kind) => Err(kind),
			}
		};
		// The account after them is no value of theirs.
		let two = with(&["--allow", "1: solana memo", "--allow", "2: x", "--fee", "a=1", ALICE]);
		assert!(two.is_ok_and(|two| two.allow == ["1: solana memo", "2: x"] && two.fee == ["a=1"]));
		assert!(with(&["--messages", "prefixed", ALICE]).is_ok());
		assert_eq!(with(&["--messages", "all", ALICE]).err(), Some(ErrorKind::InvalidValue));
		let file = ["--constraints", "f"];
		assert!(with(&[&file[..], &[ALICE]].concat()).is_ok());
		for other in [["--allow", "r"], ["--fee", "a=1"], ["--messages", "any"]] {
			let both = with(&[&file[..], &other, &[ALICE]].concat());
			assert_eq!(both.err(), Some(ErrorKind::ArgumentConflict), "{other:?}");
		}
	}

	#[test]
	fn an_operators_command_names_one_validator() {
		let declare = ["server", "declare", "--endpoint", "https://a.example"];
		let with = |more: &[&str]| parse(&declare.iter().chain(more).copied().collect::<Vec<_>>());
		assert!(with(&["--dev-account", "bob"]).is_ok());
		assert_eq!(with(&[]).map(drop), Err(ErrorKind::MissingRequiredArgument));
		assert!(parse(&["server", "status", ALICE]).is_ok());
		assert!(parse(&["validator", "status", ALICE]).is_ok());
		assert!(parse(&["validator", "accept", ALICE, "--dev-account", "bob"]).is_ok());
		assert!(parse(&["validator", "leave", "--dev-account", "bob"]).is_ok());
		assert!(parse(&["session-keys", "rotate", "--external-signer", ALICE]).is_ok());
	}

	#[test]
	fn an_admission_names_everything() {
		let full = ["operator", "admit", ALICE, "--name", "A", "--subgroup", "0", "--seats", "4"];
		let signed = |arguments: &[&str]| {
			let arguments: Vec<_> =
				arguments.iter().chain(&["--dev-account", "bob"]).copied().collect();
			parse(&arguments)
		};
		assert!(signed(&full).is_ok());
		for left_out in [3, 5, 7] {
			let rest = [&full[..left_out], &full[left_out + 2..]].concat();
			let missing = Err(ErrorKind::MissingRequiredArgument);
			assert_eq!(signed(&rest).map(drop), missing, "{left_out}");
		}
		assert!(signed(&["operator", "dismiss", ALICE, "--force"]).is_ok());
		for command in ["assign", "unassign", "back"] {
			assert!(signed(&["operator", command, ALICE]).is_ok(), "{command}");
		}
		assert!(parse(&["operator", "list"]).is_ok());
		assert!(parse(&["operator", "status", ALICE]).is_ok());
	}

	#[test]
	fn a_reshare_takes_the_key_in_force_and_makes_none() {
		let reshare = ["reshare", "--key-file", "k", "--dev-account", "bob", "--threshold", "3"];
		assert!(parse(&reshare).is_ok());
		let generate = ["reshare", "--generate", "k", "--dev-account", "bob"];
		assert_eq!(parse(&generate).map(drop), Err(ErrorKind::UnknownArgument));
	}

	#[test]
	fn whatever_is_signed_has_a_deadline_that_counts_from_the_start() {
		let before = Instant::now();
		let deadline = |arguments: &[&str]| {
			parse(arguments).ok().and_then(|cli| cli.command.deadline()).map(|at| at - before)
		};
		let signed = ["--dev-account", "bob", "--deadline", "5"];
		for command in [
			&["register", "--key-file", "k"][..],
			&["swap-key", "--key-file", "k"],
			&["reshare", "--key-file", "k"],
			&["constraints", "set", "--messages", "never", ALICE],
			&["constraints", "transfer", ALICE, ALICE],
			&["cancel"],
			&["deregister"],
			&["session-keys", "rotate"],
			&["server", "withdraw"],
			&["validator", "leave"],
			&["operator", "back", ALICE],
		] {
			let left = deadline(&[command, &signed[..]].concat()).map(|left| left.as_secs());
			assert!(left.is_some_and(|left| (5..60).contains(&left)), "{command:?}: {left:?}");
		}
		assert!(deadline(&["resume", ALICE, "--key-file", "k"]).is_some());
		assert_eq!(deadline(&["status", ALICE]), None);
		for impossible in ["0", "9223372036854000000", "18446744073709551615"] {
			let cancel = ["cancel", "--dev-account", "bob", "--deadline", impossible];
			assert_eq!(parse(&cancel).map(drop), Err(ErrorKind::ValueValidation));
		}
	}

	#[test]
	fn global_options_stand_anywhere() {
		let cli = parse(&["status", ALICE, "--json", "--url", "wss://example.org"]);
		assert!(cli.is_ok_and(|cli| cli.global.json && cli.global.url == "wss://example.org"));
		let bad = parse(&["status", "alice"]).map(drop);
		assert_eq!(bad, Err(ErrorKind::ValueValidation));
	}
}
