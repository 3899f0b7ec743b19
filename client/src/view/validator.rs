//! Where a validator stands, as JSON and in words.

use super::encryption_key_hex;
use keyshare_primitives::{
	api::{Membership, Obstacle, ValidatorInfo},
	wire::to_hex,
	AccountId, BlockNumber, ServerInfo, SessionIndex, SubgroupId,
};
use serde::Serialize;

/// Result of `server …`, `session-keys …` and `validator …`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Validator {
	validator: String,
	/// The subgroup it belongs to whenever it is a member.
	subgroup: Option<SubgroupId>,
	/// `outside`, `next`, `syncing` or `ready`.
	membership: &'static str,
	/// With `syncing`: the session since which it fetches shares.
	since_session: Option<SessionIndex>,
	server: Option<Server>,
	/// The encryption key before, while it still opens envelopes.
	retired_key: Option<RetiredKey>,
	session_keys: Option<String>,
	/// What keeps it from being selected: `no-server`, `no-session-keys`, `withdrawing`, `barred`
	/// or `not-a-candidate`.
	obstacles: Vec<&'static str>,
	#[serde(skip)]
	barred_in: Option<SessionIndex>,
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
		let (membership, since_session) = match info.membership {
			Membership::Outside => ("outside", None),
			Membership::Next => ("next", None),
			Membership::Syncing { since } => ("syncing", Some(since)),
			Membership::Ready => ("ready", None),
		};
		Self {
			validator: validator.to_string(),
			subgroup: info.subgroup,
			membership,
			since_session,
			server: info.server.as_ref().map(Server::from),
			retired_key: info.retired.as_ref().map(|retired| RetiredKey {
				encryption_key: encryption_key_hex(&retired.key),
				until: retired.until,
			}),
			session_keys: info.session_keys.as_ref().map(|keys| to_hex(keys)),
			obstacles: info.obstacles.iter().map(word).collect(),
			barred_in: info.obstacles.iter().find_map(|obstacle| match obstacle {
				Obstacle::Barred { session } => Some(*session),
				_ => None,
			}),
		}
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let subgroup = self.subgroup.map_or("its subgroup".into(), |id| format!("subgroup {id}"));
		let standing = match (self.membership, self.since_session) {
			("ready", _) => format!("is a member of {subgroup} and holds every share"),
			("syncing", Some(session)) => {
				format!("is a member of {subgroup} and fetches shares since session {session}")
			}
			("next", _) => "is selected, and a member from the next session on".into(),
			_ => "is no member".into(),
		};
		let mut words = format!("{} {standing}", self.validator);
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
		for obstacle in &self.obstacles {
			words += &format!("\n  not selected: {}", self.remedy(obstacle));
		}
		words
	}

	/// What keeps it from being selected, and what to do about it.
	fn remedy(&self, obstacle: &str) -> String {
		match obstacle {
			"no-server" => "it has no server; `keyshare server declare` publishes one".into(),
			"no-session-keys" => {
				"it has no session keys; `keyshare session-keys rotate` sets them".into()
			}
			"withdrawing" => {
				"it is withdrawing; `keyshare server declare` takes the withdrawal back".into()
			}
			"barred" => format!(
				"it equivocated in session {}; root can readmit it",
				self.barred_in.unwrap_or_default()
			),
			_ => "nobody has elected it; `keyshare validator apply` makes it a candidate".into(),
		}
	}
}

fn word(obstacle: &Obstacle) -> &'static str {
	match obstacle {
		Obstacle::NoServer => "no-server",
		Obstacle::NoSessionKeys => "no-session-keys",
		Obstacle::Withdrawing => "withdrawing",
		Obstacle::Barred { .. } => "barred",
		Obstacle::NotACandidate => "not-a-candidate",
	}
}
