//! The JSON-RPC of the share listener, and what a node's operator asks beside it: methods, shapes, names
//! and the error table of protocol §5, once for whoever asks and whoever answers.
//!
//! Accounts are SS58 strings (any prefix is read), bytes are `0x` and lowercase hex of a fixed
//! length.

use crate::{seal::CIPHERTEXT_LENGTH, types::*};
use serde::{
	de::{DeserializeOwned, Error as _},
	Deserialize, Deserializer, Serialize, Serializer,
};
use sp_core::crypto::Ss58Codec;

/// A JSON-RPC method. Its parameters are one object: the type that this is implemented for.
///
/// | method | parameters | answer | asked by |
/// |---|---|---|---|
/// | `keyshare_submitShare` | [`SubmitShare`] | [`ShareReceipt`] | clients |
/// | `keyshare_shareStatus` | [`ShareStatusQuery`] | [`ShareStatus`] | anybody |
/// | `keyshare_proveCustody` | [`CustodyChallenge`] | [`FreshProof`] | anybody |
/// | `keyshare_servers` | [`ServersQuery`]: none | [`HostedServers`] | anybody |
/// | `keyshare_requestShares` | [`RequestShares`] | [`SealedShares`] | servers of one subgroup |
/// | `keyshare_newEncryptionKey` | [`NewEncryptionKey`] | [`EncryptionKeyAnswer`] | the node's operator |
/// | `keyshare_provePossession` | [`ProvePossession`] | [`PossessionProof`] | the node's operator |
pub trait Method: Serialize + DeserializeOwned {
	/// Its name.
	const NAME: &'static str;
	/// What its parameters have to be, in words.
	const PARAMETERS: &'static str;
	/// What it answers.
	type Answer: Serialize + DeserializeOwned;
}

/// An account in JSON: SS58.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ss58(pub AccountId);

impl Serialize for Ss58 {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&self.0.to_ss58check())
	}
}

impl<'de> Deserialize<'de> for Ss58 {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		AccountId::from_ss58check_with_version(&text)
			.map(|(account, _)| Self(account))
			.map_err(|_| D::Error::custom("not an SS58 address"))
	}
}

/// Bytes of a fixed length in JSON: `0x` and hex.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct HexBytes<const N: usize>(pub [u8; N]);

impl<const N: usize> Serialize for HexBytes<N> {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&to_hex(&self.0))
	}
}

impl<'de, const N: usize> Deserialize<'de> for HexBytes<N> {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		let mut bytes = [0; N];
		from_hex_into(&text, &mut bytes)
			.map_err(|()| D::Error::custom(format!("not 0x and {} hex digits", 2 * N)))?;
		Ok(Self(bytes))
	}
}

/// `0x` and lowercase hex.
pub fn to_hex(bytes: &[u8]) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn from_hex_into(text: &str, bytes: &mut [u8]) -> Result<(), ()> {
	let digits = text.strip_prefix("0x").ok_or(())?;
	hex::decode_to_slice(digits, bytes).map_err(|_| ())
}

/// A custody proof in JSON: `0x` and the signature in hex. Of which scheme it is stands in the
/// commitments of the key that it is for, and nowhere else.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ProofBytes(Vec<u8>);

impl ProofBytes {
	/// The proof for a share of `scheme`, if the bytes can be one.
	pub fn of_scheme(&self, scheme: KeyScheme) -> Option<CustodyProof> {
		CustodyProof::of_scheme(scheme, &self.0)
	}
}

impl From<CustodyProof> for ProofBytes {
	fn from(proof: CustodyProof) -> Self {
		Self(proof.as_ref().to_vec())
	}
}

impl Serialize for ProofBytes {
	fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
		serializer.serialize_str(&to_hex(&self.0))
	}
}

impl<'de> Deserialize<'de> for ProofBytes {
	fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
		let text = String::deserialize(deserializer)?;
		let digits = text.strip_prefix("0x").ok_or_else(|| D::Error::custom("no 0x"))?;
		hex::decode(digits).map(Self).map_err(|_| D::Error::custom("not hex"))
	}
}

