//! The dealer's side: a private key into one share a subgroup, and the commitments that let
//! anyone check them. FROST's trusted dealer (RFC 9591 Appendix C).

use crate::{elements::identifier, share::Share, types::*};
use curve25519_dalek::Scalar;
use frost_core::{keys::IdentifierList, Ciphersuite, SigningKey};
use frost_ed25519::Ed25519Sha512;
use frost_secp256k1::Secp256K1Sha256;
use rand::{CryptoRng, RngCore};
use sha2::{Digest, Sha512};
use sp_runtime::BoundedVec;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// Why a private key cannot be split.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SplitError {
	/// The bytes are no private key of the scheme: zero, or not below the group order.
	InvalidKey,
	/// Not `2 <= threshold <= subgroups <= 16`.
	InvalidParameters,
}

/// A user's private key: the 32-byte seed (Ed25519, RFC 8032) or the 32-byte big-endian scalar
/// (secp256k1). Wiped when dropped, and without `Debug`.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct PrivateKey {
	#[zeroize(skip)]
	scheme: KeyScheme,
	bytes: [u8; 32],
}

/// What a dealer makes of a key.
pub struct SplitKey {
	/// To publish on chain.
	pub commitments: KeyCommitments,
	/// One a subgroup, by subgroup id.
	pub shares: Vec<Share>,
}

impl PrivateKey {
	/// Checks that `bytes` are a private key of `scheme`.
	pub fn new(scheme: KeyScheme, bytes: [u8; 32]) -> Result<Self, SplitError> {
		let key = Self { scheme, bytes };
		match scheme {
			KeyScheme::Ed25519 => key.signing_key::<Ed25519Sha512>().map(drop)?,
			KeyScheme::Secp256k1 => key.signing_key::<Secp256K1Sha256>().map(drop)?,
		}
		Ok(key)
	}

	/// A fresh key from `rng`.
	pub fn generate(scheme: KeyScheme, rng: &mut (impl RngCore + CryptoRng)) -> Self {
		loop {
			let mut bytes = Zeroizing::new([0; 32]);
			rng.fill_bytes(bytes.as_mut());
			if let Ok(key) = Self::new(scheme, *bytes) {
				return key;
			}
		}
	}

	/// The key's scheme.
	pub fn scheme(&self) -> KeyScheme {
		self.scheme
	}

	/// The secret bytes, for the key's own file.
	pub fn expose_secret(&self) -> &[u8; 32] {
		&self.bytes
	}

	/// The public key, which is also commitment 0.
	pub fn public_key(&self) -> Element {
		match self.scheme {
			KeyScheme::Ed25519 => Element::Ed25519(self.public::<Ed25519Sha512, 32>()),
			KeyScheme::Secp256k1 => Element::Secp256k1(self.public::<Secp256K1Sha256, 33>()),
		}
	}

	/// Splits the key so that any `threshold` of `subgroups` shares make it up.
	pub fn split(
		&self,
		threshold: u8,
		subgroups: u8,
		rng: &mut (impl RngCore + CryptoRng),
	) -> Result<SplitKey, SplitError> {
		if u32::from(subgroups) > MAX_SUBGROUPS {
			return Err(SplitError::InvalidParameters);
		}
		match self.scheme {
			KeyScheme::Ed25519 => {
				let (elements, shares) =
					self.deal::<Ed25519Sha512, 32>(threshold, subgroups, rng)?;
				Ok(SplitKey { commitments: Elements::Ed25519(elements), shares })
			}
			KeyScheme::Secp256k1 => {
				let (elements, shares) =
					self.deal::<Secp256K1Sha256, 33>(threshold, subgroups, rng)?;
				Ok(SplitKey { commitments: Elements::Secp256k1(elements), shares })
			}
		}
	}

