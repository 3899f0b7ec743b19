//! What the chain holds for an account, or would, as JSON and in words.

use keyshare_client::{
	chain::{amount, Cost, TOKEN, TOKEN_DECIMALS},
	deliver::Delivery,
	keyfile,
	progress::ServerState,
};
use keyshare_constraints::{in_words, BitcoinNetwork, ConstraintsText};
use keyshare_primitives::{
	api::{AccountInfo, Coverage, RegistrationInfo, RegistrationStatus},
	wire::to_hex,
	AccountId, Balance, BlockNumber, Elements, Generation, KeyRecord, KeyScheme, SubgroupId,
};
use serde::Serialize;

/// Result of `register`, `swap-key`, `reshare` and `resume`.
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
	/// Absent with `--generate`: the key is not kept, so its call is none to submit.
	call: Option<String>,
	words: String,
	/// What is held beyond what is held already.
	deposit: String,
	/// What of `deposit` is given back with the entry; the rest stays held for ever.
	comes_back: String,
	/// For the transaction.
	fee: String,
	/// For the servers' confirmations, beside `fee`.
	confirmation_fee: String,
	/// What the account must have: the deposit and both fees.
	total: String,
	/// What it has for that.
	spendable: String,
	token: &'static str,
	decimals: usize,
	#[serde(skip)]
	cost: Cost,
	#[serde(skip)]
	has: Balance,
}

impl DryRun {
	/// What `call` of `account` would cost, which has so much to spend.
	pub fn new(
		account: &AccountId,
		call: Option<&[u8]>,
		words: String,
		cost: Cost,
		has: Balance,
	) -> Self {
		Self {
			dry_run: true,
			account: account.to_string(),
			call: call.map(to_hex),
			words,
			deposit: cost.deposit.to_string(),
			comes_back: cost.comes_back.to_string(),
			fee: cost.fee.to_string(),
			confirmation_fee: cost.confirmation_fee.to_string(),
			total: cost.total().to_string(),
			spendable: has.to_string(),
			token: TOKEN,
			decimals: TOKEN_DECIMALS,
			cost,
			has,
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let call = match &self.call {
			Some(call) => format!("the call, encoded: {call}"),
			None => {
				"No call to submit is shown: the key that was made for this is not kept, so nobody \
				 could use what it registers"
					.to_owned()
			}
		};
		let Cost { deposit, comes_back, .. } = self.cost;
		let back = match comes_back < deposit {
			true => format!(
				"{} of it comes back when the entry goes; the rest is for the account's record, and stays \
				 held for ever",
				amount(comes_back)
			),
			false => "comes back when the entry goes".into(),
		};
		let has = match self.cost.total().checked_sub(self.has) {
			Some(lacking) if lacking > 0 => {
				format!("{}: about {} too little", amount(self.has), amount(lacking))
			}
			_ => amount(self.has),
		};
		format!(
			"Nothing was signed or sent. {} would call:\n{}\n{call}\ndeposit: {} \
			 ({back})\nfee: about {}\nfee for the servers' confirmations: about {} (does \
			 not come back)\nthe account must have: about {}\nthe account has: {has}",
			self.account,
			self.words,
			amount(self.cost.deposit),
			amount(self.cost.fee),
			amount(self.cost.confirmation_fee),
			amount(self.cost.total())
		)
	}
}

/// Result of `constraints set --dry-run`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ConstraintsDryRun {
	dry_run: bool,
	/// Who would sign.
	account: String,
	call: String,
	words: String,
	/// For the transaction, which `account` pays.
	fee: String,
	/// The user, whose deposit changes.
	deposit_of: String,
	/// What is held from the user beyond what is held already.
	deposit: String,
	/// What is given back to the user of what is held.
	released: String,
	token: &'static str,
	decimals: usize,
	#[serde(skip)]
	in_words: String,
}

impl ConstraintsDryRun {
	/// What `call` of `signer` would cost: a fee, and of the deposit of `user` the difference of before and
	/// after.
	pub fn new(
		signer: &AccountId,
		call: &[u8],
		words: String,
		fee: Balance,
		user: &AccountId,
		(before, after): (Balance, Balance),
	) -> Self {
		let (more, less) = (after.saturating_sub(before), before.saturating_sub(after));
		let change = match (more, less) {
			(0, 0) => "as it is".into(),
			(0, less) => format!("{} less", amount(less)),
			(more, _) => format!("{} more", amount(more)),
		};
		let call = to_hex(call);
		let in_words = format!(
			"Nothing was signed or sent. {signer} would call:\n{words}\nthe call, encoded: {call}\nfee: \
			 about {}\ndeposit of {user}: {change}",
			amount(fee)
		);
		Self {
			dry_run: true,
			account: signer.to_string(),
			call,
			words,
			fee: fee.to_string(),
			deposit_of: user.to_string(),
			deposit: more.to_string(),
			released: less.to_string(),
			token: TOKEN,
			decimals: TOKEN_DECIMALS,
			in_words,
		}
	}