/// Parameters of `keyshare_submitShare`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct SubmitShare {
	/// The server the share is sealed to.
	pub server: Ss58,
	/// The user.
	pub account: Ss58,
	/// Which of the user's attempts or keys.
	pub generation: Generation,
	/// The server's subgroup.
	pub subgroup: SubgroupId,
	/// HPKE encapsulated key.
	pub enc: HexBytes<32>,
	/// HPKE ciphertext of the share.
	pub ciphertext: HexBytes<CIPHERTEXT_LENGTH>,
}

impl Method for SubmitShare {
	const NAME: &'static str = "keyshare_submitShare";
	const PARAMETERS: &'static str =
		"one object with exactly server and account (SS58), generation and subgroup (numbers), \
		 enc (0x and 64 hex digits), ciphertext (0x and 96 hex digits)";
	type Answer = ShareReceipt;
}

/// Whether a share was new to the server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum SubmitStatus {
	/// Stored by this call, durably.
	Stored,
	/// Stored before.
	AlreadyStored,
}

/// Answer of `keyshare_submitShare`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareReceipt {
	/// The attempt or key the share belongs to.
	pub registration_id: RegistrationId,
	/// Whether it was new.
	pub status: SubmitStatus,
	/// Signature by the share over [`crate::messages::custody_message`].
	pub custody_proof: ProofBytes,
}

/// One server a node hosts, as `keyshare_servers` lists it.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostedServer {
	/// The server's account.
	pub account: Ss58,
	/// The public key it opens envelopes with, 32 bytes of X25519.
	pub encryption_key: HexBytes<32>,
	/// The subgroup it is a member of now, if any.
	pub subgroup: Option<SubgroupId>,
}

/// Parameters of `keyshare_servers`: none, so absent, or empty by position or by name.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(from = "Nothing")]
pub struct ServersQuery;

impl Method for ServersQuery {
	const NAME: &'static str = "keyshare_servers";
	const PARAMETERS: &'static str = "none";
	type Answer = HostedServers;
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Nothing {
	Absent,
	ByPosition([(); 0]),
	ByName(Empty),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

impl From<Nothing> for ServersQuery {
	fn from(nothing: Nothing) -> Self {
		match nothing {
			Nothing::Absent | Nothing::ByPosition([]) | Nothing::ByName(Empty {}) => Self,
		}
	}
}

/// Answer of `keyshare_servers`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct HostedServers {
	/// [`crate::PROTOCOL_VERSION`] of the node.
	pub protocol_version: u32,
	/// The chain the node follows.
	pub genesis_hash: GenesisHash,
	/// Its servers.
	pub servers: Vec<HostedServer>,
}

/// Parameters of `keyshare_shareStatus`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ShareStatusQuery {
	/// The server asked about.
	pub server: Ss58,
	/// The user.
	pub account: Ss58,
}

impl Method for ShareStatusQuery {
	const NAME: &'static str = "keyshare_shareStatus";
	const PARAMETERS: &'static str = "one object with exactly server and account (SS58)";
	type Answer = ShareStatus;
}

/// How far a share has come on one server.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ShareState {
	/// The server holds no share for what the chain shows.
	None,
	/// Stored durably; its confirmation waits to be sent.
	Stored,
	/// Its confirmation has been handed to the off-chain worker.
	Confirming,
	/// The chain shows the confirmation.
	Confirmed,
}

/// Answer of `keyshare_shareStatus`: the attempt under way if there is one, else the key in force.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShareStatus {
	/// How far the share has come.
	pub status: ShareState,
	/// Of which generation; absent when the chain holds nothing for the account.
	pub generation: Option<Generation>,
}

/// Parameters of `keyshare_proveCustody`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustodyChallenge {
	/// The server challenged.
	pub server: Ss58,
	/// The user whose key in force (or, without one, whose attempt) it is to prove.
	pub account: Ss58,
	/// The challenger's own randomness.
	pub nonce: HexBytes<32>,
}

impl Method for CustodyChallenge {
	const NAME: &'static str = "keyshare_proveCustody";
	const PARAMETERS: &'static str =
		"one object with exactly server and account (SS58), nonce (0x and 64 hex digits)";
	type Answer = FreshProof;
}

/// Answer of `keyshare_proveCustody`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FreshProof {
	/// The attempt or key proved.
	pub registration_id: RegistrationId,
	/// Signature by the share over [`crate::messages::challenge_message`].
	pub custody_proof: ProofBytes,
}

