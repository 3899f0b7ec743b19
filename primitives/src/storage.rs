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

/// The version of the registration pallet's storage in this runtime.
pub const REGISTRATION_VERSION: u16 = 3;
/// The version of the subgroups pallet's storage in this runtime.
pub const SUBGROUPS_VERSION: u16 = 2;

/// The versions of a pallet's storage in which the items below lie as they are described here, and which a
/// reader of this version of the crate may read; none of another pallet. What is read of the registration
/// pallet was the same in its version 2, whose constraints alone were others.
// Empty is what is meant.
#[allow(clippy::reversed_empty_ranges)]
pub fn readable(pallet: &str) -> core::ops::RangeInclusive<u16> {
	match pallet {
		REGISTRATION => 2..=REGISTRATION_VERSION,
		SUBGROUPS => 2..=SUBGROUPS_VERSION,
		_ => 1..=0,
	}
}

/// Key of the version of a pallet's storage, a `u16`: FRAME's.
pub fn version(pallet: &str) -> Vec<u8> {
	prefix(pallet, ":__STORAGE_VERSION__:")
}

/// Key of `Registration::Accounts`: an account's [`crate::record::AccountRecord`]. Never removed, so an
/// attempt up to its last generation that is not in it is gone for good.
pub fn account(account: &crate::AccountId) -> Vec<u8> {
	map(REGISTRATION, "Accounts", account)
}

/// Key of `Subgroups::Masks`: the [`crate::membership::Masks`] of all subgroups.
pub fn masks() -> Vec<u8> {
	prefix(SUBGROUPS, "Masks")
}

/// Key of `Subgroups::MemberOf`: the [`crate::membership::Seat`] of a server account that is a member
/// now.
pub fn member_of(server: &crate::AccountId) -> Vec<u8> {
	map(SUBGROUPS, "MemberOf", server)
}

/// Key of `Subgroups::Subgroups`: the validators of a subgroup, as a SCALE list of accounts.
pub fn subgroup(id: crate::SubgroupId) -> Vec<u8> {
	map(SUBGROUPS, "Subgroups", &id)
}

/// Key of `Subgroups::ServerAccounts`: the validator that published a server account, now or
/// before.
pub fn server_account(server: &crate::AccountId) -> Vec<u8> {
	map(SUBGROUPS, "ServerAccounts", server)
}

/// Key of `Subgroups::Servers`: a validator's server; the value begins with a
/// [`crate::ServerInfo`] and an `Option<`[`crate::RetiredKey`]`>`.
pub fn server(validator: &crate::AccountId) -> Vec<u8> {
	map(SUBGROUPS, "Servers", validator)
}

/// Key of `Subgroups::Joining`: by validator, since when and why a member is not ready, a
/// [`crate::membership::Syncing`]; nothing for one that is.
pub fn joining(validator: &crate::AccountId) -> Vec<u8> {
	map(SUBGROUPS, "Joining", validator)
}

/// Key of `Subgroups::Silences`: the attempts that members were silent in, a
/// [`crate::membership::Silences`].
pub fn silences() -> Vec<u8> {
	prefix(SUBGROUPS, "Silences")
}

/// Key of `Subgroups::SubgroupCount`: how many subgroups there are, one byte.
pub fn subgroup_count() -> Vec<u8> {
	prefix(SUBGROUPS, "SubgroupCount")
}

/// Key of `System::Number`: the block's [`crate::BlockNumber`].
pub fn block_number() -> Vec<u8> {
	prefix("System", "Number")
}

/// Key of `Timestamp::Now`: when the block was made, in milliseconds since 1970, a `u64`.
pub fn timestamp() -> Vec<u8> {
	prefix("Timestamp", "Now")
}

/// What the keys of every account ([`account`]) begin with.
pub fn all_accounts() -> Vec<u8> {
	prefix(REGISTRATION, "Accounts")
}

/// What the keys of `Registration::Expiries` begin with: one for each attempt under way, in no
/// order that matters.
pub fn all_attempts() -> Vec<u8> {
	prefix(REGISTRATION, "Expiries")
}

/// The account at the end of a key of `Registration::Accounts` or `Registration::Expiries`.
pub fn account_of(key: &[u8]) -> Option<crate::AccountId> {
	let account: [u8; 32] = *key.last_chunk()?;
	Some(account.into())
}

fn map(pallet: &str, item: &str, key: &impl Encode) -> Vec<u8> {
	let mut bytes = prefix(pallet, item);
	concat(&mut bytes, key);
	bytes
}

fn prefix(pallet: &str, item: &str) -> Vec<u8> {
	[twox_128(pallet.as_bytes()), twox_128(item.as_bytes())].concat()
}

fn concat(bytes: &mut Vec<u8>, key: &impl Encode) {
	let encoded = key.encode();
	bytes.extend_from_slice(&blake2_128(&encoded));
	bytes.extend_from_slice(&encoded);
}
