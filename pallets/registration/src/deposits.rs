//! One hold a user, always what the user's entries cost.

use crate::{pallet::*, Config, Pallet};
use codec::{Encode, MaxEncodedLen};
use frame_support::{
	dispatch::DispatchResult,
	traits::{fungible::MutateHold, Footprint, Get},
};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	membership::SubgroupMembership, AccountId, Constraints, Generation, KeyRecord, KeyScheme,
	RegistrationId,
};
use sp_runtime::traits::{Convert, Saturating, Zero};

impl<T: Config> Pallet<T> {
	/// Sets the hold on `account` to [`Self::deposit_due`]. Fails, and with it the call, when the
	/// account cannot pay more; it never fails to give back.
	pub(crate) fn settle_deposit(account: &AccountId) -> DispatchResult {
		let due = Self::deposit_due(account);
		T::NativeBalance::set_on_hold(&HoldReason::Deposit.into(), account, due)
	}

	/// What the entries of `account` cost together.
	pub(crate) fn deposit_due(account: &AccountId) -> BalanceOf<T> {
		let key = |record: KeyRecord| {
			Self::key_price(
				record.commitments.encoded_size(),
				record.verifying_shares.encoded_size(),
			)
		};
		let attempt = Registering::<T>::get(account).map(|attempt| key(attempt.key));
		let registered = Registered::<T>::get(account).map(|registration| key(registration.key));
		let constraints = ConstraintsOf::<T>::get(account)
			.map(|entry| Self::constraints_price(entry.constraints.encoded_size()));
		[attempt, registered, constraints]
			.into_iter()
			.flatten()
			.fold(Zero::zero(), |sum: BalanceOf<T>, price| sum.saturating_add(price))
	}

	/// What `register` holds, or without constraints what `swap_key` holds in addition.
	pub fn deposit(scheme: KeyScheme, constraints: Option<Constraints>) -> BalanceOf<T> {
		// The variant, the list's length in one byte (at most 16 elements), the elements.
		let elements = |count: u8| match scheme {
			KeyScheme::Ed25519 => 2 + 32 * usize::from(count),
			KeyScheme::Secp256k1 => 2 + 33 * usize::from(count),
		};
		let key =
			Self::key_price(elements(T::Subgroups::threshold()), elements(T::Subgroups::count()));
		let constraints =
			constraints.map_or_else(Zero::zero, |new| Self::constraints_price(new.encoded_size()));
		key.saturating_add(constraints)
	}

	/// The same for an attempt and for the key it becomes, so that completing one never fails
	/// for want of balance. It covers the entry, its place in the expiry queue, and its
	/// confirmations by full subgroups.
	fn key_price(commitments: usize, verifying_shares: usize) -> BalanceOf<T> {
		let fixed = RegistrationId::max_encoded_len()
			+ Generation::max_encoded_len()
			+ 2 * BlockNumberFor::<T>::max_encoded_len()
			+ 2 * AccountId::max_encoded_len();
		let servers =
			usize::from(T::Subgroups::count()).saturating_mul(T::MaxMembers::get() as usize);
		let confirmations = servers.saturating_mul(AccountId::max_encoded_len());
		let size = [fixed, commitments, verifying_shares, confirmations]
			.into_iter()
			.fold(0, usize::saturating_add);
		T::DepositPrice::convert(Footprint::from_parts(1, size))
	}

	fn constraints_price(constraints: usize) -> BalanceOf<T> {
		let size = constraints.saturating_add(2 * AccountId::max_encoded_len());
		T::DepositPrice::convert(Footprint::from_parts(1, size))
	}
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
			assert_eq!(ed25519.encoded_size(), 2 + 32 * count);
			assert_eq!(secp256k1.encoded_size(), 2 + 33 * count);
		}
	}
}
