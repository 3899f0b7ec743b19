//! The command line.

use clap::{builder::TypedValueParser, Args, Parser, Subcommand};
use keyshare_client::{account::parse_address, chain::DEFAULT_URL, keyfile};
use keyshare_primitives::{AccountId, KeyScheme};
use std::path::PathBuf;

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
The node's part needs its secrets, so the node itself does it, and only for its own machine: run
this where the node runs, and name its RPC address with --url. The validator's account is the one
that signs; with --external-signer it never comes near the node.";

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
	/// The node to talk to: a ws:// or wss:// URL
	#[arg(long, global = true, env = "KEYSHARE_URL", hide_env_values = true, default_value = DEFAULT_URL)]
	pub url: String,
	/// Data as JSON on standard output, everything else on standard error
	#[arg(long, global = true)]
	pub json: bool,
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
	/// Give up the attempt under way; the deposit comes back
	Cancel(Signed),
	/// Remove the registered key; the servers erase its shares, and the deposit comes back
	Deregister(Signed),
	/// Check a registered key: ids, verifying shares, coverage, and a fresh proof of every server
	Verify(Verify),
	/// Make or look at a key file, without any network
	#[command(subcommand)]
	Key(Key),
	/// For operators: publish a validator's server, replace its keys, see where it stands
	#[command(subcommand)]
	Server(Server),
	/// For operators: a validator's session keys
	#[command(subcommand)]
	SessionKeys(SessionKeys),
	/// For operators: stand as a candidate, or stop
	#[command(subcommand)]
	Validator(Validator),
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
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
	/// Show the call, its deposit and its fee; sign, write and send nothing
	#[arg(long)]
	pub dry_run: bool,
}

/// `swap-key`.
#[derive(Args)]
pub struct SwapKey {
	/// The new key.
	#[command(flatten)]
	pub key: NewKey,
	/// Who signs.
	#[command(flatten)]
	pub signer: SignerInput,
	/// How long.
	#[command(flatten)]
	pub deadline: Deadline,
	/// Show the call, its deposit and its fee; sign, write and send nothing
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
	#[arg(long, value_name = "SECONDS", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
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
	/// Show the scheme and the public key of a key
	Inspect {
		/// The key.
		#[command(flatten)]
		key: ExistingKey,
	},
}

/// `server`.
#[derive(Subcommand)]
pub enum Server {
	/// Publish a server that the node hosts, or replace the one published
	#[command(after_long_help = OPERATOR_NOTE)]
	Declare {
		/// The server, where the node hosts several
		#[arg(long, value_name = "ACCOUNT", value_parser = parse_address)]
		server: Option<AccountId>,
		/// Where the world reaches the node's share listener: an https, wss, http or ws URL
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
	/// Leave: selected no more, and no member from the session after the next
	Withdraw {
		/// The validator.
		#[command(flatten)]
		signed: Signed,
	},
	/// Show where a validator stands, and what keeps it from being selected
	Status {
		/// The validator
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
	/// Stand as a candidate; the bond is held
	Apply(Signed),
	/// Stand no more; the bond comes back
	Leave(Signed),
}

/// A key that is there already.
#[derive(Args)]
#[command(next_help_heading = "Key")]
pub struct ExistingKey {
	/// Where it is.
	#[command(flatten)]
	pub source: ExistingKeySource,
	/// The key's scheme, where the key does not say it
	#[arg(long, value_parser = scheme_parser())]
	pub scheme: Option<KeyScheme>,
}

/// Where a key is.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct ExistingKeySource {
	/// Read the key from a file: 64 hex digits, optionally after `ed25519:` or `secp256k1:`
	#[arg(long, value_name = "PATH")]
	pub key_file: Option<PathBuf>,
	/// Read the key from standard input, in the same form
	#[arg(long)]
	pub key_stdin: bool,
}

/// A key to register.
#[derive(Args)]
#[command(next_help_heading = "Key")]
pub struct NewKey {
	/// Where it comes from.
	#[command(flatten)]
	pub source: NewKeySource,
	/// The key's scheme, where the key does not say it; needed with --generate
	#[arg(long, value_parser = scheme_parser())]
	pub scheme: Option<KeyScheme>,
}

/// Where a key to register comes from.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct NewKeySource {
	/// Read the key from a file: 64 hex digits, optionally after `ed25519:` or `secp256k1:`
	#[arg(long, value_name = "PATH")]
	pub key_file: Option<PathBuf>,
	/// Read the key from standard input, in the same form
	#[arg(long)]
	pub key_stdin: bool,
	/// Make a new key and write it to a new file that only you can read
	#[arg(long, value_name = "PATH")]
	pub generate: Option<PathBuf>,
}