/// Parameters of `keyshare_newEncryptionKey`, for the node's operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct NewEncryptionKey {
	/// The hosted server that is to have a new key.
	pub server: Ss58,
}

impl Method for NewEncryptionKey {
	const NAME: &'static str = "keyshare_newEncryptionKey";
	const PARAMETERS: &'static str = "one object with exactly server (SS58)";
	type Answer = EncryptionKeyAnswer;
}

/// Answer of `keyshare_newEncryptionKey`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EncryptionKeyAnswer {
	/// The public half, 32 bytes of X25519, ready to be published.
	pub encryption_key: HexBytes<32>,
}

/// Parameters of `keyshare_provePossession`, for the node's operator.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProvePossession {
	/// The hosted server.
	pub server: Ss58,
	/// The validator that is to publish it.
	pub validator: Ss58,
	/// One of the server's encryption keys, 32 bytes of X25519.
	pub encryption_key: HexBytes<32>,
	/// The URL that is to be published.
	pub endpoint: String,
}

impl Method for ProvePossession {
	const NAME: &'static str = "keyshare_provePossession";
	const PARAMETERS: &'static str = "one object with exactly server and validator (SS58), encryptionKey (0x and 64 hex digits), \
		 endpoint (a URL)";
	type Answer = PossessionProof;
}

/// Answer of `keyshare_provePossession`.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PossessionProof {
	/// The server's signature over [`crate::messages::server_message`].
	pub proof: HexBytes<64>,
}

/// The most registrations in one `keyshare_requestShares`.
pub const MAX_REQUESTED: usize = 32;

/// How far the block that a `keyshare_requestShares` names may be from the last final one, in either
/// direction: beyond that a request cannot be played back.
pub const MOST_BLOCKS_APART: BlockNumber = 32;

/// Parameters of `keyshare_requestShares`: a server asks another one of its subgroup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct RequestShares {
	/// The server asked.
	pub from: Ss58,
	/// The server that asks.
	pub requester: Ss58,
	/// The attempts and keys whose shares it lacks, at most [`MAX_REQUESTED`].
	pub registrations: Vec<RegistrationId>,
	/// The last block that is final for the requester, at most [`MOST_BLOCKS_APART`] from the one that
	/// is for the server asked.
	pub block: BlockNumber,
	/// The requester's over [`crate::messages::request_message`].
	pub signature: HexBytes<64>,
}

impl Method for RequestShares {
	const NAME: &'static str = "keyshare_requestShares";
	const PARAMETERS: &'static str = "one object with exactly from and requester (SS58), registrations (at most 32 times 0x and 64 \
		 hex digits), block (a number), signature (0x and 128 hex digits)";
	type Answer = SealedShares;
}

/// Answer of `keyshare_requestShares`: those that the server holds, in the order asked for.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedShares {
	/// Each sealed to the requester's published key.
	pub shares: Vec<SealedShareOf>,
}

/// One share of [`SealedShares`].
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SealedShareOf {
	/// The attempt or key.
	pub registration_id: RegistrationId,
	/// HPKE encapsulated key.
	pub enc: HexBytes<32>,
	/// HPKE ciphertext of the share.
	pub ciphertext: HexBytes<CIPHERTEXT_LENGTH>,
}

/// The typed errors of the share listener and their codes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ErrorCode {
	/// Wrong shape, hex, length or SS58.
	InvalidParams,
	/// This node does not host the server.
	UnknownServer,
	/// The chain holds no attempt or key for the account.
	NotRegistering,
	/// The chain holds another generation; `data.generation` says which.
	WrongGeneration,
	/// The server is not a member of that subgroup; `data.subgroup` says of which it is.
	WrongSubgroup,
	/// The envelope does not open.
	DecryptionFailed,
	/// It opened, but is not the share the commitments promise.
	ShareMismatch,
	/// The intake is full; try again after `data.retryAfterMs`.
	Busy,
	/// The share could not be made durable; nothing is acknowledged.
	StorageFailed,
	/// The server holds no share of this attempt or key.
	NoShare,
	/// The requester did not sign this request.
	BadSignature,
	/// The request names a block that is too old, or too far ahead; `data.block` is the last final one.
	WrongBlock,
	/// The server is a member of that subgroup in a best block only, which may be left again.
	NotFinal,
}

