//! What the tool shows, as JSON and in words. The JSON is for programs and stable: fields are
//! added, never renamed. Accounts are SS58, bytes `0x` and hex, amounts decimal strings in the
//! smallest unit (10⁻¹² KEY), absent things `null`.

mod account;
mod operator;
mod subgroups;
mod validator;
mod verified;

pub use account::{Account, AccountConstraints, ConstraintsDryRun, Delivered, DryRun};
pub use operator::{Operator, Operators};
pub use subgroups::Subgroups;
pub use validator::Validator;
pub use verified::Verified;

use keyshare_client::{error::MissingSubgroup, keyfile, Error};
use keyshare_constraints::{addresses, BitcoinNetwork};
use keyshare_primitives::{
	split::PrivateKey, wire::to_hex, AccountId, EncryptionKey, KeyScheme, SubgroupId,
};
use serde::Serialize;

/// `{"error": …}`: the last line when a command fails.
#[derive(Serialize)]
pub struct Failure {
	error: FailureBody,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FailureBody {
	/// `input`, `failed`, `refused`, `incomplete`, `verification` or `wrong-chain`.
	kind: &'static str,
	/// The chain's name of the error, as in `Registration::AlreadyRegistered`.
	name: Option<String>,
	message: String,
	hint: Option<&'static str>,
	exit_code: u8,
	/// With `incomplete`: the subgroups without quorum.
	missing: Vec<Missing>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Missing {
	subgroup: SubgroupId,
	quorum: Option<u32>,
	confirmed: u32,
	servers: Vec<MissingServer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct MissingServer {
	server: String,
	state: String,
}

impl From<&Error> for Failure {
	fn from(error: &Error) -> Self {
		let name = match error {
			Error::Refused(refusal) | Error::State(refusal) => refusal.name.clone(),
			_ => None,
		};
		let missing = match error {
			Error::Incomplete(incomplete) => incomplete.missing.iter().map(Missing::from).collect(),
			_ => Vec::new(),
		};
		Self {
			error: FailureBody {
				kind: error.kind(),
				name,
				message: error.to_string(),
				hint: error.hint(),
				exit_code: error.exit_code(),
				missing,
			},
		}
	}
}

impl From<&MissingSubgroup> for Missing {
	fn from(missing: &MissingSubgroup) -> Self {
		let servers = missing.servers.iter().map(|server| MissingServer {
			server: server.account.to_string(),
			state: server.state.clone(),
		});
		Self {
			subgroup: missing.subgroup,
			quorum: missing.quorum,
			confirmed: missing.confirmed,
			servers: servers.collect(),
		}
	}
}

/// `{"externalCall": …}`: a call that waits for a signature made elsewhere.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ExternalCall {
	/// The call.
	pub external_call: ExternalCallBody,
}

/// The fields of [`ExternalCall`].
#[derive(Serialize)]
pub struct ExternalCallBody {
	/// Who has to sign.
	pub account: String,
	/// The encoded call.
	pub call: String,
	/// The same in words.
	pub words: String,
}

impl ExternalCall {
	/// A call for `account` to sign.
	pub fn new(account: &AccountId, call: String, words: String) -> Self {
		Self { external_call: ExternalCallBody { account: account.to_string(), call, words } }
	}
}

/// The key without its algorithm: there is one.
fn encryption_key_hex(key: &EncryptionKey) -> String {
	let EncryptionKey::X25519(bytes) = key;
	to_hex(bytes)
}

/// Result of `key generate` and `key inspect`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
	scheme: KeyScheme,
	public_key: String,
	/// By which people know it.
	addresses: Vec<Address>,
}

#[derive(Serialize)]
struct Address {
	/// `Solana`, `EVM`, `Bitcoin P2TR` or `Bitcoin P2WPKH`.
	kind: &'static str,
	address: String,
}

impl PublicKey {
	/// The public half of `key`.
	pub fn new(key: &PrivateKey, bitcoin: BitcoinNetwork) -> Self {
		let public_key = key.public_key();
		let addresses = addresses(&public_key, bitcoin);
		let addresses = addresses.into_iter().map(|(kind, address)| Address { kind, address });
		Self {
			scheme: key.scheme(),
			public_key: to_hex(public_key.as_ref()),
			addresses: addresses.collect(),
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let mut words = format!("{} {}", keyfile::name(self.scheme), self.public_key);
		for Address { kind, address } in &self.addresses {
			words += &format!("\n  {kind}: {address}");
		}
		words
	}
}
