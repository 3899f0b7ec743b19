//! Automatic expiry, with bounded work a block.

use crate::{pallet::*, Config, Pallet, WeightInfo};
use frame_support::{traits::Get, weights::WeightMeter};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::membership::{Masks, SubgroupMembership};
use sp_runtime::traits::{One, Saturating};

/// How many blocks of the queue one block may look into; more than one only after blocks that
/// had no room for it.
const MAX_QUEUE_STEPS: u32 = 32;

impl<T: Config> Pallet<T> {
	/// Removes attempts past their time, oldest first, until the block's share of the work is
	/// done. What does not fit waits for the next block; nothing of it is live meanwhile. During a pause
	/// nothing expires.
	pub(crate) fn expire_due(now: BlockNumberFor<T>, meter: &mut WeightMeter) {
		if PausedSince::<T>::exists() {
			return;
		}
		let mut expiries_left = T::MaxExpiriesPerBlock::get();
		let mut next = NextExpiry::<T>::get();
		// As they are before any of these attempts tells who was silent.
		let masks = T::Subgroups::masks();
		for _ in 0..MAX_QUEUE_STEPS {
			if next > now || meter.try_consume(T::WeightInfo::expiry_step()).is_err() {
				break;
			}
			if !Self::expire_block(next, &mut expiries_left, &masks, meter) {
				break;
			}
			next = next.saturating_add(One::one());
		}
		NextExpiry::<T>::put(next);
	}

	/// Removes the attempts that expire at `block`; false if some are left.
	fn expire_block(
		block: BlockNumberFor<T>,
		expiries_left: &mut u32,
		masks: &Masks,
		meter: &mut WeightMeter,
	) -> bool {
		// Removing entries while iterating over them is not safe: take them first.
		let limit = *expiries_left as usize;
		let due: alloc::vec::Vec<_> =
			Expiries::<T>::iter_key_prefix(block).take(limit.saturating_add(1)).collect();
		for (index, account) in due.into_iter().enumerate() {
			if index >= limit || meter.try_consume(Self::expire_weight()).is_err() {
				return false;
			}
			*expiries_left = expiries_left.saturating_sub(1);
			Expiries::<T>::remove(block, &account);
			let mut record = Accounts::<T>::get(&account);
			let Some(attempt) = record.registering.take() else { continue };
			Self::expire_attempt(account, record, attempt, masks);
		}
		true
	}
}
