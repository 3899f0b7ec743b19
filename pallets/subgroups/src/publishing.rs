//! Validators' servers: what may be published, and what is kept of it. Protocol §8.

use crate::{pallet::*, session::ValidatorSet, Config, Pallet};
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
use keyshare_primitives::{
	elements::encryption_key_is_usable, endpoint::endpoint_is_well_formed, membership::Syncing,
	messages, AccountId, GenesisHash, RetiredKey, ServerInfo, SubgroupId,
};
use sp_core::sr25519;
use sp_runtime::{
	traits::{Convert, Saturating, Zero},
	DispatchError,
};

impl<T: Config> Pallet<T> {
	pub(crate) fn publish(
		validator: AccountId,
		server: ServerInfo,
		proof: &sr25519::Signature,
	) -> DispatchResult {
		ensure!(endpoint_is_well_formed(&server.endpoint), Error::<T>::InvalidEndpoint);
		Self::ensure_free(&validator, &server)?;
		Self::ensure_possession(&validator, &server, proof)?;
		ensure!(encryption_key_is_usable(&server.encryption_key), Error::<T>::InvalidEncryptionKey);
		Self::ensure_may_retire(&validator, &server)?;

		let deposit = Self::hold_deposit(&validator, &server)?;
		Withdrawing::<T>::remove(&validator);
		let account = server.account.clone();
		let previous = Self::store_server(&validator, server, deposit);
		Self::deposit_event(match previous {
			None => Event::ServerPublished { validator, server: account },
			Some(previous) => Event::ServerReplaced {
				validator,
				server: account,
				previous: previous.info.account,
			},
		});
		Ok(())
	}

	/// At once, unless its validator is a member or about to be one.
	pub(crate) fn withdraw(validator: AccountId) -> DispatchResult {
		let server = Servers::<T>::get(&validator).ok_or(Error::<T>::NoServer)?;
		let needed = MemberOf::<T>::contains_key(&server.info.account)
			|| T::Validators::queued().contains(&validator);
		if !needed {
			Self::remove_server(&validator);
			return Ok(());
		}
		ensure!(!Withdrawing::<T>::contains_key(&validator), Error::<T>::AlreadyWithdrawing);
		Withdrawing::<T>::insert(&validator, ());
		Self::deposit_event(Event::ServerWithdrawing { validator });
		Ok(())
	}

	/// The server account must not be, or ever have been, another validator's. The encryption key may
	/// be: an envelope names the server account it is for, and nobody could squat a key by publishing
	/// it first.
	fn ensure_free(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
		let owner = ServerAccounts::<T>::get(&server.account);
		ensure!(owner.is_none_or(|owner| owner == *validator), Error::<T>::ServerAccountInUse);
		Ok(())
	}

	/// While the key before still opens envelopes, the one now cannot be replaced: only one
	/// retired key is kept.
	fn ensure_may_retire(validator: &AccountId, server: &ServerInfo) -> DispatchResult {
		let Some(published) = Servers::<T>::get(validator) else { return Ok(()) };
		let now = frame_system::Pallet::<T>::block_number();
		let in_use = published.retired.is_some_and(|retired| now < retired.until);
		let replaced = published.info.encryption_key != server.encryption_key;
		ensure!(!(in_use && replaced), Error::<T>::KeyReplacedTooSoon);
		Ok(())
	}

	fn ensure_possession(
		validator: &AccountId,
		server: &ServerInfo,
		proof: &sr25519::Signature,
	) -> DispatchResult {
		let message = messages::server_message(&Self::genesis_hash(), validator, server);
		let key = sr25519::Public::from_raw(server.account.clone().into());
		ensure!(sp_io::crypto::sr25519_verify(proof, &message, &key), Error::<T>::InvalidProof);
		Ok(())
	}

	/// Holds what the server costs, in place of what the one before cost, and what is never removed: the
	/// entry of an account that is new to the chain, and with the first one that of the validator's
	/// subgroup. Gives the first part.
	fn hold_deposit(
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
		let is_first = stays.is_zero() && !Assignments::<T>::contains_key(validator);
		let assignment = match is_first {
			true => Self::price(AccountId::max_encoded_len() + SubgroupId::max_encoded_len()),
			false => Zero::zero(),
		};
		let deposit = Self::price(server.encoded_size());
		let stays = stays.saturating_add(assignment);
		let due = stays.saturating_add(index).saturating_add(deposit);
		T::NativeBalance::set_on_hold(&reason, validator, due)?;
		Ok(deposit)
	}

	fn price(size: usize) -> BalanceOf<T> {
		T::DepositPrice::convert(Footprint::from_parts(1, size))
	}

	/// Writes a server with its index entry; a member stays a member under its new account, and has
	/// to declare itself ready again, for it has confirmed nothing under that; see [`Self::move_member`].
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

	/// The last ready member of a subgroup counts as ready under its new account too: if it did not, nobody
	/// could register anything until it had confirmed every key again. For all else it is syncing, so that
	/// others wait for what it has to confirm.
	fn move_member(validator: &AccountId, from: &AccountId, to: &AccountId) {
		let Some(seat) = MemberOf::<T>::get(from) else { return };
		let is_last = Masks::<T>::get().of(seat.subgroup).is_some_and(|of| of.ready == seat.bit());
		Self::vacate_seat(from);
		match Self::take_seat(seat.subgroup, to) {
			Ok(since) => {
				Joining::<T>::insert(validator, Syncing { since, silent: false });
				if let Some(seat) = MemberOf::<T>::get(to).filter(|_| is_last) {
					Self::set_ready(seat);
				}
			}
			// The seat just vacated is there.
			Err(reason) => {
				defensive!(reason);
			}
		}
	}

	/// Removes the server of a validator that is no member, and releases its deposit but for what
	/// stays: the entries that say whose its account was, and which subgroup the validator was in.
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
