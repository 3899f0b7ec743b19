//! Every byte string that is hashed, signed or authenticated, each as one pure function.
//!
//! Field order is load-bearing: the tests pin each layout byte by byte, and a change to one is a
//! new version of its domain tag and of [`crate::PROTOCOL_VERSION`].

use crate::{membership::Change, types::*};
use alloc::vec::Vec;
use codec::Encode;
use sp_crypto_hashing::blake2_256;

/// Domain of [`registration_id`].
pub const REGISTRATION_TAG: &[u8] = b"keyshare/registration/v1";
/// Domain of [`custody_message`].
pub const CUSTODY_TAG: &[u8] = b"keyshare/custody/v1";
/// Domain of [`challenge_message`].
pub const CHALLENGE_TAG: &[u8] = b"keyshare/challenge/v1";
/// Domain of [`confirm_message`].
pub const CONFIRM_TAG: &[u8] = b"keyshare/confirm/v1";
/// Domain of [`server_message`].
pub const SERVER_TAG: &[u8] = b"keyshare/server/v1";
/// Domain of [`ready_message`].
pub const READY_TAG: &[u8] = b"keyshare/ready/v2";
/// Domain of [`request_message`].
pub const REQUEST_TAG: &[u8] = b"keyshare/request/v2";
/// HPKE `info` of a sealed share.
pub const SHARE_INFO: &[u8] = b"keyshare/share/v1";

/// Length of [`share_aad`].
pub const SHARE_AAD_LENGTH: usize = 32 + 32 + 1;

/// `blake2_256(tag ++ genesis ++ SCALE(account, generation, commitments))`, protocol §3.
pub fn registration_id(
	genesis: &GenesisHash,
	account: &AccountId,
	generation: Generation,
	commitments: &KeyCommitments,
) -> RegistrationId {
	let mut preimage = tagged(REGISTRATION_TAG, genesis.as_bytes());
	(account, generation, commitments).encode_to(&mut preimage);
	blake2_256(&preimage).into()
}

/// `tag ++ registration_id ++ server_account`, protocol §6: what a custody proof signs.
pub fn custody_message(id: &RegistrationId, server: &AccountId) -> Vec<u8> {
	let mut message = tagged(CUSTODY_TAG, id.as_bytes());
	message.extend_from_slice(server.as_ref());
	message
}

/// `tag ++ registration_id ++ server_account ++ nonce`, protocol §6: what a fresh proof signs.
pub fn challenge_message(id: &RegistrationId, server: &AccountId, nonce: &[u8; 32]) -> Vec<u8> {
	let mut message = tagged(CHALLENGE_TAG, id.as_bytes());
	message.extend_from_slice(server.as_ref());
	message.extend_from_slice(nonce);
	message
}

/// `tag ++ genesis ++ SCALE(server, confirmations)`, protocol §6: what the server signs with its
/// own key, because the members of a subgroup hold the same share.
pub fn confirm_message(
	genesis: &GenesisHash,
	server: &AccountId,
	confirmations: &[Confirmation],
) -> Vec<u8> {
	let mut message = tagged(CONFIRM_TAG, genesis.as_bytes());
	(server, confirmations).encode_to(&mut message);
	message
}

/// `tag ++ genesis ++ SCALE(validator, server account, encryption key, endpoint)`, protocol §8:
/// the server account's proof of possession.
pub fn server_message(
	genesis: &GenesisHash,
	validator: &AccountId,
	server: &ServerInfo,
) -> Vec<u8> {
	let mut message = tagged(SERVER_TAG, genesis.as_bytes());
	(validator, &server.account, &server.encryption_key, &server.endpoint).encode_to(&mut message);
	message
}

/// `tag ++ genesis ++ SCALE(server, joined)`, protocol §7: what a server signs that declares itself
/// ready, with the change with which it joined, so that it speaks for this membership only.
pub fn ready_message(genesis: &GenesisHash, server: &AccountId, joined: Change) -> Vec<u8> {
	let mut message = tagged(READY_TAG, genesis.as_bytes());
	(server, joined).encode_to(&mut message);
	message
}

/// `tag ++ genesis ++ SCALE(from, requester, registrations, block)`, protocol §7: what a server
/// signs that asks another one of its subgroup for shares, with the last block that is final for it, so
/// that nobody can play it back later.
pub fn request_message(
	genesis: &GenesisHash,
	from: &AccountId,
	requester: &AccountId,
	registrations: &[RegistrationId],
	block: BlockNumber,
) -> Vec<u8> {
	let mut message = tagged(REQUEST_TAG, genesis.as_bytes());
	(from, requester, registrations, block).encode_to(&mut message);
	message
}

