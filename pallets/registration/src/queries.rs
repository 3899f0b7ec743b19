//! What the runtime API answers.

use crate::{pallet::*, Config, Pallet};
use frame_support::traits::Get;
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{
	api::{AccountInfo, Parameters, RegistrationInfo, RegistrationStatus},
	membership::SubgroupMembership,
	AccountId, BlockNumber, KeyRecord, PROTOCOL_VERSION,
};

impl<T: Config> Pallet<T>
where
	BlockNumberFor<T>: Into<BlockNumber>,
{
	/// The chain's parameters.
	pub fn parameters() -> Parameters {
		Parameters {
			protocol_version: PROTOCOL_VERSION,
			subgroups: T::Subgroups::count(),
			threshold: T::Subgroups::threshold(),
			confirmation_quorum: T::ConfirmationQuorum::get(),
			registration_timeout: T::RegistrationTimeout::get().into(),
			max_acl_addresses: T::MaxAclAddresses::get(),
			max_confirmations: T::MaxConfirmations::get(),
		}
	}

	/// Everything the chain holds for `account`.
	pub fn account_info(account: &AccountId) -> AccountInfo {
		let info = |key: KeyRecord, status| RegistrationInfo {
			coverage: Self::coverage(&key.id),
			key,
			status,
		};
		AccountInfo {
			generation: Generations::<T>::get(account),
			constraints: ConstraintsOf::<T>::get(account)
				.map(|entry| (entry.constraint_account, entry.constraints.into())),
			registered: Registered::<T>::get(account)
				.map(|registration| info(registration.key, RegistrationStatus::Registered)),
			registering: Registering::<T>::get(account).map(|attempt| {
				let expires_at = attempt.expires_at.into();
				info(attempt.key, RegistrationStatus::Registering { expires_at })
			}),
		}
	}
}
