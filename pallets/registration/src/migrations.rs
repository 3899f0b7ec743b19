//! How what is stored was changed, a step of [`STORAGE_VERSION`] each, and what becomes meanwhile of the
//! attempts under way.
//!
//! What grows with users is changed over many blocks, in which the chain takes no transaction: attempts
//! are *paused*. None expires, and [`RenewAttempts`], which ends every list of migrations, gives each its
//! full time anew. What a migration must keep to stands in `docs/architecture.md`.

use crate::{pallet::*, Config, Pallet, WeightInfo};
use codec::{DecodeAll, Encode};
use core::marker::PhantomData;
use frame_support::{
	migrations::{MigrationId, MigrationStatusHandler, SteppedMigration, SteppedMigrationError},
	storage::StoragePrefixedMap,
	traits::{Get, GetStorageVersion, StorageVersion},
	weights::{Weight, WeightMeter},
};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{membership::SubgroupMembership, AccountId, Constraints, KeyScheme};
use sp_runtime::traits::{One, Saturating};

/// By whom migrations are told apart; a migration of a name is carried out once.
const NAME: [u8; 19] = *b"pallet_registration";

/// Storage version 2 to 3: rules of what is allowed in place of lists of addresses.
///
/// The lists named no network, no asset and no amount, so nothing can be allowed on their behalf: the key
/// is kept, its constraint-modification account stays, and nothing is allowed until that sets rules.
pub struct RulesInPlaceOfLists<T>(PhantomData<T>);

impl<T: Config> SteppedMigration for RulesInPlaceOfLists<T> {
	type Cursor = AccountId;
	type Identifier = MigrationId<19>;

	fn id() -> Self::Identifier {
		MigrationId { pallet_id: NAME, version_from: 2, version_to: 3 }
	}

	fn migrating_prefixes() -> Option<impl IntoIterator<Item = alloc::vec::Vec<u8>>> {
		Some([ConstraintsOf::<T>::final_prefix().to_vec()])
	}

	fn step(
		cursor: Option<AccountId>,
		meter: &mut WeightMeter,
	) -> Result<Option<AccountId>, SteppedMigrationError> {
		let version = Pallet::<T>::on_chain_storage_version();
		if version >= 3 {
			return Ok(None);
		}
		if version != 2 {
			// Whatever this is, it is not understood here.
			return Err(SteppedMigrationError::Failed);
		}
		for_each(cursor, meter, T::WeightInfo::migrate_constraints(), |after| {
			let next = match after {
				Some(after) => {
					let after = ConstraintsOf::<T>::hashed_key_for(after);
					ConstraintsOf::<T>::iter_keys_from(after).next()
				}
				None => ConstraintsOf::<T>::iter_keys().next(),
			};
			match &next {
				Some(account) => Self::migrate(account)?,
				None => StorageVersion::new(3).put::<Pallet<T>>(),
			}
			Ok(next)
		})
	}
}

impl<T: Config> RulesInPlaceOfLists<T> {
	/// Changes one entry, if it is not changed already; what is held for it goes down with its size.
	pub(crate) fn migrate(account: &AccountId) -> Result<(), SteppedMigrationError> {
		let key = ConstraintsOf::<T>::hashed_key_for(account);
		let value = sp_io::storage::get(&key).ok_or(SteppedMigrationError::Failed)?;
		if ConstraintsEntry::decode_all(&mut &value[..]).is_ok() {
			return Ok(());
		}
		// The account came first in the entry of version 2 as well; both lists followed, each behind a
		// byte that says whether it is there.
		let (account_bytes, lists) =
			value.split_first_chunk::<32>().ok_or(SteppedMigrationError::Failed)?;
		if !matches!(lists, [0 | 1, ..]) {
			return Err(SteppedMigrationError::Failed);
		}
		let nothing = Constraints::default().check(KeyScheme::Ed25519);
		let constraints = nothing.map_err(|_| SteppedMigrationError::Failed)?;
		let constraint_account = AccountId::new(*account_bytes);
		let entry = ConstraintsEntry { constraint_account, constraints };
		let size = Some(entry.encoded_size());
		ConstraintsOf::<T>::insert(account, entry);
		Pallet::<T>::release_deposit(account, &Accounts::<T>::get(account), size);
		Ok(())
	}
}

/// Gives every attempt that was live when the pause began its full time anew, and removes the others; the
/// last in every list of migrations. Its name has the runtime's version, so that it is part of every
/// upgrade.
pub struct RenewAttempts<T>(PhantomData<T>);

