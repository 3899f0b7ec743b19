//! The protocol's nouns, in the encodings that go over the wire and into storage.

use codec::{Decode, DecodeWithMemTracking, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
#[cfg(feature = "std")]
use serde::{Deserialize, Serialize};
use sp_core::{ConstU32, H256};
use sp_runtime::BoundedVec;

/// A chain account: a user, a validator or a server.
pub type AccountId = sp_runtime::AccountId32;

/// A block number of the Keyshare chain.
pub type BlockNumber = u32;

/// The number of a session: the time between two changes of the validator set.
pub type SessionIndex = u32;

/// An amount in the chain's smallest unit, 10⁻¹² `KEY`.
pub type Balance = u128;

/// Number of a signing subgroup, `0..n`. Its FROST identifier is this number plus one.
pub type SubgroupId = u8;

/// Counts an account's registration attempts and key swaps, from 1; a number is never reused.
pub type Generation = u32;

/// Names one attempt and pins its key commitments; see [`crate::messages::registration_id`].
pub type RegistrationId = H256;

/// Hash of the genesis block, bound into everything that is signed.
pub type GenesisHash = H256;

/// The largest number of subgroups, and so of commitments, a chain may have.
pub const MAX_SUBGROUPS: u32 = 16;

/// The fewest subgroups: a key in two parts is the least that is shared.
pub const MIN_SUBGROUPS: u32 = 2;

/// The longest endpoint URL, in bytes.
pub const MAX_ENDPOINT_LENGTH: u32 = 256;

/// The scheme of a user's key, with its FROST ciphersuite (RFC 9591).
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
#[cfg_attr(feature = "std", derive(Serialize, Deserialize))]
#[cfg_attr(feature = "std", serde(rename_all = "lowercase"))]
pub enum KeyScheme {
	/// FROST(Ed25519, SHA-512).
	Ed25519,
	/// FROST(secp256k1, SHA-256).
	Secp256k1,
}

/// One group element in its ciphersuite's encoding: 32 bytes (Ed25519, compressed Edwards y) or
/// 33 bytes (secp256k1, SEC1 compressed). It need not have been decoded yet.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum Element {
	/// An element of edwards25519.
	Ed25519([u8; 32]),
	/// An element of secp256k1.
	Secp256k1([u8; 33]),
}

impl Element {
	/// The scheme the element belongs to.
	pub fn scheme(&self) -> KeyScheme {
		match self {
			Self::Ed25519(_) => KeyScheme::Ed25519,
			Self::Secp256k1(_) => KeyScheme::Secp256k1,
		}
	}
}

impl AsRef<[u8]> for Element {
	fn as_ref(&self) -> &[u8] {
		match self {
			Self::Ed25519(bytes) => bytes,
			Self::Secp256k1(bytes) => bytes,
		}
	}
}

/// A list of group elements of one scheme: an enum over the key scheme.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub enum Elements {
	/// Elements of edwards25519, 32 bytes each.
	Ed25519(BoundedVec<[u8; 32], ConstU32<MAX_SUBGROUPS>>),
	/// Elements of secp256k1, 33 bytes each.
	Secp256k1(BoundedVec<[u8; 33], ConstU32<MAX_SUBGROUPS>>),
}

/// The `t` coefficient commitments of RFC 9591 `vss_commit`; element 0 is the public key.
pub type KeyCommitments = Elements;

/// The `n` verifying shares `Y_g`, by subgroup id.
pub type VerifyingShares = Elements;

impl Elements {
	/// The scheme of every element.
	pub fn scheme(&self) -> KeyScheme {
		match self {
			Self::Ed25519(_) => KeyScheme::Ed25519,
			Self::Secp256k1(_) => KeyScheme::Secp256k1,
		}
	}

	/// How many there are.
	pub fn len(&self) -> usize {
		match self {
			Self::Ed25519(elements) => elements.len(),
			Self::Secp256k1(elements) => elements.len(),
		}
	}

	/// Whether there are none.
	pub fn is_empty(&self) -> bool {
		self.len() == 0
	}

	/// The element at `index`.
	pub fn get(&self, index: usize) -> Option<Element> {
		match self {
			Self::Ed25519(elements) => elements.get(index).copied().map(Element::Ed25519),
			Self::Secp256k1(elements) => elements.get(index).copied().map(Element::Secp256k1),
		}
	}
}

