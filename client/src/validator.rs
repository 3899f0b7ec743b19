//! What is done for a validator: publishing the server, replacing its keys, session keys, and
//! accepting an operator.
//!
//! Whatever needs a secret of the node is asked of the node itself, which answers such methods to its
//! operator only, at a port of its own machine. So the tool never sees a server's secret, and the
//! node never sees the validator's.

use crate::{
	chain::Chain,
	connection::answer,
	error::{Error, Refusal, Result, LOOK_AT_VALIDATOR},
	payload::Payload,
	progress::OnProgress,
	submit::{carry_out_until, Signer},
};
use codec::Encode;
use keyshare_primitives::{
	api::{Obstacle, OperatorInfo, OperatorStanding, ValidatorInfo},
	endpoint::{endpoint_is_well_formed, ENDPOINT_SCHEMES},
	storage::SUBGROUPS,
	wire::{to_hex, HexBytes, HostedServer, NewEncryptionKey, ProvePossession, ServersQuery, Ss58},
	AccountId, EncryptionKey, Endpoint, ServerInfo,
};
use serde::Deserialize;
use tokio::time::Instant;

/// A call of a validator.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ValidatorCall {
	/// Publishes the validator's server, or replaces it.
	PublishServer {
		/// The server.
		server: ServerInfo,
		/// The server account's proof of possession.
		proof: [u8; 64],
	},
	/// Leaves.
	WithdrawServer,
	/// Sets the session keys.
	SetKeys {
		/// The keys, SCALE-encoded.
		keys: Vec<u8>,
		/// The keys' proof that the validator owns them.
		proof: Vec<u8>,
	},
	/// Accepts an operator that has assigned the validator.
	Accept {
		/// The operator.
		operator: AccountId,
	},
	/// Leaves the operator.
	Leave,
}

impl ValidatorCall {
	/// Whether the validator's state shows that the call has been made.
	pub fn is_done(&self, info: &ValidatorInfo) -> bool {
		match self {
			Self::PublishServer { server, .. } => {
				info.server.as_ref() == Some(server)
					&& !info.obstacles.contains(&Obstacle::Withdrawing)
			}
			Self::WithdrawServer => {
				info.server.is_none() || info.obstacles.contains(&Obstacle::Withdrawing)
			}
			Self::SetKeys { keys, .. } => info.session_keys.as_ref() == Some(keys),
			Self::Accept { operator } => info.operator.as_ref() == Some(operator),
			Self::Leave => info.operator.is_none(),
		}
	}
}

impl Payload for ValidatorCall {
	fn pallet(&self) -> &'static str {
		match self {
			Self::SetKeys { .. } => "Session",
			_ => SUBGROUPS,
		}
	}

	fn name(&self) -> &'static str {
		match self {
			Self::PublishServer { .. } => "publish_server",
			Self::WithdrawServer => "withdraw_server",
			Self::SetKeys { .. } => "set_keys",
			Self::Accept { .. } => "accept",
			Self::Leave => "leave",
		}
	}

	fn arguments(&self) -> Vec<u8> {
		match self {
			Self::PublishServer { server, proof } => (server, proof).encode(),
			// The keys stand there as they are, not as a list of bytes.
			Self::SetKeys { keys, proof } => [keys.clone(), proof.encode()].concat(),
			Self::Accept { operator } => operator.encode(),
			Self::WithdrawServer | Self::Leave => Vec::new(),
		}
	}

	fn if_too_late(&self) -> &'static str {
		LOOK_AT_VALIDATOR
	}

	fn in_words(&self) -> String {
		let details = match self {
			Self::PublishServer { server, .. } => {
				let EncryptionKey::X25519(key) = &server.encryption_key;
				format!(
					"\n  server: {}\n  encryption key: X25519 {}\n  endpoint: {}",
					server.account,
					to_hex(key),
					String::from_utf8_lossy(&server.endpoint)
				)
			}
			Self::WithdrawServer => {
				": selected no more; the server goes when its validator is no member any more"
					.into()
			}
			Self::SetKeys { keys, .. } => format!("\n  session keys: {}", to_hex(keys)),
			Self::Accept { operator } => format!("\n  operator: {operator}"),
			Self::Leave => ": belongs to no operator any more, and is selected no more".into(),
		};
		format!("{}.{}{details}", self.pallet(), self.name())
	}
}

