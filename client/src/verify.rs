//! What anybody can check about a registered key, trusting neither servers nor the node's
//! arithmetic: that the registration id and the verifying shares follow from the commitments,
//! that every subgroup has its quorum, and that its members can use their share right now.

use crate::{
	chain::Chain,
	dealing::check_record,
	error::{Error, Refusal, Result},
	progress::Server,
	servers::{self, ServerError},
};
use futures::{stream, StreamExt};
use keyshare_primitives::{
	api::{Coverage, Parameters, Readiness, RegistrationInfo, SubgroupInfo},
	wire::ErrorCode,
	AccountId, SubgroupId,
};
use keyshare_transport::CallError;
use std::time::Duration;

const CHALLENGES_AT_A_TIME: usize = 32;

/// What a member answered to a fresh challenge.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Custody {
	/// A proof that holds: it can use the share now.
	Proved,
	/// It says that it has no share of this key.
	NoShare,
	/// A proof that does not hold, or of something else.
	Wrong(String),
	/// No answer that says anything.
	NoAnswer(String),
}

/// A member, with what the chain and the member itself say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Member {
	/// The server.
	pub server: Server,
	/// Whether it holds every share of its subgroup, as it has declared: only then it counts.
	pub ready: bool,
	/// Whether the chain shows its confirmation.
	pub confirmed: bool,
	/// What it answered.
	pub custody: Custody,
}

/// A subgroup's verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Subgroup {
	/// Its number.
	pub subgroup: SubgroupId,
	/// How many ready members must hold the share; none when no member is ready.
	pub quorum: Option<u32>,
	/// Its members.
	pub members: Vec<Member>,
}

impl Subgroup {
	/// Whether as many ready members as the quorum proved custody, and nobody gave a wrong proof.
	pub fn holds(&self) -> bool {
		let proved =
			self.members.iter().filter(|m| m.ready && m.custody == Custody::Proved).count();
		let wrong = self.members.iter().any(|m| matches!(m.custody, Custody::Wrong(_)));
		!wrong && self.quorum.is_some_and(|quorum| proved as u64 >= u64::from(quorum))
	}
}

/// The verdict on a registered key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verification {
	/// The user.
	pub account: AccountId,
	/// What the chain shows.
	pub registration: RegistrationInfo,
	/// Each claim of the chain that does not hold, in words.
	pub contradictions: Vec<String>,
	/// By subgroup id.
	pub subgroups: Vec<Subgroup>,
}

impl Verification {
	/// Whether everything holds.
	pub fn holds(&self) -> bool {
		self.contradictions.is_empty() && self.subgroups.iter().all(Subgroup::holds)
	}
}

/// Verifies the key in force of `account`. Each member has `patience` to answer.
pub async fn verify(
	chain: &Chain,
	account: &AccountId,
	patience: Duration,
) -> Result<Verification> {
	let info = chain.registration(account).await?;
	let registration = info.registered.ok_or_else(|| {
		Error::State(Refusal::registration("NotRegistered", "the account has no key in force"))
	})?;
	let members = chain.subgroups().await?;
	let parameters = chain.parameters();
	let mut contradictions = coverage_contradictions(parameters, &registration.coverage, &members);
	if let Err(error) = check_record(parameters, chain.genesis(), account, &registration.key) {
		contradictions.push(error.to_string());
	}
	let subgroups = stream::iter(&registration.coverage)
		.then(|coverage| challenge_subgroup(account, &registration, coverage, &members, patience))
		.collect()
		.await;
	Ok(Verification { account: account.clone(), registration, contradictions, subgroups })
}

async fn challenge_subgroup(
	account: &AccountId,
	registration: &RegistrationInfo,
	coverage: &Coverage,
	subgroups: &[SubgroupInfo],
	patience: Duration,
) -> Subgroup {
	let found = subgroups.iter().find(|subgroup| subgroup.id == coverage.subgroup);
	let members = found.map(|subgroup| subgroup.members.as_slice()).unwrap_or_default();
	let members = stream::iter(members)
		.map(|member| async move {
			let info = &member.server;
			let server = Server::new(coverage.subgroup, info.account.clone(), &info.endpoint);
			let custody = challenge(&server, account, registration, patience).await;
			let confirmed = coverage.confirmed.contains(&server.account);
			let ready = member.readiness == Readiness::Ready;
			Member { server, ready, confirmed, custody }
		})
		.buffered(CHALLENGES_AT_A_TIME)
		.collect()
		.await;
	Subgroup { subgroup: coverage.subgroup, quorum: coverage.quorum, members }
}

async fn challenge(
	server: &Server,
	account: &AccountId,
	registration: &RegistrationInfo,
	patience: Duration,
) -> Custody {
	let key = &registration.key;
	let attempt = || servers::challenge(server, account, key);
	let answer = servers::patiently(key.generation, attempt, |_, _| ());
	match tokio::time::timeout(patience, answer).await {
		Ok(Ok(())) => Custody::Proved,
		Ok(Err(ServerError::Call(CallError::Refused { code: ErrorCode::NoShare, .. }))) => {
			Custody::NoShare
		}
		Ok(Err(error @ (ServerError::WrongProof | ServerError::WrongRegistration))) => {
			Custody::Wrong(error.to_string())
		}
		Ok(Err(error)) => Custody::NoAnswer(error.to_string()),
		Err(_) => Custody::NoAnswer(format!("no answer within {} seconds", patience.as_secs())),
	}
}

/// What is wrong with the coverage that the chain claims for a key in force.
fn coverage_contradictions(
	parameters: &Parameters,
	coverage: &[Coverage],
	subgroups: &[SubgroupInfo],
) -> Vec<String> {
	let mut wrong = Vec::new();
	let ids: Vec<_> = coverage.iter().map(|coverage| coverage.subgroup).collect();
	if ids != (0..parameters.subgroups).collect::<Vec<_>>() {
		wrong.push("the chain does not answer for every subgroup".into());
	}
	for coverage in coverage {
		let g = coverage.subgroup;
		let found = subgroups.iter().find(|subgroup| subgroup.id == g);
		let members = found.map(|subgroup| subgroup.members.as_slice()).unwrap_or_default();
		let accounts = members.iter().map(|member| &member.server.account);
		if found.is_none() || !accounts.eq(&coverage.members) {
			wrong.push(format!("subgroup {g}: its members are named in two ways"));
		}
		let ready = members.iter().filter(|member| member.readiness == Readiness::Ready);
		if !ready.map(|member| &member.server.account).eq(&coverage.ready) {
			wrong.push(format!("subgroup {g}: who of it is ready is told in two ways"));
		}
		if coverage.quorum != expected_quorum(parameters, coverage.ready.len()) {
			wrong.push(format!("subgroup {g}: the quorum is not what the parameters make it"));
		}
		if coverage.confirmed.iter().any(|server| !coverage.members.contains(server)) {
			wrong.push(format!("subgroup {g}: somebody who is no member counts as confirmed"));
		}
		if !coverage.is_reached() {
			wrong.push(format!(
				"subgroup {g}: {} ready members have confirmed, which is below its quorum now",
				coverage.counted()
			));
		}
	}
	wrong
}

/// Protocol §4: `ceil(m · quorum)` of `m` ready members, at least one; none where nobody is ready.
fn expected_quorum(parameters: &Parameters, ready: usize) -> Option<u32> {
	let ready = u32::try_from(ready).ok().filter(|ready| *ready > 0)?;
	Some(parameters.confirmation_quorum.mul_ceil(ready).max(1))
}