impl ErrorCode {
	/// Every code with its number and name.
	pub const TABLE: [(Self, i32, &'static str); 13] = [
		(Self::InvalidParams, -32602, "InvalidParams"),
		(Self::UnknownServer, 9001, "UnknownServer"),
		(Self::NotRegistering, 9002, "NotRegistering"),
		(Self::WrongGeneration, 9003, "WrongGeneration"),
		(Self::WrongSubgroup, 9004, "WrongSubgroup"),
		(Self::DecryptionFailed, 9005, "DecryptionFailed"),
		(Self::ShareMismatch, 9006, "ShareMismatch"),
		(Self::Busy, 9007, "Busy"),
		(Self::StorageFailed, 9008, "StorageFailed"),
		(Self::NoShare, 9009, "NoShare"),
		(Self::BadSignature, 9010, "BadSignature"),
		(Self::WrongBlock, 9011, "WrongBlock"),
		(Self::NotFinal, 9012, "NotFinal"),
	];

	/// The JSON-RPC error code.
	pub fn code(self) -> i32 {
		self.row().1
	}

	/// The name in the protocol's table.
	pub fn name(self) -> &'static str {
		self.row().2
	}

	/// The error behind a JSON-RPC code, if it is one of ours.
	pub fn from_code(code: i32) -> Option<Self> {
		Self::TABLE.iter().find(|row| row.1 == code).map(|row| row.0)
	}

	/// Whether the same request about `generation` may succeed later: the server is busy or in trouble, or
	/// its chain is behind and does not know that generation yet.
	pub fn is_retryable(self, data: &ErrorData, generation: Generation) -> bool {
		match self {
			Self::Busy | Self::StorageFailed | Self::NotRegistering | Self::NotFinal => true,
			Self::WrongGeneration => data.generation.is_some_and(|has| has < generation),
			_ => false,
		}
	}

	fn row(self) -> &'static (Self, i32, &'static str) {
		Self::TABLE.iter().find(|row| row.0 == self).expect("every variant has a row; qed")
	}
}

/// `data` of an error, where its code has any.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ErrorData {
	/// With `WrongGeneration`: the generation the chain holds.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub generation: Option<Generation>,
	/// With `WrongSubgroup`: the server's subgroup; absent if it is a member of none.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub subgroup: Option<SubgroupId>,
	/// With `WrongBlock`: the last block that is final for the server.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub block: Option<BlockNumber>,
	/// With `Busy`: when to try again, in milliseconds.
	#[serde(skip_serializing_if = "Option::is_none")]
	pub retry_after_ms: Option<u64>,
}

#[cfg(test)]
mod tests {
	use super::*;

	#[test]
	fn codes_are_those_of_the_protocol() {
		assert_eq!(ErrorCode::InvalidParams.code(), -32602);
		assert_eq!(ErrorCode::UnknownServer.code(), 9001);
		assert_eq!(ErrorCode::StorageFailed.code(), 9008);
		for (error, code, name) in ErrorCode::TABLE {
			assert_eq!(ErrorCode::from_code(code), Some(error));
			assert_eq!(format!("{error:?}"), name);
		}
		assert_eq!(ErrorCode::from_code(1), None);
	}

	#[test]
	fn a_request_is_read_in_the_shape_of_the_protocol() {
		let account = AccountId::new([1; 32]);
		let json = serde_json::json!({
			"server": account.to_ss58check(),
			"account": account.to_ss58check_with_version(0u16.into()),
			"generation": 1,
			"subgroup": 0,
			"enc": to_hex(&[2; 32]),
			"ciphertext": to_hex(&[3; 48]),
		});
		let request: SubmitShare = serde_json::from_value(json.clone()).expect("well formed");
		assert_eq!(request.account.0, account);
		for (field, bad) in [
			("server", serde_json::json!("5Fake")),
			("generation", serde_json::json!(-1)),
			("subgroup", serde_json::json!(256)),
			("enc", serde_json::json!(to_hex(&[2; 31]))),
			("enc", serde_json::json!("0202")),
			("ciphertext", serde_json::json!(to_hex(&[3; 49]))),
			("extra", serde_json::json!(1)),
		] {
			let mut broken = json.clone();
			broken[field] = bad;
			assert!(serde_json::from_value::<SubmitShare>(broken).is_err(), "{field}");
		}
	}
}
