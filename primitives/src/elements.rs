//! Group elements: decoding them, and the verifying shares that follow from commitments.
//!
//! All curve arithmetic is FROST's own (RFC 9591 Appendix C), for both ciphersuites through one
//! generic function. It runs once a registration on chain; proofs are checked by host functions.

use crate::types::*;
use alloc::{collections::BTreeSet, vec::Vec};
use curve25519_dalek::MontgomeryPoint;
use frost_core::{
	keys::{PublicKeyPackage, VerifiableSecretSharingCommitment},
	Ciphersuite, Identifier,
};
use frost_ed25519::Ed25519Sha512;
use frost_secp256k1::Secp256K1Sha256;
use sp_runtime::BoundedVec;

/// Why key commitments cannot be used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CommitmentsError {
	/// There are fewer commitments than the chain's threshold, or more than subgroups.
	WrongNumber,
	/// A commitment does not decode to a non-identity element of the prime-order group.
	InvalidElement,
	/// A verifying share would be the identity: the share behind it would be zero.
	IdentityShare,
}

/// The FROST identifier of a subgroup: its id plus one, never zero.
pub fn identifier<C: Ciphersuite>(subgroup: SubgroupId) -> Identifier<C> {
	Identifier::try_from(u16::from(subgroup).saturating_add(1))
		.expect("one to 256 is not zero in the scalar field; qed")
}

/// Checks that `commitments` are valid elements, from `least_threshold` to `subgroups` of them, and
/// computes the verifying share of each of `subgroups` subgroups. How many there are is the key's
/// threshold.
pub fn verifying_shares(
	commitments: &KeyCommitments,
	least_threshold: u8,
	subgroups: u8,
) -> Result<VerifyingShares, CommitmentsError> {
	let allowed = usize::from(least_threshold)..=usize::from(subgroups);
	if commitments.is_empty() || !allowed.contains(&commitments.len()) {
		return Err(CommitmentsError::WrongNumber);
	}
	match commitments {
		Elements::Ed25519(elements) => {
			evaluate::<Ed25519Sha512, 32>(elements, subgroups).map(Elements::Ed25519)
		}
		Elements::Secp256k1(elements) => {
			evaluate::<Secp256K1Sha256, 33>(elements, subgroups).map(Elements::Secp256k1)
		}
	}
}

/// Whether sealing to `key` can work and it is the only encoding of its point: below the field's
/// prime, 2²⁵⁵ − 19 (another encoding would name the same point in other bytes, and HPKE's key
/// schedule takes the bytes, so that no envelope would open); and not a low-order point, for which
/// RFC 9180 §7.1.4 has encapsulation fail.
pub fn encryption_key_is_usable(key: &EncryptionKey) -> bool {
	const PRIME: [u8; 32] = {
		let mut prime = [0xff; 32];
		(prime[0], prime[31]) = (0xed, 0x7f);
		prime
	};
	let EncryptionKey::X25519(bytes) = key;
	// Little-endian numbers compare from their last byte.
	if bytes.iter().rev().ge(PRIME.iter().rev()) {
		return false;
	}
	// Clamping makes the scalar a multiple of the cofactor, so exactly low order gives zero.
	MontgomeryPoint(*bytes).mul_clamped([1; 32]) != MontgomeryPoint([0; 32])
}

type Bounded<const N: usize> = BoundedVec<[u8; N], sp_core::ConstU32<MAX_SUBGROUPS>>;

fn evaluate<C: Ciphersuite, const N: usize>(
	elements: &Bounded<N>,
	subgroups: u8,
) -> Result<Bounded<N>, CommitmentsError> {
	let commitment = VerifiableSecretSharingCommitment::<C>::deserialize(elements.iter())
		.map_err(|_| CommitmentsError::InvalidElement)?;
	let identifiers: BTreeSet<_> = (0..subgroups).map(identifier::<C>).collect();
	let package = PublicKeyPackage::from_commitment(&identifiers, &commitment)
		.map_err(|_| CommitmentsError::InvalidElement)?;
	let shares: Vec<[u8; N]> = (0..subgroups)
		.map(|subgroup| {
			package
				.verifying_shares()
				.get(&identifier::<C>(subgroup))
				.and_then(|share| share.serialize().ok())
				.and_then(|bytes| bytes.try_into().ok())
				// Serializing refuses the identity and nothing else.
				.ok_or(CommitmentsError::IdentityShare)
		})
		.collect::<Result<_, _>>()?;
	shares.try_into().map_err(|_| CommitmentsError::WrongNumber)
}

