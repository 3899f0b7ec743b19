//! Vectors of what is accepted and what is refused. The SDK's tests read the same files: there is one
//! verdict, of the chain, the nodes, the tool and the SDK.

use keyshare_primitives::{
	elements::verifying_shares,
	proof,
	wire::{ErrorCode, ErrorData},
	CustodyProof, Element, Elements, KeyCommitments, KeyScheme,
};
use serde::{de::DeserializeOwned, Deserialize};
use sp_runtime::BoundedVec;
use std::path::PathBuf;

fn read<T: DeserializeOwned>(name: &str) -> Vec<T> {
	// A path known when compiling would be another checkout's: they share the build folder.
	let folder = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo runs the tests");
	let path = PathBuf::from(folder).join("vectors").join(name);
	let text = std::fs::read_to_string(path).expect("the vectors are there");
	serde_json::from_str(&text).expect("the vectors have this shape")
}

fn bytes(hex0x: &str) -> Vec<u8> {
	hex::decode(hex0x.trim_start_matches("0x")).expect("hex")
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ProofCase {
	scheme: KeyScheme,
	name: String,
	verifying_share: String,
	message: String,
	proof: String,
	holds: bool,
}

#[test]
fn a_custody_proof_holds_or_does_not_everywhere() {
	let cases = read::<ProofCase>("proofs.json");
	for case in &cases {
		let (share, proof) = (bytes(&case.verifying_share), bytes(&case.proof));
		let holds = match case.scheme {
			KeyScheme::Ed25519 => {
				let share = Element::Ed25519(share.try_into().expect("32 bytes"));
				proof.try_into().is_ok_and(|proof| {
					proof::verify(&CustodyProof::Ed25519(proof), &bytes(&case.message), &share)
				})
			}
			KeyScheme::Secp256k1 => {
				let share = Element::Secp256k1(share.try_into().expect("33 bytes"));
				proof.try_into().is_ok_and(|proof| {
					proof::verify(&CustodyProof::Secp256k1(proof), &bytes(&case.message), &share)
				})
			}
		};
		assert_eq!(holds, case.holds, "{:?}: {}", case.scheme, case.name);
	}
	assert!(cases.iter().any(|case| case.holds) && cases.iter().any(|case| !case.holds));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CommitmentCase {
	scheme: KeyScheme,
	name: String,
	element: String,
	valid: bool,
}

#[test]
fn a_commitment_is_valid_or_is_not_everywhere() {
	let cases = read::<CommitmentCase>("commitments.json");
	for case in &cases {
		let element = bytes(&case.element);
		let commitments: KeyCommitments = match case.scheme {
			KeyScheme::Ed25519 => {
				let element = element.try_into().expect("32 bytes");
				Elements::Ed25519(BoundedVec::truncate_from(vec![element; 2]))
			}
			KeyScheme::Secp256k1 => {
				let element = element.try_into().expect("33 bytes");
				Elements::Secp256k1(BoundedVec::truncate_from(vec![element; 2]))
			}
		};
		let valid = verifying_shares(&commitments, 2, 3).is_ok();
		assert_eq!(valid, case.valid, "{:?}: {}", case.scheme, case.name);
	}
	assert!(cases.iter().any(|case| case.valid) && cases.iter().any(|case| !case.valid));
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ErrorCase {
	code: i32,
	name: String,
	#[serde(default)]
	data: ErrorData,
	retryable: bool,
}

#[test]
fn an_error_has_one_name_and_is_tried_again_or_not_everywhere() {
	const ASKED: u32 = 5;
	let cases = read::<ErrorCase>("errors.json");
	for case in &cases {
		let code = ErrorCode::from_code(case.code).expect("ours");
		assert_eq!(code.name(), case.name);
		let is_retryable = code.is_retryable(&case.data, ASKED);
		assert_eq!(is_retryable, case.retryable, "{}: {:?}", case.name, case.data);
	}
	for (_, code, name) in ErrorCode::TABLE {
		assert!(cases.iter().any(|case| case.code == code), "{name} is in the vectors");
	}
}
