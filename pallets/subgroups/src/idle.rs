//! Validators of the set that make no blocks: protocol §7.

use crate::{membership::saturated, pallet::*, session::ValidatorSet, Config, Pallet};
use alloc::vec::Vec;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{AccountId, SessionIndex};
use sp_runtime::SaturatedConversion;

/// So many blocks are a validator's to make, on average, before it can be called idle; with short
/// sessions and many validators these take more sessions than [`Config::IdleSessions`].
const TURNS: u32 = 6;

impl<T: Config> Pallet<T> {
	/// After how many whole sessions without a block one of so many validators is idle.
	pub(crate) fn patience(validators: u32) -> SessionIndex {
		let length: u32 = SessionLength::<T>::get().saturated_into();
		let sessions = validators.saturating_mul(TURNS).div_ceil(length.max(1));
		sessions.max(T::IdleSessions::get())
	}

	/// At the start of a session: bars from the next one whoever of the set made no block for too
	/// long.
	pub(crate) fn retire_idle() {
		let (session, validators) = (T::Validators::session(), T::Validators::active());
		let patience = Self::patience(saturated(validators.len()));
		for validator in validators {
			let last = LastBlocks::<T>::get(&validator);
			let silent = last.is_some_and(|last| session.saturating_sub(last) > patience);
			if silent && !Idle::<T>::contains_key(&validator) {
				Idle::<T>::insert(&validator, session);
				Self::deposit_event(Event::ValidatorIdle { validator, session });
			}
		}
	}

	/// Keeps count for exactly these validators from the session that starts on. If they are fewer than
	/// before, it begins anew: nobody is judged by how seldom its turn came among many.
	pub(crate) fn watch(validators: &[AccountId], session: SessionIndex) {
		let before: Vec<_> = LastBlocks::<T>::iter_keys().collect();
		let are_fewer = validators.len() < before.len();
		let gone = before.iter().filter(|other| !validators.contains(other));
		gone.for_each(LastBlocks::<T>::remove);
		if are_fewer {
			let each = u64::from(saturated(validators.len()));
			Self::weigh(T::DbWeight::get().writes(each));
		}
		for validator in validators {
			if are_fewer || !LastBlocks::<T>::contains_key(validator) {
				// As if it had made its last block just before.
				LastBlocks::<T>::insert(validator, session.saturating_sub(1));
			}
		}
	}

	pub(crate) fn call_back(operator: AccountId, validator: AccountId) -> DispatchResult {
		let of = Self::operator_of(&validator).map(|(of, _)| of);
		ensure!(of.as_ref() == Some(&operator), Error::<T>::NotItsOperator);
		ensure!(Idle::<T>::contains_key(&validator), Error::<T>::NotIdle);
		Idle::<T>::remove(&validator);
		if LastBlocks::<T>::contains_key(&validator) {
			// It is still in the set, because nobody else could be selected.
			LastBlocks::<T>::insert(&validator, T::Validators::session());
		}
		Self::deposit_event(Event::ValidatorBack { validator });
		Ok(())
	}
}

/// Whoever makes a block is there.
impl<T: Config> pallet_authorship::EventHandler<AccountId, BlockNumberFor<T>> for Pallet<T> {
	fn note_author(author: AccountId) {
		let session = T::Validators::session();
		let mut weight = T::DbWeight::get().reads(2);
		// One write a session and validator, not one a block.
		if LastBlocks::<T>::get(&author).is_some_and(|last| last != session) {
			LastBlocks::<T>::insert(author, session);
			weight = weight.saturating_add(T::DbWeight::get().writes(1));
		}
		Self::weigh(weight);
	}
}
