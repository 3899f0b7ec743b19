//! # Registration
//!
//! Users' keys, their constraints, and the confirmations that make them registered: protocol §2
//! to §6.
//!
//! An *attempt* begins with commitments to a key. Every server of every subgroup that holds its share
//! confirms it with a proof made with the share itself. When the last subgroup reaches its quorum, the
//! attempt becomes the key in force in the same call; an attempt that does not get there in time is
//! removed, and its deposit with it. A swap is an attempt beside a key in force, which stays in force
//! until that instant. Both are in one record an account, [`Accounts`], with who has confirmed them.
//!
//! Deposits are one hold a user, always exactly what the user's entries in storage cost:
//! every call ends by setting the hold to that sum, so there is nothing to keep in step. What brings
//! an attempt to its end never holds more than before, whatever has become of the prices.
//!
//! [`Call::confirm`] has no signer and no fee. Its `authorize` admits it only if the
//! server signed it, every proof of a live entry holds, and an entry is live at all; nothing
//! else reaches a block. It comes before whatever ordinary users send, up to a share of each block; the
//! user whose attempt causes it has paid a fee for it.

#![cfg_attr(not(feature = "std"), no_std)]
#![forbid(unsafe_code)]
#![deny(missing_docs)]

extern crate alloc;

#[cfg(feature = "runtime-benchmarks")]
mod benchmarking;
mod confirming;
mod costs;
mod deposits;
mod expiry;
mod integrity;
mod lifecycle;
pub mod migrations;
#[cfg(test)]
mod mock;
mod offchain;
mod queries;
#[cfg(test)]
mod tests;
pub mod weights;

pub use confirming::Refusal;
pub use costs::ChargeFee;
pub use pallet::*;
pub use weights::WeightInfo;

#[frame_support::pallet]
pub mod pallet {
	use crate::{ChargeFee, WeightInfo};
	use frame_support::{
		pallet_prelude::*,
		traits::{
			fungible::{Inspect, MutateHold},
			Footprint,
		},
		weights::WeightMeter,
	};
	use frame_system::{offchain::CreateAuthorizedTransaction, pallet_prelude::*};
	use keyshare_primitives::{
		constraints::{CheckedConstraints, ConstraintsError},
		elements::CommitmentsError,
		membership::SubgroupMembership,
		record::{AccountRecord, Purpose},
		storage, AccountId, Confirmation, Constraints, Generation, KeyCommitments, RegistrationId,
		SubgroupId, MAX_SUBGROUPS,
	};
	use sp_core::{sr25519, H256};
	use sp_runtime::{traits::Convert, Perbill};

	/// The version of this pallet's storage.
	pub const STORAGE_VERSION: StorageVersion = StorageVersion::new(storage::REGISTRATION_VERSION);

	/// The currency's balance type.
	pub type BalanceOf<T> = <<T as Config>::NativeBalance as Inspect<AccountId>>::Balance;

	/// What the pallet needs of the runtime.
	#[pallet::config]
	pub trait Config:
		frame_system::Config<AccountId = AccountId, Hash = H256>
		+ CreateAuthorizedTransaction<Call<Self>>
	{
		/// The currency that deposits are held in.
		type NativeBalance: MutateHold<AccountId, Reason = Self::RuntimeHoldReason>;

		/// The runtime's hold reasons.
		type RuntimeHoldReason: From<HoldReason>;

		/// The deposit for what an account's entries take of the chain's storage.
		type DepositPrice: Convert<Footprint, BalanceOf<Self>>;

		/// The signing subgroups.
		type Subgroups: SubgroupMembership;

		/// Takes the fee for the confirmations that an attempt causes.
		type ConfirmationFee: ChargeFee<BalanceOf<Self>>;

		/// The part of what ordinary transactions may fill of a block that confirmations may.
		#[pallet::constant]
		type ConfirmationShare: Get<Perbill>;

		/// The part of a subgroup's ready members that must confirm.
		#[pallet::constant]
		type ConfirmationQuorum: Get<Perbill>;

		/// How many blocks an attempt has.
		#[pallet::constant]
		type RegistrationTimeout: Get<BlockNumberFor<Self>>;

		/// How many blocks before its end an attempt must have been confirmed by one member of a
		/// subgroup, for the silence of the others to mean something.
		#[pallet::constant]
		type HeardBefore: Get<BlockNumberFor<Self>>;

		/// The most confirmations in one extrinsic.
		#[pallet::constant]
		type MaxConfirmations: Get<u32>;

		/// The most attempts that expire by themselves in one block.
		#[pallet::constant]
		type MaxExpiriesPerBlock: Get<u32>;

		/// Weights of the calls.
		type WeightInfo: WeightInfo;
	}

