//! What must hold of the constants, and of the storage after any sequence of calls.

use crate::{Config, Pallet, WeightInfo};
use frame_support::traits::Get;
use keyshare_primitives::membership::MAX_SEATS;
use sp_runtime::traits::Zero;

impl<T: Config> Pallet<T> {
	/// Relations between the runtime's constants.
	pub(crate) fn check_constants() {
		assert!(T::MaxMembers::get() > 0, "a subgroup must have room for a member");
		assert!(T::MaxMembers::get() <= MAX_SEATS, "every member has a bit in a mask");
		assert!(T::MaxValidators::get() > 0 && T::MaxOperators::get() > 0, "somebody is admitted");
		assert!(T::IdleSessions::get() > 0, "a validator has a session to make a block in");
		assert!(T::SilenceWindow::get() > 0, "silence is looked for");
		assert!(!T::KeyGracePeriod::get().is_zero(), "envelopes on their way must still open");
		let change = T::WeightInfo::plan(T::MaxOperators::get(), T::MaxValidators::get())
			.saturating_add(T::WeightInfo::follow(T::MaxValidators::get().saturating_mul(2)));
		assert!(
			change.all_lte(T::BlockWeights::get().max_block),
			"the largest change of the members fits into a block"
		);
	}
}

#[cfg(any(test, feature = "std", feature = "try-runtime"))]
mod state {
	use crate::{operators::lower_case, pallet::*, Config, Pallet};
	use alloc::collections::BTreeSet;
	use frame_support::{
		ensure,
		traits::{fungible::InspectHold, Get},
	};
	use keyshare_primitives::membership::SubgroupMembership;

	impl<T: Config> Pallet<T> {
		/// Checks every relation between this pallet's storage items.
		pub fn check_state() -> Result<(), &'static str> {
			Self::check_operators()?;
			Self::check_members()?;
			Self::check_seats()?;
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
					let seat = MemberOf::<T>::get(&server.info.account);
					ensure!(
						seat.is_some_and(|seat| seat.subgroup == subgroup),
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

		/// Nobody is listed twice, in another subgroup, or without a seat.
		fn check_operators() -> Result<(), &'static str> {
			let (mut seats, mut listed) = (0u32, BTreeSet::new());
			for (account, operator) in Operators::<T>::iter() {
				ensure!(operator.subgroup < Self::count(), "an operator's subgroup is there");
				ensure!(
					OperatorNames::<T>::get(lower_case(&operator.name)) == Some(account.clone()),
					"an operator's name is its own"
				);
				seats = seats.saturating_add(operator.most_seats());
				for validator in operator.validators {
					ensure!(
						OperatorOf::<T>::get(&validator).as_ref() == Some(&account),
						"an operator's validators have accepted it"
					);
					let former = Assignments::<T>::get(&validator);
					ensure!(
						former.is_none_or(|former| former == operator.subgroup),
						"a validator is of no second subgroup"
					);
					ensure!(listed.insert(validator), "a validator has one operator");
				}
			}
			ensure!(
				OperatorNames::<T>::iter().count() as u32 == Operators::<T>::count(),
				"only operators have names"
			);
			ensure!(seats <= T::MaxValidators::get(), "every seat can be sat on");
			Ok(())
		}

		/// Masks, seats and members say the same.
		fn check_seats() -> Result<(), &'static str> {
			let masks = Masks::<T>::get();
			ensure!(
				masks.subgroups.len() == usize::from(Self::count()),
				"every subgroup has masks"
			);
			for (subgroup, of) in (0u8..).zip(&masks.subgroups) {
				let holders = SeatHolders::<T>::get(subgroup);
				ensure!(holders.len() == of.taken.len(), "every seat was taken");
				ensure!(
					of.taken.iter().all(|taken| *taken <= masks.last_change),
					"no seat was taken after the last change"
				);
				let distinct: BTreeSet<_> = holders.iter().collect();
				ensure!(distinct.len() == holders.len(), "nobody has two seats");
				let beyond = u64::from(of.members) >> holders.len();
				ensure!(beyond == 0, "no bit lies beyond the seats");
				let (mut members, mut ready, mut silent) = (0, 0, 0);
				for validator in Subgroups::<T>::get(subgroup) {
					let server =
						Servers::<T>::get(&validator).ok_or("every member has a server")?;
					let seat = MemberOf::<T>::get(&server.info.account).ok_or("it has a seat")?;
					ensure!(
						holders.get(usize::from(seat.number)) == Some(&server.info.account),
						"a member sits in its own seat"
					);
					members |= seat.bit();
					match Joining::<T>::get(&validator) {
						None => ready |= seat.bit(),
						Some(syncing) if syncing.silent => silent |= seat.bit(),
						Some(_) => {}
					}
				}
				ensure!(members == of.members, "the members' bits are set, and no others");
				ensure!(ready & !of.ready == 0, "who has declared itself ready is");
				// The last ready one that has changed its account stays so until it declares itself.
				let more = of.ready & !ready;
				ensure!(
					more & !members == 0 && more & silent == 0 && more.count_ones() <= 1,
					"nobody else is ready, but for one that has changed its account"
				);
			}
			Ok(())
		}

		/// Keys belong to the validators that published them, and deposits are what is held.
		fn check_servers() -> Result<(), &'static str> {
			for (validator, server) in Servers::<T>::iter() {
				ensure!(
					ServerAccounts::<T>::get(&server.info.account).as_ref() == Some(&validator),
					"a server account belongs to its validator"
				);
				let held =
					T::NativeBalance::balance_on_hold(&HoldReason::Server.into(), &validator);
				ensure!(held >= server.deposit, "the deposit recorded is held");
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
				Kept::<T>::iter_keys().all(|validator| members.contains_key(&validator)),
				"only members are kept"
			);
			ensure!(
				Withdrawing::<T>::iter_keys().all(Servers::<T>::contains_key),
				"only servers that are there are withdrawn"
			);
			let holders = |subgroup| SeatHolders::<T>::decode_len(subgroup).unwrap_or(0);
			ensure!(
				(Silences::<T>::get().0.keys())
					.all(|seat| usize::from(seat.number) < holders(seat.subgroup)),
				"only seats that somebody has are silent"
			);
			Ok(())
		}
	}
}
