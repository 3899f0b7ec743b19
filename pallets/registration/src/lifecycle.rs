//! From the first call to the last: attempts begin, complete or go, and constraints change.

use crate::{pallet::*, Config, Pallet};
use codec::{Decode, Encode, MaxEncodedLen};
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};
use frame_system::{
	ensure_signed,
	pallet_prelude::{BlockNumberFor, OriginFor},
};
use keyshare_primitives::{
	elements::verifying_shares, membership::SubgroupMembership, messages, AccountId, GenesisHash,
	KeyCommitments, KeyRecord, RegistrationId, SubgroupId,
};
use scale_info::TypeInfo;
use sp_runtime::{
	traits::{Saturating, Zero},
	DispatchError,
};

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
pub enum Purpose {
	/// The account's first key.
	Register,
	/// To replace the key in force.
	Swap,
}

impl<T: Config> Pallet<T> {
	/// Begins an attempt; the caller has checked that its purpose fits the account.
	pub(crate) fn begin(
		account: AccountId,
		commitments: KeyCommitments,
		purpose: Purpose,
	) -> DispatchResult {
		ensure!(!Registering::<T>::contains_key(&account), Error::<T>::AlreadyRegistering);
		let subgroups = T::Subgroups::count();
		ensure!(
			(0..subgroups).all(|subgroup| T::Subgroups::size(subgroup) > 0),
			Error::<T>::EmptySubgroup
		);
		let verifying_shares = verifying_shares(&commitments, T::Subgroups::threshold(), subgroups)
			.map_err(Error::<T>::from)?;

		let generation =
			Generations::<T>::get(&account).checked_add(1).ok_or(Error::<T>::TooManyGenerations)?;
		let id =
			messages::registration_id(&Self::genesis_hash(), &account, generation, &commitments);
		let expires_at =
			frame_system::Pallet::<T>::block_number().saturating_add(T::RegistrationTimeout::get());
		let key = KeyRecord { id, generation, commitments, verifying_shares };

		Generations::<T>::insert(&account, generation);
		Expiries::<T>::insert(expires_at, &account, ());
		Registering::<T>::insert(&account, Attempt { key, expires_at, purpose });
		Self::settle_deposit(&account)?;
		Self::deposit_event(Event::RegistrationBegun { account, generation, id, expires_at });
		Ok(())
	}

	/// Makes an attempt the key in force, and forgets the key it replaces.
	pub(crate) fn complete(account: &AccountId, attempt: AttemptOf<T>) -> DispatchResult {
		Registering::<T>::remove(account);
		Expiries::<T>::remove(attempt.expires_at, account);
		let replaced = Registered::<T>::get(account).map(|previous| previous.key.id);
		if let Some(previous) = &replaced {
			Self::remove_confirmations(previous);
		}
		let (id, generation) = (attempt.key.id, attempt.key.generation);
		let since = frame_system::Pallet::<T>::block_number();
		Registered::<T>::insert(account, RegisteredKey { key: attempt.key, since });
		Self::settle_deposit(account)?;
		Self::deposit_event(Event::KeyRegistered {
			account: account.clone(),
			generation,
			id,
			replaced,
		});
		Ok(())
	}

	/// Removes an attempt that failed, and what came with it.
	pub(crate) fn abandon(account: &AccountId, attempt: AttemptOf<T>) -> DispatchResult {
		Self::remove_attempt(account, &attempt);
		match attempt.purpose {
			Purpose::Register => ConstraintsOf::<T>::remove(account),
			Purpose::Swap => (),
		}
		Self::settle_deposit(account)
	}

	/// Removes an attempt past its time; or completes it, if members have left since the last
	/// confirmation and every quorum is now as low as what has been confirmed.
	pub(crate) fn expire_attempt(account: AccountId, attempt: AttemptOf<T>) -> DispatchResult {
		let id = attempt.key.id;
		if Self::has_every_quorum(&id) {
			return Self::complete(&account, attempt);
		}
		Self::abandon(&account, attempt)?;
		Self::deposit_event(Event::RegistrationExpired { account, id });
		Ok(())
	}

	pub(crate) fn remove_attempt(account: &AccountId, attempt: &AttemptOf<T>) {
		Registering::<T>::remove(account);
		Expiries::<T>::remove(attempt.expires_at, account);
		Self::remove_confirmations(&attempt.key.id);
	}

	pub(crate) fn remove_confirmations(id: &RegistrationId) {
		for subgroup in Self::subgroup_ids() {
			Confirmations::<T>::remove(id, subgroup);
		}
	}

	/// Whether an attempt's time is not over.
	pub(crate) fn is_live(attempt: &AttemptOf<T>) -> bool {
		frame_system::Pallet::<T>::block_number() < attempt.expires_at
	}

	/// The constraints of `account`, if the origin is their constraint-modification account.
	pub(crate) fn entry_changed_by(
		origin: OriginFor<T>,
		account: &AccountId,
	) -> Result<ConstraintsEntryOf<T>, DispatchError> {
		let caller = ensure_signed(origin)?;
		let entry = ConstraintsOf::<T>::get(account).ok_or(Error::<T>::NoConstraints)?;
		ensure!(caller == entry.constraint_account, Error::<T>::NotConstraintAccount);
		Ok(entry)
	}

	pub(crate) fn subgroup_ids() -> core::ops::Range<SubgroupId> {
		0..T::Subgroups::count()
	}

	/// Hash of the genesis block, which everything signed for this chain names.
	pub(crate) fn genesis_hash() -> GenesisHash {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}
}