	/// The pallet.
	#[pallet::pallet]
	#[pallet::storage_version(STORAGE_VERSION)]
	pub struct Pallet<T>(_);

	/// Why part of a user's balance is held.
	#[pallet::composite_enum]
	pub enum HoldReason {
		/// For the user's attempt, key and constraints in the chain's storage.
		Deposit,
	}

	/// A user's constraints and who may change them.
	#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode, MaxEncodedLen, TypeInfo)]
	pub struct ConstraintsEntry {
		/// The constraint-modification account.
		pub constraint_account: AccountId,
		/// The constraints.
		pub constraints: CheckedConstraints,
	}

	/// [`AccountRecord`] of a runtime.
	pub type AccountRecordOf<T> = AccountRecord<BlockNumberFor<T>>;

	/// The last generation of each account, its key in force and its attempt under way; never removed,
	/// so that no generation is used twice.
	#[pallet::storage]
	pub type Accounts<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, AccountRecordOf<T>, ValueQuery>;

	/// The constraints of each account that has a key, or an attempt at its first.
	#[pallet::storage]
	#[pallet::storage_prefix = "Constraints"]
	pub type ConstraintsOf<T: Config> =
		StorageMap<_, Blake2_128Concat, AccountId, ConstraintsEntry>;

	/// The attempts by the block in which they expire.
	#[pallet::storage]
	pub type Expiries<T: Config> =
		StorageDoubleMap<_, Blake2_128Concat, BlockNumberFor<T>, Blake2_128Concat, AccountId, ()>;

	/// The first block whose expiries may not all be done.
	#[pallet::storage]
	pub type NextExpiry<T: Config> = StorageValue<_, BlockNumberFor<T>, ValueQuery>;

	/// The first block of a pause, in which the chain takes no transactions of users and no attempt expires:
	/// while migrations last, and until one that failed has been made good.
	#[pallet::storage]
	pub type PausedSince<T: Config> = StorageValue<_, BlockNumberFor<T>, OptionQuery>;

	/// What the confirmations in this block weigh so far, in picoseconds; gone at its end.
	#[pallet::storage]
	#[pallet::whitelist_storage]
	pub type ConfirmationWeight<T> = StorageValue<_, u64, ValueQuery>;

