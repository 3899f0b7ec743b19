//! Confirmations: what is admitted to a block, what it changes, and when a quorum is reached.

use crate::{pallet::*, Config, Pallet};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use frame_support::{
	defensive,
	dispatch::DispatchResult,
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction,
	},
	traits::Get,
	weights::Weight,
	BoundedVec,
};
use keyshare_primitives::{
	api::Coverage, membership::SubgroupMembership, messages, proof, AccountId, Confirmation,
	Generation, KeyRecord, RegistrationId, SubgroupId,
};
use sp_core::sr25519;

/// How many blocks a confirmation stays valid in the pool; the off-chain worker sends it again.
const LONGEVITY: u64 = 64;

/// Why a confirmation is not admitted: the number in `InvalidTransaction::Custom`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum Refusal {
	/// The server is not a member of a subgroup.
	NotAMember = 1,
	/// Every entry's attempt is gone, or is confirmed already.
	NothingLive = 2,
	/// The server did not sign this.
	BadSignature = 3,
	/// A live entry's proof was not made with its subgroup's share.
	BadProof = 4,
}

impl From<Refusal> for TransactionValidityError {
	fn from(refusal: Refusal) -> Self {
		InvalidTransaction::Custom(refusal as u8).into()
	}
}

impl<T: Config> Pallet<T> {
	/// Whether a confirmation may enter the pool and a block. Cheap checks come first; nothing is
	/// taken on trust from its source.
	pub(crate) fn authorize_confirm(
		_: TransactionSource,
		server: &AccountId,
		confirmations: &BoundedVec<Confirmation, T::MaxConfirmations>,
		signature: &sr25519::Signature,
	) -> TransactionValidityWithRefund {
		let subgroup = T::Subgroups::member_of(server).ok_or(Refusal::NotAMember)?;
		let live = Self::live_entries(server, subgroup, confirmations);
		if live.is_empty() {
			return Err(Refusal::NothingLive.into());
		}
		let message = messages::confirm_message(&Self::genesis_hash(), server, confirmations);
		let key = sr25519::Public::from_raw(server.clone().into());
		if !sp_io::crypto::sr25519_verify(signature, &message, &key) {
			return Err(Refusal::BadSignature.into());
		}
		if !live.iter().all(|(entry, key)| proof_holds(entry, key, server, subgroup)) {
			return Err(Refusal::BadProof.into());
		}

		// One tag an entry: the same confirmation is never twice in a block. A larger batch takes
		// the place of a smaller one that it overlaps.
		let mut validity = ValidTransaction::with_tag_prefix("keyshare/confirm")
			.priority(live.len() as u64)
			.longevity(LONGEVITY)
			.propagate(true);
		for (_, key) in &live {
			validity = validity.and_provides((server, key.id).encode());
		}
		Ok((validity.build()?, Weight::zero()))
	}

	/// The entries whose attempt or key is there and not yet confirmed by the server, each once.
	fn live_entries<'a>(
		server: &AccountId,
		subgroup: SubgroupId,
		confirmations: &'a [Confirmation],
	) -> Vec<(&'a Confirmation, KeyRecord)> {
		let mut seen = BTreeSet::new();
		confirmations
			.iter()
			.filter_map(|entry| {
				let key = Self::unconfirmed(server, subgroup, &entry.account, entry.generation)?;
				seen.insert(key.id).then_some((entry, key))
			})
			.collect()
	}

	/// The live attempt or key of that generation, unless the server has confirmed it.
	pub(crate) fn unconfirmed(
		server: &AccountId,
		subgroup: SubgroupId,
		account: &AccountId,
		generation: Generation,
	) -> Option<KeyRecord> {
		let key = Self::live_key(account, generation)?;
		let confirmed = Confirmations::<T>::get(key.id, subgroup).contains(server);
		(!confirmed).then_some(key)
	}

	fn live_key(account: &AccountId, generation: Generation) -> Option<KeyRecord> {
		let attempt = Registering::<T>::get(account)
			.filter(Self::is_live)
			.map(|attempt| attempt.key)
			.filter(|key| key.generation == generation);
		attempt.or_else(|| {
			Registered::<T>::get(account)
				.map(|registration| registration.key)
				.filter(|key| key.generation == generation)
		})
	}

	/// Records what [`Self::authorize_confirm`] admitted, and completes every attempt that it
	/// takes to the last quorum.
	pub(crate) fn record_confirmations(
		server: &AccountId,
		confirmations: &[Confirmation],
	) -> DispatchResult {
		let subgroup = T::Subgroups::member_of(server).ok_or(Error::<T>::NotAMember)?;
		for Confirmation { account, generation, .. } in confirmations {
			let Some(key) = Self::unconfirmed(server, subgroup, account, *generation) else {
				continue;
			};
			Self::add_confirmation(&key.id, subgroup, server);
			Self::deposit_event(Event::ShareConfirmed {
				account: account.clone(),
				id: key.id,
				server: server.clone(),
				subgroup,
			});
			match Registering::<T>::get(account) {
				Some(attempt) if attempt.key.id == key.id && Self::has_every_quorum(&key.id) => {
					Self::complete(account, attempt)?
				}
				_ => (),
			}
		}
		Ok(())
	}

	fn add_confirmation(id: &RegistrationId, subgroup: SubgroupId, server: &AccountId) {
		Confirmations::<T>::mutate(id, subgroup, |servers| {
			if servers.is_full() {
				// Former members keep their entries as long as there is room: they may return.
				servers.retain(|server| T::Subgroups::member_of(server) == Some(subgroup));
			}
			if servers.try_push(server.clone()).is_err() {
				defensive!("a subgroup has no more members than there is room for");
			}
		});
	}

	/// Whether every subgroup has its quorum, counting only servers that are members now.
	pub(crate) fn has_every_quorum(id: &RegistrationId) -> bool {
		Self::subgroup_ids().all(|subgroup| {
			let confirmed = Confirmations::<T>::get(id, subgroup)
				.iter()
				.filter(|server| T::Subgroups::member_of(server) == Some(subgroup))
				.count();
			Self::quorum(T::Subgroups::size(subgroup))
				.is_some_and(|quorum| confirmed as u64 >= u64::from(quorum))
		})
	}

	/// `ceil(members · ConfirmationQuorum)`, at least 1; none for an empty subgroup.
	pub fn quorum(members: u32) -> Option<u32> {
		(members > 0).then(|| T::ConfirmationQuorum::get().mul_ceil(members).max(1))
	}

	/// Who of every subgroup has confirmed an attempt or key.
	pub(crate) fn coverage(id: &RegistrationId) -> Vec<Coverage> {
		Self::subgroup_ids()
			.map(|subgroup| {
				let members = T::Subgroups::members(subgroup);
				let servers = Confirmations::<T>::get(id, subgroup);
				let confirmed =
					members.iter().filter(|member| servers.contains(*member)).cloned().collect();
				let quorum = Self::quorum(T::Subgroups::size(subgroup));
				Coverage { subgroup, members, quorum, confirmed }
			})
			.collect()
	}
}

fn proof_holds(
	entry: &Confirmation,
	key: &KeyRecord,
	server: &AccountId,
	subgroup: SubgroupId,
) -> bool {
	let message = messages::custody_message(&key.id, server);
	key.verifying_share(subgroup)
		.is_some_and(|verifying_share| proof::verify(&entry.proof, &message, &verifying_share))
}
