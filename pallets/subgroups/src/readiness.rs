//! A member that holds every share of its subgroup says so: protocol §7.
//!
//! The declaration is the server's word. What each server really holds stands in its
//! confirmations, which nobody's word replaces.

use crate::{pallet::*, Config, Pallet};
use alloc::vec::Vec;
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction,
	},
	weights::Weight,
};
use frame_system::offchain::SubmitTransaction;
use keyshare_primitives::{
	membership::Change,
	messages,
	offchain::{server_crypto, READY_KEY, SERVER_PRIORITY},
	AccountId,
};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::{sr25519, Get};
use sp_runtime::offchain::storage::StorageValueRef;

const LOG_TARGET: &str = "keyshare";

/// How many blocks a declaration stays valid in the pool; the off-chain worker sends it again.
const LONGEVITY: u64 = 64;

/// Why a declaration is not admitted: the number in `InvalidTransaction::Custom`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
	/// The server is not a member that joined with that change and has not declared itself ready.
	NotJoining = 1,
	/// The server did not sign this.
	BadSignature = 2,
	/// The chain takes no transactions of servers for now.
	Paused = 3,
}

impl From<Refusal> for TransactionValidityError {
	fn from(refusal: Refusal) -> Self {
		InvalidTransaction::Custom(refusal as u8).into()
	}
}

impl<T: Config> Pallet<T> {
	/// The validator whose server `server` is now.
	pub(crate) fn validator_of(server: &AccountId) -> Option<AccountId> {
		ServerAccounts::<T>::get(server).filter(|validator| {
			Servers::<T>::get(validator).is_some_and(|published| published.info.account == *server)
		})
	}

	/// The validator of `server` and the change since which it is not ready; nothing if it is.
	fn joined(server: &AccountId) -> Option<(AccountId, Change)> {
		let validator = Self::validator_of(server)?;
		let syncing = Joining::<T>::get(&validator)?;
		Some((validator, syncing.since))
	}

	/// Whether a declaration may enter the pool and a block.
	pub(crate) fn authorize_declare_ready(
		_: TransactionSource,
		server: &AccountId,
		joined: &Change,
		signature: &sr25519::Signature,
	) -> TransactionValidityWithRefund {
		if T::Paused::get() {
			return Err(Refusal::Paused.into());
		}
		Self::joined(server).filter(|(_, change)| change == joined).ok_or(Refusal::NotJoining)?;
		let message = messages::ready_message(&Self::genesis_hash(), server, *joined);
		let key = sr25519::Public::from_raw(server.clone().into());
		if !sp_io::crypto::sr25519_verify(signature, &message, &key) {
			return Err(Refusal::BadSignature.into());
		}
		let validity = ValidTransaction::with_tag_prefix("keyshare/ready")
			.priority(SERVER_PRIORITY)
			.longevity(LONGEVITY)
			.propagate(true)
			.and_provides(server.encode());
		Ok((validity.build()?, Weight::zero()))
	}

	/// Sends what the node has found its servers ready for; called in every off-chain worker run.
	pub(crate) fn send_declarations() {
		if T::Paused::get() {
			return;
		}
		let ready = StorageValueRef::persistent(READY_KEY).get::<Vec<(AccountId, Change)>>();
		for (server, joined) in ready.ok().flatten().unwrap_or_default() {
			// What was found of an earlier membership says nothing of this one.
			if Self::joined(&server).is_some_and(|(_, change)| change == joined) {
				Self::send_declaration(server, joined);
			}
		}
	}

	fn send_declaration(server: AccountId, joined: Change) {
		let message = messages::ready_message(&Self::genesis_hash(), &server, joined);
		let key = server_crypto::Public::from(sr25519::Public::from_raw(server.clone().into()));
		// A missing key is the registration pallet's to complain about: it confirms first.
		let Some(signature) = key.sign(&message) else { return };
		let call = Call::declare_ready { server, joined, signature: signature.into() };
		let extrinsic = T::create_authorized_transaction(call.into());
		// The pool refuses a second one while the first is on its way.
		if SubmitTransaction::<T, Call<T>>::submit_transaction(extrinsic).is_ok() {
			log::info!(target: LOG_TARGET, "Sent the declaration of readiness to the chain");
		}
	}

	/// Records what [`Self::authorize_declare_ready`] admitted.
	pub(crate) fn record_ready(server: AccountId) {
		if let Some((validator, _)) = Self::joined(&server) {
			Self::make_ready(&validator);
			Self::deposit_event(Event::ServerReady { validator, server });
		}
	}

	/// A member counts as holding every share.
	pub(crate) fn make_ready(validator: &AccountId) {
		Joining::<T>::remove(validator);
		let server = Servers::<T>::get(validator).map(|server| server.info.account);
		if let Some(seat) = server.and_then(MemberOf::<T>::get) {
			Self::set_ready(seat);
		}
	}
}
