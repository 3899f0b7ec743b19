//! Between the validator set and the subgroups: who may be selected, and who was.

use crate::{membership::saturated, pallet::*, Config, Pallet, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{dispatch::DispatchClass, traits::Get, weights::Weight};
use keyshare_primitives::{api::Obstacle, AccountId, SessionIndex};
use pallet_session::{historical, SessionManager};
use sp_runtime::{traits::Convert, Perbill};
use sp_staking::offence::{OffenceDetails, OffenceSeverity, OnOffenceHandler};

const LOG_TARGET: &str = "keyshare";

/// The chain's validator set, which membership follows.
pub trait ValidatorSet {
	/// The validators of the session now.
	fn active() -> Vec<AccountId>;
	/// The validators of the next session.
	fn queued() -> Vec<AccountId>;
	/// The number of the session now.
	fn session() -> SessionIndex;
	/// The session keys that an account has set, SCALE-encoded.
	fn session_keys(validator: &AccountId) -> Option<Vec<u8>>;
	/// Keeps a validator from making blocks in this session.
	fn disable(validator: &AccountId);
	/// Drops what proves who was a validator before `session`.
	fn forget_before(session: SessionIndex);

	/// Gives an account session keys.
	#[cfg(feature = "runtime-benchmarks")]
	fn set_session_keys(validator: &AccountId);
}

impl<T> ValidatorSet for pallet_session::Pallet<T>
where
	T: historical::Config<ValidatorId = AccountId>,
{
	fn active() -> Vec<AccountId> {
		Self::validators()
	}

	fn queued() -> Vec<AccountId> {
		Self::queued_keys().into_iter().map(|(validator, _)| validator).collect()
	}

	fn session() -> SessionIndex {
		Self::current_index()
	}

	fn session_keys(validator: &AccountId) -> Option<Vec<u8>> {
		pallet_session::NextKeys::<T>::get(validator).map(|keys| keys.encode())
	}

	fn disable(validator: &AccountId) {
		Self::report_offence(validator.clone(), OffenceSeverity(Perbill::one()));
	}

	fn forget_before(session: SessionIndex) {
		historical::Pallet::<T>::prune_up_to(session);
	}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_session_keys(validator: &AccountId) {
		use codec::Decode;
		let mut zeros = sp_runtime::traits::TrailingZeroInput::zeroes();
		let keys = T::Keys::decode(&mut zeros).expect("zeros are public keys");
		pallet_session::NextKeys::<T>::insert(validator, keys);
	}
}

/// A set that never changes, for runtimes whose members are those of the genesis.
impl ValidatorSet for () {
	fn active() -> Vec<AccountId> {
		Vec::new()
	}

	fn queued() -> Vec<AccountId> {
		Vec::new()
	}

	fn session() -> SessionIndex {
		0
	}

	fn session_keys(_: &AccountId) -> Option<Vec<u8>> {
		None
	}

	fn disable(_: &AccountId) {}

	fn forget_before(_: SessionIndex) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_session_keys(_: &AccountId) {}
}

impl<T: Config> Pallet<T> {
	/// What keeps a validator from being selected, as far as this pallet knows.
	pub fn obstacles(validator: &AccountId) -> Vec<Obstacle> {
		let barred = Barred::<T>::get(validator);
		[
			(!Servers::<T>::contains_key(validator)).then_some(Obstacle::NoServer),
			T::Validators::session_keys(validator).is_none().then_some(Obstacle::NoSessionKeys),
			Withdrawing::<T>::contains_key(validator).then_some(Obstacle::Withdrawing),
			barred.map(|session| Obstacle::Barred { session }),
		]
		.into_iter()
		.flatten()
		.collect()
	}

	/// Whether nothing of that keeps a validator from being selected.
	pub fn is_eligible(validator: &AccountId) -> bool {
		Self::obstacles(validator).is_empty()
	}

	/// Of the candidates for the next session, those that may be selected and have room in a
	/// subgroup. None, which keeps the validators as they are, if there is nobody, or no change.
	pub(crate) fn plan(candidates: Vec<AccountId>) -> Option<Vec<AccountId>> {
		Self::weigh(T::WeightInfo::plan(saturated(candidates.len())));
		let eligible: Vec<_> = candidates.into_iter().filter(Self::is_eligible).collect();
		let placed = Self::place(&eligible);
		let selected: Vec<_> =
			eligible.into_iter().filter(|validator| placed.contains_key(validator)).collect();
		if selected.is_empty() {
			log::error!(
				target: LOG_TARGET,
				"No candidate has a server, session keys and room in a subgroup: the validators stay",
			);
			return None;
		}
		(selected != T::Validators::active()).then_some(selected)
	}

	/// What a session change costs beside the blocks' ordinary content.
	pub(crate) fn weigh(weight: Weight) {
		frame_system::Pallet::<T>::register_extra_weight_unchecked(
			weight,
			DispatchClass::Mandatory,
		);
	}
}

impl<T: Config> SessionManager<AccountId> for Pallet<T> {
	fn new_session(index: SessionIndex) -> Option<Vec<AccountId>> {
		T::Candidates::new_session(index).and_then(Self::plan)
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<AccountId>> {
		T::Candidates::new_session_genesis(index).and_then(Self::plan)
	}

	fn start_session(index: SessionIndex) {
		T::Candidates::start_session(index);
		Self::follow(&T::Validators::active(), index);
		T::Validators::forget_before(index.saturating_sub(T::ReportingSessions::get()));
	}

	fn end_session(index: SessionIndex) {
		T::Candidates::end_session(index);
	}
}

/// What is proven about the validators of past sessions is their accounts, and nothing more.
impl<T: Config> historical::SessionManager<AccountId, ()> for Pallet<T> {
	fn new_session(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		<Self as SessionManager<_>>::new_session(index).map(with_nothing)
	}

	fn new_session_genesis(index: SessionIndex) -> Option<Vec<(AccountId, ())>> {
		<Self as SessionManager<_>>::new_session_genesis(index).map(with_nothing)
	}

	fn start_session(index: SessionIndex) {
		<Self as SessionManager<_>>::start_session(index);
	}

	fn end_session(index: SessionIndex) {
		<Self as SessionManager<_>>::end_session(index);
	}
}

fn with_nothing(validators: Vec<AccountId>) -> Vec<(AccountId, ())> {
	validators.into_iter().map(|validator| (validator, ())).collect()
}

/// What identifies a validator beside its account: nothing.
pub struct AccountAlone;

impl Convert<AccountId, Option<()>> for AccountAlone {
	fn convert(_: AccountId) -> Option<()> {
		Some(())
	}
}

/// Whoever equivocates makes no more blocks, and is no validator until readmitted.
impl<T: Config> OnOffenceHandler<AccountId, (AccountId, ()), Weight> for Pallet<T> {
	fn on_offence(
		offenders: &[OffenceDetails<AccountId, (AccountId, ())>],
		_: &[Perbill],
		session: SessionIndex,
	) -> Weight {
		for OffenceDetails { offender: (validator, ()), .. } in offenders {
			if !Barred::<T>::contains_key(validator) {
				Barred::<T>::insert(validator, session);
				T::Validators::disable(validator);
				Self::deposit_event(Event::ValidatorBarred {
					validator: validator.clone(),
					session,
				});
			}
		}
		let each = T::DbWeight::get().reads_writes(4, 4);
		each.saturating_mul(u64::try_from(offenders.len()).unwrap_or(u64::MAX))
	}
}

/// How many blocks a session lasts, as set at genesis; at least one.
pub struct SessionLengthOf<T>(core::marker::PhantomData<T>);

impl<T: Config> Get<frame_system::pallet_prelude::BlockNumberFor<T>> for SessionLengthOf<T> {
	fn get() -> frame_system::pallet_prelude::BlockNumberFor<T> {
		SessionLength::<T>::get().max(1u32.into())
	}
}