/// A published key of one attempt or registration: what a share is checked against.
///
/// The attempt and the key in force both begin with this in the account's record.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct KeyRecord {
	/// Names the attempt; pins `commitments`.
	pub id: RegistrationId,
	/// The attempt's number on its account.
	pub generation: Generation,
	/// What the user published.
	pub commitments: KeyCommitments,
	/// What follows from it, computed once by the chain.
	pub verifying_shares: VerifyingShares,
}

impl KeyRecord {
	/// The user's public key, commitment 0.
	pub fn public_key(&self) -> Option<Element> {
		self.commitments.get(0)
	}

	/// `Y_g` of subgroup `g`.
	pub fn verifying_share(&self, subgroup: SubgroupId) -> Option<Element> {
		self.verifying_shares.get(usize::from(subgroup))
	}
}

/// A server's public encryption key. An enum, so that a hybrid post-quantum key can be added
/// without changing any layout.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	PartialOrd,
	Ord,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum EncryptionKey {
	/// DHKEM(X25519, HKDF-SHA256) of RFC 9180.
	#[codec(index = 0)]
	X25519([u8; 32]),
}

/// A server's endpoint: a full URL with scheme `http` or `https`, in ASCII.
pub type Endpoint = BoundedVec<u8, ConstU32<MAX_ENDPOINT_LENGTH>>;

/// A threshold server as its validator publishes it (protocol §8).
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct ServerInfo {
	/// The server's sr25519 account, key type `ksrv`.
	pub account: AccountId,
	/// What shares are sealed to.
	pub encryption_key: EncryptionKey,
	/// Where its share listener answers.
	pub endpoint: Endpoint,
}

/// An encryption key that was replaced, and still opens envelopes for a while (protocol §8).
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub struct RetiredKey<Number> {
	/// The key.
	pub key: EncryptionKey,
	/// The first block in which it opens nothing any more.
	pub until: Number,
}

/// A signature made with a share, by scheme.
#[derive(
	Clone,
	Copy,
	PartialEq,
	Eq,
	Debug,
	Encode,
	Decode,
	DecodeWithMemTracking,
	MaxEncodedLen,
	TypeInfo,
)]
pub enum CustodyProof {
	/// Ed25519 (RFC 8032) under `Y_g`.
	Ed25519([u8; 64]),
	/// Recoverable ECDSA over BLAKE2b-256 of the message: `r ++ s ++ v`, `v` 0 or 1.
	Secp256k1([u8; 65]),
}

impl CustodyProof {
	/// The scheme of the share it was made with.
	pub fn scheme(&self) -> KeyScheme {
		match self {
			Self::Ed25519(_) => KeyScheme::Ed25519,
			Self::Secp256k1(_) => KeyScheme::Secp256k1,
		}
	}

	/// The proof that these bytes are for a share of `scheme`; none if they have another length.
	pub fn of_scheme(scheme: KeyScheme, bytes: &[u8]) -> Option<Self> {
		match scheme {
			KeyScheme::Ed25519 => bytes.try_into().ok().map(Self::Ed25519),
			KeyScheme::Secp256k1 => bytes.try_into().ok().map(Self::Secp256k1),
		}
	}
}

impl AsRef<[u8]> for CustodyProof {
	fn as_ref(&self) -> &[u8] {
		match self {
			Self::Ed25519(bytes) => bytes,
			Self::Secp256k1(bytes) => bytes,
		}
	}
}

/// One server's claim to hold its subgroup's share of one attempt or key.
#[derive(
	Clone, PartialEq, Eq, Debug, Encode, Decode, DecodeWithMemTracking, MaxEncodedLen, TypeInfo,
)]
pub struct Confirmation {
	/// The user.
	pub account: AccountId,
	/// Which of the user's attempts or keys.
	pub generation: Generation,
	/// Signature by the share over [`crate::messages::custody_message`].
	pub proof: CustodyProof,
}

#[cfg(test)]
mod tests {
	use super::*;
	use alloc::vec;

	#[test]
	fn a_proof_is_read_by_the_scheme_of_its_share() {
		let read = |scheme, length| CustodyProof::of_scheme(scheme, &vec![7; length]);
		let (ed25519, secp256k1) = (KeyScheme::Ed25519, KeyScheme::Secp256k1);
		assert_eq!(read(ed25519, 64), Some(CustodyProof::Ed25519([7; 64])));
		assert_eq!(read(secp256k1, 65), Some(CustodyProof::Secp256k1([7; 65])));
		for (scheme, length) in [(ed25519, 65), (secp256k1, 64), (ed25519, 63), (secp256k1, 66)] {
			assert_eq!(read(scheme, length), None);
		}
	}
}
