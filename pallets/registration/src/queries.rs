//! What the runtime API answers.

use crate::{pallet::*, Config, Pallet};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	api::{AccountInfo, Parameters, RegistrationInfo, RegistrationStatus},
	membership::{Confirmed, SubgroupMembership},
	AccountId, BlockNumber, KeyRecord, PROTOCOL_VERSION,
};

impl<T: Config> Pallet<T>
where
	BlockNumberFor<T>: Into<BlockNumber>,
{
	/// The chain's parameters; the delay of an operator's admission is not known here.
	pub fn parameters(admission_delay: BlockNumber) -> Parameters {
		Parameters {
			protocol_version: PROTOCOL_VERSION,
			subgroups: T::Subgroups::count(),
			threshold: T::Subgroups::threshold(),
			confirmation_quorum: T::ConfirmationQuorum::get(),
			registration_timeout: T::RegistrationTimeout::get().into(),
			max_confirmations: T::MaxConfirmations::get(),
			admission_delay,
		}
	}

	/// Everything the chain holds for `account`.
	pub fn account_info(account: &AccountId) -> AccountInfo {
		let info = |key: KeyRecord, confirmed: &Confirmed, status| RegistrationInfo {
			coverage: Self::coverage(confirmed),
			key,
			status,
		};
		let record = Accounts::<T>::get(account);
		AccountInfo {
			generation: record.last_generation,
			constraints: ConstraintsOf::<T>::get(account)
				.map(|entry| (entry.constraint_account, entry.constraints.into_inner())),
			registered: record.registered.map(|registered| {
				info(registered.key, &registered.confirmed, RegistrationStatus::Registered)
			}),
			registering: record.registering.map(|attempt| {
				let expires_at = attempt.expires_at.into();
				let status = RegistrationStatus::Registering { expires_at };
				info(attempt.key, &attempt.confirmed, status)
			}),
		}
	}
}
