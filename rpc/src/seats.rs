//! Where servers are members in one block, and whose confirmations count there.

use crate::{
	chain::{key_of, AccountRecord, BlockHash, ChainError, ChainState},
	store::ShareRecord,
};
use keyshare_primitives::{
	membership::{Masks, Seat, Silences},
	AccountId,
};
use std::collections::BTreeMap;

/// The seats of some servers in one block. What it is asked about must be of the same block.
pub(crate) struct Seats {
	at: BlockHash,
	masks: Masks,
	/// Of those servers that are members.
	seats: BTreeMap<AccountId, Seat>,
}

impl Seats {
	/// Reads them: one item of the state, and one more for each server.
	pub fn of(
		chain: &dyn ChainState,
		at: BlockHash,
		servers: impl IntoIterator<Item = AccountId>,
	) -> Result<Self, ChainError> {
		let masks = chain.masks(at)?;
		let mut seats = BTreeMap::new();
		for server in servers {
			if let Some(seat) = chain.seat_of(at, &server)? {
				seats.insert(server, seat);
			}
		}
		Ok(Self { at, masks, seats })
	}

	/// The block.
	pub fn at(&self) -> BlockHash {
		self.at
	}

	/// The seats of all subgroups.
	pub fn masks(&self) -> &Masks {
		&self.masks
	}

	/// How many of the servers are members and not ready.
	pub fn not_ready(&self) -> usize {
		let is_ready = |seat: &Seat| {
			self.masks.of(seat.subgroup).is_some_and(|masks| masks.ready & seat.bit() != 0)
		};
		self.seats.values().filter(|seat| !is_ready(seat)).count()
	}

	/// In how many attempts in a row one of the servers was silent, of the one with the most.
	pub fn most_missed(&self, silences: &Silences) -> u32 {
		self.seats.values().map(|seat| silences.missed(*seat)).max().unwrap_or(0)
	}

	/// Whether the server that holds `share` is a member of the share's subgroup.
	pub fn is_member(&self, share: &ShareRecord) -> bool {
		self.seat_for(share).is_some()
	}

	/// Whether the confirmation of `share` stands in its account's `record`, and counts for its
	/// server. Of a server that is no member nothing counts.
	pub fn has_confirmed(&self, share: &ShareRecord, record: &AccountRecord) -> bool {
		let confirmed = key_of(record, &share.id).map(|(_, confirmed)| confirmed);
		let seat = self.seat_for(share);
		confirmed.zip(seat).is_some_and(|(confirmed, seat)| confirmed.has(&self.masks, seat))
	}

	/// A member of another subgroup confirms another share.
	fn seat_for(&self, share: &ShareRecord) -> Option<Seat> {
		self.seats.get(&share.server).copied().filter(|seat| seat.subgroup == share.subgroup)
	}
}
