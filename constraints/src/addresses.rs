//! The addresses that people know a public key by. The SDK shows the same, and the vectors hold both to it.

use crate::recipient::{show_evm, show_solana, BitcoinNetwork};
use bitcoin::{
	secp256k1::{PublicKey, Secp256k1},
	Address, CompressedPublicKey,
};
use keyshare_primitives::Element;
use sp_crypto_hashing::keccak_256;

/// The addresses of a public key, each with the name of its kind. Empty for what is no public key.
///
/// Ed25519: Solana's. secp256k1: EVM (EIP-55), Bitcoin's P2TR by key path alone (BIP-341, BIP-86) and
/// P2WPKH.
pub fn addresses(public_key: &Element, bitcoin: BitcoinNetwork) -> Vec<(&'static str, String)> {
	match public_key {
		Element::Ed25519(bytes) => vec![("Solana", show_solana(bytes))],
		Element::Secp256k1(bytes) => {
			let Ok(key) = PublicKey::from_slice(bytes) else { return Vec::new() };
			let hash = keccak_256(&key.serialize_uncompressed()[1..]);
			let mut account = [0; 20];
			account.copy_from_slice(&hash[12..]);
			let (internal, _) = key.x_only_public_key();
			let network = bitcoin.network();
			let secp = Secp256k1::verification_only();
			vec![
				("EVM", show_evm(&account)),
				("Bitcoin P2TR", Address::p2tr(&secp, internal, None, network).to_string()),
				("Bitcoin P2WPKH", Address::p2wpkh(&CompressedPublicKey(key), network).to_string()),
			]
		}
	}
}