/// How far attempts are renewed: until when the renewed ones live, and the place in the queue of the last
/// one that was looked at.
type Renewing<T> = (BlockNumberFor<T>, Option<(BlockNumberFor<T>, AccountId)>);

impl<T: Config> SteppedMigration for RenewAttempts<T> {
	type Cursor = Renewing<T>;
	type Identifier = ([u8; 19], u32);

	fn id() -> Self::Identifier {
		(NAME, T::Version::get().spec_version)
	}

	fn step(
		cursor: Option<Self::Cursor>,
		meter: &mut WeightMeter,
	) -> Result<Option<Self::Cursor>, SteppedMigrationError> {
		let now = frame_system::Pallet::<T>::block_number();
		// One block for all of them, by which those are known that were moved ahead of the cursor.
		let until = now.saturating_add(T::RegistrationTimeout::get());
		let cursor = Some(cursor.unwrap_or((until, None)));
		let required = T::WeightInfo::renew_attempt().max(Pallet::<T>::expire_weight());
		for_each(cursor, meter, required, |cursor| {
			let Some((until, after)) = cursor else { return Ok(None) };
			let next = match after {
				Some((block, account)) => {
					let after = Expiries::<T>::hashed_key_for(block, account);
					Expiries::<T>::iter_keys_from(after).next()
				}
				None => Expiries::<T>::iter_keys().next(),
			};
			match &next {
				Some((block, account)) => Pallet::<T>::renew(*block, account, *until),
				// The queue has no block before that one any more, however long the pause was.
				None => NextExpiry::<T>::put(until),
			}
			Ok(next.map(|next| (*until, Some(next))))
		})
	}
}

impl<T: Config> Pallet<T> {
	/// Gives an attempt time until a block, or removes it if its time was over when the pause began.
	/// Whoever was not heard of meanwhile could not be: that begins anew too.
	pub(crate) fn renew(block: BlockNumberFor<T>, account: &AccountId, until: BlockNumberFor<T>) {
		if block == until {
			return;
		}
		let mut record = Accounts::<T>::get(account);
		let Some(mut attempt) = record.registering.take() else { return };
		if PausedSince::<T>::get().is_some_and(|since| block <= since) {
			Self::expire_attempt(account.clone(), record, attempt, &T::Subgroups::masks());
			return;
		}
		Expiries::<T>::remove(block, account);
		Expiries::<T>::insert(until, account, ());
		attempt.expires_at = until;
		attempt.expectations.iter_mut().for_each(|of| of.first_heard = None);
		let id = attempt.key.id;
		record.registering = Some(attempt);
		Accounts::<T>::insert(account, record);
		let account = account.clone();
		Self::deposit_event(Event::RegistrationRenewed { account, id, expires_at: until });
	}

	/// No attempt expires from the next block on until [`Pallet::resume`]. Migrations begin before a block
	/// has its number, or in one that still takes transactions.
	pub fn pause() {
		let next = frame_system::Pallet::<T>::block_number().saturating_add(One::one());
		// A migration that follows on one that failed is part of the same pause.
		PausedSince::<T>::mutate(|since| *since = Some(since.unwrap_or(next)));
	}

	/// The end of a pause.
	pub fn resume() {
		PausedSince::<T>::kill();
	}
}

/// Whether attempts are paused.
pub struct Paused<T>(PhantomData<T>);

impl<T: Config> Get<bool> for Paused<T> {
	fn get() -> bool {
		PausedSince::<T>::exists()
	}
}

/// Attempts are paused while migrations last.
impl<T: Config> MigrationStatusHandler for Pallet<T> {
	fn started() {
		Self::pause();
	}

	fn completed() {
		Self::resume();
	}
}

/// Goes on from a cursor as long as there is weight for one more; `next` does one and gives the cursor
/// behind it, or none at the end.
fn for_each<Cursor>(
	mut cursor: Option<Cursor>,
	meter: &mut WeightMeter,
	required: Weight,
	next: impl Fn(Option<&Cursor>) -> Result<Option<Cursor>, SteppedMigrationError>,
) -> Result<Option<Cursor>, SteppedMigrationError> {
	if !meter.can_consume(required) {
		return Err(SteppedMigrationError::InsufficientWeight { required });
	}
	while meter.try_consume(required).is_ok() {
		cursor = next(cursor.as_ref())?;
		if cursor.is_none() {
			break;
		}
	}
	Ok(cursor)
}
