//! What must hold of the constants, and of the storage after any sequence of calls.

use crate::{Config, Pallet, WeightInfo};
use frame_support::traits::Get;
use keyshare_primitives::{
	constraints::{MAX_FEES, MAX_RULES},
	KeyCommitments, MAX_SUBGROUPS,
};
use sp_runtime::{traits::Zero, BoundedVec};

impl<T: Config> Pallet<T> {
	/// Relations between the runtime's constants.
	pub(crate) fn check_constants() {
		assert!(!T::ConfirmationQuorum::get().is_zero(), "some members must confirm");
		assert!(!T::RegistrationTimeout::get().is_zero(), "an attempt needs time");
		assert!(T::MaxConfirmations::get() > 0, "an extrinsic has room for a confirmation");
		assert!(
			T::HeardBefore::get() < T::RegistrationTimeout::get(),
			"an attempt can be confirmed long before its end"
		);
		assert!(T::MaxExpiriesPerBlock::get() > 0, "attempts expire");

		let block = T::BlockWeights::get().max_block;
		assert!(!T::ConfirmationShare::get().is_zero(), "a block has room for confirmations");
		let confirm = Self::most_confirm_weight(T::MaxConfirmations::get())
			.saturating_add(Self::most_checked_weight(T::MaxConfirmations::get()));
		assert!(confirm.all_lte(block / 2), "a full confirmation fits into half a block");
		let count = MAX_SUBGROUPS as usize;
		for largest in [
			KeyCommitments::Ed25519(BoundedVec::truncate_from(alloc::vec![[0; 32]; count])),
			KeyCommitments::Secp256k1(BoundedVec::truncate_from(alloc::vec![[0; 33]; count])),
		] {
			let register =
				T::WeightInfo::register(MAX_RULES.saturating_add(MAX_FEES), MAX_SUBGROUPS)
					.saturating_add(Self::shares_weight(&largest, MAX_SUBGROUPS));
			assert!(register.all_lte(block / 2), "the largest registration fits into half a block");
		}
	}
}

#[cfg(any(feature = "std", feature = "try-runtime"))]
mod state {
	use crate::{pallet::*, Config, Pallet};
	use alloc::collections::BTreeSet;
	use frame_support::{ensure, traits::fungible::InspectHold};
	use keyshare_primitives::{
		elements::verifying_shares,
		membership::{Confirmed, SubgroupMembership, MAX_SEATS},
		messages,
		record::Purpose,
		AccountId, Generation, KeyRecord,
	};
	use sp_runtime::traits::Zero;

	impl<T: Config> Pallet<T> {
		/// Checks every relation between this pallet's storage items.
		pub fn check_state() -> Result<(), &'static str> {
			for (account, record) in Accounts::<T>::iter() {
				Self::check_record(&account, &record)?;
			}
			Self::check_constraints()?;
			Self::check_expiries()?;
			Self::check_deposits()
		}

		fn check_record(
			account: &AccountId,
			record: &AccountRecordOf<T>,
		) -> Result<(), &'static str> {
			ensure!(record.last_generation > 0, "a record begins with an attempt");
			if let Some(attempt) = &record.registering {
				Self::check_key(account, &attempt.key, record.last_generation)?;
				Self::check_confirmed(&attempt.confirmed)?;
				ensure!(
					attempt.key.generation == record.last_generation,
					"an attempt has its account's last generation"
				);
				ensure!(
					Expiries::<T>::contains_key(attempt.expires_at, account),
					"every attempt is queued to expire"
				);
				ensure!(
					attempt.expectations.len() == usize::from(T::Subgroups::count()),
					"an attempt is to hear from every subgroup"
				);
				ensure!(
					matches!(attempt.purpose, Purpose::Swap) == record.registered.is_some(),
					"an attempt beside a key in force is a swap, and no other"
				);
			}
			if let Some(registered) = &record.registered {
				Self::check_key(account, &registered.key, record.last_generation)?;
				Self::check_confirmed(&registered.confirmed)?;
			}
			Ok(())
		}

		fn check_key(
			account: &AccountId,
			key: &KeyRecord,
			last: Generation,
		) -> Result<(), &'static str> {
			ensure!((1..=last).contains(&key.generation), "generations are counted from one");
			let genesis = Self::genesis_hash();
			let id = messages::registration_id(&genesis, account, key.generation, &key.commitments);
			ensure!(key.id == id, "an id is the hash of what it names");
			let (threshold, subgroups) = (T::Subgroups::threshold(), T::Subgroups::count());
			ensure!(
				verifying_shares(&key.commitments, threshold, subgroups).as_ref()
					== Ok(&key.verifying_shares),
				"verifying shares follow from the commitments"
			);
			Ok(())
		}

		fn check_confirmed(confirmed: &Confirmed) -> Result<(), &'static str> {
			let masks = T::Subgroups::masks();
			ensure!(
				confirmed.seats.len() == usize::from(T::Subgroups::count()),
				"every subgroup confirms"
			);
			ensure!(confirmed.as_of <= masks.last_change, "nobody confirms in the future");
			for (seats, of) in confirmed.seats.iter().zip(&masks.subgroups) {
				let there = of.taken.len().min(MAX_SEATS as usize);
				ensure!(u64::from(*seats) >> there == 0, "no bit lies beyond the seats");
			}
			Ok(())
		}

		fn check_constraints() -> Result<(), &'static str> {
			let has_key = |record: &AccountRecordOf<T>| {
				record.registered.is_some() || record.registering.is_some()
			};
			let accounts: BTreeSet<_> = Accounts::<T>::iter()
				.filter(|(_, record)| has_key(record))
				.map(|(account, _)| account)
				.collect();
			let constrained: BTreeSet<_> = ConstraintsOf::<T>::iter_keys().collect();
			ensure!(
				accounts == constrained,
				"exactly accounts with a key or attempt are constrained"
			);
			for (account, entry) in ConstraintsOf::<T>::iter() {
				let record = Accounts::<T>::get(account);
				let attempt = record.registering.iter().map(|attempt| &attempt.key);
				for key in attempt.chain(record.registered.iter().map(|registered| &registered.key))
				{
					let constraints = entry.constraints.clone().into_inner();
					ensure!(
						constraints.check(key.commitments.scheme()).is_ok(),
						"constraints are such as the chain admits for every key of the account"
					);
				}
			}
			Ok(())
		}

		fn check_expiries() -> Result<(), &'static str> {
			for (block, account, ()) in Expiries::<T>::iter() {
				let record = Accounts::<T>::get(account);
				let attempt = record.registering.ok_or("only attempts expire")?;
				ensure!(attempt.expires_at == block, "an attempt expires once");
				ensure!(block >= NextExpiry::<T>::get(), "the queue has not passed an entry");
			}
			Ok(())
		}

		/// For every account of the chain, so that no hold is left behind either. How much is held goes by
		/// the prices when it was paid, which an upgrade may have changed since.
		fn check_deposits() -> Result<(), &'static str> {
			for account in frame_system::Account::<T>::iter_keys() {
				let (held, due) = Self::deposit_of(&account);
				ensure!(held.is_zero() == due.is_zero(), "a deposit is held where one is due");
			}
			Ok(())
		}

		/// What is held for an account, and what is due at the prices now.
		pub fn deposit_of(account: &AccountId) -> (BalanceOf<T>, BalanceOf<T>) {
			let constraints = Self::size_of_constraints(account);
			let due = Self::deposit_due(&Accounts::<T>::get(account), constraints);
			(T::NativeBalance::balance_on_hold(&HoldReason::Deposit.into(), account), due)
		}
	}
}
