//! Where the storage items of the protocol lie, for readers that do not link a pallet.
//!
//! The keys are FRAME's: `twox_128(pallet) ++ twox_128(item) ++ blake2_128_concat(SCALE(key))`.
//! The runtime's tests hold these functions to the pallets' own keys.

use alloc::vec::Vec;
use codec::Encode;
use sp_crypto_hashing::{blake2_128, twox_128};

/// Name of the registration pallet in the runtime.
pub const REGISTRATION: &str = "Registration";
/// Name of the subgroups pallet in the runtime.
pub const SUBGROUPS: &str = "Subgroups";

/// Key of `Registration::Registering` for an account; the value begins with a
/// [`crate::KeyRecord`].
pub fn registering(account: &crate::AccountId) -> Vec<u8> {
	map(REGISTRATION, "Registering", account)
}

/// Key of `Registration::Registered` for an account; the value begins with a
/// [`crate::KeyRecord`].
pub fn registered(account: &crate::AccountId) -> Vec<u8> {
	map(REGISTRATION, "Registered", account)
}

/// Key of `Registration::Generations`: the [`crate::Generation`] of an account's last attempt, absent
/// before the first. Never removed, so an attempt up to this number that is in neither map is gone
/// for good.
pub fn generations(account: &crate::AccountId) -> Vec<u8> {
	map(REGISTRATION, "Generations", account)
}

/// Key of `Registration::Confirmations`: the server accounts of a subgroup that have confirmed
/// an attempt or key, as a SCALE list of accounts.
pub fn confirmations(id: &crate::RegistrationId, subgroup: crate::SubgroupId) -> Vec<u8> {
	let mut key = map(REGISTRATION, "Confirmations", id);
	concat(&mut key, &subgroup);
	key
}

/// Key of `Subgroups::MemberOf`: the subgroup a server account is a member of now.
pub fn member_of(server: &crate::AccountId) -> Vec<u8> {
	map(SUBGROUPS, "MemberOf", server)
}

fn map(pallet: &str, item: &str, key: &impl Encode) -> Vec<u8> {
	let mut bytes = [twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat();
	concat(&mut bytes, key);
	bytes
}

fn concat(bytes: &mut Vec<u8>, key: &impl Encode) {
	let encoded = key.encode();
	bytes.extend_from_slice(&blake2_128(&encoded));
	bytes.extend_from_slice(&encoded);
}