	/// What happened.
	#[pallet::event]
	#[pallet::generate_deposit(pub(crate) fn deposit_event)]
	pub enum Event<T: Config> {
		/// An attempt began: `register` or `swap_key`.
		RegistrationBegun {
			/// The user.
			account: AccountId,
			/// The attempt's generation.
			generation: Generation,
			/// The attempt's id.
			id: RegistrationId,
			/// The first block in which it is gone if it is not registered.
			expires_at: BlockNumberFor<T>,
			/// What the user has paid for the confirmations.
			fee: BalanceOf<T>,
		},
		/// A server proved that it holds its subgroup's share.
		ShareConfirmed {
			/// The user.
			account: AccountId,
			/// The attempt or key.
			id: RegistrationId,
			/// The server.
			server: AccountId,
			/// The server's subgroup.
			subgroup: SubgroupId,
		},
		/// Every subgroup reached its quorum: the key is in force.
		KeyRegistered {
			/// The user.
			account: AccountId,
			/// The key's generation.
			generation: Generation,
			/// The key's id.
			id: RegistrationId,
			/// The id of the key it replaced, if it was a swap.
			replaced: Option<RegistrationId>,
		},
		/// The user gave up the attempt.
		RegistrationCancelled {
			/// The user.
			account: AccountId,
			/// The attempt's id.
			id: RegistrationId,
		},
		/// The attempt ran out of time.
		RegistrationExpired {
			/// The user.
			account: AccountId,
			/// The attempt's id.
			id: RegistrationId,
		},
		/// The constraints were replaced.
		ConstraintsUpdated {
			/// The user.
			account: AccountId,
		},
		/// Another account may change the constraints from now on.
		ConstraintAccountChanged {
			/// The user.
			account: AccountId,
			/// The constraint-modification account before.
			previous: AccountId,
			/// The constraint-modification account now.
			current: AccountId,
		},
		/// The user left: the key and everything about it is released.
		Deregistered {
			/// The user.
			account: AccountId,
			/// The id of the key that was in force.
			id: RegistrationId,
		},
		/// The chain took no transactions for a while: the attempt has its full time anew.
		RegistrationRenewed {
			/// The user.
			account: AccountId,
			/// The attempt's id.
			id: RegistrationId,
			/// The first block in which it is gone if it is not registered.
			expires_at: BlockNumberFor<T>,
		},
	}

	/// Why a call was refused.
	#[pallet::error]
	pub enum Error<T> {
		/// The account has a key in force: use `swap_key` or `deregister`.
		AlreadyRegistered,
		/// The account has an attempt under way: wait for it, or `cancel` it first.
		AlreadyRegistering,
		/// The account has no attempt under way.
		NotRegistering,
		/// The account has no key in force: use `register`.
		NotRegistered,
		/// The attempt's time is not over: only its user can `cancel` it.
		NotExpired,
		/// The account has no constraints: it is neither registered nor registering.
		NoConstraints,
		/// Only the constraint-modification account may do this.
		NotConstraintAccount,
		/// The constraints have more than 256 rules.
		TooManyRules,
		/// The constraints have more than 16 fees.
		TooManyFees,
		/// The constraints have a clause, and there is none yet.
		ReservedClause,
		/// An EVM chain's id in the constraints is 0.
		InvalidChainId,
		/// A rule names a Bitcoin script that no address stands for.
		InvalidScript,
		/// A rule or a fee is for a network on which keys of the account's scheme are not used.
		SchemeMismatch,
		/// The rules' ids do not strictly ascend.
		RulesOutOfOrder,
		/// The fees' networks do not strictly ascend.
		FeesOutOfOrder,
		/// Two rules differ only in id or amount.
		RepeatedRule,
		/// A swap keeps the key's scheme, since the constraints are for that one: `deregister`, and
		/// register a key of the other anew.
		SchemeChanged,
		/// There are fewer key commitments than the chain's threshold, or more than subgroups: as many
		/// as subgroups are to be needed to use the key.
		WrongNumberOfCommitments,
		/// A key commitment is not a non-identity element of the scheme's prime-order group.
		InvalidCommitment,
		/// The commitments give a subgroup a share of zero: split the key again.
		ZeroShare,
		/// A subgroup has no ready member, so no registration can be completed now.
		NoReadyMember,
		/// The account has used up its generations.
		TooManyGenerations,
		/// The server is not a member of a subgroup.
		NotAMember,
		/// A swap's commitments are those of the key in force: shares are never dealt twice. Split the key
		/// anew.
		SameCommitments,
	}

	impl<T> From<CommitmentsError> for Error<T> {
		fn from(error: CommitmentsError) -> Self {
			match error {
				CommitmentsError::WrongNumber => Self::WrongNumberOfCommitments,
				CommitmentsError::InvalidElement => Self::InvalidCommitment,
				CommitmentsError::IdentityShare => Self::ZeroShare,
			}
		}
	}

