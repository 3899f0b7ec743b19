//! Custody proofs, as the chain and anyone else check them: protocol §6.
//!
//! On chain both schemes go through host functions, so no curve code runs in wasm. What a host function
//! lets pass beyond the protocol is refused before: there is one verdict, in every client.

use crate::types::*;
use sp_core::ed25519;
use sp_crypto_hashing::blake2_256;

/// Half the order of secp256k1's group, rounded down: the largest `s` that is low (SEC 2, section 2.4.1).
const HALF_ORDER: [u8; 32] = [
	0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0x5d, 0x57, 0x6e, 0x73, 0x57, 0xa4, 0x50, 0x1d, 0xdf, 0xe9, 0x2f, 0x46, 0x68, 0x1b, 0x20, 0xa0,
];

/// Whether a recoverable signature, `r ++ s ++ v`, is the one form of it: `v` is 0 or 1 and `s` low.
fn is_canonical(signature: &[u8; 65]) -> bool {
	let (s, v) = (&signature[32..64], signature[64]);
	v <= 1 && s <= HALF_ORDER.as_slice()
}

/// Whether `proof` is a signature over `message` made with the share behind `verifying_share`.
/// False when they are of different schemes. Ed25519 goes by ZIP 215, as the chain's host function does;
/// secp256k1 takes one form of a signature only.
pub fn verify(proof: &CustodyProof, message: &[u8], verifying_share: &Element) -> bool {
	match (proof, verifying_share) {
		(CustodyProof::Ed25519(signature), Element::Ed25519(key)) => sp_io::crypto::ed25519_verify(
			&ed25519::Signature::from_raw(*signature),
			message,
			&ed25519::Public::from_raw(*key),
		),
		(CustodyProof::Secp256k1(signature), Element::Secp256k1(key)) => {
			let digest = blake2_256(message);
			let recover = sp_io::crypto::secp256k1_ecdsa_recover_compressed;
			is_canonical(signature)
				&& recover(signature, &digest).is_ok_and(|recovered| recovered == *key)
		}
		_ => false,
	}
}
