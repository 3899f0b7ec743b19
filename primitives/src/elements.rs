//! Group elements: decoding them, and the verifying shares that follow from commitments.
//!
//! Elements are read, added and written by FROST's own groups (RFC 9591 §6), for both ciphersuites
//! through one generic type. A subgroup's identifier is at most 16, so the polynomial is evaluated by
//! Horner's rule with a few doublings a step, and not by full multiplications as FROST's own evaluation
//! (Appendix C.2) does, which is the oracle in the tests. It runs once a registration on chain; proofs
//! are checked by host functions.

use crate::types::*;
use alloc::vec::Vec;
use curve25519_dalek::MontgomeryPoint;
use frost_core::{Ciphersuite, Element, Group, Identifier};
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
	match Polynomial::read(commitments)? {
		Polynomial::Ed25519(polynomial) => shares(&polynomial, subgroups).map(Elements::Ed25519),
		Polynomial::Secp256k1(polynomial) => {
			shares(&polynomial, subgroups).map(Elements::Secp256k1)
		}
	}
}

/// A key's sharing polynomial in the exponent: its commitments, read.
pub enum Polynomial {
	/// Of an Ed25519 key.
	Ed25519(Coefficients<Ed25519Sha512>),
	/// Of a secp256k1 key.
	Secp256k1(Coefficients<Secp256K1Sha256>),
}

impl Polynomial {
	/// Reads commitments, however many, which must be non-identity elements of the scheme's prime-order
	/// group.
	pub fn read(commitments: &KeyCommitments) -> Result<Self, CommitmentsError> {
		match commitments {
			Elements::Ed25519(elements) => Coefficients::read(elements).map(Self::Ed25519),
			Elements::Secp256k1(elements) => {
				// FROST's reading takes SEC 1's compact form too (tag 05), which would be a second
				// encoding of the same key.
				if !elements.iter().all(|element| matches!(element, [0x02 | 0x03, ..])) {
					return Err(CommitmentsError::InvalidElement);
				}
				Coefficients::read(elements).map(Self::Secp256k1)
			}
		}
	}
}

/// The coefficients of a polynomial in the exponent, the constant one first.
pub struct Coefficients<C: Ciphersuite>(Vec<Element<C>>);

impl<C: Ciphersuite> Coefficients<C> {
	fn read<const N: usize>(elements: &Bounded<N>) -> Result<Self, CommitmentsError> {
		let read = |bytes: &[u8; N]| {
			let bytes = bytes.as_slice().try_into().ok()?;
			C::Group::deserialize(&bytes).ok()
		};
		let coefficients: Option<Vec<_>> = elements.iter().map(read).collect();
		coefficients.map(Self).ok_or(CommitmentsError::InvalidElement)
	}

	/// The verifying share of a subgroup.
	pub fn verifying_share<const N: usize>(
		&self,
		subgroup: SubgroupId,
	) -> Result<[u8; N], CommitmentsError> {
		let x = u16::from(subgroup).saturating_add(1);
		let zero = C::Group::identity();
		let share = self.0.iter().rev().fold(zero, |sum, next| times::<C>(sum, x) + *next);
		// Writing refuses the identity and nothing else.
		let bytes = C::Group::serialize(&share).map_err(|_| CommitmentsError::IdentityShare)?;
		bytes.as_ref().try_into().map_err(|_| CommitmentsError::InvalidElement)
	}
}

/// `element` taken `x` times, by doubling and adding. Everything here is public: nothing has to take the
/// same time for every `x`.
fn times<C: Ciphersuite>(element: Element<C>, x: u16) -> Element<C> {
	let mut product = C::Group::identity();
	let bits = u16::BITS.saturating_sub(x.leading_zeros());
	for bit in (0..bits).rev() {
		product = product + product;
		if x & (1 << bit) != 0 {
			product = product + element;
		}
	}
	product
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

fn shares<C: Ciphersuite, const N: usize>(
	polynomial: &Coefficients<C>,
	subgroups: u8,
) -> Result<Bounded<N>, CommitmentsError> {
	let shares = (0..subgroups).map(|subgroup| polynomial.verifying_share(subgroup));
	let shares: Vec<[u8; N]> = shares.collect::<Result<_, _>>()?;
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

	/// FROST's own evaluation, with a full multiplication a term.
	fn by_frost<C: Ciphersuite, const N: usize>(elements: &[[u8; N]], count: u8) -> Vec<[u8; N]> {
		use frost_core::keys::{PublicKeyPackage, VerifiableSecretSharingCommitment};
		let commitment = VerifiableSecretSharingCommitment::<C>::deserialize(elements.iter());
		let identifiers = (0..count).map(identifier::<C>).collect();
		let commitment = commitment.expect("valid elements");
		let package = PublicKeyPackage::from_commitment(&identifiers, &commitment);
		let shares = package.expect("a valid commitment");
		let share = |subgroup| {
			let share = &shares.verifying_shares()[&identifier::<C>(subgroup)];
			share.serialize().expect("not the identity").try_into().expect("an element's length")
		};
		(0..count).map(share).collect()
	}

	#[test]
	fn shares_are_those_that_frost_evaluates() {
		for threshold in [1u8, 2, 3, 7, 16] {
			let scalars =
				|| (1..=u64::from(threshold)).map(|k| k.wrapping_mul(0x9e37_79b9_7f4a_7c15));
			let points: Vec<_> = scalars().map(|k| G * Scalar::from(k)).collect();
			let commitments = ed25519(&points);
			let Elements::Ed25519(elements) = &commitments else { unreachable!("just made") };
			let Ok(Elements::Ed25519(shares)) = verifying_shares(&commitments, 1, 16) else {
				panic!("valid commitments")
			};
			assert_eq!(shares.to_vec(), by_frost::<Ed25519Sha512, 32>(elements, 16));

			let point = |k| k256::ProjectivePoint::GENERATOR * k256::Scalar::from(k);
			let bytes = |k| k256::elliptic_curve::group::GroupEncoding::to_bytes(&point(k)).into();
			let elements: Vec<[u8; 33]> = scalars().map(bytes).collect();
			let commitments = Elements::Secp256k1(BoundedVec::truncate_from(elements.clone()));
			let Ok(Elements::Secp256k1(shares)) = verifying_shares(&commitments, 1, 16) else {
				panic!("valid commitments")
			};
			assert_eq!(shares.to_vec(), by_frost::<Secp256K1Sha256, 33>(&elements, 16));
		}
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
