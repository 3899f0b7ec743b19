//! What the tool shows, as JSON and in words. The JSON is for programs and stable: fields are
//! added, never renamed. Accounts are SS58, bytes `0x` and hex, amounts decimal strings in the
//! smallest unit (10⁻¹² KEY), absent things `null`.

use keyshare_client::{
	chain::{amount, Cost, TOKEN, TOKEN_DECIMALS},
	constraints::{self, ConstraintsJson},
	deliver::Delivery,
	error::MissingSubgroup,
	keyfile,
	progress::ServerState,
	verify::{Custody, Verification},
	Error,
};
use keyshare_primitives::{
	api::{AccountInfo, Coverage, Readiness, RegistrationInfo, RegistrationStatus, SubgroupInfo},
	split::PrivateKey,
	wire::to_hex,
	AccountId, BlockNumber, Constraints, EncryptionKey, Generation, KeyRecord, KeyScheme,
	SubgroupId,
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
			Error::Refused(refusal) => refusal.name.clone(),
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

/// Result of `register`, `swap-key` and `resume`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivered {
	account: String,
	#[serde(flatten)]
	key: Registration,
	servers: Vec<DeliveredServer>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct DeliveredServer {
	subgroup: SubgroupId,
	server: String,
	endpoint: String,
	/// `sealed`, `sent`, `retrying`, `stored`, `failed` or `confirmed`.
	state: &'static str,
	/// Why it failed or is retried.
	reason: Option<String>,
}

impl Delivered {
	/// What a delivery for `account` came to.
	pub fn new(account: &AccountId, delivery: &Delivery) -> Self {
		let servers = delivery.servers.iter().map(|(server, state)| DeliveredServer {
			subgroup: server.subgroup,
			server: server.account.to_string(),
			endpoint: server.endpoint.clone(),
			state: state.word(),
			reason: match state {
				ServerState::Failed { reason } | ServerState::Retrying { reason, .. } => {
					Some(reason.clone())
				}
				_ => None,
			},
		});
		Self {
			account: account.to_string(),
			key: Registration::from(&delivery.registration),
			servers: servers.collect(),
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let mut words = format!("{} has a registered key:\n{}", self.account, self.key.words());
		for server in self.servers.iter().filter(|server| server.state != "confirmed") {
			let reason = server.reason.as_ref().map(|reason| format!(": {reason}"));
			words += &format!(
				"\n  not needed for the quorum: {} of subgroup {} ({}{})",
				server.server,
				server.subgroup,
				server.state,
				reason.unwrap_or_default()
			);
		}
		words
	}
}

/// Result of `--dry-run`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DryRun {
	dry_run: bool,
	account: String,
	call: String,
	words: String,
	deposit: String,
	fee: String,
	token: &'static str,
	decimals: usize,
	#[serde(skip)]
	cost: Cost,
}

impl DryRun {
	/// What `call` of `account` would cost.
	pub fn new(account: &AccountId, call: &[u8], words: String, cost: Cost) -> Self {
		Self {
			dry_run: true,
			account: account.to_string(),
			call: to_hex(call),
			words,
			deposit: cost.deposit.to_string(),
			fee: cost.fee.to_string(),
			token: TOKEN,
			decimals: TOKEN_DECIMALS,
			cost,
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		format!(
			"Nothing was signed or sent. {} would call:\n{}\n{}\ndeposit: {} (comes back when \
			 the entry goes)\nfee: about {}",
			self.account,
			self.words,
			self.call,
			amount(self.cost.deposit),
			amount(self.cost.fee)
		)
	}
}

/// What the chain holds for an account: result of `status` and of every other signed call.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
	account: String,
	/// The last generation used; 0 before the first attempt.
	generation: Generation,
	#[serde(flatten)]
	constraints: AccountConstraints,
	registered: Option<Registration>,
	registering: Option<Registration>,
}

impl Account {
	/// What the chain holds for `account`.
	pub fn new(account: &AccountId, info: &AccountInfo) -> Self {
		Self {
			account: account.to_string(),
			generation: info.generation,
			constraints: AccountConstraints::from(&info.constraints),
			registered: info.registered.as_ref().map(Registration::from),
			registering: info.registering.as_ref().map(Registration::from),
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let mut words = self.account.clone();
		match (&self.registered, &self.registering) {
			(None, None) => words += ": nothing registered, no attempt under way",
			(registered, registering) => {
				if let Some(key) = registered {
					words += &format!("\nregistered key:\n{}", key.words());
				}
				if let Some(attempt) = registering {
					words += &format!("\nattempt under way:\n{}", attempt.words());
				}
				words += &format!("\n{}", self.constraints.words());
			}
		}
		words
	}
}

/// Constraints and who may change them: result of `constraints get`, with the account.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AccountConstraints {
	constraint_account: Option<String>,
	constraints: Option<ConstraintsJson>,
	#[serde(skip)]
	in_words: Option<String>,
}

impl From<&Option<(AccountId, Constraints)>> for AccountConstraints {
	fn from(entry: &Option<(AccountId, Constraints)>) -> Self {
		let constraints = entry.as_ref().map(|(_, constraints)| constraints);
		Self {
			constraint_account: entry.as_ref().map(|(account, _)| account.to_string()),
			constraints: constraints.map(ConstraintsJson::from),
			in_words: constraints.map(constraints::in_words),
		}
	}
}

impl AccountConstraints {
	/// The same in words.
	pub fn words(&self) -> String {
		match (&self.in_words, &self.constraint_account) {
			(Some(words), Some(account)) => format!("{words}\nmay be changed by: {account}"),
			_ => "no constraints: neither registered nor registering".into(),
		}
	}
}

/// A key in force or an attempt.
#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Registration {
	registration_id: String,
	generation: Generation,
	scheme: KeyScheme,
	public_key: String,
	commitments: Vec<String>,
	verifying_shares: Vec<String>,
	/// `registering` or `registered`.
	status: &'static str,
	/// The first block in which an attempt is gone.
	expires_at: Option<BlockNumber>,
	subgroups: Vec<SubgroupCoverage>,
}

