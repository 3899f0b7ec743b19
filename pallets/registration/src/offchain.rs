//! The off-chain worker: takes the confirmations the node has queued, and sends as few extrinsics
//! as possible, again and again until the chain shows each one confirmed or its attempt gone.

use crate::{pallet::*, Config, Pallet};
use alloc::{collections::BTreeMap, vec::Vec};
use codec::Encode;
use frame_support::{traits::Get, BoundedVec};
use frame_system::{offchain::SubmitTransaction, pallet_prelude::BlockNumberFor};
use keyshare_primitives::{
	membership::SubgroupMembership,
	messages,
	offchain::{server_crypto, PendingConfirmations, Queue, QUEUE_KEY},
	AccountId, Confirmation, Generation,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{crypto::UncheckedFrom, sr25519, H256};
use sp_runtime::{offchain::storage::StorageValueRef, traits::Saturating};

const LOG_TARGET: &str = "keyshare";

/// Where the worker keeps when it last sent what, so that it does not sign the same batch anew
/// while the last one is still on its way.
const SENT_KEY: &[u8] = b"keyshare/sent/v1";

/// After how many blocks a confirmation that is still not on chain is sent again.
pub(crate) const RESEND_AFTER: u32 = 5;

/// What names a confirmation: its server, its user and the generation.
type Name = (AccountId, AccountId, Generation);

impl<T: Config> Pallet<T> {
	/// Sends what is due; called in every off-chain worker run.
	pub(crate) fn send_confirmations() {
		if PausedSince::<T>::exists() {
			return;
		}
		let Ok(Some(queue)) = StorageValueRef::persistent(QUEUE_KEY).get::<Queue>() else { return };
		let sent_value = StorageValueRef::persistent(SENT_KEY);
		let sent_before: BTreeMap<Name, BlockNumberFor<T>> =
			sent_value.get().ok().flatten().unwrap_or_default();
		let now = frame_system::Pallet::<T>::block_number();

		// Rebuilt from what is still queued, so it forgets with the queue.
		let mut sent = BTreeMap::new();
		for PendingConfirmations { server, confirmations } in queue {
			let Some(seat) = T::Subgroups::seat_of(&server) else { continue };
			let masks = T::Subgroups::masks();
			let mut due = Vec::new();
			for entry in confirmations {
				let key = Self::unconfirmed(&masks, seat, &entry.account, entry.generation);
				if key.is_none() {
					continue;
				}
				let name = (server.clone(), entry.account.clone(), entry.generation);
				match sent_before.get(&name) {
					// A block of another fork may have a lower number: then it waits a little.
					Some(at) if now < at.saturating_add(RESEND_AFTER.into()) => {
						sent.insert(name, *at);
					}
					_ => due.push(entry),
				}
			}
			for batch in due.chunks(T::MaxConfirmations::get() as usize) {
				if Self::send_batch(&server, batch) {
					for entry in batch {
						let name = (server.clone(), entry.account.clone(), entry.generation);
						sent.insert(name, now);
					}
				}
			}
		}
		sent_value.set(&sent);
	}

	/// Signs and submits one extrinsic; false if it did not get into the pool.
	fn send_batch(server: &AccountId, batch: &[Confirmation]) -> bool {
		let Ok(confirmations) = BoundedVec::try_from(batch.to_vec()) else { return false };
		let message = messages::confirm_message(&Self::genesis_hash(), server, &confirmations);
		let key = server_crypto::Public::from(sr25519::Public::unchecked_from(
			H256::from(<[u8; 32]>::from(server.clone())).0,
		));
		let Some(signature) = key.sign(&message) else {
			log::error!(
				target: LOG_TARGET,
				"Cannot confirm shares: the key store has no `ksrv` key for server {}. \
				 Put the server's key back, or publish a new server.",
				sp_core::hexdisplay::HexDisplay::from(&server.encode()),
			);
			return false;
		};
		let call =
			Call::confirm { server: server.clone(), confirmations, signature: signature.into() };
		let extrinsic = T::create_authorized_transaction(call.into());
		let submitted = SubmitTransaction::<T, Call<T>>::submit_transaction(extrinsic).is_ok();
		match submitted {
			true => log::info!(
				target: LOG_TARGET,
				"Sent confirmation of {} share(s) to the chain",
				batch.len(),
			),
			false => log::warn!(
				target: LOG_TARGET,
				"The pool did not take the confirmation of {} share(s); trying again at the next block",
				batch.len(),
			),
		}
		submitted
	}
}
