//! The subgroups and their members, as JSON and in words.

use super::{encryption_key_hex, operator::name_of};
use keyshare_primitives::{
	api::{MemberInfo, OperatorInfo, OperatorStanding, Readiness, SubgroupInfo},
	BlockNumber, SubgroupId,
};
use serde::Serialize;

/// Result of `subgroups`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Subgroups {
	/// The least that a key's threshold can be.
	threshold: u8,
	subgroups: Vec<Subgroup>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Subgroup {
	subgroup: SubgroupId,
	/// How many ready members must confirm; `null` when nobody is ready.
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
	/// Who operates it; `null` if it has left its operator and is kept for now.
	operator: Option<String>,
	operator_name: Option<String>,
	/// The block since which the operator is in force; `null` if it was dismissed.
	operator_since: Option<BlockNumber>,
	/// The block in which the operator was dismissed.
	operator_dismissed: Option<BlockNumber>,
	/// Whether that was with force: the member goes even if nobody else is ready.
	operator_forced_out: bool,
}

impl Member {
	fn new(info: &MemberInfo, operators: &[OperatorInfo]) -> Self {
		let operator = info.operator.as_ref();
		let operator_info =
			operators.iter().find(|operator| Some(&operator.account) == info.operator.as_ref());
		let operator_forced_out = operator_info.is_some_and(|info| {
			matches!(info.standing, OperatorStanding::Dismissed { force: true, .. })
		});
		let (operator_since, operator_dismissed) = match operator_info.map(|info| info.standing) {
			Some(OperatorStanding::Admitted { since }) => (Some(since), None),
			Some(OperatorStanding::Dismissed { since, .. }) => (None, Some(since)),
			Some(OperatorStanding::Pending { .. }) | None => (None, None),
		};
		Self {
			validator: info.validator.to_string(),
			server: info.server.account.to_string(),
			encryption_key: encryption_key_hex(&info.server.encryption_key),
			endpoint: String::from_utf8_lossy(&info.server.endpoint).into_owned(),
			ready: info.readiness == Readiness::Ready,
			operator: operator.map(ToString::to_string),
			operator_name: operator_info.map(name_of),
			operator_since,
			operator_dismissed,
			operator_forced_out,
		}
	}

	fn words(&self) -> String {
		let ready = if self.ready { "" } else { ", not ready" };
		let name = self.operator_name.as_deref().or(self.operator.as_deref());
		let by = match (name, self.operator_since, self.operator_dismissed) {
			(Some(name), Some(since), _) => format!("of {name}, in force since block {since}"),
			(Some(name), _, Some(block)) if self.operator_forced_out => {
				format!(
					"of {name}, dismissed with force in block {block}: it goes at the next session"
				)
			}
			(Some(name), _, Some(block)) => {
				format!("of {name}, dismissed in block {block}; kept until another member is ready")
			}
			(Some(name), None, None) => format!("of {name}"),
			(None, ..) => "of no operator any more; kept until another member is ready".into(),
		};
		format!("{} at {}{ready}\n    {by}", self.server, self.endpoint)
	}
}

impl Subgroups {
	/// The subgroups of a chain on which a key's threshold is at least `threshold`.
	pub fn new(threshold: u8, subgroups: &[SubgroupInfo], operators: &[OperatorInfo]) -> Self {
		let subgroup = |info: &SubgroupInfo| Subgroup {
			subgroup: info.id,
			quorum: info.quorum,
			members: info.members.iter().map(|member| Member::new(member, operators)).collect(),
		};
		Self { threshold, subgroups: subgroups.iter().map(subgroup).collect() }
	}

	/// The same in words.
	pub fn words(&self) -> String {
		let mut words = format!(
			"{} subgroups; the shares of any {} make up a key, or of as many more as its owner chose",
			self.subgroups.len(),
			self.threshold
		);
		for subgroup in &self.subgroups {
			let ready = subgroup.members.iter().filter(|member| member.ready).count();
			let quorum = match subgroup.quorum {
				Some(quorum) => format!("quorum {quorum} of {ready} ready"),
				None if subgroup.members.is_empty() => "empty".into(),
				None => "nobody is ready".into(),
			};
			words += &format!("\nsubgroup {} ({quorum}):", subgroup.subgroup);
			for member in &subgroup.members {
				words += &format!("\n  {}", member.words());
			}
		}
		words
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::{AccountId, EncryptionKey, Endpoint, ServerInfo};

	fn member(operator: Option<AccountId>, readiness: Readiness) -> MemberInfo {
		MemberInfo {
			validator: AccountId::new([1; 32]),
			server: ServerInfo {
				account: AccountId::new([2; 32]),
				encryption_key: EncryptionKey::X25519([3; 32]),
				endpoint: Endpoint::truncate_from(b"https://a.example".to_vec()),
			},
			readiness,
			operator,
		}
	}

	fn operator(byte: u8, name: &str, standing: OperatorStanding) -> OperatorInfo {
		OperatorInfo {
			account: AccountId::new([byte; 32]),
			name: name.as_bytes().to_vec(),
			subgroup: 0,
			standing,
			seats: 4,
			next_seats: None,
			validators: vec![],
			assigned: vec![],
		}
	}

	fn words(members: Vec<MemberInfo>, quorum: Option<u32>) -> String {
		let operators = [
			operator(7, "One", OperatorStanding::Admitted { since: 12 }),
			operator(8, "Two", OperatorStanding::Dismissed { since: 34, force: false }),
			operator(9, "Three", OperatorStanding::Dismissed { since: 35, force: true }),
		];
		Subgroups::new(2, &[SubgroupInfo { id: 0, members, quorum }], &operators).words()
	}

	#[test]
	fn a_member_is_shown_with_who_operates_it_and_since_when() {
		let own = words(vec![member(Some(AccountId::new([7; 32])), Readiness::Ready)], Some(1));
		assert!(own.contains("quorum 1 of 1 ready"), "{own}");
		assert!(own.contains("of One, in force since block 12"), "{own}");
		let kept = words(vec![member(Some(AccountId::new([8; 32])), Readiness::Ready)], Some(1));
		assert!(kept.contains("of Two, dismissed in block 34; kept"), "{kept}");
		let forced = words(vec![member(Some(AccountId::new([9; 32])), Readiness::Ready)], Some(1));
		assert!(forced.contains("of Three, dismissed with force in block 35: it goes"), "{forced}");
		let alone = words(vec![member(None, Readiness::Ready)], Some(1));
		assert!(alone.contains("of no operator any more"), "{alone}");
	}

	#[test]
	fn a_subgroup_in_which_nobody_is_ready_is_not_called_empty() {
		let syncing = vec![member(Some(AccountId::new([7; 32])), Readiness::Syncing)];
		assert!(words(syncing, None).contains("nobody is ready"));
		assert!(words(vec![], None).contains("empty"));
	}
}
