//! Sealed shares: HPKE (RFC 9180) in base mode, single shot, with DHKEM(X25519, HKDF-SHA256),
//! HKDF-SHA256 and ChaCha20Poly1305, as protocol §5 fixes them.

use crate::{messages, share::Share, types::*};
use hpke::{
	aead::ChaCha20Poly1305, kdf::HkdfSha256, kem::X25519HkdfSha256, rand_core::CryptoRng,
	Deserializable, Kem as _, OpModeR, OpModeS, Serializable,
};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The suite's key encapsulation, 0x0020.
pub type Kem = X25519HkdfSha256;
/// The suite's key derivation, 0x0001.
pub type Kdf = HkdfSha256;
/// The suite's encryption, 0x0003.
pub type Aead = ChaCha20Poly1305;

type PrivateKey = <Kem as hpke::Kem>::PrivateKey;
type PublicKey = <Kem as hpke::Kem>::PublicKey;
type EncappedKey = <Kem as hpke::Kem>::EncappedKey;

/// Length of an envelope's ciphertext: the share and the tag.
pub const CIPHERTEXT_LENGTH: usize = 32 + 16;

/// A sealed share as it goes over the wire.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SealedShare {
	/// The encapsulated key.
	pub enc: [u8; 32],
	/// The encrypted share with its tag.
	pub ciphertext: [u8; CIPHERTEXT_LENGTH],
}

/// The published key is no usable public key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidEncryptionKey;

/// The envelope does not open: another key, other associated data, or altered bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OpenFailed;

/// What names a sealed share's place, and so its associated data.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ShareContext<'a> {
	/// The attempt the share belongs to.
	pub id: &'a RegistrationId,
	/// The server it is sealed to.
	pub server: &'a AccountId,
	/// The subgroup whose share it is.
	pub subgroup: SubgroupId,
}

/// Seals `share` to a server's published key.
pub fn seal(
	share: &Share,
	to: &EncryptionKey,
	context: ShareContext<'_>,
) -> Result<SealedShare, InvalidEncryptionKey> {
	let aad = messages::share_aad(context.id, context.server, context.subgroup);
	let (enc, ciphertext) = hpke::single_shot_seal::<Aead, Kdf, Kem>(
		&OpModeS::Base,
		&public_key(to)?,
		messages::SHARE_INFO,
		share.expose_secret(),
		&aad,
	)
	.map_err(|_| InvalidEncryptionKey)?;
	envelope(&enc, ciphertext)
}

/// [`seal`] with the ephemeral key made from `rng`, so that test vectors can be fixed. An `rng`
/// that ever repeats itself reveals the share.
pub fn seal_with_rng(
	share: &Share,
	to: &EncryptionKey,
	context: ShareContext<'_>,
	rng: &mut impl CryptoRng,
) -> Result<SealedShare, InvalidEncryptionKey> {
	let aad = messages::share_aad(context.id, context.server, context.subgroup);
	let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
		&OpModeS::Base,
		&public_key(to)?,
		messages::SHARE_INFO,
		share.expose_secret(),
		&aad,
		rng,
	)
	.map_err(|_| InvalidEncryptionKey)?;
	envelope(&enc, ciphertext)
}

fn public_key(key: &EncryptionKey) -> Result<PublicKey, InvalidEncryptionKey> {
	let EncryptionKey::X25519(bytes) = key;
	PublicKey::from_bytes(bytes).map_err(|_| InvalidEncryptionKey)
}

fn envelope(enc: &EncappedKey, ciphertext: Vec<u8>) -> Result<SealedShare, InvalidEncryptionKey> {
	Ok(SealedShare {
		enc: enc.to_bytes().into(),
		ciphertext: ciphertext.try_into().map_err(|_| InvalidEncryptionKey)?,
	})
}

/// A server's secret encryption key. Wiped when dropped, and without `Debug`.
#[derive(ZeroizeOnDrop)]
pub struct EncryptionSecret {
	bytes: [u8; 32],
	#[zeroize(skip)] // wipes itself
	key: PrivateKey,
}

impl EncryptionSecret {
	/// Any 32 bytes are an X25519 private key.
	pub fn new(bytes: [u8; 32]) -> Self {
		let key = PrivateKey::from_bytes(&bytes).expect("any 32 bytes are a private key; qed");
		Self { bytes, key }
	}

	/// A fresh key from the operating system's randomness.
	pub fn generate() -> Self {
		let mut bytes = Zeroizing::new([0; 32]);
		rand::RngCore::fill_bytes(&mut rand::rngs::OsRng, bytes.as_mut());
		Self::new(*bytes)
	}

	/// The key to publish.
	pub fn public(&self) -> EncryptionKey {
		let public = Kem::sk_to_pk(&self.key);
		EncryptionKey::X25519(public.to_bytes().into())
	}

	/// The secret bytes, for the key's own store.
	pub fn expose_secret(&self) -> &[u8; 32] {
		&self.bytes
	}

	/// Opens an envelope sealed to this key for exactly this place.
	pub fn open(
		&self,
		sealed: &SealedShare,
		context: ShareContext<'_>,
	) -> Result<Share, OpenFailed> {
		let aad = messages::share_aad(context.id, context.server, context.subgroup);
		let enc = EncappedKey::from_bytes(&sealed.enc).map_err(|_| OpenFailed)?;
		let plaintext = hpke::single_shot_open::<Aead, Kdf, Kem>(
			&OpModeR::Base,
			&self.key,
			&enc,
			messages::SHARE_INFO,
			&sealed.ciphertext,
			&aad,
		)
		.map(Zeroizing::new)
		.map_err(|_| OpenFailed)?;
		let bytes: &[u8; 32] = plaintext.as_slice().try_into().map_err(|_| OpenFailed)?;
		Ok(Share::new(*bytes))
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	const ID: RegistrationId = RegistrationId::repeat_byte(1);
	const SERVER: AccountId = AccountId::new([2; 32]);
	const PLACE: ShareContext<'static> = ShareContext { id: &ID, server: &SERVER, subgroup: 1 };

	#[test]
	fn opens_for_its_place_and_key_only() {
		let secret = EncryptionSecret::generate();
		let sealed = seal(&Share::new([9; 32]), &secret.public(), PLACE).expect("valid key");
		let opened = secret.open(&sealed, PLACE).expect("sealed for it");
		assert_eq!(opened.expose_secret(), &[9; 32]);

		let other_id = RegistrationId::repeat_byte(3);
		let other_server = AccountId::new([3; 32]);
		for place in [
			ShareContext { id: &other_id, ..PLACE },
			ShareContext { server: &other_server, ..PLACE },
			ShareContext { subgroup: 2, ..PLACE },
		] {
			assert!(secret.open(&sealed, place).is_err());
		}
		assert!(EncryptionSecret::generate().open(&sealed, PLACE).is_err());
		let mut altered = sealed.clone();
		altered.ciphertext[0] ^= 1;
		assert!(secret.open(&altered, PLACE).is_err());
	}

	#[test]
	fn a_low_order_public_key_is_refused() {
		let low_order = EncryptionKey::X25519([0; 32]);
		assert!(seal(&Share::new([9; 32]), &low_order, PLACE).is_err());
	}
}
