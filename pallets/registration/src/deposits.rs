//! One hold a user, always what the user's entries cost.

use crate::{pallet::*, Config, Pallet};
use codec::{Encode, MaxEncodedLen};
use frame_support::{
	defensive_assert,
	dispatch::DispatchResult,
	traits::{
		fungible::{InspectHold, MutateHold},
		Footprint,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	membership::{Confirmed, SubgroupMembership},
	AccountId, Constraints, Generation, KeyScheme, RegistrationId,
};
use sp_runtime::traits::{Convert, Saturating, Zero};

/// The key of an entry by account: two hashes of 16 bytes name the item, one and the account itself
/// follow.
const ACCOUNT_KEY: usize = 3 * 16 + 32;

/// An account's record without attempt and key, which stays for ever: the generation, and for the key
/// and the attempt whether they are there.
const RECORD: usize = ACCOUNT_KEY + 4 + 2;

/// The variant, and the length of a list of at most 16 in one byte.
const ELEMENTS: usize = 2;

impl<T: Config> Pallet<T> {
	/// Sets the hold on `account` to what its entries cost as they are to be. Fails, and with it the
	/// call, when the account cannot pay more.
	pub(crate) fn settle_deposit(
		account: &AccountId,
		record: &AccountRecordOf<T>,
		constraints: Option<usize>,
	) -> DispatchResult {
		let due = Self::deposit_due(record, constraints);
		T::NativeBalance::set_on_hold(&HoldReason::Deposit.into(), account, due)
	}

	/// The same for what must not fail: it gives back, and never holds more, even if what is stored
	/// costs more than it did when it was paid for.
	pub(crate) fn release_deposit(
		account: &AccountId,
		record: &AccountRecordOf<T>,
		constraints: Option<usize>,
	) {
		let reason = HoldReason::Deposit.into();
		let held = T::NativeBalance::balance_on_hold(&reason, account);
		let due = Self::deposit_due(record, constraints);
		if due < held {
			let released = T::NativeBalance::set_on_hold(&reason, account, due);
			defensive_assert!(released.is_ok(), "what is held can be released");
		}
	}

	/// How many bytes the entry with an account's constraints has, without reading them: they can be
	/// long, and completing an attempt needs no more.
	pub(crate) fn size_of_constraints(account: &AccountId) -> Option<usize> {
		let key = ConstraintsOf::<T>::hashed_key_for(account);
		sp_io::storage::read(&key, &mut [], 0).and_then(|size| usize::try_from(size).ok())
	}

	/// What the entries of an account cost together: its record, and its constraints, which are given by
	/// their size. An attempt costs what the key does that it is to become. What it takes for some blocks
	/// beside that, a place in the queue and from whom it is to hear, is not held for: the fee for its
	/// confirmations bounds how often, and completing a first attempt leaves the balance alone.
	pub(crate) fn deposit_due(
		record: &AccountRecordOf<T>,
		constraints: Option<usize>,
	) -> BalanceOf<T> {
		let registered = record.registered.as_ref().map(|registered| &registered.key);
		let attempt = record.registering.as_ref().map(|attempt| &attempt.key);
		let size = registered.into_iter().chain(attempt).fold(RECORD, |size, key| {
			let commitments = key.commitments.encoded_size();
			let elements = commitments.saturating_add(key.verifying_shares.encoded_size());
			size.saturating_add(Self::key_size(elements))
		});
		let entries = [
			(record.last_generation > 0).then_some(size),
			constraints.map(|size| size.saturating_add(ACCOUNT_KEY)),
		];
		sum(entries.into_iter().flatten().map(entry::<T>))
	}

	/// What is held after `register`, or without constraints what `swap_key` holds in addition.
	pub fn deposit(
		scheme: KeyScheme,
		threshold: u8,
		constraints: Option<Constraints>,
	) -> BalanceOf<T> {
		let element = match scheme {
			KeyScheme::Ed25519 => 32,
			KeyScheme::Secp256k1 => 33,
		};
		let count = usize::from(threshold).saturating_add(usize::from(T::Subgroups::count()));
		let elements = count.saturating_mul(element).saturating_add(2 * ELEMENTS);
		let key = Self::key_size(elements);
		match constraints {
			// In a record that is there already.
			None => entry::<T>(key).saturating_sub(entry::<T>(0)),
			Some(new) => {
				let size = new.encoded_size().saturating_add(AccountId::max_encoded_len());
				let constraints = entry::<T>(size.saturating_add(ACCOUNT_KEY));
				entry::<T>(RECORD.saturating_add(key)).saturating_add(constraints)
			}
		}
	}

	/// What is held for an account's record, which stays when key, attempt and constraints are gone.
	pub fn record_deposit() -> BalanceOf<T> {
		entry::<T>(RECORD)
	}

	/// A key with who has confirmed it and since when it is in force, in its account's record.
	fn key_size(elements: usize) -> usize {
		let size = RegistrationId::max_encoded_len()
			+ Generation::max_encoded_len()
			+ Confirmed::nobody(T::Subgroups::count()).encoded_size()
			+ BlockNumberFor::<T>::max_encoded_len();
		size.saturating_add(elements)
	}
}

/// What an entry of so many bytes costs.
fn entry<T: Config>(size: usize) -> BalanceOf<T> {
	T::DepositPrice::convert(Footprint::from_parts(1, size))
}

fn sum<Balance: Saturating + Zero>(prices: impl Iterator<Item = Balance>) -> Balance {
	prices.fold(Zero::zero(), |sum: Balance, price| sum.saturating_add(price))
}

/// The arithmetic of [`Pallet::deposit`] is SCALE's; this keeps it so.
#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::Elements;
	use sp_runtime::BoundedVec;

	#[test]
	fn elements_encode_to_two_bytes_more_than_they_are() {
		for count in 0..=16 {
			let ed25519 = Elements::Ed25519(BoundedVec::truncate_from(vec![[0; 32]; count]));
			let secp256k1 = Elements::Secp256k1(BoundedVec::truncate_from(vec![[0; 33]; count]));
			assert_eq!(ed25519.encoded_size(), ELEMENTS + 32 * count);
			assert_eq!(secp256k1.encoded_size(), ELEMENTS + 33 * count);
		}
	}
}