/// What the chain would refuse `validator` for that accepts `operator`, as far as its state shows it.
pub fn check_acceptance(
	validator: &AccountId,
	info: &ValidatorInfo,
	operator: &AccountId,
	operators: &[OperatorInfo],
) -> std::result::Result<(), Refusal> {
	let Some(operator_info) = operators.iter().find(|info| info.account == *operator) else {
		return Err(Refusal::subgroups(
			"NotAnOperator",
			format!("{operator} was never admitted as an operator"),
		));
	};
	if matches!(operator_info.standing, OperatorStanding::Dismissed { .. }) {
		return Err(Refusal::subgroups(
			"OperatorDismissed",
			format!("the operator {operator} was dismissed"),
		));
	}
	// Accepted already.
	if operator_info.validators.contains(validator) {
		return Ok(());
	}
	if !operator_info.assigned.contains(validator) {
		return Err(Refusal::subgroups(
			"NotAssigned",
			format!(
				"{operator} has not assigned {validator}: it has to sign `keyshare operator assign \
				 {validator}` first"
			),
		));
	}
	check_subgroup(validator, info, operator_info)
}

/// Whoever was ever a member of a subgroup is of no other.
pub(crate) fn check_subgroup(
	validator: &AccountId,
	info: &ValidatorInfo,
	operator: &OperatorInfo,
) -> std::result::Result<(), Refusal> {
	match info.subgroup {
		Some(former) if former != operator.subgroup => Err(Refusal::subgroups(
			"ValidatorOfAnotherSubgroup",
			format!(
				"{validator} was a member of subgroup {former}, and {} is an operator of subgroup {}",
				operator.account, operator.subgroup
			),
		)),
		_ => Ok(()),
	}
}

/// A validator, with its signature and its node.
pub struct Validator<'a> {
	/// The node, and through it the chain.
	pub chain: &'a Chain,
	/// The validator.
	pub signer: &'a Signer,
	/// When to stop.
	pub deadline: Instant,
	/// Where events go.
	pub progress: &'a OnProgress,
}

/// Keys that `author_rotateKeysWithOwner` has made.
#[derive(Deserialize)]
struct GeneratedKeys {
	keys: String,
	proof: Option<String>,
}

