//! What attempts and confirmations weigh, put together from what was measured; and the fee for it.

use crate::{pallet::*, Config, Pallet, WeightInfo};
use frame_support::{
	dispatch::{DispatchClass, DispatchResult},
	traits::Get,
	weights::Weight,
};
use keyshare_primitives::{
	membership::{Masks, SubgroupMembership},
	AccountId, Elements, KeyCommitments, MAX_SUBGROUPS, MIN_SUBGROUPS,
};

/// Takes fees for what a call makes others do, in extrinsics that nobody pays for.
pub trait ChargeFee<Balance> {
	/// What so much weight costs now.
	fn fee(weight: Weight) -> Balance;
	/// Takes a fee from an account.
	fn charge(who: &AccountId, fee: Balance) -> DispatchResult;
}

/// A count that is bounded far below the limit anyway.
pub(crate) fn saturated(count: usize) -> u32 {
	u32::try_from(count).unwrap_or(u32::MAX)
}

impl<T: Config> Pallet<T> {
	/// What it takes to compute the verifying shares of so many subgroups.
	pub(crate) fn shares_weight(commitments: &KeyCommitments, subgroups: u32) -> Weight {
		let threshold = saturated(commitments.len());
		let (read, share) = match commitments {
			Elements::Ed25519(_) => {
				(T::WeightInfo::read_ed25519(threshold), T::WeightInfo::share_ed25519(threshold))
			}
			Elements::Secp256k1(_) => (
				T::WeightInfo::read_secp256k1(threshold),
				T::WeightInfo::share_secp256k1(threshold),
			),
		};
		read.saturating_add(share.saturating_mul(subgroups.into()))
	}

	/// What an account's record weighs more on a chain of so many subgroups than with the fewest, with
	/// which confirmations are measured.
	fn longer_record(subgroups: u32) -> Weight {
		let shortest = T::WeightInfo::account_record(MIN_SUBGROUPS);
		T::WeightInfo::account_record(subgroups).saturating_sub(shortest)
	}

	/// What recording so many entries weighs on a chain of so many subgroups, if none completes its
	/// attempt. Each account's record was read when the extrinsic was checked.
	pub(crate) fn confirm_weight(entries: u32, subgroups: u32) -> Weight {
		let read_before = T::DbWeight::get().reads(entries.into());
		let records = Self::longer_record(subgroups).saturating_mul(entries.into());
		T::WeightInfo::confirm(entries).saturating_add(records).saturating_sub(read_before)
	}

	/// What checking so many entries weighs, of which so many are live: of the others only the account's
	/// record is read.
	pub(crate) fn checked_weight(entries: u32, live: u32, subgroups: u32) -> Weight {
		let dead = T::DbWeight::get().reads(entries.saturating_sub(live).into());
		let records = Self::longer_record(subgroups).saturating_mul(entries.into());
		T::WeightInfo::authorize_confirm(live).saturating_add(records).saturating_add(dead)
	}

	/// What checking so many entries can weigh.
	pub(crate) fn most_checked_weight(entries: u32) -> Weight {
		Self::checked_weight(entries, entries, MAX_SUBGROUPS)
	}

	/// What completing so many first attempts and so many swaps adds to recording the entries that do. The
	/// account's record is written once, which [`Self::confirm_weight`] has.
	pub(crate) fn completions_weight(first: u32, swaps: u32, subgroups: u32) -> Weight {
		let written_before = T::DbWeight::get().writes(1);
		let first_key = T::WeightInfo::complete(subgroups).saturating_sub(written_before);
		let swap = T::WeightInfo::complete_swap(subgroups).saturating_sub(written_before);
		let swaps = swap.saturating_mul(swaps.into());
		first_key.saturating_mul(first.into()).saturating_add(swaps)
	}

	/// What recording so many entries can weigh: each completes a swap, of which every subgroup tells.
	pub(crate) fn most_confirm_weight(entries: u32) -> Weight {
		let hearings = entries.saturating_mul(MAX_SUBGROUPS);
		Self::confirm_weight(entries, MAX_SUBGROUPS)
			.saturating_add(Self::completions_weight(0, entries, MAX_SUBGROUPS))
			.saturating_add(T::Subgroups::hearings_weight(hearings))
	}

	/// What the confirmations in a block may weigh before no more are admitted to it, in picoseconds.
	pub(crate) fn room_for_confirmations() -> u64 {
		let limits = T::BlockWeights::get();
		let normal = limits.get(DispatchClass::Normal).max_total.unwrap_or(limits.max_block);
		T::ConfirmationShare::get().mul_floor(normal.ref_time())
	}

	/// The fee for the confirmations that an attempt causes: one of every member now, its completion as a
	/// swap, and what is noted then of who was silent.
	pub fn confirmation_fee() -> BalanceOf<T> {
		Self::fee_at(&T::Subgroups::masks())
	}

	pub(crate) fn fee_at(masks: &Masks) -> BalanceOf<T> {
		let (subgroups, batch) = (T::Subgroups::count(), T::MaxConfirmations::get());
		let members: u32 = (0..subgroups).map(|subgroup| masks.size(subgroup)).sum();
		let subgroups = subgroups.into();
		let each = Self::checked_weight(batch, batch, subgroups)
			.saturating_add(Self::confirm_weight(batch, subgroups))
			.saturating_div(batch.into());
		let weight = each
			.saturating_mul(members.into())
			.saturating_add(Self::completions_weight(0, 1, subgroups))
			.saturating_add(T::Subgroups::hearings_weight(subgroups));
		T::ConfirmationFee::fee(weight)
	}

	/// What it weighs to complete an attempt past its time: its account's record and the masks are read for
	/// it.
	pub(crate) fn expire_complete_weight(subgroups: u32) -> Weight {
		let record = T::WeightInfo::account_record(subgroups);
		let looked_into = record.saturating_add(T::DbWeight::get().reads(2));
		T::WeightInfo::complete_swap(subgroups).saturating_add(looked_into)
	}

	/// The most that one attempt costs at the end of its time: to be removed, or to be completed.
	pub(crate) fn expire_weight() -> Weight {
		let end = T::WeightInfo::expire().max(Self::expire_complete_weight(MAX_SUBGROUPS));
		end.saturating_add(T::Subgroups::hearings_weight(MAX_SUBGROUPS))
	}
}
