//! Damaged shares, as far as the chain has a say: what the store finds out by itself stands in its
//! module `scrub`.
//!
//! At every finalized block some of the store's records are looked at, all of them in turn. A share that
//! is whole and has a wrong proof is given a new one. One that is damaged counts as lacking from then on:
//! it is fetched like any other (`sync`), or comes from its user, and is erased when its key is gone
//! (`confirm`).

use crate::{
	chain::{key_of, ChainError, ChainState},
	intake::Intake,
	retire::RetireError,
	seats::Seats,
	store::{Scrubbed, ShareRecord},
	LOG_TARGET,
};
use keyshare_primitives::Element;

/// Records looked at at each block. That takes some five milliseconds; with a million records, the
/// first is looked at again after a day.
const SCRUB: u32 = 64;

/// Damaged records that are held against the chain at each block.
const JUDGED: u32 = 512;

/// Looks at the store's records, block after block.
#[derive(Default)]
pub(crate) struct Mender {
	/// After which place to go on.
	next: i64,
	/// Whether the operator was told that the store cannot be read.
	told: bool,
	/// How many records were damaged at the last look.
	damaged: u64,
	/// Whether there were more at some look than at the one before.
	found: bool,
}

impl Mender {
	/// Looks at the next records, and says how many are damaged. Blocks on reads and writes.
	pub fn look(&mut self, intake: &Intake) -> Result<(), RetireError> {
		let scrubbed = self.scrub(intake);
		match &scrubbed {
			Ok(()) => self.told = false,
			Err(RetireError::Store(error)) if !std::mem::replace(&mut self.told, true) => {
				log::error!(target: LOG_TARGET, "Cannot look for damaged shares: {error}");
			}
			Err(_) => {}
		}
		let damaged = count(intake)?;
		self.found |= damaged > std::mem::replace(&mut self.damaged, damaged);
		scrubbed
	}

	/// Whether more was found to be damaged since this was asked the last time, and so is to be fetched.
	pub fn has_found(&mut self) -> bool {
		std::mem::take(&mut self.found)
	}

	/// One record that cannot be read, or mended, keeps none after it from being looked at.
	fn scrub(&mut self, intake: &Intake) -> Result<(), RetireError> {
		let (chain, store): (&dyn ChainState, _) = (intake.chain().as_ref(), intake.store());
		let before = self.next;
		self.next = before.saturating_add(SCRUB.into());
		let Scrubbed { next, doubtful } = store.scrub(before, SCRUB)?;
		self.next = next;
		let mut result = Ok(());
		for record in doubtful {
			let mended = promised(chain, &record).map_err(RetireError::from).and_then(|promised| {
				let Some(promised) = promised else { return Ok(()) };
				store.prove_again(&record, promised).map(drop).map_err(RetireError::from)
			});
			result = result.and(mended);
		}
		result
	}
}

/// The verifying share that the finalized chain shows for a record; none if its key is not there, or
/// cannot be understood: that costs this record alone.
fn promised(chain: &dyn ChainState, record: &ShareRecord) -> Result<Option<Element>, ChainError> {
	let on_chain = match chain.record(chain.finalized(), &record.account) {
		Err(ChainError::Undecodable { .. }) => return Ok(None),
		on_chain => on_chain?,
	};
	Ok(key_of(&on_chain, &record.id).and_then(|(key, _)| key.verifying_share(record.subgroup)))
}

/// Tells Prometheus how many shares are damaged, and whoever asks for the node's health how many of
/// them its servers should hold. What else is damaged, such as a record in which the server's name is,
/// keeps no node from being ready: it would, for ever.
fn count(intake: &Intake) -> Result<u64, RetireError> {
	let damaged = intake.store().count_damaged()?;
	intake.metrics().damaged.set(damaged);
	let wanted = match damaged {
		0 => 0,
		damaged if damaged > u64::from(JUDGED) => damaged,
		_ => count_wanted(intake)?,
	};
	intake.health().damages(wanted);
	Ok(damaged)
}

fn count_wanted(intake: &Intake) -> Result<u64, RetireError> {
	let chain: &dyn ChainState = intake.chain().as_ref();
	let seats = Seats::of(chain, chain.finalized(), intake.servers().accounts())?;
	let mut wanted = 0;
	for share in intake.store().damaged(JUDGED)? {
		let is_wanted = seats.is_member(&share.record) && promised(chain, &share.record)?.is_some();
		wanted += u64::from(is_wanted);
	}
	Ok(wanted)
}