impl Validator<'_> {
	/// Publishes a server that the node hosts, under `endpoint`: the one named, or the only one.
	pub async fn declare(
		&self,
		server: Option<&AccountId>,
		endpoint: &str,
	) -> Result<ValidatorInfo> {
		let endpoint = parse_endpoint(endpoint)?;
		let hosted = self.hosted(server).await?;
		let info = ServerInfo {
			account: hosted.account.0,
			encryption_key: EncryptionKey::X25519(hosted.encryption_key.0),
			endpoint,
		};
		self.publish(info).await
	}

	/// Publishes the server under another endpoint.
	pub async fn change_endpoint(&self, endpoint: &str) -> Result<ValidatorInfo> {
		let endpoint = parse_endpoint(endpoint)?;
		let server = self.published().await?;
		self.publish(ServerInfo { endpoint, ..server }).await
	}

	/// Has the node make an encryption key, and publishes it.
	pub async fn rotate_key(&self) -> Result<ValidatorInfo> {
		let server = self.published().await?;
		self.hosted(Some(&server.account)).await?;
		let request = NewEncryptionKey { server: Ss58(server.account.clone()) };
		let made = self.chain.call(&request).await?;
		let encryption_key = EncryptionKey::X25519(made.encryption_key.0);
		self.publish(ServerInfo { encryption_key, ..server }).await
	}

	/// Has the node make session keys, sets them, and checks that the node holds them.
	pub async fn rotate_session_keys(&self) -> Result<ValidatorInfo> {
		let owner = to_hex(self.signer.account().as_ref());
		let made: GeneratedKeys =
			self.chain.request("author_rotateKeysWithOwner", Some(&owner)).await?;
		let keys = bytes("author_rotateKeysWithOwner", &made.keys)?;
		let proof = made.proof.ok_or_else(|| {
			answer("author_rotateKeysWithOwner", "it proves no ownership of the keys")
		})?;
		let proof = bytes("author_rotateKeysWithOwner", &proof)?;
		let info = self.make(&ValidatorCall::SetKeys { keys, proof }).await?;
		let has: bool = self.chain.request("author_hasSessionKeys", Some(&made.keys)).await?;
		if !has {
			return Err(Error::Verification(
				"the chain has the new session keys, but the node does not hold them; run this \
				 again"
					.into(),
			));
		}
		Ok(info)
	}

	/// Accepts an operator that has assigned the validator.
	pub async fn accept(&self, operator: &AccountId) -> Result<ValidatorInfo> {
		let validator = self.signer.account();
		let info = self.chain.validator(&validator).await?;
		let operators = self.chain.operators().await?;
		check_acceptance(&validator, &info, operator, &operators).map_err(Error::Refused)?;
		self.make(&ValidatorCall::Accept { operator: operator.clone() }).await
	}

	/// Leaves the validator's operator.
	pub async fn leave(&self) -> Result<ValidatorInfo> {
		let validator = self.signer.account();
		if self.chain.validator(&validator).await?.operator.is_none() {
			return Err(Error::Refused(Refusal::subgroups(
				"NoOperator",
				format!("{validator} has no operator"),
			)));
		}
		self.make(&ValidatorCall::Leave).await
	}

	/// Makes a call that needs nothing of the node.
	pub async fn make(&self, call: &ValidatorCall) -> Result<ValidatorInfo> {
		let validator = self.signer.account();
		let (chain, signer) = (self.chain, self.signer);
		carry_out_until(chain, call, signer, self.deadline, self.progress, async |at| {
			Ok(call.is_done(&chain.validator_at(&validator, at).await?))
		})
		.await?;
		chain.validator(&validator).await
	}

	/// The server that the validator has published.
	async fn published(&self) -> Result<ServerInfo> {
		let validator = self.signer.account();
		let info = self.chain.validator(&validator).await?;
		info.server.ok_or_else(|| {
			let description = format!("{validator} has published no server");
			Error::State(Refusal::subgroups("NoServer", description))
		})
	}

	/// A server that the node hosts.
	async fn hosted(&self, server: Option<&AccountId>) -> Result<HostedServer> {
		let mut hosted = self.chain.call(&ServersQuery).await.map_err(|error| {
			match error {
			Error::Answer { .. } => Error::Input(
				"this node hosts no server: make one with `keyshare-node key generate-server`, and start \
				 the node with --share-store-password-file"
					.into(),
			),
			other => other,
		}
		})?;
		if let Some(server) = server {
			let found = hosted.servers.into_iter().find(|one| one.account.0 == *server);
			return found.ok_or_else(|| {
				Error::Input(format!(
					"this node does not host server {server}: name the right node with --url"
				))
			});
		}
		match hosted.servers.len() {
			1 => Ok(hosted.servers.remove(0)),
			several => Err(Error::Input(format!(
				"this node hosts {several} servers: say which with --server, one of {}",
				hosted
					.servers
					.iter()
					.map(|server| server.account.0.to_string())
					.collect::<Vec<_>>()
					.join(", ")
			))),
		}
	}

	async fn publish(&self, server: ServerInfo) -> Result<ValidatorInfo> {
		let EncryptionKey::X25519(key) = &server.encryption_key;
		let request = ProvePossession {
			server: Ss58(server.account.clone()),
			validator: Ss58(self.signer.account()),
			encryption_key: HexBytes(*key),
			endpoint: String::from_utf8_lossy(&server.endpoint).into_owned(),
		};
		let answer = self.chain.call(&request).await?;
		self.make(&ValidatorCall::PublishServer { server, proof: answer.proof.0 }).await
	}
}

fn parse_endpoint(text: &str) -> Result<Endpoint> {
	let endpoint = Endpoint::try_from(text.as_bytes().to_vec());
	endpoint.ok().filter(|endpoint| endpoint_is_well_formed(endpoint)).ok_or_else(|| {
		Error::Input(format!(
			"`{text}` cannot be an endpoint: give the URL under which the world reaches the share \
			 listener, with scheme {} in lower case, the name or address of a host, a port from 1 to \
			 65535 if any, no user and no fragment, in at most 256 characters of ASCII",
			ENDPOINT_SCHEMES.join(", ")
		))
	})
}