/// `registration_id ++ server_account ++ subgroup`, protocol §5: the AAD of a sealed share.
pub fn share_aad(
	id: &RegistrationId,
	server: &AccountId,
	subgroup: SubgroupId,
) -> [u8; SHARE_AAD_LENGTH] {
	let mut aad = [0; SHARE_AAD_LENGTH];
	aad[..32].copy_from_slice(id.as_bytes());
	aad[32..64].copy_from_slice(server.as_ref());
	aad[64] = subgroup;
	aad
}

fn tagged(tag: &[u8], first: &[u8]) -> Vec<u8> {
	[tag, first].concat()
}

#[cfg(test)]
mod tests {
	use super::*;
	use sp_runtime::BoundedVec;

	const GENESIS: GenesisHash = GenesisHash::repeat_byte(0x11);
	const ID: RegistrationId = RegistrationId::repeat_byte(0x22);
	const SERVER: AccountId = AccountId::new([0x33; 32]);
	const USER: AccountId = AccountId::new([0x44; 32]);

	#[test]
	fn registration_id_layout() {
		let commitments = KeyCommitments::Ed25519(BoundedVec::truncate_from(vec![[0x55; 32]; 2]));
		let preimage = [
			b"keyshare/registration/v1".as_slice(),
			&[0x11; 32],
			&[0x44; 32],
			&[3, 0, 0, 0],
			&[0, 2 << 2],
			&[0x55; 64],
		]
		.concat();
		assert_eq!(
			registration_id(&GENESIS, &USER, 3, &commitments).as_bytes(),
			blake2_256(&preimage)
		);
	}

	#[test]
	fn custody_and_challenge_layout() {
		assert_eq!(
			custody_message(&ID, &SERVER),
			[b"keyshare/custody/v1".as_slice(), &[0x22; 32], &[0x33; 32]].concat()
		);
		assert_eq!(
			challenge_message(&ID, &SERVER, &[0x66; 32]),
			[b"keyshare/challenge/v1".as_slice(), &[0x22; 32], &[0x33; 32], &[0x66; 32]].concat()
		);
	}

	#[test]
	fn confirm_layout() {
		let entry = Confirmation {
			account: USER,
			generation: 7,
			proof: CustodyProof::Secp256k1([0x77; 65]),
		};
		assert_eq!(
			confirm_message(&GENESIS, &SERVER, &[entry]),
			[
				b"keyshare/confirm/v1".as_slice(),
				&[0x11; 32],
				&[0x33; 32],
				&[1 << 2],
				&[0x44; 32],
				&[7, 0, 0, 0],
				&[1],
				&[0x77; 65],
			]
			.concat()
		);
	}

	#[test]
	fn server_layout() {
		let info = ServerInfo {
			account: SERVER,
			encryption_key: EncryptionKey::X25519([0x88; 32]),
			endpoint: Endpoint::truncate_from(b"http://h".to_vec()),
		};
		assert_eq!(
			server_message(&GENESIS, &USER, &info),
			[
				b"keyshare/server/v1".as_slice(),
				&[0x11; 32],
				&[0x44; 32],
				&[0x33; 32],
				&[0],
				&[0x88; 32],
				&[8 << 2],
				b"http://h",
			]
			.concat()
		);
	}

	#[test]
	fn ready_and_request_layout() {
		assert_eq!(
			ready_message(&GENESIS, &SERVER, 5),
			[b"keyshare/ready/v2".as_slice(), &[0x11; 32], &[0x33; 32], &[5, 0, 0, 0]].concat()
		);
		assert_eq!(
			request_message(&GENESIS, &SERVER, &USER, &[ID], 0x0102),
			[
				b"keyshare/request/v2".as_slice(),
				&[0x11; 32],
				&[0x33; 32],
				&[0x44; 32],
				&[1 << 2],
				&[0x22; 32],
				&[2, 1, 0, 0],
			]
			.concat()
		);
	}

	#[test]
	fn aad_layout() {
		assert_eq!(
			share_aad(&ID, &SERVER, 9).as_slice(),
			[&[0x22; 32][..], &[0x33; 32], &[9]].concat()
		);
	}
}
