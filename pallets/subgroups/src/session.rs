//! Between the validator set and the subgroups: who may be selected, and who was.

use crate::{operators::Standing, pallet::*, Config, Pallet, WeightInfo};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{dispatch::DispatchClass, traits::Get, weights::Weight};
use keyshare_primitives::{api::Obstacle, AccountId, SessionIndex};
use pallet_session::{historical, SessionManager};
use sp_runtime::{traits::Convert, Perbill, SaturatedConversion};
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
	/// Whether one of these has set other keys than those it has in the session now.
	fn any_has_new_keys(validators: &[AccountId]) -> bool;
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

	fn any_has_new_keys(validators: &[AccountId]) -> bool {
		Self::queued_keys().into_iter().any(|(validator, keys)| {
			let next = || pallet_session::NextKeys::<T>::get(&validator);
			validators.contains(&validator) && next() != Some(keys)
		})
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

	fn any_has_new_keys(_: &[AccountId]) -> bool {
		false
	}

	fn disable(_: &AccountId) {}

	fn forget_before(_: SessionIndex) {}

	#[cfg(feature = "runtime-benchmarks")]
	fn set_session_keys(_: &AccountId) {}
}

impl<T: Config> Pallet<T> {
	/// What keeps a validator from being selected.
	pub fn obstacles(validator: &AccountId) -> Vec<Obstacle> {
		let mut obstacles = Self::own_obstacles(validator);
		let now = frame_system::Pallet::<T>::block_number();
		match Self::operator_of(validator) {
			None => obstacles.push(Obstacle::NoOperator),
			Some((_, operator)) => match operator.standing {
				Standing::Dismissed { .. } => obstacles.push(Obstacle::OperatorDismissed),
				Standing::Admitted { since } if now < since => {
					obstacles.push(Obstacle::OperatorPending { from: since.saturated_into() });
				}
				Standing::Admitted { .. } if obstacles.is_empty() => {
					let may_serve = |other: &&AccountId| Self::may_serve(other);
					let mut first = operator.validators.iter().filter(may_serve);
					let seats = operator.seats_at(now) as usize;
					if !first.by_ref().take(seats).any(|other| other == validator) {
						obstacles.push(Obstacle::NoSeat);
					}
				}
				Standing::Admitted { .. } => {}
			},
		}
		obstacles
	}

	/// What keeps a validator from being selected, whoever its operator is.
	fn own_obstacles(validator: &AccountId) -> Vec<Obstacle> {
		[
			(!Servers::<T>::contains_key(validator)).then_some(Obstacle::NoServer),
			T::Validators::session_keys(validator).is_none().then_some(Obstacle::NoSessionKeys),
			Withdrawing::<T>::contains_key(validator).then_some(Obstacle::Withdrawing),
			Barred::<T>::get(validator).map(|session| Obstacle::Barred { session }),
			Idle::<T>::get(validator).map(|session| Obstacle::Idle { session }),
		]
		.into_iter()
		.flatten()
		.collect()
	}

	/// Whether a validator can be selected if its operator has a seat for it.
	pub(crate) fn may_serve(validator: &AccountId) -> bool {
		Self::own_obstacles(validator).is_empty()
	}

	/// The validators of the next session, or none if they and their keys are those of the session
	/// now.
	///
	/// A set that is named anew is a change for GRANDPA, and a warp proof names every change; one that
	/// is not, is proved by the keys of before: an equivocation with a new key could not be reported.
	pub(crate) fn plan() -> Option<Vec<AccountId>> {
		let active = T::Validators::active();
		Self::retire_idle();
		let (candidates, looked_at) = Self::candidates();
		Self::weigh(T::WeightInfo::plan(Operators::<T>::count(), looked_at));
		let mut selected = Self::in_order(candidates, &active);
		// At a genesis without servers there is nobody yet.
		if selected.is_empty() && !active.is_empty() {
			log::error!(
				target: LOG_TARGET,
				"No validator can be selected: none has an operator in force, a server and session \
				 keys. The validators stay as they are",
			);
			selected.clone_from(&active);
			selected.retain(|validator| T::Validators::session_keys(validator).is_some());
		}
		let changed = selected != active || T::Validators::any_has_new_keys(&selected);
		// A set without anybody is for the session pallet to refuse, at a genesis.
		(changed && !selected.is_empty()).then_some(selected)
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
	fn new_session(_: SessionIndex) -> Option<Vec<AccountId>> {
		Self::plan()
	}

	fn start_session(index: SessionIndex) {
		Self::follow(&T::Validators::active(), index);
		T::Validators::forget_before(index.saturating_sub(T::ReportingSessions::get()));
	}

	fn end_session(_: SessionIndex) {}
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