#[derive(PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct SubgroupCoverage {
	subgroup: SubgroupId,
	members: Vec<String>,
	quorum: Option<u32>,
	confirmed: Vec<String>,
	reached: bool,
}

impl From<&RegistrationInfo> for Registration {
	fn from(info: &RegistrationInfo) -> Self {
		let KeyRecord { id, generation, commitments, verifying_shares } = &info.key;
		let hex = |elements: &keyshare_primitives::Elements| -> Vec<String> {
			(0..elements.len())
				.filter_map(|index| elements.get(index))
				.map(|element| to_hex(element.as_ref()))
				.collect()
		};
		let commitments_hex = hex(commitments);
		let (status, expires_at) = match info.status {
			RegistrationStatus::Registering { expires_at } => ("registering", Some(expires_at)),
			RegistrationStatus::Registered => ("registered", None),
		};
		Self {
			registration_id: to_hex(id.as_bytes()),
			generation: *generation,
			scheme: commitments.scheme(),
			public_key: commitments_hex.first().cloned().unwrap_or_default(),
			commitments: commitments_hex,
			verifying_shares: hex(verifying_shares),
			status,
			expires_at,
			subgroups: info.coverage.iter().map(SubgroupCoverage::from).collect(),
		}
	}
}

impl From<&Coverage> for SubgroupCoverage {
	fn from(coverage: &Coverage) -> Self {
		let accounts = |list: &[AccountId]| list.iter().map(ToString::to_string).collect();
		Self {
			subgroup: coverage.subgroup,
			members: accounts(&coverage.members),
			quorum: coverage.quorum,
			confirmed: accounts(&coverage.confirmed),
			reached: coverage.is_reached(),
		}
	}
}

impl Registration {
	fn words(&self) -> String {
		let mut words = format!(
			"  {} {}\n  id {}, generation {}",
			keyfile::name(self.scheme),
			self.public_key,
			self.registration_id,
			self.generation
		);
		if let Some(block) = self.expires_at {
			words += &format!(", expires at block {block}");
		}
		for subgroup in &self.subgroups {
			let quorum = match subgroup.quorum {
				Some(quorum) => format!("at least {quorum} needed"),
				None => "it has no members".into(),
			};
			words += &format!(
				"\n  subgroup {}: {} of {} servers confirmed, {quorum}",
				subgroup.subgroup,
				subgroup.confirmed.len(),
				subgroup.members.len()
			);
		}
		words
	}
}

