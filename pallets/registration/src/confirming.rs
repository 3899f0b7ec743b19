//! Confirmations: what is admitted to a block, what it changes, and when a quorum is reached.

use crate::{costs::saturated, pallet::*, Config, Pallet};
use alloc::{collections::BTreeSet, vec::Vec};
use codec::Encode;
use frame_support::{
	pallet_prelude::{
		InvalidTransaction, TransactionSource, TransactionValidityError,
		TransactionValidityWithRefund, ValidTransaction,
	},
	traits::Get,
	weights::Weight,
	BoundedVec,
};
use keyshare_primitives::{
	api::Coverage,
	membership::{Confirmed, Masks, Seat, SeatMask, SubgroupMembership},
	messages,
	offchain::SERVER_PRIORITY,
	proof, AccountId, Confirmation, Generation, KeyRecord, SubgroupId,
};
use sp_core::sr25519;
use sp_runtime::DispatchError;

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
	/// Attempts are paused: the storage is being migrated, or that has failed.
	Paused = 5,
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
		// It would be refused for nothing in block after block, before whatever others send.
		if PausedSince::<T>::exists() {
			return Err(Refusal::Paused.into());
		}
		if ConfirmationWeight::<T>::get() >= Self::room_for_confirmations() {
			// This block has as many as it may have. The next one takes it.
			return Err(InvalidTransaction::ExhaustsResources.into());
		}
		let seat = T::Subgroups::seat_of(server).ok_or(Refusal::NotAMember)?;
		let message = messages::confirm_message(&Self::genesis_hash(), server, confirmations);
		let key = sr25519::Public::from_raw(server.clone().into());
		if !sp_io::crypto::sr25519_verify(signature, &message, &key) {
			return Err(Refusal::BadSignature.into());
		}
		let live = Self::live_entries(seat, confirmations);
		if live.is_empty() {
			return Err(Refusal::NothingLive.into());
		}
		if !live.iter().all(|(entry, key)| proof_holds(entry, key, server, seat.subgroup)) {
			return Err(Refusal::BadProof.into());
		}

		// One tag a batch: with one an entry, a batch that overlaps two others would have to outbid both.
		// The tag names one entry, so that a server has no more batches in a pool than it has entries, and
		// of two that begin with the same one the larger stays. What another batch has confirmed is
		// passed over.
		let first = live.iter().map(|(_, key)| key.id).min();
		let batch = sp_io::hashing::blake2_256(&(server, first).encode());
		let validity = ValidTransaction::with_tag_prefix("keyshare/confirm")
			.priority(SERVER_PRIORITY.saturating_add(live.len() as u64))
			.longevity(LONGEVITY)
			.propagate(true)
			.and_provides(batch);
		let (entries, live) = (saturated(confirmations.len()), saturated(live.len()));
		let subgroups = T::Subgroups::count().into();
		let unspent = Self::most_checked_weight(entries)
			.saturating_sub(Self::checked_weight(entries, live, subgroups));
		Ok((validity.build()?, unspent))
	}

	/// The entries whose attempt or key is there and not yet confirmed from the seat, each once.
	fn live_entries(seat: Seat, confirmations: &[Confirmation]) -> Vec<(&Confirmation, KeyRecord)> {
		let masks = T::Subgroups::masks();
		let mut seen = BTreeSet::new();
		confirmations
			.iter()
			.filter_map(|entry| {
				let key = Self::unconfirmed(&masks, seat, &entry.account, entry.generation)?;
				seen.insert(key.id).then_some((entry, key))
			})
			.collect()
	}

	/// The live attempt or key of that generation, unless the member in the seat has confirmed it.
	pub(crate) fn unconfirmed(
		masks: &Masks,
		seat: Seat,
		account: &AccountId,
		generation: Generation,
	) -> Option<KeyRecord> {
		let record = Accounts::<T>::get(account);
		let (key, confirmed) = match (record.registering, record.registered) {
			(Some(attempt), _) if attempt.key.generation == generation => {
				Self::is_live(&attempt).then_some((attempt.key, attempt.confirmed))?
			}
			(_, Some(registered)) if registered.key.generation == generation => {
				(registered.key, registered.confirmed)
			}
			_ => return None,
		};
		(!confirmed.has(masks, seat)).then_some(key)
	}

	/// Records what [`Self::authorize_confirm`] admitted, and completes every attempt that it
	/// takes to the last quorum. An entry that is given twice or has gone is passed over.
	pub(crate) fn record_confirmations(
		server: &AccountId,
		confirmations: &[Confirmation],
	) -> Result<Weight, DispatchError> {
		let seat = T::Subgroups::seat_of(server).ok_or(Error::<T>::NotAMember)?;
		// As they are at the beginning: what an attempt tells at its end changes nothing for those that
		// are completed with it.
		let masks = T::Subgroups::masks();
		let (mut recorded, mut first, mut ended) = (0u32, 0u32, Vec::new());
		for Confirmation { account, generation, .. } in confirmations {
			let mut record = Accounts::<T>::get(account);
			let id = match (record.registering.as_mut(), record.registered.as_mut()) {
				(Some(attempt), _) if attempt.key.generation == *generation => {
					if !Self::is_live(attempt) || attempt.confirmed.has(&masks, seat) {
						continue;
					}
					attempt.confirmed.add(&masks, seat);
					let now = frame_system::Pallet::<T>::block_number();
					if let Some(of) = attempt.expectations.get_mut(usize::from(seat.subgroup)) {
						of.first_heard.get_or_insert(now);
					}
					attempt.key.id
				}
				(_, Some(registered)) if registered.key.generation == *generation => {
					if registered.confirmed.has(&masks, seat) {
						continue;
					}
					registered.confirmed.add(&masks, seat);
					registered.key.id
				}
				_ => continue,
			};
			recorded = recorded.saturating_add(1);
			Self::deposit_event(Event::ShareConfirmed {
				account: account.clone(),
				id,
				server: server.clone(),
				subgroup: seat.subgroup,
			});
			let complete = record.registering.take_if(|attempt| {
				attempt.key.id == id && Self::has_every_quorum(&attempt.confirmed, &masks)
			});
			match complete {
				Some(attempt) => {
					first = first.saturating_add(record.registered.is_none().into());
					ended.push(Self::complete(account, record, attempt, &masks));
				}
				None => Accounts::<T>::insert(account, record),
			}
		}
		let swaps = saturated(ended.len()).saturating_sub(first);
		let subgroups = T::Subgroups::count().into();
		let weight = Self::confirm_weight(recorded, subgroups)
			.saturating_add(Self::completions_weight(first, swaps, subgroups))
			.saturating_add(Self::note(ended));
		let checked = Self::checked_weight(saturated(confirmations.len()), recorded, subgroups);
		ConfirmationWeight::<T>::mutate(|sum| {
			*sum = sum.saturating_add(weight.saturating_add(checked).ref_time());
		});
		Ok(weight)
	}

	/// Whether every subgroup has its quorum of confirmations by ready members.
	pub(crate) fn has_every_quorum(confirmed: &Confirmed, masks: &Masks) -> bool {
		(0..T::Subgroups::count()).all(|subgroup| {
			Self::quorum(masks.ready(subgroup))
				.is_some_and(|quorum| confirmed.ready_count(masks, subgroup) >= quorum)
		})
	}

	/// `ceil(ready · ConfirmationQuorum)`, at least 1; none if nobody is ready.
	pub fn quorum(ready: u32) -> Option<u32> {
		(ready > 0).then(|| T::ConfirmationQuorum::get().mul_ceil(ready).max(1))
	}

	/// Who of every subgroup has confirmed an attempt or key.
	pub(crate) fn coverage(confirmed: &Confirmed) -> Vec<Coverage> {
		let masks = T::Subgroups::masks();
		(0..T::Subgroups::count())
			.map(|subgroup| {
				let members = T::Subgroups::members(subgroup);
				let ready = masks.of(subgroup).map_or(0, |of| of.ready);
				let those_in = |mask: SeatMask| {
					let sits = |(server, seat): &(AccountId, Seat)| {
						(mask & seat.bit() != 0).then(|| server.clone())
					};
					members.iter().filter_map(sits).collect()
				};
				Coverage {
					subgroup,
					ready: those_in(ready),
					quorum: Self::quorum(masks.ready(subgroup)),
					confirmed: those_in(confirmed.by(&masks, subgroup)),
					members: those_in(SeatMask::MAX),
				}
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
