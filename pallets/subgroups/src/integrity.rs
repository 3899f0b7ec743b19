//! What must hold of the constants, and of the storage after any sequence of calls.

use crate::{Config, Pallet, WeightInfo};
use frame_support::traits::Get;
use keyshare_primitives::MAX_SUBGROUPS;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// Relations between the runtime's constants.
	pub(crate) fn check_constants() {
		assert!(T::MaxMembers::get() > 0, "a subgroup must have room for a member");
		assert!(!T::KeyGracePeriod::get().is_zero(), "envelopes on their way must still open");
		let most = T::MaxMembers::get().saturating_mul(MAX_SUBGROUPS);
		assert!(T::MaxAssignments::get() >= most, "every member is remembered");
		let change = T::WeightInfo::plan(most).saturating_add(T::WeightInfo::follow(most));
		assert!(
			change.all_lte(T::BlockWeights::get().max_block),
			"the largest change of the members fits into a block"
		);
	}
}

#[cfg(any(test, feature = "std", feature = "try-runtime"))]
mod state {
	use crate::{pallet::*, Config, Pallet};
	use alloc::collections::BTreeSet;
	use frame_support::{
		ensure,
		traits::{fungible::InspectHold, Get},
	};
	use keyshare_primitives::membership::SubgroupMembership;

	impl<T: Config> Pallet<T> {
		/// Checks every relation between this pallet's storage items.
		pub fn check_state() -> Result<(), &'static str> {
			Self::check_members()?;
			Self::check_servers()?;
			Self::check_marks()
		}

		/// No validator and no server is in two subgroups, and both directions agree.
		fn check_members() -> Result<(), &'static str> {
			let mut validators = BTreeSet::new();
			let mut servers = 0;
			for (subgroup, members) in Subgroups::<T>::iter() {
				ensure!(subgroup < Self::count(), "a subgroup has a number below n");
				for validator in members {
					let server =
						Servers::<T>::get(&validator).ok_or("every member has a server")?;
					ensure!(
						MemberOf::<T>::get(&server.info.account) == Some(subgroup),
						"a member's server account is a member of the same subgroup"
					);
					ensure!(
						Assignments::<T>::get(&validator) == Some(subgroup),
						"a member is assigned to its subgroup"
					);
					ensure!(validators.insert(validator), "no validator is in two subgroups");
					servers += 1;
				}
			}
			ensure!(MemberOf::<T>::iter().count() == servers, "only members' servers are members");
			Ok(())
		}

		/// Keys belong to the validators that published them, and deposits are what is held.
		fn check_servers() -> Result<(), &'static str> {
			for (validator, server) in Servers::<T>::iter() {
				ensure!(
					ServerAccounts::<T>::get(&server.info.account).as_ref() == Some(&validator),
					"a server account belongs to its validator"
				);
				ensure!(
					EncryptionKeys::<T>::get(server.info.encryption_key).as_ref()
						== Some(&validator),
					"an encryption key belongs to its validator"
				);
				let held =
					T::NativeBalance::balance_on_hold(&HoldReason::Server.into(), &validator);
				ensure!(held == server.deposit, "the deposit recorded is the deposit held");
			}
			Ok(())
		}

		/// What is noted about members and servers is about such.
		fn check_marks() -> Result<(), &'static str> {
			let members = Self::current_members();
			ensure!(
				Joining::<T>::iter_keys().all(|validator| members.contains_key(&validator)),
				"only members are on their way to be ready"
			);
			ensure!(
				Withdrawing::<T>::iter_keys().all(Servers::<T>::contains_key),
				"only servers that are there are withdrawn"
			);
			ensure!(
				Assignments::<T>::count() <= T::MaxAssignments::get(),
				"no more validators are remembered than there is room for"
			);
			Ok(())
		}
	}
}