	/// The scalar that is split, in the ciphersuite's encoding (protocol §3).
	fn scalar(&self) -> Zeroizing<[u8; 32]> {
		match self.scheme {
			KeyScheme::Ed25519 => {
				let mut digest: [u8; 64] = Sha512::digest(self.bytes).into();
				let mut half = Zeroizing::new([0; 32]);
				half.copy_from_slice(&digest[..32]);
				digest.zeroize();
				let clamped = Zeroizing::new(curve25519_dalek::scalar::clamp_integer(*half));
				Zeroizing::new(Scalar::from_bytes_mod_order(*clamped).to_bytes())
			}
			KeyScheme::Secp256k1 => Zeroizing::new(self.bytes),
		}
	}

	fn signing_key<C: Ciphersuite>(&self) -> Result<SigningKey<C>, SplitError> {
		SigningKey::deserialize(self.scalar().as_ref()).map_err(|_| SplitError::InvalidKey)
	}

	fn public<C: Ciphersuite, const N: usize>(&self) -> [u8; N] {
		let key = self.signing_key::<C>().expect("checked when it was made; qed");
		let bytes = frost_core::VerifyingKey::from(&key)
			.serialize()
			.expect("a non-zero scalar has a non-identity public key; qed");
		bytes.try_into().expect("every element of a ciphersuite has one length; qed")
	}

	#[allow(clippy::type_complexity)]
	fn deal<C: Ciphersuite, const N: usize>(
		&self,
		threshold: u8,
		subgroups: u8,
		rng: &mut (impl RngCore + CryptoRng),
	) -> Result<(BoundedVec<[u8; N], sp_core::ConstU32<MAX_SUBGROUPS>>, Vec<Share>), SplitError> {
		let identifiers: Vec<_> = (0..subgroups).map(identifier::<C>).collect();
		let (dealt, _) = frost_core::keys::split(
			&self.signing_key::<C>()?,
			u16::from(subgroups),
			u16::from(threshold),
			IdentifierList::Custom(&identifiers),
			rng,
		)
		.map_err(|_| SplitError::InvalidParameters)?;
		let commitments = dealt
			.values()
			.next()
			.and_then(|share| share.commitment().serialize().ok())
			.ok_or(SplitError::InvalidParameters)?
			.into_iter()
			.map(|bytes| bytes.try_into().map_err(|_| SplitError::InvalidParameters))
			.collect::<Result<Vec<[u8; N]>, _>>()?;
		let shares = identifiers
			.iter()
			.map(|id| {
				let dealt = dealt.get(id).ok_or(SplitError::InvalidParameters)?;
				let bytes = Zeroizing::new(dealt.signing_share().serialize());
				let bytes: &[u8; 32] =
					bytes.as_slice().try_into().map_err(|_| SplitError::InvalidParameters)?;
				Ok(Share::new(*bytes))
			})
			.collect::<Result<_, SplitError>>()?;
		let commitments = commitments.try_into().map_err(|_| SplitError::InvalidParameters)?;
		Ok((commitments, shares))
	}

	/// The randomness from which the `keyshare` tool deals this key for one attempt: a stream that
	/// only the key's owner can make, the same whenever it is made again. So an interrupted
	/// registration is taken up with nothing but the key, and no share is ever kept on disk.
	///
	/// ChaCha20 seeded with
	/// `SHA-512(tag ++ genesis ++ account ++ generation ++ scheme ++ subgroups ++ threshold ++ key)[..32]`:
	/// whatever else is dealt, for other members or another threshold, has other coefficients.
	pub fn dealer_rng(
		&self,
		genesis: &GenesisHash,
		account: &AccountId,
		generation: Generation,
		subgroups: u8,
		threshold: u8,
	) -> impl RngCore + CryptoRng {
		use rand::SeedableRng;
		let mut digest: [u8; 64] = Sha512::new()
			.chain_update(DEALER_TAG)
			.chain_update(genesis.as_bytes())
			.chain_update(<AccountId as AsRef<[u8]>>::as_ref(account))
			.chain_update(generation.to_le_bytes())
			.chain_update([self.scheme as u8, subgroups, threshold])
			.chain_update(self.bytes)
			.finalize()
			.into();
		let mut seed = Zeroizing::new([0; 32]);
		seed.copy_from_slice(&digest[..32]);
		digest.zeroize();
		rand_chacha::ChaCha20Rng::from_seed(*seed)
	}
}