	/// The same in words.
	pub fn in_words(&self) -> &str {
		&self.in_words
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
	pub fn new(account: &AccountId, info: &AccountInfo, bitcoin: BitcoinNetwork) -> Self {
		Self {
			account: account.to_string(),
			generation: info.generation,
			constraints: AccountConstraints::new(info, bitcoin),
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
	constraints: Option<ConstraintsText>,
	#[serde(skip)]
	in_words: Option<String>,
}

impl AccountConstraints {
	/// What the chain holds of them.
	pub fn new(info: &AccountInfo, bitcoin: BitcoinNetwork) -> Self {
		let constraints = info.constraints.as_ref().map(|(_, constraints)| constraints);
		Self {
			constraint_account: info.constraints.as_ref().map(|(account, _)| account.to_string()),
			constraints: constraints.map(|of| ConstraintsText::new(of, bitcoin)),
			in_words: constraints
				.zip(info.scheme())
				.map(|(of, scheme)| in_words(of, scheme, bitcoin)),
		}
	}

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
	/// How many subgroups' shares make up the key.
	threshold: usize,
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
	/// Those of `members` that hold every share: only their confirmations count.
	ready: Vec<String>,
	/// How many of `ready` must have confirmed; `null` when nobody is ready.
	quorum: Option<u32>,
	/// Those of `members` that have confirmed, ready or not.
	confirmed: Vec<String>,
	/// How many confirmations count.
	counted: usize,
	reached: bool,
}

impl From<&RegistrationInfo> for Registration {
	fn from(info: &RegistrationInfo) -> Self {
		let KeyRecord { id, generation, commitments, verifying_shares } = &info.key;
		let hex = |elements: &Elements| -> Vec<String> {
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
			threshold: commitments_hex.len(),
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
			ready: accounts(&coverage.ready),
			quorum: coverage.quorum,
			confirmed: accounts(&coverage.confirmed),
			counted: coverage.counted(),
			reached: coverage.is_reached(),
		}
	}
}

impl SubgroupCoverage {
	fn words(&self) -> String {
		let subgroup = self.subgroup;
		let mut words = match self.quorum {
			Some(quorum) => format!(
				"subgroup {subgroup}: {} of {} ready servers confirmed, at least {quorum} needed",
				self.counted,
				self.ready.len()
			),
			None if self.members.is_empty() => format!("subgroup {subgroup}: it has no members"),
			None => format!("subgroup {subgroup}: no server of it is ready"),
		};
		for member in &self.members {
			let state = match (self.confirmed.contains(member), self.ready.contains(member)) {
				(true, true) => "confirmed",
				(true, false) => "confirmed, and not counted: it is not ready",
				(false, true) => "not confirmed",
				(false, false) => "not confirmed, and not needed: it is not ready",
			};
			words += &format!("\n    {member} {state}");
		}
		words
	}
}

impl Registration {
	fn words(&self) -> String {
		let mut words = format!(
			"  {} {}\n  made up by the shares of any {} of {} subgroups\n  id {}, generation {}",
			keyfile::name(self.scheme),
			self.public_key,
			self.threshold,
			self.subgroups.len(),
			self.registration_id,
			self.generation
		);
		if let Some(block) = self.expires_at {
			words += &format!(", expires at block {block}");
		}
		for subgroup in &self.subgroups {
			words += &format!("\n  {}", subgroup.words());
		}
		if self.expires_at.is_none() && self.subgroups.iter().any(|subgroup| !subgroup.reached) {
			words += "\n  below quorum: the members that are missing fetch their shares by \
			          themselves; `keyshare verify` asks those that have theirs";
		}
		words
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn a_dry_run_shows_each_part_of_the_cost_and_their_sum() {
		let cost = Cost {
			deposit: 500_000_000_000,
			comes_back: 500_000_000_000,
			fee: 20_000_000_000,
			confirmation_fee: 3_000_000_000,
		};
		let of = |cost, has| {
			DryRun::new(&AccountId::new([8; 32]), Some(&[1, 2]), "a call".into(), cost, has)
		};
		let view = of(cost, 1_000_000_000_000);
		let json = serde_json::to_value(&view).expect("plain data");
		for (field, amount) in [
			("deposit", "500000000000"),
			("fee", "20000000000"),
			("confirmationFee", "3000000000"),
			("total", "523000000000"),
			("comesBack", "500000000000"),
			("spendable", "1000000000000"),
		] {
			assert_eq!(json[field], amount, "{field} in {json}");
		}
		let words = view.words();
		for line in [
			"the call, encoded: 0x0102",
			"deposit: 0.5 KEY (comes back when the entry goes)",
			"fee: about 0.02 KEY",
			"fee for the servers' confirmations: about 0.003 KEY (does not come back)",
			"the account must have: about 0.523 KEY",
			"the account has: 1 KEY",
		] {
			assert!(words.lines().any(|shown| shown == line), "{line} in {words}");
		}
		// A new account, which has too little.
		let words = of(Cost { comes_back: 400_000_000_000, ..cost }, 500_000_000_000).words();
		assert!(words.contains("deposit: 0.5 KEY (0.4 KEY of it comes back when"), "{words}");
		assert!(words.contains("the account has: 0.5 KEY: about 0.023 KEY too little"), "{words}");
	}

	#[test]
	fn a_dry_run_of_constraints_shows_what_becomes_of_the_deposit() {
		let account = AccountId::new([8; 32]);
		for (change, shown) in [
			((5, 5), "as it is"),
			((0, 2_000_000_000_000), "2 KEY more"),
			((1_500_000_000_000, 0), "1.5 KEY less"),
		] {
			let view = ConstraintsDryRun::new(&account, &[1], "a call".into(), 1, &account, change);
			let line = format!("deposit of {account}: {shown}");
			assert!(view.in_words().lines().any(|words| words == line), "{}", view.in_words());
		}
	}
}
