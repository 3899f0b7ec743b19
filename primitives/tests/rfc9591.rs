//! The trusted-dealer test vectors of RFC 9591, Appendix E.1 (Ed25519, SHA-512) and E.5
//! (secp256k1, SHA-256): our commitments, verifying shares and share check agree with them.

use keyshare_primitives::{
	elements::{identifier, verifying_shares},
	share::{Share, ShareError},
	Element, Elements, KeyScheme,
};
use sp_runtime::BoundedVec;

struct Vector {
	scheme: KeyScheme,
	group_public_key: &'static str,
	group_secret_key: &'static str,
	coefficient: &'static str,
	shares: [&'static str; 3],
}

const ED25519: Vector = Vector {
	scheme: KeyScheme::Ed25519,
	group_secret_key: "7b1c33d3f5291d85de664833beb1ad469f7fb6025a0ec78b3a790c6e13a98304",
	group_public_key: "15d21ccd7ee42959562fc8aa63224c8851fb3ec85a3faf66040d380fb9738673",
	coefficient: "178199860edd8c62f5212ee91eff1295d0d670ab4ed4506866bae57e7030b204",
	shares: [
		"929dcc590407aae7d388761cddb0c0db6f5627aea8e217f4a033f2ec83d93509",
		"a91e66e012e4364ac9aaa405fcafd370402d9859f7b6685c07eed76bf409e80d",
		"d3cb090a075eb154e82fdb4b3cb507f110040905468bb9c46da8bdea643a9a02",
	],
};

const SECP256K1: Vector = Vector {
	scheme: KeyScheme::Secp256k1,
	group_secret_key: "0d004150d27c3bf2a42f312683d35fac7394b1e9e318249c1bfe7f0795a83114",
	group_public_key: "02f37c34b66ced1fb51c34a90bdae006901f10625cc06c4f64663b0eae87d87b4f",
	coefficient: "fbf85eadae3058ea14f19148bb72b45e4399c0b16028acaf0395c9b03c823579",
	shares: [
		"08f89ffe80ac94dcb920c26f3f46140bfc7f95b493f8310f5fc1ea2b01f4254c",
		"04f0feac2edcedc6ce1253b7fab8c86b856a797f44d83d82a385554e6e401984",
		"00e95d59dd0d46b0e303e500b62b7ccb0e555d49f5b849f5e748c071da8c0dbc",
	],
};

fn bytes<const N: usize>(hex_digits: &str) -> [u8; N] {
	hex::decode(hex_digits).expect("hex").try_into().expect("of its length")
}

/// The public element of a scalar, by the share check's own rule: nothing else verifies.
fn public(scheme: KeyScheme, scalar: &str) -> Element {
	match scheme {
		KeyScheme::Ed25519 => {
			let key = frost_ed25519::SigningKey::deserialize(&bytes::<32>(scalar)).expect("valid");
			let public = frost_ed25519::VerifyingKey::from(&key).serialize().expect("valid");
			Element::Ed25519(public.try_into().expect("32 bytes"))
		}
		KeyScheme::Secp256k1 => {
			let key =
				frost_secp256k1::SigningKey::deserialize(&bytes::<32>(scalar)).expect("valid");
			let public = frost_secp256k1::VerifyingKey::from(&key).serialize().expect("valid");
			Element::Secp256k1(public.try_into().expect("33 bytes"))
		}
	}
}

fn check(vector: &Vector) {
	let commitments = match [vector.group_secret_key, vector.coefficient]
		.map(|scalar| public(vector.scheme, scalar))
	{
		[Element::Ed25519(a), Element::Ed25519(b)] => {
			Elements::Ed25519(BoundedVec::truncate_from(vec![a, b]))
		}
		[Element::Secp256k1(a), Element::Secp256k1(b)] => {
			Elements::Secp256k1(BoundedVec::truncate_from(vec![a, b]))
		}
		_ => panic!("one scheme"),
	};
	let first = commitments.get(0).expect("two");
	assert_eq!(hex::encode(first.as_ref()), vector.group_public_key);

	let promised = verifying_shares(&commitments, 2, 3).expect("valid");
	for (subgroup, share) in vector.shares.iter().enumerate() {
		let verifying_share = promised.get(subgroup).expect("three");
		let share = Share::new(bytes(share));
		assert!(share.clone().verify(verifying_share).is_ok(), "subgroup {subgroup}");
		let next = promised.get((subgroup + 1) % 3).expect("three");
		assert_eq!(share.verify(next).err(), Some(ShareError::Mismatch));
	}
}

#[test]
fn appendix_e1_ed25519() {
	check(&ED25519);
}

#[test]
fn appendix_e5_secp256k1() {
	check(&SECP256K1);
}

#[test]
fn subgroup_g_is_participant_g_plus_one() {
	for subgroup in [0u8, 15] {
		let id = identifier::<frost_ed25519::Ed25519Sha512>(subgroup);
		let participant = u16::from(subgroup) + 1;
		assert_eq!(id, participant.try_into().expect("not zero"));
	}
}