/// Who signs a call.
#[derive(Args)]
#[command(next_help_heading = "Signature")]
#[group(required = true, multiple = false)]
pub struct SignerInput {
	/// Sign with the sr25519 account in a file: a mnemonic or a 0x seed, with an optional path
	#[arg(long, value_name = "PATH")]
	pub account_file: Option<PathBuf>,
	/// Sign with the account that standard input holds, in the same form
	#[arg(long)]
	pub account_stdin: bool,
	/// Sign with a development account, on development and local chains only: alice to ferdie
	#[arg(long, value_name = "NAME")]
	pub dev_account: Option<String>,
	/// Print the call for polkadot.js Apps, wait until it is on chain, and go on
	#[arg(long, value_name = "ACCOUNT", value_parser = parse_address)]
	pub external_signer: Option<AccountId>,
}

/// How long to go on.
#[derive(Args)]
#[command(next_help_heading = "Running")]
pub struct Deadline {
	/// Stop after so many seconds, naming what is missing. Nothing is lost by stopping
	#[arg(long, value_name = "SECONDS", default_value_t = 600, value_parser = clap::value_parser!(u64).range(1..))]
	pub deadline: u64,
}

/// Constraints. Without any, both architectures are switched off.
#[derive(Args)]
#[command(next_help_heading = "Constraints")]
pub struct ConstraintsInput {
	/// The only recipients allowed on EVM chains
	#[arg(long, value_name = "ADDRESS", num_args = 1.., value_delimiter = ',', conflicts_with = "evm_deny")]
	pub evm_allow: Vec<String>,
	/// Recipients denied on EVM chains; all others are allowed
	#[arg(long, value_name = "ADDRESS", num_args = 1.., value_delimiter = ',')]
	pub evm_deny: Vec<String>,
	/// Allow EVM transactions without a recipient, such as contract creations
	#[arg(long)]
	pub evm_null_recipient: bool,
	/// The only recipients allowed on Bitcoin: 64 hex digits of a script hash or taproot key
	#[arg(long, value_name = "HEX", num_args = 1.., value_delimiter = ',', conflicts_with = "btc_deny")]
	pub btc_allow: Vec<String>,
	/// Recipients denied on Bitcoin; all others are allowed
	#[arg(long, value_name = "HEX", num_args = 1.., value_delimiter = ',')]
	pub btc_deny: Vec<String>,
	/// Allow Bitcoin transactions without a recipient
	#[arg(long)]
	pub btc_null_recipient: bool,
	/// Read the constraints from a JSON file instead: {"evmAcl": {"kind": "allow" or "deny",
	/// "addresses": [...], "allowNullRecipient": false}, "btcAcl": ...}; null is switched off
	#[arg(
		long, value_name = "FILE",
		conflicts_with_all = [
			"evm_allow", "evm_deny", "evm_null_recipient",
			"btc_allow", "btc_deny", "btc_null_recipient",
		],
	)]
	pub constraints: Option<PathBuf>,
}

fn scheme_parser() -> impl TypedValueParser<Value = KeyScheme> {
	let names = [KeyScheme::Ed25519, KeyScheme::Secp256k1].map(keyfile::name);
	clap::builder::PossibleValuesParser::new(names).map(|name| {
		if name == keyfile::name(KeyScheme::Ed25519) {
			KeyScheme::Ed25519
		} else {
			KeyScheme::Secp256k1
		}
	})
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
	fn lists_take_several_addresses_and_one_kind() {
		let set = ["constraints", "set", ALICE, "--dev-account", "bob"];
		let with = |more: &[&str]| {
			let arguments: Vec<_> = set.iter().chain(more).copied().collect();
			match parse(&arguments).map(|cli| cli.command) {
				Ok(Command::Constraints(Constraints::Set { constraints, .. })) => Ok(constraints),
				Ok(_) => panic!("another command"),
				Err(kind) => Err(kind),
			}
		};
		let three = with(&["--evm-allow", "0x1", "0x2,0x3", "--evm-null-recipient"]);
		assert!(three.is_ok_and(|three| {
			three.evm_allow == ["0x1", "0x2", "0x3"] && three.evm_null_recipient
		}));
		for conflict in [
			["--evm-allow", "0x1", "--evm-deny", "0x2"],
			["--btc-allow", "1", "--btc-deny", "2"],
			["--constraints", "f", "--evm-deny", "0x2"],
		] {
			assert_eq!(with(&conflict).err(), Some(ErrorKind::ArgumentConflict), "{conflict:?}");
		}
	}

	#[test]
	fn an_operators_command_names_one_validator() {
		let declare = ["server", "declare", "--endpoint", "https://a.example"];
		let with = |more: &[&str]| parse(&declare.iter().chain(more).copied().collect::<Vec<_>>());
		assert!(with(&["--dev-account", "bob"]).is_ok());
		assert_eq!(with(&[]).map(drop), Err(ErrorKind::MissingRequiredArgument));
		assert!(parse(&["server", "status", ALICE]).is_ok());
		assert!(parse(&["session-keys", "rotate", "--external-signer", ALICE]).is_ok());
	}

	#[test]
	fn global_options_stand_anywhere() {
		let cli = parse(&["status", ALICE, "--json", "--url", "wss://example.org"]);
		assert!(cli.is_ok_and(|cli| cli.global.json && cli.global.url == "wss://example.org"));
		let bad = parse(&["status", "alice"]).map(drop);
		assert_eq!(bad, Err(ErrorKind::ValueValidation));
	}
}
