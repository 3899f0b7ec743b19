//! Validators' servers: what may be published, and what is kept of it. Protocol §8.

use crate::{pallet::*, Config, Pallet};
use codec::{Encode, MaxEncodedLen};
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	ensure,
	traits::{
		fungible::{InspectHold, MutateHold},
		Footprint, Get,
	},
};
use frame_system::pallet_prelude::BlockNumberFor;
use keyshare_primitives::{messages, AccountId, GenesisHash, RetiredKey, ServerInfo};
use sp_core::sr25519;
use sp_runtime::{
	traits::{Convert, Saturating, Zero},
	DispatchError,
};

impl<T: Config> Pallet<T> {
	/// The server account must not be, or ever have been, another validator's. The encryption key may
	/// be: an envelope names the server account it is for, and nobody could squat a key by publishing
	/// it first.
	pub(crate) fn ensure_free(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
		let owner = ServerAccounts::<T>::get(&server.account);
		ensure!(owner.is_none_or(|owner| owner == *validator), Error::<T>::ServerAccountInUse);
		Ok(())
	}

	/// While the key before still opens envelopes, the one now cannot be replaced: only one
	/// retired key is kept.
	pub(crate) fn ensure_may_retire(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
		let Some(published) = Servers::<T>::get(validator) else { return Ok(()) };
		let now = frame_system::Pallet::<T>::block_number();
		let in_use = published.retired.is_some_and(|retired| now < retired.until);
		let replaced = published.info.encryption_key != server.encryption_key;
		ensure!(!(in_use && replaced), Error::<T>::KeyReplacedTooSoon);
		Ok(())
	}

	pub(crate) fn ensure_possession(
		validator: &AccountId,
		server: &ServerInfo,
		proof: &sr25519::Signature,
	) -> DispatchResult {
		let message = messages::server_message(&Self::genesis_hash(), validator, server);
		let key = sr25519::Public::from_raw(server.account.clone().into());
		ensure!(sp_io::crypto::sr25519_verify(proof, &message, &key), Error::<T>::InvalidProof);
		Ok(())
	}

	/// Holds what the server costs, in place of what the one before cost, and for an account that is
	/// new to the chain what its entry costs, which is never removed. Gives the first part.
	pub(crate) fn hold_deposit(
		validator: &AccountId,
		server: &ServerInfo,
	) -> Result<BalanceOf<T>, DispatchError> {
		let reason = HoldReason::Server.into();
		let before = Servers::<T>::get(validator).map_or_else(Zero::zero, |server| server.deposit);
		let stays = T::NativeBalance::balance_on_hold(&reason, validator).saturating_sub(before);
		let index = match ServerAccounts::<T>::contains_key(&server.account) {
			true => Zero::zero(),
			false => Self::price(2 * AccountId::max_encoded_len()),
		};
		let deposit = Self::price(server.encoded_size());
		let due = stays.saturating_add(index).saturating_add(deposit);
		T::NativeBalance::set_on_hold(&reason, validator, due)?;
		Ok(deposit)
	}

	fn price(size: usize) -> BalanceOf<T> {
		T::DepositPrice::convert(Footprint::from_parts(1, size))
	}

	/// Writes a server with its index entry; a member stays a member under its new account, and has
	/// to declare itself ready again, for it has confirmed nothing under that.
	pub(crate) fn store_server(
		validator: &AccountId,
		info: ServerInfo,
		deposit: BalanceOf<T>,
	) -> Option<PublishedServerOf<T>> {
		let previous = Servers::<T>::get(validator);
		let mut retired = None;
		if let Some(previous) = &previous {
			let now = frame_system::Pallet::<T>::block_number();
			let key = previous.info.encryption_key;
			retired = match key == info.encryption_key {
				true => previous.retired,
				false => {
					Some(RetiredKey { key, until: now.saturating_add(T::KeyGracePeriod::get()) })
				}
			};
			if previous.info.account != info.account {
				Self::move_member(validator, &previous.info.account, &info.account);
			}
		}
		ServerAccounts::<T>::insert(&info.account, validator);
		Servers::<T>::insert(validator, PublishedServer { info, retired, deposit });
		previous
	}

	fn move_member(validator: &AccountId, from: &AccountId, to: &AccountId) {
		let Some(seat) = Self::vacate_seat(from) else { return };
		match Self::take_seat(seat.subgroup, to) {
			Ok(change) => Joining::<T>::insert(validator, change),
			// The seat just vacated is there.
			Err(reason) => {
				defensive!(reason);
			}
		}
	}

	/// Removes the server of a validator that is no member, and releases its deposit but for what
	/// stays: the entry that says whose its account was.
	pub(crate) fn remove_server(validator: &AccountId) {
		Withdrawing::<T>::remove(validator);
		let Some(server) = Servers::<T>::take(validator) else { return };
		let reason = HoldReason::Server.into();
		let held = T::NativeBalance::balance_on_hold(&reason, validator);
		let stays = held.saturating_sub(server.deposit);
		if T::NativeBalance::set_on_hold(&reason, validator, stays).is_err() {
			defensive!("what is held can be released");
		}
		Self::deposit_event(Event::ServerWithdrawn {
			validator: validator.clone(),
			server: server.info.account,
		});
	}

	/// Hash of the genesis block, which everything signed for this chain names.
	pub(crate) fn genesis_hash() -> GenesisHash {
		frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
	}
}
