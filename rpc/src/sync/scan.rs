//! The chain held against the store: what is lacking, and who is ready.

use crate::{
	chain::{AccountRecord, BlockHash, ChainError, ChainState, KeyKind, Page},
	intake::{Intake, Lack},
	store::{ShareStore, StoreError},
};
use keyshare_primitives::{
	membership::{Change, Seat, SeatMask, Syncing},
	AccountId, RegistrationId, SubgroupId,
};
use std::collections::{BTreeMap, BTreeSet};

/// Entries of the chain's state that are read at once.
const PAGE: usize = 512;

/// Why the chain could not be held against the store.
#[derive(Debug, thiserror::Error)]
pub(super) enum ScanError {
	#[error(transparent)]
	Chain(#[from] ChainError),
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// A share that a hosted server should hold and does not, by name only: whoever joins may lack a million
/// of them. What the chain promises of it is read when it is taken over.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(super) struct Missing {
	/// The user.
	pub account: AccountId,
	/// The attempt or key.
	pub id: RegistrationId,
	/// The server.
	pub server: AccountId,
	/// Its subgroup.
	pub subgroup: SubgroupId,
}

impl From<&Lack> for Missing {
	fn from(lack: &Lack) -> Self {
		let Lack { server, subgroup, account, key } = lack;
		Self { account: account.clone(), id: key.id, server: server.clone(), subgroup: *subgroup }
	}
}

/// The seats of this node's members, with since when and why each of them is not ready.
pub(super) type Memberships = BTreeMap<AccountId, (Seat, Option<Syncing>)>;

/// Where this node's servers are members.
pub(super) fn memberships(intake: &Intake, at: BlockHash) -> Result<Memberships, ChainError> {
	let chain = intake.chain();
	let mut members = Memberships::new();
	for server in intake.servers().accounts() {
		if let Some(seat) = chain.seat_of(at, &server)? {
			let syncing = chain.syncing(at, &server)?;
			members.insert(server, (seat, syncing));
		}
	}
	Ok(members)
}

/// Whether another member of the subgroup counts as ready and has not declared itself so: the last ready
/// one, which has changed its server account. It holds shares that the chain does not show as confirmed
/// yet, so nobody knows what is to be had. There is no more than one, so nobody waits in a circle.
fn waits_for_another(
	intake: &Intake,
	at: BlockHash,
	server: &AccountId,
	ready: SeatMask,
	seat: Seat,
) -> Result<bool, ChainError> {
	let chain = intake.chain();
	for (other, of_other) in chain.members(at, seat.subgroup)? {
		let counts = other.account != *server && ready & of_other.bit() != 0;
		if counts && chain.syncing(at, &other.account)?.is_some() {
			return Ok(true);
		}
	}
	Ok(false)
}

/// What a look at the finalized state has found.
#[derive(Default)]
pub(super) struct Scan {
	/// This node's members.
	members: Memberships,
	/// What they lack of the keys in force.
	pub lacking: Vec<Missing>,
	/// Of these, how many the chain says they have confirmed: they held them once.
	pub lost: usize,
	/// Members that hold a share whose confirmation the chain does not show, or lack one that another
	/// member has, unless they were found silent: it may be withheld from them. What nobody has left keeps
	/// nobody from being ready: it would, for ever, and with a subgroup without a ready member nobody
	/// could register.
	waiting: BTreeSet<AccountId>,
}

impl Scan {
	/// Holds every key in force against the store.
	pub fn of(intake: &Intake) -> Result<Self, ScanError> {
		let (chain, store) = (intake.chain(), intake.store());
		let at = chain.finalized();
		let masks = chain.masks(at)?;
		let mut scan = Self { members: memberships(intake, at)?, ..Self::default() };
		for (server, (seat, syncing)) in &scan.members {
			let asks = syncing.is_some_and(|syncing| !syncing.silent);
			let ready = masks.of(seat.subgroup).map_or(0, |of| of.ready);
			if asks && waits_for_another(intake, at, server, ready, *seat)? {
				scan.waiting.insert(server.clone());
			}
		}
		each_record(chain.as_ref(), at, KeyKind::Registered, |account, record| {
			let Some(in_force) = record.registered else { return Ok(()) };
			for (server, (seat, syncing)) in &scan.members {
				let confirmed = in_force.confirmed.has(&masks, *seat);
				let is_here = is_held(store, &in_force.key.id, server)?;
				let members = masks.of(seat.subgroup).map_or(0, |of| of.members & !seat.bit());
				let others = in_force.confirmed.by(&masks, seat.subgroup) & members;
				let waits = match is_here {
					true => !confirmed,
					false => others != 0 && !syncing.is_some_and(|syncing| syncing.silent),
				};
				if waits {
					scan.waiting.insert(server.clone());
				}
				if !is_here {
					scan.lost += usize::from(confirmed);
					scan.lacking.push(Missing {
						account: account.clone(),
						id: in_force.key.id,
						server: server.clone(),
						subgroup: seat.subgroup,
					});
				}
			}
			Ok(())
		})?;
		Ok(scan)
	}

