//! Damaged shares: how they are found, and what becomes of them.
//!
//! A disk that fails, or a hand in the file, damages rows. What seals a secret covers the names of its
//! record too (`vault`): a secret that opens is the share that was stored under them. Beside it stand
//! the proof and the state, and both can be made again: the proof from the share, the state from the
//! chain. A row that does not open, or cannot be read, holds no share. It is marked and stays, so that
//! no mistake in this program erases what another version could read; but nobody is told that the share
//! is there, and a good one takes its place.
//!
//! Marks go through the writer's queue like all else that is written: a share that is stored after one
//! was found to be damaged is written after the mark.

use super::{
	rows::{self, Read, Seen, Unreadable},
	vault::{Place, Sealed, Vault},
	writer::Write,
	RecordState, ShareRecord, ShareStore, StoreError, StoredShare,
};
use crate::LOG_TARGET;
use keyshare_primitives::{
	messages, proof, share::Share, AccountId, CustodyProof, Element, RegistrationId,
};
use rusqlite::Connection;
use std::fmt::Display;

/// What a look at some of the records has found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Scrubbed {
	/// After which place to go on; 0, the beginning, if these were the last.
	pub next: i64,
	/// Records that can be decrypted, but are marked as damaged or have another share's proof. Only
	/// what the chain promises tells what they are: see [`ShareStore::prove_again`].
	pub doubtful: Vec<ShareRecord>,
}

/// Reads a page of records, and keeps apart what cannot be read.
pub(super) type Select =
	fn(&Connection, i64, u32, &mut Vec<Unreadable>) -> rusqlite::Result<Vec<StoredShare>>;

/// A row whose secret opens.
struct OpenRow {
	stored: StoredShare,
	share: Share,
	seen: Seen,
}

impl ShareStore {
	/// Looks at the `limit` records that arrived after the one at `after` (0 to begin): marks those as
	/// damaged that cannot be read or decrypted, and says once of each that it is.
	pub fn scrub(&self, after: i64, limit: u32) -> Result<Scrubbed, StoreError> {
		let page = rows::select_all(&self.reader(), after, limit)?;
		let next = match page.last() {
			Some((last, _)) if page.len() >= limit as usize => *last,
			_ => 0,
		};
		let is_doubtful = |row: &OpenRow| {
			let record = &row.stored.record;
			row.stored.state == RecordState::Damaged || !made_its_proof(&row.share, record)
		};
		let open = page.into_iter().filter_map(|(_, row)| self.open_row(row));
		let doubtful = open.filter(is_doubtful).map(|row| row.stored.record).collect();
		Ok(Scrubbed { next, doubtful })
	}

	/// The proof of a share that is held under `record`, if it holds under `promised`, the verifying
	/// share that the chain shows for it. One that does not hold is made again: [`Self::prove_again`].
	pub fn proof_under(
		&self,
		record: &ShareRecord,
		promised: Element,
	) -> Result<Option<CustodyProof>, StoreError> {
		match proof::verify(&record.proof, &custody_message(record), &promised) {
			true => Ok(Some(record.proof)),
			false => self.prove_again(record, promised),
		}
	}

	/// Makes the proof of a share again, if the share is the one behind `promised`: then it is whole from
	/// now on, even if it was marked as damaged. Otherwise it is damaged, and there is none. Waits until
	/// the proof is durable.
	pub fn prove_again(
		&self,
		record: &ShareRecord,
		promised: Element,
	) -> Result<Option<CustodyProof>, StoreError> {
		let Some(row) = self.opened(&record.id, &record.server)? else { return Ok(None) };
		let OpenRow { stored, share, seen } = row;
		if stored.record.subgroup != record.subgroup {
			// Not the record for which the chain was asked.
			return Ok(None);
		}
		let Ok(share) = share.verify(promised) else {
			if stored.state != RecordState::Damaged {
				self.mark(seen, format_args!("the chain promises another one, of {}", Of(&stored)));
			}
			return Ok(None);
		};
		let proof = share.prove(&custody_message(&stored.record));
		self.write(Write::Proof(seen, proof))?;
		log::info!(
			target: LOG_TARGET,
			"The share store held a wrong proof, or none, of a share that is whole; it was made again: {}",
			Of(&stored),
		);
		Ok(Some(proof))
	}