/// Domain of [`PrivateKey::dealer_rng`].
const DEALER_TAG: &[u8] = b"keyshare/dealer/v2";

#[cfg(test)]
mod tests {
	use super::*;
	use crate::{elements::verifying_shares, proof};
	use proptest::prelude::*;
	use rand::SeedableRng;

	fn scheme() -> impl Strategy<Value = KeyScheme> {
		prop_oneof![Just(KeyScheme::Ed25519), Just(KeyScheme::Secp256k1)]
	}

	proptest! {
		#![proptest_config(ProptestConfig::with_cases(24))]

		#[test]
		fn every_share_verifies_and_proves(
			scheme in scheme(),
			(subgroups, threshold) in (2u8..=16).prop_flat_map(|n| (Just(n), 2..=n)),
			seed: [u8; 32],
		) {
			let mut rng = rand_chacha::ChaCha20Rng::from_seed(seed);
			let key = PrivateKey::generate(scheme, &mut rng);
			let split = key.split(threshold, subgroups, &mut rng).expect("valid parameters");
			prop_assert_eq!(split.commitments.get(0), Some(key.public_key()));
			let promised =
				verifying_shares(&split.commitments, threshold, subgroups).expect("valid");
			prop_assert_eq!(split.shares.len(), usize::from(subgroups));
			for (subgroup, share) in split.shares.iter().enumerate() {
				let expected = promised.get(subgroup).expect("one a subgroup");
				let verified = share.clone().verify(expected).expect("dealt for it");
				prop_assert!(proof::verify(&verified.prove(b"m"), b"m", &expected));
				let next = promised.get((subgroup + 1) % split.shares.len()).expect("there");
				prop_assert!(share.clone().verify(next).is_err());
			}
		}
	}

	#[test]
	fn bad_parameters_and_keys_are_errors() {
		let mut rng = rand_chacha::ChaCha20Rng::from_seed([1; 32]);
		let key = PrivateKey::generate(KeyScheme::Ed25519, &mut rng);
		for (threshold, subgroups) in [(1, 3), (4, 3), (2, 17)] {
			let error = key.split(threshold, subgroups, &mut rng).err();
			assert_eq!(error, Some(SplitError::InvalidParameters));
		}
		for bytes in [[0; 32], [0xff; 32]] {
			let error = PrivateKey::new(KeyScheme::Secp256k1, bytes).err();
			assert_eq!(error, Some(SplitError::InvalidKey));
		}
	}

	#[test]
	fn the_dealer_is_the_same_for_one_attempt_and_another_for_the_next() {
		let key = PrivateKey::new(KeyScheme::Ed25519, [5; 32]).expect("any seed will do");
		let deal_for = |genesis, account, generation, subgroups, threshold| {
			let mut rng = key.dealer_rng(&genesis, &account, generation, subgroups, threshold);
			key.split(2, 3, &mut rng).expect("valid").commitments
		};
		let deal = |genesis, account, generation| deal_for(genesis, account, generation, 3, 2);
		let genesis = GenesisHash::repeat_byte(1);
		let account = AccountId::new([2; 32]);
		let first = deal(genesis, account.clone(), 1);
		assert_eq!(first, deal(genesis, account.clone(), 1));
		assert_ne!(first, deal(genesis, account.clone(), 2));
		assert_ne!(first, deal(GenesisHash::repeat_byte(9), account.clone(), 1));
		assert_ne!(first, deal_for(genesis, account.clone(), 1, 4, 2));
		assert_ne!(first, deal_for(genesis, account, 1, 3, 3));
		assert_ne!(first, deal(genesis, AccountId::new([3; 32]), 1));
	}
}
