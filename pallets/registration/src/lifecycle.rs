//! From the first call to the last: attempts begin, complete or go, and constraints change.

use crate::{pallet::*, ChargeFee, Config, Pallet, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{dispatch::DispatchResult, ensure, traits::Get, weights::Weight};
use frame_system::{
	ensure_signed,
	pallet_prelude::{BlockNumberFor, OriginFor},
};
use keyshare_primitives::{
	elements::verifying_shares,
	membership::{Confirmed, Ended, Hearing, Masks, SubgroupMembership},
	messages,
	record::{Attempt, Expectation, Purpose, RegisteredKey},
	AccountId, GenesisHash, KeyCommitments, KeyRecord, VerifyingShares,
};
use sp_runtime::{
	traits::{Saturating, Zero},
	BoundedVec, DispatchError, SaturatedConversion,
};

/// [`Attempt`] of a runtime.
pub(crate) type AttemptOf<T> = Attempt<BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
	/// Begins an attempt; a registration with its constraints.
	pub(crate) fn begin(
		account: AccountId,
		commitments: KeyCommitments,
		purpose: Purpose,
		constraints: Option<ConstraintsEntry>,
	) -> DispatchResult {
		let record = Accounts::<T>::get(&account);
		match purpose {
			Purpose::Register => {
				ensure!(record.registered.is_none(), Error::<T>::AlreadyRegistered);
			}
			Purpose::Swap => {
				let in_force = record.registered.as_ref().ok_or(Error::<T>::NotRegistered)?;
				let scheme = in_force.key.commitments.scheme();
				ensure!(commitments.scheme() == scheme, Error::<T>::SchemeChanged);
				ensure!(commitments != in_force.key.commitments, Error::<T>::SameCommitments);
			}
		}
		ensure!(record.registering.is_none(), Error::<T>::AlreadyRegistering);
		let masks = T::Subgroups::masks();
		ensure!(masks.all_ready().all(|ready| ready != 0), Error::<T>::NoReadyMember);
		let subgroups = T::Subgroups::count();
		let verifying_shares = verifying_shares(&commitments, T::Subgroups::threshold(), subgroups)
			.map_err(Error::<T>::from)?;
		Self::begin_with(
			account,
			record,
			commitments,
			verifying_shares,
			purpose,
			constraints,
			&masks,
		)
	}

	/// The same, once it may begin and its verifying shares are computed.
	pub(crate) fn begin_with(
		account: AccountId,
		mut record: AccountRecordOf<T>,
		commitments: KeyCommitments,
		verifying_shares: VerifyingShares,
		purpose: Purpose,
		constraints: Option<ConstraintsEntry>,
		masks: &Masks,
	) -> DispatchResult {
		let generation =
			record.last_generation.checked_add(1).ok_or(Error::<T>::TooManyGenerations)?;
		let id =
			messages::registration_id(&Self::genesis_hash(), &account, generation, &commitments);
		let expires_at =
			frame_system::Pallet::<T>::block_number().saturating_add(T::RegistrationTimeout::get());
		let expect = |ready| Expectation { ready, first_heard: None };
		record.last_generation = generation;
		record.registering = Some(Attempt {
			key: KeyRecord { id, generation, commitments, verifying_shares },
			confirmed: Confirmed::nobody(T::Subgroups::count()),
			expires_at,
			purpose,
			began_as_of: masks.last_change,
			expectations: BoundedVec::truncate_from(masks.all_ready().map(expect).collect()),
		});

		let size = match &constraints {
			Some(new) => Some(new.encoded_size()),
			None => Self::size_of_constraints(&account),
		};
		Self::settle_deposit(&account, &record, size)?;
		if let Some(new) = constraints {
			ConstraintsOf::<T>::insert(&account, new);
		}
		let fee = Self::fee_at(masks);
		T::ConfirmationFee::charge(&account, fee)?;
		Expiries::<T>::insert(expires_at, &account, ());
		Accounts::<T>::insert(&account, record);
		Self::deposit_event(Event::RegistrationBegun { account, generation, id, expires_at, fee });
		Ok(())
	}

	/// Makes an attempt the key in force; gives what it tells. The attempt is `record`'s no longer.
	pub(crate) fn complete(
		account: &AccountId,
		mut record: AccountRecordOf<T>,
		attempt: AttemptOf<T>,
		masks: &Masks,
	) -> Ended {
		Expiries::<T>::remove(attempt.expires_at, account);
		let hearings = Self::hearings(&attempt, masks);
		let since = frame_system::Pallet::<T>::block_number();
		let Attempt { key, confirmed, .. } = attempt;
		let (generation, id) = (key.generation, key.id);
		let before = record.registered.replace(RegisteredKey { key, confirmed, since });
		Self::release_deposit(account, &record, Self::size_of_constraints(account));
		Accounts::<T>::insert(account, record);
		Self::deposit_event(Event::KeyRegistered {
			account: account.clone(),
			generation,
			id,
			replaced: before.map(|before| before.key.id),
		});
		Ended { user: account.clone(), hearings }
	}

	/// Removes an attempt that is `record`'s no longer; the constraints go with a first one.
	pub(crate) fn abandon(account: &AccountId, record: AccountRecordOf<T>, attempt: AttemptOf<T>) {
		Expiries::<T>::remove(attempt.expires_at, account);
		let constraints = match attempt.purpose {
			Purpose::Register => {
				ConstraintsOf::<T>::remove(account);
				None
			}
			Purpose::Swap => Self::size_of_constraints(account),
		};
		Self::release_deposit(account, &record, constraints);
		Accounts::<T>::insert(account, record);
	}

	/// Removes an attempt past its time; or completes it, if members have left since the last
	/// confirmation and every quorum is now as low as what has been confirmed. Gives what that weighed.
	pub(crate) fn expire_attempt(
		account: AccountId,
		record: AccountRecordOf<T>,
		attempt: AttemptOf<T>,
		masks: &Masks,
	) -> Weight {
		if Self::has_every_quorum(&attempt.confirmed, masks) {
			let ended = Self::complete(&account, record, attempt, masks);
			let weight = Self::expire_complete_weight(T::Subgroups::count().into());
			return weight.saturating_add(Self::note(alloc::vec![ended]));
		}
		let (id, hearings) = (attempt.key.id, Self::hearings(&attempt, masks));
		Self::abandon(&account, record, attempt);
		Self::deposit_event(Event::RegistrationExpired { account: account.clone(), id });
		let ended = Ended { user: account, hearings };
		T::WeightInfo::expire().saturating_add(Self::note(alloc::vec![ended]))
	}

	/// What an attempt that ends now tells of the members that it was to hear from: nothing of a
	/// subgroup that nobody of confirmed it long enough before, and nothing if whoever did has left, and
	/// nobody could be asked for the share any more.
	pub(crate) fn hearings(attempt: &AttemptOf<T>, masks: &Masks) -> Vec<Hearing> {
		// Past its time it is dead, however late it is removed.
		let end = frame_system::Pallet::<T>::block_number().min(attempt.expires_at);
		let long_ago =
			|first: BlockNumberFor<T>| end.saturating_sub(first) >= T::HeardBefore::get();
		(0u8..)
			.zip(&attempt.expectations)
			.filter(|(_, expectation)| expectation.first_heard.is_some_and(long_ago))
			.filter_map(|(subgroup, expectation)| {
				let of = masks.of(subgroup)?;
				// Whoever sits in the seat now need not be the one it was to hear from.
				let expected = expectation.ready & of.held_since(attempt.began_as_of) & of.members;
				let heard = attempt.confirmed.by(masks, subgroup);
				(heard & of.members != 0).then_some(Hearing { subgroup, expected, heard })
			})
			.collect()
	}

	/// Passes on what attempts told that have just ended; gives what that weighed.
	pub(crate) fn note(ended: Vec<Ended>) -> Weight {
		let now = frame_system::Pallet::<T>::block_number().saturated_into();
		T::Subgroups::note_hearings(&ended, now)
	}

	/// Whether an attempt's time is not over.
	pub(crate) fn is_live(attempt: &AttemptOf<T>) -> bool {
		frame_system::Pallet::<T>::block_number() < attempt.expires_at
	}

	/// The constraints of `account`, if the origin is their constraint-modification account.
	pub(crate) fn entry_changed_by(
		origin: OriginFor<T>,
		account: &AccountId,
	) -> Result<ConstraintsEntry, DispatchError> {
		let caller = ensure_signed(origin)?;
		let entry = ConstraintsOf::<T>::get(account).ok_or(Error::<T>::NoConstraints)?;
		ensure!(caller == entry.constraint_account, Error::<T>::NotConstraintAccount);
		Ok(entry)
	}

	/// Hash of the genesis block, which everything signed for this chain names.
	pub(crate) fn genesis_hash() -> GenesisHash {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}
}
