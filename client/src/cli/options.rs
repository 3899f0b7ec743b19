//! Options that several commands take: keys, signatures, constraints.

use clap::{builder::TypedValueParser, Args};
use keyshare_client::{account::parse_address, keyfile};
use keyshare_primitives::{AccountId, KeyScheme};
use std::{
	path::{Path, PathBuf},
	time::Duration,
};
use tokio::time::Instant;

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
	/// Read the key from a file: 64 hex digits, optionally after `ed25519:` or `secp256k1:`, or what
	/// solana-keygen wrote
	#[arg(long, value_name = "PATH")]
	pub key_file: Option<PathBuf>,
	/// Read the key from standard input, in the same form
	#[arg(long)]
	pub key_stdin: bool,
}

/// A key to look at.
#[derive(Args)]
#[command(next_help_heading = "Key")]
pub struct InspectedKey {
	/// Where it is.
	#[command(flatten)]
	pub source: InspectedKeySource,
	/// The key's scheme, where the key does not say it
	#[arg(long, value_parser = scheme_parser())]
	pub scheme: Option<KeyScheme>,
}

/// Where a key to look at is.
#[derive(Args)]
#[group(required = true, multiple = false)]
pub struct InspectedKeySource {
	/// The file: 64 hex digits, optionally after `ed25519:` or `secp256k1:`, or what solana-keygen wrote
	pub path: Option<PathBuf>,
	/// The same, as other commands take it
	#[arg(long, value_name = "PATH")]
	pub key_file: Option<PathBuf>,
	/// Read the key from standard input, in the same form
	#[arg(long)]
	pub key_stdin: bool,
}

impl InspectedKeySource {
	/// The file, if it is not standard input.
	pub fn file(&self) -> Option<&Path> {
		self.path.as_deref().or(self.key_file.as_deref())
	}
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
	/// Read the key from a file: 64 hex digits, optionally after `ed25519:` or `secp256k1:`, or what
	/// solana-keygen wrote
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
	/// Sign with the sr25519 account in a file: one line with a mnemonic or a 0x seed, with an optional
	/// path; a path alone, such as //Dave, is of the development accounts
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
	#[arg(long, value_name = "SECONDS", default_value = "600", value_parser = seconds_from_now)]
	pub deadline: Instant,
}

/// Constraints. Without any, nothing is allowed.
#[derive(Args)]
#[command(next_help_heading = "Constraints")]
pub struct ConstraintsInput {
	/// Allow something, once for each rule: `1: evm:1 pay to 0x… up to 1000`
	///
	/// A rule reads `<id>: <network> <kind> …`, with a number of your own choice first and amounts in the
	/// smallest unit: `pay to <address | anyone> up to <integer | any>` on `evm:<chain>`, bitcoin and
	/// solana; `token <contract> to …`, `approve <contract> to …` and `call <selector | any> to …` on
	/// `evm:<chain>`; `data` on bitcoin; `token <mint> to <wallet … | account … | anyone> up to …`, `memo`
	/// and `call <program>` on solana. docs/protocol.md says what each of them covers.
	#[arg(long, value_name = "RULE")]
	pub allow: Vec<String>,
	/// The largest fee of one transaction on a network, once for each: `evm:1=2000000000000000`
	#[arg(long, value_name = "NETWORK=AMOUNT")]
	pub fee: Vec<String>,
	/// Which messages may be signed: `never`, those that are no transaction (`prefixed`), or `any`
	#[arg(long, value_name = "WHICH", value_parser = ["never", "prefixed", "any"])]
	pub messages: Option<String>,
	/// Read the constraints from a JSON file instead:
	/// {"rules": ["1: …"], "fees": ["evm:1=…"], "messages": "never"}
	#[arg(long, value_name = "FILE", conflicts_with_all = ["allow", "fee", "messages"])]
	pub constraints: Option<PathBuf>,
}

/// How many subgroups make up a key.
#[derive(Args)]
#[command(next_help_heading = "Sharing")]
pub struct Threshold {
	/// How many subgroups' shares make up the key: by default the fewest that the chain allows, and
	/// for `swap-key` and `reshare` as many as now
	///
	/// From the chain's threshold to the number of subgroups. With more, more subgroups have to
	/// collude to steal the key, and fewer may be lost. With all of them, one lost subgroup is the end
	/// of the key: keep a backup of it.
	#[arg(long, value_name = "T", value_parser = number::<u8>)]
	pub threshold: Option<u8>,
}

/// A number, with errors in words.
pub(super) fn number<N: TryFrom<u64>>(text: &str) -> Result<N, &'static str> {
	let number: u64 = text.parse().map_err(|_| "it must be a whole number, in digits alone")?;
	number.try_into().map_err(|_| "that is too large")
}

/// A time to wait.
pub(super) fn seconds(text: &str) -> Result<u64, &'static str> {
	match number::<u64>(text)? {
		0 => Err("it must be a whole number of seconds, from 1"),
		seconds => Ok(seconds),
	}
}

/// Counts from the start, so that connecting and what is read first are within it.
fn seconds_from_now(text: &str) -> Result<Instant, &'static str> {
	const TOO_LARGE: &str = "that is too large";
	// Beyond any use, and far from where adding to an instant panics.
	let seconds = u32::try_from(seconds(text)?).map_err(|_| TOO_LARGE)?;
	Instant::now().checked_add(Duration::from_secs(seconds.into())).ok_or(TOO_LARGE)
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