	/// How many shares are marked as damaged.
	pub fn count_damaged(&self) -> Result<u64, StoreError> {
		Ok(rows::count_damaged(&self.reader())?)
	}

	/// At most `limit` of the records that are marked as damaged, oldest first. Those are left out that
	/// cannot be read; in the others, any name may be wrong.
	pub fn damaged(&self, limit: u32) -> Result<Vec<StoredShare>, StoreError> {
		Ok(rows::select_damaged(&self.reader(), limit)?)
	}

	/// The share that `server` holds of `id`, if it is not damaged, as far as can be seen without the
	/// chain.
	pub(super) fn held(
		&self,
		id: &RegistrationId,
		server: &AccountId,
	) -> Result<Option<(StoredShare, Share)>, StoreError> {
		let row = self.opened(id, server)?;
		let held = row.filter(|row| row.stored.state != RecordState::Damaged);
		Ok(held.map(|row| (row.stored, row.share)))
	}

	/// A page of records; what cannot be read is marked.
	pub(super) fn page(
		&self,
		select: Select,
		after: i64,
		limit: u32,
	) -> Result<Vec<StoredShare>, StoreError> {
		let mut unreadable = Vec::new();
		let page = select(&self.reader(), after, limit, &mut unreadable)?;
		unreadable.into_iter().for_each(|row| self.mark_unreadable(row));
		Ok(page)
	}

	/// The row of a share, in whatever state.
	fn opened(
		&self,
		id: &RegistrationId,
		server: &AccountId,
	) -> Result<Option<OpenRow>, StoreError> {
		let row = rows::select_share(&self.reader(), id, server)?;
		Ok(row.and_then(|row| self.open_row(row)))
	}

	/// Opens a row; one that does not open is marked.
	fn open_row(&self, row: Read<(StoredShare, Sealed)>) -> Option<OpenRow> {
		let (stored, sealed) = match row {
			Ok(row) => row,
			Err(row) => {
				self.mark_unreadable(*row);
				return None;
			}
		};
		let seen = Seen::new(&stored, &sealed);
		match open(&self.0.vault, &stored.record, &sealed) {
			Some(share) => Some(OpenRow { stored, share, seen }),
			None => {
				if stored.state != RecordState::Damaged {
					self.mark(seen, format_args!("it cannot be decrypted, of {}", Of(&stored)));
				}
				None
			}
		}
	}

	fn mark_unreadable(&self, row: Unreadable) {
		if !row.is_marked {
			self.mark(row.seen, row.error);
		}
	}

	/// Marks a share as damaged, without waiting until that is durable: as long as it is not marked, it
	/// is found again.
	fn mark(&self, seen: Seen, what: impl Display) {
		if self.is_new("share", seen.seq) {
			log::error!(
				target: LOG_TARGET,
				"The share at place {} of the share store is damaged ({what}). It counts as lacking: other \
				 servers are asked for it if the chain still wants it. Check the disk",
				seen.seq,
			);
		}
		self.0.writer.submit(Write::Damaged(seen), Box::new(|_| {}));
	}
}

/// Decrypts a share; nothing if it is not what was stored under these names.
pub(super) fn open(vault: &Vault, record: &ShareRecord, sealed: &Sealed) -> Option<Share> {
	vault.open(&Place::Share(record), sealed).map(|secret| Share::new(*secret))
}

/// Whether the record's proof was made with this share.
pub(super) fn made_its_proof(share: &Share, record: &ShareRecord) -> bool {
	let public = share.public(record.proof.scheme());
	public.is_ok_and(|public| proof::verify(&record.proof, &custody_message(record), &public))
}

fn custody_message(record: &ShareRecord) -> Vec<u8> {
	messages::custody_message(&record.id, &record.server)
}

/// A share in the words of the log, as far as its record tells.
struct Of<'a>(&'a StoredShare);

impl Display for Of<'_> {
	fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
		let ShareRecord { account, generation, subgroup, .. } = &self.0.record;
		write!(f, "account {account}, generation {generation}, subgroup {subgroup}")
	}
}
