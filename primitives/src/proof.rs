//! Custody proofs, as the chain and anyone else check them: protocol §6.
//!
//! On chain both schemes go through host functions, so no curve code runs in wasm.

use crate::types::*;
use sp_core::ed25519;
use sp_crypto_hashing::blake2_256;

/// Whether `proof` is a signature over `message` made with the share behind `verifying_share`.
/// False when they are of different schemes.
pub fn verify(proof: &CustodyProof, message: &[u8], verifying_share: &Element) -> bool {
	match (proof, verifying_share) {
		(CustodyProof::Ed25519(signature), Element::Ed25519(key)) => sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			message,
			&ed25519::Public::from_raw(*key),
		),
		(CustodyProof::Secp256k1(signature), Element::Secp256k1(key)) => {
			let recovered =
				sp_io::crypto::secp256k1_ecdsa_recover_compressed(signature, &blake2_256(message));
			recovered.is_ok_and(|recovered| recovered == *key)
		}
		_ => false,
	}
}
