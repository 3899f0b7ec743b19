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
	membership::{Change, Confirmed, SubgroupMembership},
	record::{Expectation, Purpose},
	AccountId, Constraints, Generation, KeyRecord, KeyScheme, RegistrationId,
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
		constraints: Option<&ConstraintsEntryOf<T>>,
	) -> DispatchResult {
		let due = Self::deposit_due(record, constraints);
		T::NativeBalance::set_on_hold(&HoldReason::Deposit.into(), account, due)
	}

	/// The same for what must not fail: it gives back, and never holds more, even if what is stored
	/// costs more than it did when it was paid for.
	pub(crate) fn release_deposit(
		account: &AccountId,
		record: &AccountRecordOf<T>,
		constraints: Option<&ConstraintsEntryOf<T>>,
	) {
		let reason = HoldReason::Deposit.into();
		let held = T::NativeBalance::balance_on_hold(&reason, account);
		let due = Self::deposit_due(record, constraints).min(held);
		let released = T::NativeBalance::set_on_hold(&reason, account, due);
		defensive_assert!(released.is_ok(), "what is held can be released");
	}

	/// What the entries of an account cost together: its record, its attempt's place in the queue, and
	/// its constraints.
	pub(crate) fn deposit_due(
		record: &AccountRecordOf<T>,
		constraints: Option<&ConstraintsEntryOf<T>>,
	) -> BalanceOf<T> {
		let elements = |key: &KeyRecord| {
			key.commitments.encoded_size().saturating_add(key.verifying_shares.encoded_size())
		};
		let registered =
			record.registered.as_ref().map_or(0, |key| Self::key_size(elements(&key.key)));
		let attempt = record.registering.as_ref().map(|attempt| elements(&attempt.key));
		let size = [RECORD, registered, attempt.map_or(0, Self::attempt_size)]
			.into_iter()
			.fold(0, usize::saturating_add);
		let entries = [
			(record.last_generation > 0).then_some(size),
			attempt.map(|_| Self::queued_size()),
			constraints.map(|entry| constraints_size(entry.constraints.encoded_size())),
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
		let attempt = Self::attempt_size(elements);
		let queued = entry::<T>(Self::queued_size());
		match constraints {
			// In a record that is there already.
			None => {
				let more = entry::<T>(attempt).saturating_sub(entry::<T>(0));
				more.saturating_add(queued)
			}
			Some(new) => {
				let record = entry::<T>(RECORD.saturating_add(attempt));
				let constraints = entry::<T>(constraints_size(new.encoded_size()));
				sum([record, queued, constraints].into_iter())
			}
		}
	}

	/// A key in force, with who has confirmed it, in its account's record.
	fn key_size(elements: usize) -> usize {
		let size = RegistrationId::max_encoded_len()
			+ Generation::max_encoded_len()
			+ Confirmed::nobody(T::Subgroups::count()).encoded_size()
			+ BlockNumberFor::<T>::max_encoded_len();
		size.saturating_add(elements)
	}

	/// An attempt in its account's record: the key it is to be, and what goes with it as long as it is
	/// none. More than the key, so that completing one never fails for want of balance.
	fn attempt_size(elements: usize) -> usize {
		let expectations = usize::from(T::Subgroups::count())
			.saturating_mul(Expectation::<BlockNumberFor<T>>::max_encoded_len());
		// The list's length in one byte.
		let rest = Purpose::max_encoded_len() + Change::max_encoded_len() + 1;
		[Self::key_size(elements), expectations, rest].into_iter().fold(0, usize::saturating_add)
	}

	/// An attempt's place in the queue, by block and account.
	fn queued_size() -> usize {
		ACCOUNT_KEY + 16 + BlockNumberFor::<T>::max_encoded_len()
	}
}

/// What an entry of so many bytes costs.
fn entry<T: Config>(size: usize) -> BalanceOf<T> {
	T::DepositPrice::convert(Footprint::from_parts(1, size))
}

fn sum<Balance: Saturating + Zero>(prices: impl Iterator<Item = Balance>) -> Balance {
	prices.fold(Zero::zero(), |sum: Balance, price| sum.saturating_add(price))
}

fn constraints_size(constraints: usize) -> usize {
	constraints.saturating_add(ACCOUNT_KEY + AccountId::max_encoded_len())
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
