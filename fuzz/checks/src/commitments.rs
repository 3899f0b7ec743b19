//! Bytes as key commitments: the verdict on them, and the verifying shares that follow, are held to a second
//! computation by other means.

use curve25519_dalek::{edwards::CompressedEdwardsY, traits::IsIdentity, EdwardsPoint, Scalar};
use k256::{elliptic_curve::group::GroupEncoding, ProjectivePoint, PublicKey};
use keyshare_primitives::{
	elements::{verifying_shares, CommitmentsError, Polynomial},
	Elements, KeyCommitments, VerifyingShares, MAX_SUBGROUPS,
};
use sp_core::ConstU32;
use sp_runtime::BoundedVec;
use std::iter::successors;

/// Numbers of subgroups that are tried: none, all that a chain can have, and one more.
const COUNTS: u8 = MAX_SUBGROUPS as u8 + 2;

type List<const N: usize> = BoundedVec<[u8; N], ConstU32<MAX_SUBGROUPS>>;

/// Whether the bytes are commitments that can be used: their scheme (even is Ed25519, odd secp256k1), the least
/// threshold and the number of subgroups, a byte each; then up to 16 elements. What is left over is passed over.
pub fn check(bytes: &[u8]) -> bool {
	let [scheme, least_threshold, subgroups, elements @ ..] = bytes else { return false };
	let subgroups = subgroups % COUNTS;
	let commitments = match scheme % 2 {
		0 => Elements::Ed25519(list(elements)),
		_ => Elements::Secp256k1(list(elements)),
	};
	let shares = verifying_shares(&commitments, *least_threshold, subgroups);
	assert_eq!(shares, expected(&commitments, *least_threshold, subgroups));
	let Ok(shares) = shares else { return false };
	assert_eq!(shares.len(), usize::from(subgroups), "each subgroup has a verifying share");
	assert!(
		Polynomial::read(&shares).is_ok(),
		"a verifying share is an element as commitments are"
	);
	true
}

fn list<const N: usize>(bytes: &[u8]) -> List<N> {
	let (elements, _) = bytes.as_chunks::<N>();
	BoundedVec::truncate_from(elements.to_vec())
}

fn expected(
	commitments: &KeyCommitments,
	least_threshold: u8,
	subgroups: u8,
) -> Result<VerifyingShares, CommitmentsError> {
	let count = commitments.len();
	let too_few = count == 0 || count < usize::from(least_threshold);
	if too_few || count > usize::from(subgroups) {
		return Err(CommitmentsError::WrongNumber);
	}
	match commitments {
		Elements::Ed25519(elements) => ed25519(elements, subgroups).map(Elements::Ed25519),
		Elements::Secp256k1(elements) => secp256k1(elements, subgroups).map(Elements::Secp256k1),
	}
}

fn ed25519(elements: &[[u8; 32]], subgroups: u8) -> Result<List<32>, CommitmentsError> {
	let eighth = Scalar::from(8u8).invert();
	let read = |bytes: &[u8; 32]| {
		let point = CompressedEdwardsY(*bytes).decompress()?;
		let is_canonical = point.compress().to_bytes() == *bytes;
		// An eighth of it, taken eight times, is what is left without its part of small order.
		let is_prime_order = (point * eighth).mul_by_cofactor() == point && !point.is_identity();
		(is_canonical && is_prime_order).then_some(point)
	};
	let points: Option<Vec<EdwardsPoint>> = elements.iter().map(read).collect();
	let points = points.ok_or(CommitmentsError::InvalidElement)?;
	let share = |x: u8| {
		let powers = successors(Some(Scalar::ONE), |power| Some(power * Scalar::from(x)));
		let sum: EdwardsPoint = points.iter().zip(powers).map(|(point, power)| point * power).sum();
		match sum.is_identity() {
			true => Err(CommitmentsError::IdentityShare),
			false => Ok(sum.compress().to_bytes()),
		}
	};
	let shares: Vec<[u8; 32]> = (1..=subgroups).map(share).collect::<Result<_, _>>()?;
	shares.try_into().map_err(|_| CommitmentsError::WrongNumber)
}

fn secp256k1(elements: &[[u8; 33]], subgroups: u8) -> Result<List<33>, CommitmentsError> {
	let read = |bytes: &[u8; 33]| {
		// Of the forms that SEC 1 has, of which one more is as long.
		let is_compressed = matches!(bytes, [2 | 3, ..]);
		let key = PublicKey::from_sec1_bytes(bytes).ok().filter(|_| is_compressed);
		key.map(|key| key.to_projective())
	};
	let points: Option<Vec<ProjectivePoint>> = elements.iter().map(read).collect();
	let points = points.ok_or(CommitmentsError::InvalidElement)?;
	let share = |x: u8| {
		let x = k256::Scalar::from(u64::from(x));
		let powers = successors(Some(k256::Scalar::ONE), |power| Some(*power * x));
		let terms = points.iter().zip(powers).map(|(point, power)| *point * power);
		let sum: ProjectivePoint = terms.sum();
		match sum == ProjectivePoint::IDENTITY {
			true => Err(CommitmentsError::IdentityShare),
			false => Ok(<[u8; 33]>::from(sum.to_affine().to_bytes())),
		}
	};
	let shares: Vec<[u8; 33]> = (1..=subgroups).map(share).collect::<Result<_, _>>()?;
	shares.try_into().map_err(|_| CommitmentsError::WrongNumber)
}
