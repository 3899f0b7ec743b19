//! Our own vectors, `vectors/*.json`, to which every other implementation of the protocol is held.
//! They are recomputed and compared; with `KEYSHARE_WRITE_VECTORS=1` they are written instead.

use codec::Encode;
use hpke::rand_core::{TryCryptoRng, TryRng};
use keyshare_primitives::{
	elements::verifying_shares,
	messages, proof,
	seal::{self, EncryptionSecret, ShareContext},
	split::PrivateKey,
	AccountId, Elements, EncryptionKey, GenesisHash, KeyScheme,
};
use serde_json::{json, Value};
use sp_core::crypto::Ss58Codec;
use std::{convert::Infallible, path::PathBuf};

const GENESIS: GenesisHash = GenesisHash::repeat_byte(0x47);
const ACCOUNT: AccountId = AccountId::new([0xac; 32]);
const GENERATION: u32 = 7;
const THRESHOLD: u8 = 2;
const SUBGROUPS: u8 = 3;
const NONCE: [u8; 32] = [0x6e; 32];

fn hex0x(bytes: impl AsRef<[u8]>) -> String {
	format!("0x{}", hex::encode(bytes))
}

fn list(elements: &Elements) -> Vec<String> {
	(0..elements.len()).map(|index| hex0x(elements.get(index).expect("in range"))).collect()
}

/// The same keying material every time: for vectors only.
struct Fixed([u8; 32]);

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
		Ok(())
	}
}

impl TryCryptoRng for Fixed {}

fn vectors(scheme: KeyScheme) -> Value {
	let secret = [scheme as u8 + 1; 32];
	let key = PrivateKey::new(scheme, secret).expect("valid");
	let split = key
		.split(
			THRESHOLD,
			SUBGROUPS,
			&mut key.dealer_rng(&GENESIS, &ACCOUNT, GENERATION, SUBGROUPS, THRESHOLD),
		)
		.expect("valid parameters");
	let promised = verifying_shares(&split.commitments, THRESHOLD, SUBGROUPS).expect("valid");
	let id = messages::registration_id(&GENESIS, &ACCOUNT, GENERATION, &split.commitments);

	let servers: Vec<Value> = (0..SUBGROUPS)
		.map(|subgroup| {
			let server = AccountId::new([0xb0 + subgroup; 32]);
			let encryption = EncryptionSecret::new([0xe0 + subgroup; 32]);
			let EncryptionKey::X25519(encryption_key) = encryption.public();
			let keying_material = [0xd0 + subgroup; 32];
			let index = usize::from(subgroup);
			let share = split.shares[index].clone();
			let context = ShareContext { id: &id, server: &server, subgroup };
			let sealed = seal::seal_with_rng(
				&share,
				&encryption.public(),
				context,
				&mut Fixed(keying_material),
			)
			.expect("valid key");
			let opened = encryption.open(&sealed, context).expect("sealed for it");
			assert_eq!(opened.expose_secret(), share.expose_secret());

			let verifying_share = promised.get(index).expect("one a subgroup");
			let verified = share.clone().verify(verifying_share).expect("dealt for it");
			let custody = messages::custody_message(&id, &server);
			let challenge = messages::challenge_message(&id, &server, &NONCE);
			let custody_proof = verified.prove(&custody);
			assert!(proof::verify(&custody_proof, &custody, &verifying_share));
			json!({
				"subgroup": subgroup,
				"server": server.to_ss58check(),
				"serverAccount": hex0x(&server),
				"encryptionSecret": hex0x(encryption.expose_secret()),
				"encryptionKey": hex0x(encryption_key),
				"share": hex0x(share.expose_secret()),
				"verifyingShare": hex0x(verifying_share),
				"sealed": {
					"ephemeralKeyingMaterial": hex0x(keying_material),
					"info": String::from_utf8(messages::SHARE_INFO.to_vec()).expect("ASCII"),
					"aad": hex0x(messages::share_aad(&id, &server, subgroup)),
					"enc": hex0x(sealed.enc),
					"ciphertext": hex0x(sealed.ciphertext),
				},
				"custodyMessage": hex0x(custody),
				"custodyProof": hex0x(custody_proof),
				"challengeMessage": hex0x(&challenge),
				"challengeProof": hex0x(verified.prove(&challenge)),
			})
		})
		.collect();

	json!({
		"protocolVersion": keyshare_primitives::PROTOCOL_VERSION,
		"scheme": scheme,
		"threshold": THRESHOLD,
		"subgroups": SUBGROUPS,
		"genesis": hex0x(GENESIS),
		"account": ACCOUNT.to_ss58check(),
		"accountId": hex0x(&ACCOUNT),
		"generation": GENERATION,
		"privateKey": hex0x(secret),
		"publicKey": hex0x(key.public_key()),
		"commitments": list(&split.commitments),
		"commitmentsScale": hex0x(split.commitments.encode()),
		"verifyingShares": list(&promised),
		"registrationId": hex0x(id),
		"nonce": hex0x(NONCE),
		"servers": servers,
	})
}

fn check(scheme: KeyScheme, name: &str) {
	// A path known when compiling would be another checkout's: they share the build folder.
	let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
	let path = PathBuf::from(folder).join("vectors").join(name);
	let computed = serde_json::to_string_pretty(&vectors(scheme)).expect("JSON") + "\n";
	if std::env::var_os("KEYSHARE_WRITE_VECTORS").is_some() {
		std::fs::write(&path, computed).expect("the folder is there");
		return;
	}
	let written = std::fs::read_to_string(&path).expect("the vectors are there");
	assert_eq!(computed, written, "{name}: the protocol's bytes have changed");
}

#[test]
fn ed25519() {
	check(KeyScheme::Ed25519, "ed25519.json");
}

#[test]
fn secp256k1() {
	check(KeyScheme::Secp256k1, "secp256k1.json");
}