	impl<T> From<ConstraintsError> for Error<T> {
		fn from(error: ConstraintsError) -> Self {
			match error {
				ConstraintsError::TooManyRules => Self::TooManyRules,
				ConstraintsError::TooManyFees => Self::TooManyFees,
				ConstraintsError::ReservedClause => Self::ReservedClause,
				ConstraintsError::InvalidChainId => Self::InvalidChainId,
				ConstraintsError::InvalidScript => Self::InvalidScript,
				ConstraintsError::SchemeMismatch => Self::SchemeMismatch,
				ConstraintsError::RulesOutOfOrder => Self::RulesOutOfOrder,
				ConstraintsError::FeesOutOfOrder => Self::FeesOutOfOrder,
				ConstraintsError::RepeatedRule => Self::RepeatedRule,
			}
		}
	}

	#[pallet::call(weight = T::WeightInfo)]
	impl<T: Config> Pallet<T> {
		/// Begins a registration: names who may change the constraints, sets them, and publishes
		/// the commitments to the key's shares. Holds a deposit, and takes a fee for the confirmations
		/// that it causes.
		#[pallet::call_index(0)]
		#[pallet::weight(
			T::WeightInfo::register(constraints.entries(), MAX_SUBGROUPS)
				.saturating_add(Pallet::<T>::shares_weight(key, MAX_SUBGROUPS))
		)]
		pub fn register(
			origin: OriginFor<T>,
			constraint_account: AccountId,
			constraints: Constraints,
			key: KeyCommitments,
		) -> DispatchResultWithPostInfo {
			let account = ensure_signed(origin)?;
			let subgroups = T::Subgroups::count().into();
			let weight = T::WeightInfo::register(constraints.entries(), subgroups)
				.saturating_add(Self::shares_weight(&key, subgroups));
			let constraints = constraints.check(key.scheme()).map_err(Error::<T>::from)?;
			let entry = ConstraintsEntry { constraint_account, constraints };
			Self::begin(account, key, Purpose::Register, Some(entry))?;
			Ok(Some(weight).into())
		}

		/// Confirms that `server` holds its subgroup's share of each entry's key.
		///
		/// Not for wallets: a server's off-chain worker sends it, without fee. `signature` is the
		/// server's over `messages::confirm_message(genesis, server, confirmations)`. Entries
		/// whose attempt is gone, or which are confirmed already, are passed over.
		#[pallet::call_index(1)]
		#[pallet::weight(Pallet::<T>::most_confirm_weight(confirmations.len() as u32))]
		#[pallet::weight_of_authorize(Pallet::<T>::most_checked_weight(confirmations.len() as u32))]
		#[pallet::authorize(Self::authorize_confirm)]
		pub fn confirm(
			origin: OriginFor<T>,
			server: AccountId,
			confirmations: BoundedVec<Confirmation, T::MaxConfirmations>,
			// Checked, as every proof is, before the call gets here.
			_signature: sr25519::Signature,
		) -> DispatchResultWithPostInfo {
			ensure_authorized(origin)?;
			let weight = Self::record_confirmations(&server, &confirmations)?;
			Ok(Some(weight).into())
		}

		/// Gives up the attempt under way; its deposit is released. A key in force stays.
		#[pallet::call_index(2)]
		pub fn cancel(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let mut record = Accounts::<T>::get(&account);
			let attempt = record.registering.take().ok_or(Error::<T>::NotRegistering)?;
			let id = attempt.key.id;
			Self::abandon(&account, record, attempt);
			Self::deposit_event(Event::RegistrationCancelled { account, id });
			Ok(())
		}

		/// Removes an attempt whose time is over. Anyone may; the chain does it by itself too. If
		/// members have left since the last confirmation, and every quorum is now as low as what
		/// has been confirmed, the attempt is completed instead.
		#[pallet::call_index(3)]
		#[pallet::weight(Pallet::<T>::expire_weight())]
		pub fn expire(origin: OriginFor<T>, account: AccountId) -> DispatchResultWithPostInfo {
			ensure_signed(origin)?;
			let mut record = Accounts::<T>::get(&account);
			let attempt = record.registering.take().ok_or(Error::<T>::NotRegistering)?;
			ensure!(!Self::is_live(&attempt), Error::<T>::NotExpired);
			let weight = Self::expire_attempt(account, record, attempt, &T::Subgroups::masks());
			Ok(Some(weight).into())
		}

		/// Begins to replace the key in force, which stays so until the new one is registered. Holds a
		/// deposit, and takes a fee for the confirmations that it causes.
		#[pallet::call_index(4)]
		#[pallet::weight(
			T::WeightInfo::swap_key(MAX_SUBGROUPS)
				.saturating_add(Pallet::<T>::shares_weight(key, MAX_SUBGROUPS))
		)]
		pub fn swap_key(origin: OriginFor<T>, key: KeyCommitments) -> DispatchResultWithPostInfo {
			let account = ensure_signed(origin)?;
			let subgroups = T::Subgroups::count().into();
			let weight = T::WeightInfo::swap_key(subgroups)
				.saturating_add(Self::shares_weight(&key, subgroups));
			Self::begin(account, key, Purpose::Swap, None)?;
			Ok(Some(weight).into())
		}

		/// Replaces an account's constraints. The account's deposit is adjusted.
		#[pallet::call_index(5)]
		#[pallet::weight(T::WeightInfo::update_constraints(constraints.entries()))]
		pub fn update_constraints(
			origin: OriginFor<T>,
			account: AccountId,
			constraints: Constraints,
		) -> DispatchResult {
			let mut entry = Self::entry_changed_by(origin, &account)?;
			let record = Accounts::<T>::get(&account);
			let scheme = record.scheme().ok_or(Error::<T>::NoConstraints)?;
			entry.constraints = constraints.check(scheme).map_err(Error::<T>::from)?;
			Self::settle_deposit(&account, &record, Some(entry.encoded_size()))?;
			ConstraintsOf::<T>::insert(&account, entry);
			Self::deposit_event(Event::ConstraintsUpdated { account });
			Ok(())
		}

		/// Hands the right to change an account's constraints to another account.
		#[pallet::call_index(6)]
		pub fn change_constraint_account(
			origin: OriginFor<T>,
			account: AccountId,
			new: AccountId,
		) -> DispatchResult {
			let mut entry = Self::entry_changed_by(origin, &account)?;
			let previous = core::mem::replace(&mut entry.constraint_account, new.clone());
			ConstraintsOf::<T>::insert(&account, entry);
			Self::deposit_event(Event::ConstraintAccountChanged {
				account,
				previous,
				current: new,
			});
			Ok(())
		}

		/// Leaves: the key in force, a swap under way and the constraints are removed, their deposit
		/// is released, and servers delete their shares. What is kept is the number of the last
		/// generation, and the deposit for that.
		#[pallet::call_index(7)]
		pub fn deregister(origin: OriginFor<T>) -> DispatchResult {
			let account = ensure_signed(origin)?;
			let mut record = Accounts::<T>::get(&account);
			let registered = record.registered.take().ok_or(Error::<T>::NotRegistered)?;
			if let Some(attempt) = record.registering.take() {
				Expiries::<T>::remove(attempt.expires_at, &account);
			}
			ConstraintsOf::<T>::remove(&account);
			Self::release_deposit(&account, &record, None);
			Accounts::<T>::insert(&account, record);
			Self::deposit_event(Event::Deregistered { account, id: registered.key.id });
			Ok(())
		}
	}

	#[pallet::hooks]
	impl<T: Config> Hooks<BlockNumberFor<T>> for Pallet<T> {
		fn on_finalize(_: BlockNumberFor<T>) {
			ConfirmationWeight::<T>::kill();
		}

		fn on_poll(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
			Self::expire_due(now, meter);
		}

		fn offchain_worker(_: BlockNumberFor<T>) {
			Self::send_confirmations();
		}

		fn integrity_test() {
			Self::check_constants();
		}

		#[cfg(feature = "try-runtime")]
		fn try_state(_: BlockNumberFor<T>) -> Result<(), sp_runtime::TryRuntimeError> {
			Self::check_state().map_err(Into::into)
		}
	}
}