/// Result of `subgroups`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subgroups {
	threshold: u8,
	subgroups: Vec<Subgroup>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subgroup {
	subgroup: SubgroupId,
	quorum: Option<u32>,
	members: Vec<Member>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Member {
	validator: String,
	server: String,
	encryption_key: String,
	endpoint: String,
	ready: bool,
}

impl Subgroups {
	/// The subgroups of a chain with this threshold.
	pub fn new(threshold: u8, subgroups: &[SubgroupInfo]) -> Self {
		let subgroup = |info: &SubgroupInfo| Subgroup {
			subgroup: info.id,
			quorum: info.quorum,
			members: info
				.members
				.iter()
				.map(|member| {
					let EncryptionKey::X25519(key) = &member.server.encryption_key;
					Member {
						validator: member.validator.to_string(),
						server: member.server.account.to_string(),
						encryption_key: to_hex(key),
						endpoint: String::from_utf8_lossy(&member.server.endpoint).into_owned(),
						ready: member.readiness == Readiness::Ready,
					}
				})
				.collect(),
		};
		Self { threshold, subgroups: subgroups.iter().map(subgroup).collect() }
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let mut words = format!(
			"{} subgroups; the shares of any {} make up a key",
			self.subgroups.len(),
			self.threshold
		);
		for subgroup in &self.subgroups {
			let quorum =
				subgroup.quorum.map_or("empty".into(), |quorum| format!("quorum {quorum}"));
			words += &format!("\nsubgroup {} ({quorum}):", subgroup.subgroup);
			for member in &subgroup.members {
				let ready = if member.ready { "" } else { ", still fetching shares" };
				words += &format!("\n  {} at {}{ready}", member.server, member.endpoint);
			}
		}
		words
	}
}

/// Result of `verify`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
	account: String,
	/// Whether everything holds; the exit code says the same.
	holds: bool,
	registration_id: String,
	generation: Generation,
	/// Claims of the chain that do not hold.
	contradictions: Vec<String>,
	subgroups: Vec<VerifiedSubgroup>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedSubgroup {
	subgroup: SubgroupId,
	quorum: Option<u32>,
	holds: bool,
	members: Vec<VerifiedMember>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct VerifiedMember {
	server: String,
	endpoint: String,
	confirmed: bool,
	/// `proved`, `no-share`, `wrong` or `no-answer`.
	custody: &'static str,
	/// Why it is `wrong` or `no-answer`.
	reason: Option<String>,
}

impl From<&Verification> for Verified {
	fn from(verification: &Verification) -> Self {
		let member = |member: &keyshare_client::verify::Member| {
			let (custody, reason) = match &member.custody {
				Custody::Proved => ("proved", None),
				Custody::NoShare => ("no-share", None),
				Custody::Wrong(reason) => ("wrong", Some(reason.clone())),
				Custody::NoAnswer(reason) => ("no-answer", Some(reason.clone())),
			};
			VerifiedMember {
				server: member.server.account.to_string(),
				endpoint: member.server.endpoint.clone(),
				confirmed: member.confirmed,
				custody,
				reason,
			}
		};
		let subgroups = verification.subgroups.iter().map(|subgroup| VerifiedSubgroup {
			subgroup: subgroup.subgroup,
			quorum: subgroup.quorum,
			holds: subgroup.holds(),
			members: subgroup.members.iter().map(member).collect(),
		});
		let key = &verification.registration.key;
		Self {
			account: verification.account.to_string(),
			holds: verification.holds(),
			registration_id: to_hex(key.id.as_bytes()),
			generation: key.generation,
			contradictions: verification.contradictions.clone(),
			subgroups: subgroups.collect(),
		}
	}
}

impl Verified {
	/// The same in words.
	pub fn words(&self) -> String {
		let verdict = if self.holds { "everything holds" } else { "NOT everything holds" };
		let mut words = format!(
			"{}, generation {}, {}: {verdict}",
			self.account, self.generation, self.registration_id
		);
		for contradiction in &self.contradictions {
			words += &format!("\nwrong: {contradiction}");
		}
		for subgroup in &self.subgroups {
			let verdict = if subgroup.holds { "holds" } else { "does NOT hold" };
			words += &format!("\nsubgroup {} {verdict}:", subgroup.subgroup);
			for member in &subgroup.members {
				let custody = match member.custody {
					"proved" => "proved custody just now",
					"no-share" => "says that it has no share",
					"wrong" => "gave a WRONG proof",
					_ => "gave no proof",
				};
				let reason = member.reason.as_ref().map(|reason| format!(": {reason}"));
				let confirmed = if member.confirmed { "confirmed" } else { "not confirmed" };
				words += &format!(
					"\n  {} ({confirmed} on chain) {custody}{}",
					member.server,
					reason.unwrap_or_default()
				);
			}
		}
		words
	}
}

/// Result of `key generate` and `key inspect`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PublicKey {
	scheme: KeyScheme,
	public_key: String,
}

impl From<&PrivateKey> for PublicKey {
	fn from(key: &PrivateKey) -> Self {
		Self { scheme: key.scheme(), public_key: to_hex(key.public_key().as_ref()) }
	}
}

impl PublicKey {
	/// The same in words.
	pub fn words(&self) -> String {
		format!("{} {}", keyfile::name(self.scheme), self.public_key)
	}
}
