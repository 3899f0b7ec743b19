//! Where a validator stands, as JSON and in words.

use super::encryption_key_hex;
use keyshare_primitives::{
	api::{Membership, Obstacle, ValidatorInfo},
	membership::Change,
	wire::to_hex,
	AccountId, BlockNumber, ServerInfo, SubgroupId,
};
use serde::Serialize;

/// Result of `server …`, `session-keys …` and `validator …`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
	validator: String,
	/// The subgroup it belongs to whenever it is a member.
	subgroup: Option<SubgroupId>,
	/// `outside`, `next`, `syncing`, `ready` or `kept`.
	membership: &'static str,
	/// With `syncing`: the number of the change since which it is not ready.
	joined: Option<Change>,
	/// With `syncing`: whether it was ready, and was then silent in too many attempts.
	silent: Option<bool>,
	/// With `kept`: whether it is ready itself.
	ready: Option<bool>,
	/// Whose validator it is.
	operator: Option<String>,
	/// The operators that have assigned it, and that it has not accepted.
	assigned_by: Vec<String>,
	server: Option<Server>,
	/// The encryption key before, while it still opens envelopes.
	retired_key: Option<RetiredKey>,
	session_keys: Option<String>,
	/// What keeps it from being selected: `no-server`, `no-session-keys`, `withdrawing`, `barred`,
	/// `no-operator`, `operator-pending`, `operator-dismissed`, `no-seat` or `idle`.
	obstacles: Vec<&'static str>,
	/// The same in words, with what to do about each.
	#[serde(skip)]
	remedies: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Server {
	server: String,
	encryption_key: String,
	endpoint: String,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RetiredKey {
	encryption_key: String,
	/// The first block in which it opens nothing any more.
	until: BlockNumber,
}

impl From<&ServerInfo> for Server {
	fn from(info: &ServerInfo) -> Self {
		Self {
			server: info.account.to_string(),
			encryption_key: encryption_key_hex(&info.encryption_key),
			endpoint: String::from_utf8_lossy(&info.endpoint).into_owned(),
		}
	}
}

impl Validator {
	/// Where `validator` stands.
	pub fn new(validator: &AccountId, info: &ValidatorInfo) -> Self {
		let (mut joined, mut silent, mut ready) = (None, None, None);
		let membership = match info.membership {
			Membership::Outside => "outside",
			Membership::Next => "next",
			Membership::Syncing { joined: change, silent: was_silent } => {
				(joined, silent) = (Some(change), Some(was_silent));
				"syncing"
			}
			Membership::Ready => "ready",
			Membership::Kept { ready: is_ready } => {
				ready = Some(is_ready);
				"kept"
			}
		};
		let obstacles = info.obstacles.iter().map(|obstacle| in_words(obstacle, info));
		let (obstacles, remedies) = obstacles.unzip();
		Self {
			validator: validator.to_string(),
			subgroup: info.subgroup,
			membership,
			joined,
			silent,
			ready,
			operator: info.operator.as_ref().map(ToString::to_string),
			assigned_by: info.assigned_by.iter().map(ToString::to_string).collect(),
			server: info.server.as_ref().map(Server::from),
			retired_key: info.retired.as_ref().map(|retired| RetiredKey {
				encryption_key: encryption_key_hex(&retired.key),
				until: retired.until,
			}),
			session_keys: info.session_keys.as_ref().map(|keys| to_hex(keys)),
			obstacles,
			remedies,
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let subgroup = self.subgroup.map_or("its subgroup".into(), |id| format!("subgroup {id}"));
		let standing = match self.membership {
			"ready" => format!("is a member of {subgroup} and holds every share"),
			"syncing" if self.silent == Some(true) => format!(
				"is a member of {subgroup} and not ready: it was, and then too many attempts ended \
				 without its confirmation. See that its node runs, that it follows the chain, and that \
				 users reach its endpoint; it declares itself ready again as soon as its node has \
				 confirmed everything that it holds"
			),
			"syncing" => format!("is a member of {subgroup} and still fetches shares"),
			"kept" => format!(
				"is no validator any more, and stays a member of {subgroup} until another member of \
				 it is ready: keep its node running{}",
				if self.ready == Some(false) { "; it is not ready itself" } else { "" }
			),
			"next" => "is selected, and a member from the next session on".into(),
			_ => "is no member".into(),
		};
		let mut words = format!("{} {standing}", self.validator);
		words += &format!("\n  operator: {}", self.operator.as_deref().unwrap_or("none"));
		for operator in &self.assigned_by {
			words += &format!(
				"\n  assigned by {operator}; `keyshare validator accept {operator}` accepts it"
			);
		}
		match &self.server {
			Some(Server { server, encryption_key, endpoint }) => {
				words += &format!(
					"\n  server: {server}\n  endpoint: {endpoint}\n  encryption key: X25519 \
					 {encryption_key}"
				);
			}
			None => words += "\n  server: none published",
		}
		if let Some(RetiredKey { encryption_key, until }) = &self.retired_key {
			words +=
				&format!("\n  key before: X25519 {encryption_key}, opens envelopes until {until}");
		}
		words +=
			&format!("\n  session keys: {}", self.session_keys.as_deref().unwrap_or("none set"));
		for remedy in &self.remedies {
			words += &format!("\n  not selected: {remedy}");
		}
		words
	}
}

/// A stable word for what keeps a validator from being selected; and the same for people, with what
/// to do about it.
fn in_words(obstacle: &Obstacle, info: &ValidatorInfo) -> (&'static str, String) {
	match obstacle {
		Obstacle::NoServer => {
			("no-server", "it has no server; `keyshare server declare` publishes one".into())
		}
		Obstacle::NoSessionKeys => (
			"no-session-keys",
			"it has no session keys; `keyshare session-keys rotate` sets them".into(),
		),
		Obstacle::Withdrawing => (
			"withdrawing",
			"it is withdrawing; `keyshare server declare` takes the withdrawal back".into(),
		),
		Obstacle::Barred { session } => {
			("barred", format!("it equivocated in session {session}; root can readmit it"))
		}
		Obstacle::NoOperator if info.assigned_by.is_empty() => (
			"no-operator",
			"it has no operator; one that is admitted assigns it with `keyshare operator assign`, and \
			 `keyshare validator accept` accepts that"
				.into(),
		),
		Obstacle::NoOperator => (
			"no-operator",
			"it has not accepted an operator; `keyshare validator accept` does".into(),
		),
		Obstacle::OperatorPending { from } => (
			"operator-pending",
			format!("its operator is not in force before block {from}; nothing is to be done"),
		),
		Obstacle::OperatorDismissed => (
			"operator-dismissed",
			"its operator was dismissed; another one of the same subgroup may assign it".into(),
		),
		Obstacle::NoSeat => (
			"no-seat",
			"its operator has given its seats to others; `keyshare operator unassign` makes room, or \
			 root admits it with more"
				.into(),
		),
		Obstacle::Idle { session } => (
			"idle",
			format!(
				"it made no block for too long, and is not selected since session {session}; \
				 `keyshare operator back`, signed by its operator, lets it return"
			),
		),
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const OPERATOR: AccountId = AccountId::new([8; 32]);

	fn info(membership: Membership, obstacles: &[Obstacle]) -> ValidatorInfo {
		ValidatorInfo {
			server: None,
			retired: None,
			session_keys: None,
			subgroup: Some(1),
			membership,
			obstacles: obstacles.to_vec(),
			operator: None,
			assigned_by: vec![OPERATOR],
		}
	}

	#[test]
	fn every_obstacle_says_what_to_do() {
		let obstacles = [
			Obstacle::NoServer,
			Obstacle::NoSessionKeys,
			Obstacle::Withdrawing,
			Obstacle::Barred { session: 3 },
			Obstacle::NoOperator,
			Obstacle::OperatorPending { from: 40 },
			Obstacle::OperatorDismissed,
			Obstacle::NoSeat,
			Obstacle::Idle { session: 5 },
		];
		let view = Validator::new(&OPERATOR, &info(Membership::Outside, &obstacles));
		let words = view.words();
		assert_eq!(words.matches("not selected: ").count(), obstacles.len(), "{words}");
		for part in [
			"server declare",
			"session-keys rotate",
			"session 3",
			&format!("validator accept {OPERATOR}"),
			"block 40",
			"operator unassign",
			"operator back",
		] {
			assert!(words.contains(part), "{part} in {words}");
		}
		let mut distinct = view.obstacles.clone();
		distinct.sort_unstable();
		distinct.dedup();
		assert_eq!(distinct.len(), obstacles.len());
	}

	#[test]
	fn a_member_that_is_kept_is_told_to_keep_running() {
		for ready in [true, false] {
			let words = Validator::new(&OPERATOR, &info(Membership::Kept { ready }, &[])).words();
			assert!(words.contains("stays a member of subgroup 1"), "{words}");
			assert!(words.contains("keep its node running"), "{words}");
			assert_eq!(words.contains("not ready itself"), !ready, "{words}");
		}
	}

	#[test]
	fn a_silent_member_is_told_why_it_is_not_ready_and_what_to_do() {
		let words = |silent| {
			let membership = Membership::Syncing { joined: 4, silent };
			Validator::new(&OPERATOR, &info(membership, &[])).words()
		};
		let silent = words(true);
		for part in
			["without its confirmation", "reach its endpoint", "declares itself ready again"]
		{
			assert!(silent.contains(part), "{part} in {silent}");
		}
		assert!(!silent.contains("fetches shares"), "{silent}");
		assert!(words(false).contains("still fetches shares"), "{}", words(false));
	}
}