#[cfg(test)]
mod tests {
	use super::*;
	use curve25519_dalek::{constants::ED25519_BASEPOINT_POINT as G, EdwardsPoint, Scalar};

	fn ed25519(points: &[EdwardsPoint]) -> KeyCommitments {
		let bytes = points.iter().map(|point| point.compress().to_bytes()).collect();
		Elements::Ed25519(BoundedVec::truncate_from(bytes))
	}

	#[test]
	fn shares_are_the_polynomial_in_the_exponent() {
		let (a, b) = (Scalar::from(11u8), Scalar::from(7u8));
		let shares = verifying_shares(&ed25519(&[G * a, G * b]), 2, 3).expect("valid");
		let expected: Vec<_> = (1u8..=3).map(|x| G * (a + b * Scalar::from(x))).collect();
		assert_eq!(shares, ed25519(&expected));
	}

	#[test]
	fn the_number_lies_between_the_threshold_and_the_subgroups() {
		for (count, threshold) in [(1, 2), (4, 2), (0, 0)] {
			assert_eq!(
				verifying_shares(&ed25519(&vec![G; count]), threshold, 3),
				Err(CommitmentsError::WrongNumber)
			);
		}
		for count in [2, 3] {
			assert!(verifying_shares(&ed25519(&vec![G; count]), 2, 3).is_ok());
		}
	}

	#[test]
	fn an_encryption_key_has_one_encoding() {
		let EncryptionKey::X25519(good) = crate::development::SERVERS[0].encryption_key();
		assert!(encryption_key_is_usable(&EncryptionKey::X25519(good)));
		let mut high_bit = good;
		high_bit[31] |= 0x80;
		assert!(!encryption_key_is_usable(&EncryptionKey::X25519(high_bit)));
		// Nine, the base point, and nine plus the prime; the largest number below the prime.
		let number = |low: u8| {
			let mut bytes = [0xff; 32];
			(bytes[0], bytes[31]) = (low, 0x7f);
			EncryptionKey::X25519(bytes)
		};
		let nine = [&[9][..], &[0; 31]].concat().try_into().expect("32 bytes");
		assert!(encryption_key_is_usable(&EncryptionKey::X25519(nine)));
		assert!(!encryption_key_is_usable(&number(0xed + 9)));
		assert!(!encryption_key_is_usable(&number(0xed)));
		assert!(encryption_key_is_usable(&number(0xed - 2)));
	}

	#[test]
	fn identity_small_order_and_garbage_are_refused() {
		let identity = [1u8].iter().copied().chain([0; 31]).collect::<Vec<_>>();
		// A point of order eight, from the usual list of small-order encodings.
		let small: [u8; 32] = curve25519_dalek::constants::EIGHT_TORSION[1].compress().to_bytes();
		let mixed = (G + curve25519_dalek::constants::EIGHT_TORSION[1]).compress().to_bytes();
		for bad in [identity.try_into().expect("32"), small, mixed, [2; 32]] {
			let commitments =
				Elements::Ed25519(BoundedVec::truncate_from(vec![G.compress().to_bytes(), bad]));
			assert_eq!(verifying_shares(&commitments, 2, 3), Err(CommitmentsError::InvalidElement));
		}
		for bad in [[0; 33], [2; 33], [0xff; 33]] {
			let commitments = Elements::Secp256k1(BoundedVec::truncate_from(vec![bad, bad]));
			let valid_x = k256::PublicKey::from_sec1_bytes(&bad).is_ok();
			assert_eq!(verifying_shares(&commitments, 2, 3).is_ok(), valid_x);
		}
	}

	#[test]
	fn low_order_encryption_keys_are_unusable() {
		let one = [&[1][..], &[0; 31]].concat().try_into().expect("32 bytes");
		for low_order in [[0; 32], one] {
			assert!(!encryption_key_is_usable(&EncryptionKey::X25519(low_order)));
		}
		let server = crate::development::SERVERS[0];
		assert!(encryption_key_is_usable(&server.encryption_key()));
	}

	#[test]
	fn a_zero_share_is_refused() {
		// f(x) = 2 - x is zero at x = 2, subgroup 1.
		let commitments = ed25519(&[G * Scalar::from(2u8), -G]);
		assert_eq!(verifying_shares(&commitments, 2, 3), Err(CommitmentsError::IdentityShare));
		// f(x) = 4 - x is zero at x = 4, subgroup 3, of which a chain of three has none.
		let commitments = ed25519(&[G * Scalar::from(4u8), -G]);
		assert!(verifying_shares(&commitments, 2, 3).is_ok());
		assert_eq!(verifying_shares(&commitments, 2, 4), Err(CommitmentsError::IdentityShare));
	}
}
