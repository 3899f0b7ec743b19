//! A verification, as JSON and in words.

use keyshare_client::verify::{Custody, Verification};
use keyshare_primitives::{wire::to_hex, Generation, SubgroupId};
use serde::Serialize;

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
	/// Whether it counts: it has declared that it holds every share.
	ready: bool,
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
				ready: member.ready,
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
				let ready = if member.ready { "" } else { ", not ready" };
				words += &format!(
					"\n  {} ({confirmed} on chain{ready}) {custody}{}",
					member.server,
					reason.unwrap_or_default()
				);
			}
		}
		words
	}
}
