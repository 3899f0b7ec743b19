//! Options that several commands take: keys, signatures, constraints.

use clap::{builder::TypedValueParser, Args};
use keyshare_client::{account::parse_address, keyfile};
use keyshare_primitives::{AccountId, KeyScheme};
use std::path::PathBuf;

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

/// How many subgroups make up a key.
#[derive(Args)]
#[command(next_help_heading = "Sharing")]
pub struct Threshold {
	/// How many subgroups' shares make up the key: by default the fewest that the chain allows, and
	/// for `reshare` as many as now
	///
	/// From the chain's threshold to the number of subgroups. With more, more subgroups have to
	/// collude to steal the key, and fewer may be lost. With all of them, one lost subgroup is the end
	/// of the key: keep a backup of it.
	#[arg(long, value_name = "T")]
	pub threshold: Option<u8>,
}

pub(super) fn scheme_parser() -> impl TypedValueParser<Value = KeyScheme> {
	let names = [KeyScheme::Ed25519, KeyScheme::Secp256k1].map(keyfile::name);
	clap::builder::PossibleValuesParser::new(names).map(|name| {
		if name == keyfile::name(KeyScheme::Ed25519) {
			KeyScheme::Ed25519
		} else {
			KeyScheme::Secp256k1
		}
	})
}
