//! The secret side of a share: checking it against what the chain promises, and proving custody.
//!
//! A [`Share`] is 32 bytes from anywhere; a [`VerifiedShare`] can only be made by checking one
//! against its verifying share, and only a verified share can be stored or sign anything. Neither
//! has `Debug`, and both are wiped when dropped.

use crate::types::*;
use curve25519_dalek::{edwards::EdwardsPoint, Scalar};
use ed25519_dalek::hazmat::{raw_sign, ExpandedSecretKey};
use k256::{
	ecdsa::SigningKey,
	elliptic_curve::{group::GroupEncoding, PrimeField},
	ProjectivePoint,
};
use sha2::{Digest, Sha512};
use sp_crypto_hashing::blake2_256;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Domain of the Ed25519 nonce prefix, the counterpart of RFC 8032's second hash half.
const NONCE_TAG: &[u8] = b"keyshare/nonce/v1";

/// Why a share is not the one its commitments promise.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ShareError {
	/// The bytes are no canonical non-zero scalar of the scheme.
	NotCanonical,
	/// `share · G` is not the verifying share.
	Mismatch,
}

/// The 32-byte scalar of one subgroup, unchecked: little-endian for Ed25519, big-endian for
/// secp256k1.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Share([u8; 32]);

impl Share {
	/// Takes the scalar's bytes.
	pub fn new(bytes: [u8; 32]) -> Self {
		Self(bytes)
	}

	/// The only way to the secret bytes.
	pub fn expose_secret(&self) -> &[u8; 32] {
		&self.0
	}

	/// Checks `share · G = verifying_share`.
	pub fn verify(self, verifying_share: Element) -> Result<VerifiedShare, ShareError> {
		if self.public(verifying_share.scheme())? != verifying_share {
			return Err(ShareError::Mismatch);
		}
		Ok(VerifiedShare { share: self, verifying_share })
	}

	/// `share · G`, whatever the chain promises.
	pub fn public(&self, scheme: KeyScheme) -> Result<Element, ShareError> {
		Ok(match scheme {
			KeyScheme::Ed25519 => {
				let scalar = Zeroizing::new(self.ed25519_scalar()?);
				Element::Ed25519(EdwardsPoint::mul_base(&scalar).compress().to_bytes())
			}
			KeyScheme::Secp256k1 => {
				let scalar = Zeroizing::new(self.secp256k1_scalar()?);
				let point = ProjectivePoint::GENERATOR * *scalar;
				Element::Secp256k1(point.to_affine().to_bytes().into())
			}
		})
	}

	fn ed25519_scalar(&self) -> Result<Scalar, ShareError> {
		let scalar: Option<Scalar> = Scalar::from_canonical_bytes(self.0).into();
		scalar.filter(|scalar| *scalar != Scalar::ZERO).ok_or(ShareError::NotCanonical)
	}

	fn secp256k1_scalar(&self) -> Result<k256::Scalar, ShareError> {
		let scalar: Option<k256::Scalar> = k256::Scalar::from_repr(self.0.into()).into();
		scalar.filter(|scalar| !bool::from(scalar.is_zero())).ok_or(ShareError::NotCanonical)
	}
}

/// A share that has been checked against its verifying share.
#[derive(Clone)]
pub struct VerifiedShare {
	share: Share,
	verifying_share: Element,
}

impl VerifiedShare {
	/// The secret bytes, for sealing and for the store.
	pub fn share(&self) -> &Share {
		&self.share
	}

	/// What the share was checked against.
	pub fn verifying_share(&self) -> &Element {
		&self.verifying_share
	}

	/// Signs `message` with the share as the key: a plain Ed25519 signature (RFC 8032 with the
	/// share as the scalar) or a recoverable ECDSA signature over `blake2_256(message)` (RFC 6979
	/// nonce). Deterministic, so equal messages give equal proofs.
	pub fn prove(&self, message: &[u8]) -> CustodyProof {
		match &self.verifying_share {
			Element::Ed25519(public) => {
				let scalar =
					self.share.ed25519_scalar().expect("checked when it was verified; qed");
				let public = ed25519_dalek::VerifyingKey::from_bytes(public)
					.expect("it equals a point computed from the share; qed");
				// The expanded key wipes itself when dropped.
				let key = ExpandedSecretKey { scalar, hash_prefix: self.nonce_prefix() };
				CustodyProof::Ed25519(raw_sign::<Sha512>(&key, message, &public).to_bytes())
			}
			Element::Secp256k1(_) => {
				let key = SigningKey::from_slice(&self.share.0)
					.expect("checked when it was verified; qed");
				let (signature, recovery) = key
					.sign_prehash_recoverable(&blake2_256(message))
					.expect("a 32-byte prehash is always signed; qed");
				let mut proof = [0; 65];
				proof[..64].copy_from_slice(&signature.to_bytes());
				proof[64] = recovery.to_byte();
				CustodyProof::Secp256k1(proof)
			}
		}
	}

	/// RFC 8032 derives the nonce prefix and the scalar from one seed; a share has no seed, so the
	/// prefix is a domain-separated hash of the scalar.
	fn nonce_prefix(&self) -> [u8; 32] {
		let mut digest: [u8; 64] =
			Sha512::new().chain_update(NONCE_TAG).chain_update(self.share.0).finalize().into();
		let mut prefix = [0; 32];
		prefix.copy_from_slice(&digest[..32]);
		digest.zeroize();
		prefix
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::proof;

	fn ed25519() -> VerifiedShare {
		let scalar = Scalar::from(123_456_789u64);
		let public = Element::Ed25519(EdwardsPoint::mul_base(&scalar).compress().to_bytes());
		Share::new(scalar.to_bytes()).verify(public).expect("it is its own public key")
	}

	fn secp256k1() -> VerifiedShare {
		let public = (ProjectivePoint::GENERATOR * k256::Scalar::from(987_654_321u64)).to_affine();
		let bytes = k256::Scalar::from(987_654_321u64).to_bytes().into();
		let public = Element::Secp256k1(public.to_bytes().into());
		Share::new(bytes).verify(public).expect("it is its own public key")
	}

	#[test]
	fn a_proof_holds_for_its_message_and_share_only() {
		for (share, other) in [(ed25519(), secp256k1()), (secp256k1(), ed25519())] {
			let proof = share.prove(b"message");
			assert!(proof::verify(&proof, b"message", share.verifying_share()));
			assert!(!proof::verify(&proof, b"other message", share.verifying_share()));
			assert!(!proof::verify(&proof, b"message", other.verifying_share()));
			assert_eq!(proof, share.prove(b"message"), "deterministic");
		}
	}

	#[test]
	fn a_share_of_another_key_is_a_mismatch() {
		let mut bytes = *ed25519().share().expose_secret();
		bytes[0] ^= 1;
		let result = Share::new(bytes).verify(*ed25519().verifying_share());
		assert_eq!(result.err(), Some(ShareError::Mismatch));
		let mut bytes = *secp256k1().share().expose_secret();
		bytes[31] ^= 1;
		let result = Share::new(bytes).verify(*secp256k1().verifying_share());
		assert_eq!(result.err(), Some(ShareError::Mismatch));
	}

	#[test]
	fn zero_and_unreduced_scalars_are_not_canonical() {
		for bytes in [[0; 32], [0xff; 32]] {
			for public in [*ed25519().verifying_share(), *secp256k1().verifying_share()] {
				let result = Share::new(bytes).verify(public);
				assert_eq!(result.err(), Some(ShareError::NotCanonical));
			}
		}
	}
}