	/// Members that have not declared themselves ready, though they hold and have confirmed all that is
	/// to be had.
	pub fn ready(&self) -> Vec<(AccountId, Change)> {
		self.members
			.iter()
			.filter(|(server, _)| !self.waiting.contains(*server))
			.filter_map(|(server, (_, syncing))| Some((server.clone(), (*syncing)?.since)))
			.collect()
	}

	/// Whether nobody waits for what is to be done: every member has declared itself ready.
	pub fn is_declared(&self) -> bool {
		self.members.values().all(|(_, syncing)| syncing.is_none())
	}

	/// Whether nothing is left to do for anybody.
	pub fn is_settled(&self) -> bool {
		self.lacking.is_empty() && self.is_declared()
	}
}

/// What attempts under way lack now, and what those of `before` lack that are in force by now.
pub(super) fn lacking_of_attempts(
	intake: &Intake,
	before: &[Missing],
) -> Result<(Vec<Missing>, Vec<Missing>), ScanError> {
	let (chain, store) = (intake.chain(), intake.store());
	let at = chain.finalized();
	let members = memberships(intake, at)?;
	let mut open = Vec::new();
	each_record(chain.as_ref(), at, KeyKind::Registering, |account, record| {
		let Some(attempt) = record.registering else { return Ok(()) };
		for (server, (seat, _)) in &members {
			if !is_held(store, &attempt.key.id, server)? {
				open.push(Missing {
					account: account.clone(),
					id: attempt.key.id,
					server: server.clone(),
					subgroup: seat.subgroup,
				});
			}
		}
		Ok(())
	})?;
	let mut completed = Vec::new();
	for missing in before {
		let in_force = chain.record(at, &missing.account)?.registered;
		if in_force.is_some_and(|in_force| in_force.key.id == missing.id)
			&& !is_held(store, &missing.id, &missing.server)?
		{
			completed.push(missing.clone());
		}
	}
	Ok((open, completed))
}

/// Whether a share is in the store. One that is damaged is not: another takes its place. One that lies in a
/// part of the file that SQLite cannot read counts as held: nothing can take its place there, and what
/// others lack is to be found all the same.
fn is_held(
	store: &ShareStore,
	id: &RegistrationId,
	server: &AccountId,
) -> Result<bool, StoreError> {
	match store.get(id, server) {
		Ok(found) => Ok(found.is_some()),
		Err(StoreError::Damaged(_)) => Ok(true),
		Err(error) => Err(error),
	}
}

/// Looks at every account that has a key of this kind, a page at a time.
fn each_record(
	chain: &dyn ChainState,
	at: BlockHash,
	kind: KeyKind,
	mut look: impl FnMut(AccountId, AccountRecord) -> Result<(), ScanError>,
) -> Result<(), ScanError> {
	let mut after = None;
	loop {
		let Page { records, next } = chain.page(at, kind, after.as_ref(), PAGE)?;
		for (account, record) in records {
			look(account, record)?;
		}
		if next.is_none() {
			return Ok(());
		}
		after = next;
	}
}

#[cfg(test)]
mod tests {
	use super::*;

	/// Nothing of it lies elsewhere: it has no list, string or box in it.
	#[test]
	fn a_newcomer_that_lacks_a_million_shares_keeps_a_hundred_bytes_of_each() {
		assert!(std::mem::size_of::<Missing>() <= 100);
	}
}
