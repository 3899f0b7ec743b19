//! The test vector of RFC 9180, Appendix A.2.1: DHKEM(X25519, HKDF-SHA256), HKDF-SHA256,
//! ChaCha20Poly1305, base mode, first encryption. It pins the suite that `seal` uses.

use hpke::{
	rand_core::{TryCryptoRng, TryRng},
	Deserializable, Kem as _, OpModeR, OpModeS, Serializable,
};
use keyshare_primitives::seal::{Aead, Kdf, Kem};
use std::convert::Infallible;

const IKM_E: &str = "909a9b35d3dc4713a5e72a4da274b55d3d3821a37e5d099e74a647db583a904b";
const IKM_R: &str = "1ac01f181fdf9f352797655161c58b75c656a6cc2716dcb66372da835542e1df";
const SK_R: &str = "8057991eef8f1f1af18f4a9491d16a1ce333f695d4db8e38da75975c4478e0fb";
const PK_R: &str = "4310ee97d88cc1f088a5576c77ab0cf5c3ac797f3d95139c6c84b5429c59662a";
const ENC: &str = "1afa08d3dec047a643885163f1180476fa7ddb54c6a8029ea33f95796bf2ac4a";
const INFO: &str = "4f6465206f6e2061204772656369616e2055726e";
const PLAINTEXT: &str = "4265617574792069732074727574682c20747275746820626561757479";
const AAD: &str = "436f756e742d30";
const CIPHERTEXT: &str = "1c5250d8034ec2b784ba2cfd69dbdb8af406cfe3ff938e131f0def8c8b60b4db\
	21993c62ce81883d2dd1b51a28";

fn bytes(hex_digits: &str) -> Vec<u8> {
	hex::decode(hex_digits).expect("hex")
}

/// Gives out the vector's input keying material once.
struct Fixed(Vec<u8>);

impl TryRng for Fixed {
	type Error = Infallible;

	fn try_next_u32(&mut self) -> Result<u32, Infallible> {
		panic!("keying material is taken as bytes")
	}

	fn try_next_u64(&mut self) -> Result<u64, Infallible> {
		panic!("keying material is taken as bytes")
	}

	fn try_fill_bytes(&mut self, into: &mut [u8]) -> Result<(), Infallible> {
		into.copy_from_slice(&self.0);
		self.0.clear();
		Ok(())
	}
}

impl TryCryptoRng for Fixed {}

#[test]
fn the_receivers_key_is_derived() {
	// The crate keeps secrets clamped, so its bytes are not the vector's: the public keys must be.
	let (_, public) = Kem::derive_keypair(&bytes(IKM_R));
	assert_eq!(hex::encode(public.to_bytes()), PK_R);
	let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&bytes(SK_R)).expect("valid");
	assert_eq!(hex::encode(Kem::sk_to_pk(&secret).to_bytes()), PK_R);
}

#[test]
fn sealing_gives_the_vectors_bytes() {
	let public = <Kem as hpke::Kem>::PublicKey::from_bytes(&bytes(PK_R)).expect("valid");
	let (enc, ciphertext) = hpke::single_shot_seal_with_rng::<Aead, Kdf, Kem>(
		&OpModeS::Base,
		&public,
		&bytes(INFO),
		&bytes(PLAINTEXT),
		&bytes(AAD),
		&mut Fixed(bytes(IKM_E)),
	)
	.expect("valid");
	assert_eq!(hex::encode(enc.to_bytes()), ENC);
	assert_eq!(hex::encode(ciphertext), CIPHERTEXT);
}

#[test]
fn the_vectors_bytes_open() {
	let secret = <Kem as hpke::Kem>::PrivateKey::from_bytes(&bytes(SK_R)).expect("valid");
	let enc = <Kem as hpke::Kem>::EncappedKey::from_bytes(&bytes(ENC)).expect("valid");
	let open = |aad: &[u8]| {
		hpke::single_shot_open::<Aead, Kdf, Kem>(
			&OpModeR::Base,
			&secret,
			&enc,
			&bytes(INFO),
			&bytes(CIPHERTEXT),
			aad,
		)
	};
	assert_eq!(open(&bytes(AAD)).expect("the vector"), bytes(PLAINTEXT));
	assert!(open(b"Count-1").is_err());
}
