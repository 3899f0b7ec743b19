//! What must hold of the constants, and of the storage after any sequence of calls.

use crate::{Config, Pallet, WeightInfo};
use frame_support::traits::Get;
use keyshare_primitives::MAX_SUBGROUPS;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// Relations between the runtime's constants.
	pub(crate) fn check_constants() {
		assert!(!T::ConfirmationQuorum::get().is_zero(), "some members must confirm");
		assert!(!T::RegistrationTimeout::get().is_zero(), "an attempt needs time");
		assert!(T::MaxConfirmations::get() > 0, "an extrinsic has room for a confirmation");
		assert!(T::MaxMembers::get() > 0, "a subgroup has room for a member");
		assert!(T::MaxExpiriesPerBlock::get() > 0, "attempts expire");

		let block = T::BlockWeights::get().max_block;
		let confirm = T::WeightInfo::confirm(T::MaxConfirmations::get())
			.saturating_add(T::WeightInfo::authorize_confirm(T::MaxConfirmations::get()));
		assert!(confirm.all_lte(block / 2), "a full confirmation fits into half a block");
		let register =
			T::WeightInfo::register(T::MaxAclAddresses::get().saturating_mul(2), MAX_SUBGROUPS);
		assert!(register.all_lte(block / 2), "the largest registration fits into half a block");
	}
}

#[cfg(any(test, feature = "try-runtime"))]
mod state {
	use crate::{lifecycle::Purpose, pallet::*, Config, Pallet};
	use alloc::collections::BTreeSet;
	use frame_support::{ensure, traits::fungible::InspectHold};
	use keyshare_primitives::{
		elements::verifying_shares, membership::SubgroupMembership, messages, AccountId, KeyRecord,
	};

	impl<T: Config> Pallet<T> {
		/// Checks every relation between this pallet's storage items.
		pub fn check_state() -> Result<(), &'static str> {
			for (account, attempt) in Registering::<T>::iter() {
				Self::check_attempt(&account, &attempt)?;
			}
			for (account, registration) in Registered::<T>::iter() {
				Self::check_key(&account, &registration.key)?;
			}
			Self::check_constraints()?;
			Self::check_expiries()?;
			Self::check_confirmations()?;
			Self::check_deposits()
		}

		fn check_attempt(account: &AccountId, attempt: &AttemptOf<T>) -> Result<(), &'static str> {
			Self::check_key(account, &attempt.key)?;
			ensure!(
				attempt.key.generation == Generations::<T>::get(account),
				"an attempt has its account's last generation"
			);
			ensure!(
				Expiries::<T>::contains_key(attempt.expires_at, account),
				"every attempt is queued to expire"
			);
			let swap = matches!(attempt.purpose, Purpose::Swap);
			ensure!(
				swap == Registered::<T>::contains_key(account),
				"an attempt beside a key in force is a swap, and no other"
			);
			Ok(())
		}

		fn check_key(account: &AccountId, key: &KeyRecord) -> Result<(), &'static str> {
			ensure!(
				(1..=Generations::<T>::get(account)).contains(&key.generation),
				"generations are counted from one"
			);
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

		fn check_constraints() -> Result<(), &'static str> {
			let accounts: BTreeSet<_> =
				Registering::<T>::iter_keys().chain(Registered::<T>::iter_keys()).collect();
			let constrained: BTreeSet<_> = ConstraintsOf::<T>::iter_keys().collect();
			ensure!(
				accounts == constrained,
				"exactly accounts with a key or attempt are constrained"
			);
			Ok(())
		}

		fn check_expiries() -> Result<(), &'static str> {
			for (block, account, ()) in Expiries::<T>::iter() {
				let attempt = Registering::<T>::get(account).ok_or("only attempts expire")?;
				ensure!(attempt.expires_at == block, "an attempt expires once");
				ensure!(block >= NextExpiry::<T>::get(), "the queue has not passed an entry");
			}
			Ok(())
		}

		fn check_confirmations() -> Result<(), &'static str> {
			let live: BTreeSet<_> = Registering::<T>::iter_values()
				.map(|attempt| attempt.key.id)
				.chain(Registered::<T>::iter_values().map(|registration| registration.key.id))
				.collect();
			for (id, subgroup, servers) in Confirmations::<T>::iter() {
				ensure!(live.contains(&id), "only what is there is confirmed");
				ensure!(subgroup < T::Subgroups::count(), "a subgroup has a number below n");
				let distinct: BTreeSet<_> = servers.iter().collect();
				ensure!(distinct.len() == servers.len(), "a server confirms once");
			}
			Ok(())
		}

		/// For every account of the chain, so that no hold is left behind either.
		fn check_deposits() -> Result<(), &'static str> {
			for account in frame_system::Account::<T>::iter_keys() {
				let held = T::NativeBalance::balance_on_hold(&HoldReason::Deposit.into(), &account);
				ensure!(held == Self::deposit_due(&account), "the deposit held is the deposit due");
			}
			Ok(())
		}
	}
}