fn bytes(method: &str, text: &str) -> Result<Vec<u8>> {
	hex::decode(text.trim_start_matches("0x")).map_err(|error| answer(method, error))
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::api::Membership;

	const VALIDATOR: AccountId = AccountId::new([7; 32]);
	const OPERATOR: AccountId = AccountId::new([8; 32]);

	fn server(byte: u8) -> ServerInfo {
		ServerInfo {
			account: AccountId::new([byte; 32]),
			encryption_key: EncryptionKey::X25519([byte; 32]),
			endpoint: Endpoint::truncate_from(b"https://a.example".to_vec()),
		}
	}

	fn nothing() -> ValidatorInfo {
		ValidatorInfo {
			server: None,
			retired: None,
			session_keys: None,
			subgroup: None,
			membership: Membership::Outside,
			obstacles: vec![Obstacle::NoOperator],
			operator: None,
			assigned_by: vec![],
		}
	}

	fn operator(assigned: &[AccountId]) -> OperatorInfo {
		OperatorInfo {
			account: OPERATOR,
			name: b"Somebody".to_vec(),
			subgroup: 1,
			standing: OperatorStanding::Admitted { since: 1 },
			seats: 4,
			next_seats: None,
			validators: vec![],
			assigned: assigned.to_vec(),
		}
	}

	#[test]
	fn arguments_are_in_the_pallets_order() {
		let publish = ValidatorCall::PublishServer { server: server(1), proof: [2; 64] };
		let expected =
			[&[1; 32][..], &[0], &[1; 32], &[17 << 2], b"https://a.example", &[2; 64]].concat();
		assert_eq!(publish.arguments(), expected);
		let keys = ValidatorCall::SetKeys { keys: vec![3; 64], proof: vec![4; 3] };
		assert_eq!(keys.arguments(), [&[3; 64][..], &[12, 4, 4, 4]].concat());
		assert_eq!(ValidatorCall::Accept { operator: OPERATOR }.arguments(), [8; 32]);
		assert!(ValidatorCall::WithdrawServer.arguments().is_empty());
		assert!(ValidatorCall::Leave.arguments().is_empty());
	}

	#[test]
	fn done_is_read_from_the_validators_state() {
		let publish = ValidatorCall::PublishServer { server: server(1), proof: [0; 64] };
		let keys = ValidatorCall::SetKeys { keys: vec![1], proof: vec![] };
		let accept = ValidatorCall::Accept { operator: OPERATOR };
		let none = nothing();
		assert!(!publish.is_done(&none) && !keys.is_done(&none) && !accept.is_done(&none));
		assert!(
			ValidatorCall::Leave.is_done(&none) && ValidatorCall::WithdrawServer.is_done(&none)
		);
		let all = ValidatorInfo {
			server: Some(server(1)),
			session_keys: Some(vec![1]),
			obstacles: vec![],
			operator: Some(OPERATOR),
			..nothing()
		};
		assert!(publish.is_done(&all) && keys.is_done(&all) && accept.is_done(&all));
		assert!(!ValidatorCall::Leave.is_done(&all));
		assert!(!ValidatorCall::WithdrawServer.is_done(&all));
		assert!(!ValidatorCall::Accept { operator: VALIDATOR }.is_done(&all));
		let other = ValidatorCall::PublishServer { server: server(2), proof: [0; 64] };
		assert!(!other.is_done(&all));
		let leaving = ValidatorInfo { obstacles: vec![Obstacle::Withdrawing], ..all };
		assert!(ValidatorCall::WithdrawServer.is_done(&leaving));
		assert!(!publish.is_done(&leaving), "publishing again takes the withdrawal back");
	}

	#[test]
	fn an_operator_is_accepted_only_after_it_has_assigned_the_validator() {
		let check = |info: &ValidatorInfo, operators: &[OperatorInfo]| {
			let result = check_acceptance(&VALIDATOR, info, &OPERATOR, operators);
			result.err().and_then(|refusal| refusal.name)
		};
		let name = |name: &str| Some(format!("Subgroups::{name}"));
		assert_eq!(check(&nothing(), &[]), name("NotAnOperator"));
		assert_eq!(check(&nothing(), &[operator(&[])]), name("NotAssigned"));
		assert_eq!(check(&nothing(), &[operator(&[VALIDATOR])]), None);
		let accepted = OperatorInfo { validators: vec![VALIDATOR], ..operator(&[]) };
		assert_eq!(check(&nothing(), &[accepted]), None);
		let dismissed = OperatorInfo {
			standing: OperatorStanding::Dismissed { since: 2, force: false },
			..operator(&[VALIDATOR])
		};
		assert_eq!(check(&nothing(), &[dismissed]), name("OperatorDismissed"));
		let at = |subgroup| ValidatorInfo { subgroup: Some(subgroup), ..nothing() };
		assert_eq!(check(&at(1), &[operator(&[VALIDATOR])]), None);
		let elsewhere = check(&at(2), &[operator(&[VALIDATOR])]);
		assert_eq!(elsewhere, name("ValidatorOfAnotherSubgroup"));
	}

	#[test]
	fn endpoints_are_checked_before_anything_is_asked() {
		assert!(parse_endpoint("https://shares.example.org").is_ok());
		let long = format!("https://a.example/{}", "x".repeat(256));
		for bad in ["shares.example.org", "ftp://h", "", "https://h:0", "https://u@h", &long] {
			assert!(matches!(parse_endpoint(bad), Err(Error::Input(_))), "{bad}");
		}
	}
}
