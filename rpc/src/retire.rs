//! Encryption keys whose time is over are erased: protocol §8.
//!
//! What is kept is judged at the finalized block. Of a server that the chain shows: the key that it
//! shows, the one before it until its grace period ends, and whatever was made after it, which waits to
//! be published. Of one that was published once, is not any more and has no seat, the newest alone, after
//! another grace period: [`FORMER_GRACE`].
//!
//! The newest is never erased: it is what is handed out for publishing, and the call may be signed days
//! later. So that no key is kept for that which envelopes were sealed to, another is made as soon as the
//! chain does not show a server any more whose newest key it has shown. That is known in memory only, and
//! need not be known for longer: a node that is started finds the state in which it was stopped, sees
//! there what is published, and from then on every change; and the key that was made is in the store.

use crate::{
	chain::{BlockHash, ChainError, PublishedServer},
	intake::Intake,
	keys::ServerKeys,
	store::StoreError,
	LOG_TARGET,
};
use keyshare_primitives::{AccountId, BlockNumber, EncryptionKey, KEY_GRACE_PERIOD};
use std::collections::{BTreeMap, BTreeSet};

/// For how many blocks the keys of a server are kept that is not published any more. The chain says how
/// long it is only of a key that has been replaced.
pub const FORMER_GRACE: BlockNumber = KEY_GRACE_PERIOD;

/// Why it could not be done now.
#[derive(Debug, thiserror::Error)]
pub enum RetireError {
	/// The chain could not be read.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The store could not be written.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// Erases retired keys, and says which servers have lost the key that the chain shows.
#[derive(Default)]
pub struct KeyKeeper {
	/// Servers whose published key is not here; said once each.
	lost: BTreeSet<AccountId>,
	/// Those of the servers' keys that the chain was seen to show.
	shown: BTreeMap<AccountId, Vec<EncryptionKey>>,
	/// Servers that were published once and are not any more, with the block at which this was seen. Only
	/// in memory: after a restart the time begins anew.
	former: BTreeMap<AccountId, BlockNumber>,
}

impl KeyKeeper {
	/// Looks at every hosted server. Blocks on reads and writes.
	pub fn look(&mut self, intake: &Intake) -> Result<(), RetireError> {
		let chain = intake.chain();
		let at = chain.finalized();
		let number = chain.number(at)?;
		for server in intake.servers().accounts() {
			match chain.published(at, &server)? {
				Some(published) => {
					self.former.remove(&server);
					let shown = self.shown.entry(server.clone()).or_default();
					if !shown.contains(&published.info.encryption_key) {
						shown.push(published.info.encryption_key);
					}
					self.look_at_published(intake, &server, &published, number)?;
				}
				None => self.look_at_former(intake, &server, at, number)?,
			}
		}
		Ok(())
	}

	fn look_at_published(
		&mut self,
		intake: &Intake,
		server: &AccountId,
		published: &PublishedServer,
		number: BlockNumber,
	) -> Result<(), RetireError> {
		let Some(old) = older_than(intake.servers(), server, &published.info.encryption_key) else {
			// A node that catches up sees keys that were replaced, and erased, long ago.
			if !intake.health().is_behind() {
				self.say_lost(server);
			}
			return Ok(());
		};
		self.lost.remove(server);
		let in_grace = published.retired.filter(|retired| number < retired.until);
		for key in old {
			if in_grace.is_none_or(|retired| retired.key != key) {
				erase(intake, server, &key)?;
				log::info!(
					target: LOG_TARGET,
					"Erased an encryption key of server {server} whose time is over",
				);
			}
		}
		Ok(())
	}

	fn say_lost(&mut self, server: &AccountId) {
		if self.lost.insert(server.clone()) {
			log::error!(
				target: LOG_TARGET,
				"The encryption key that the chain shows for server {server} is not in the share \
				 store: no share sent to it can be opened. Publish a new one with `keyshare server \
				 rotate-key`",
			);
		}
	}

	/// The last finalized block, `at`, does not show the server.
	fn look_at_former(
		&mut self,
		intake: &Intake,
		server: &AccountId,
		at: BlockHash,
		number: BlockNumber,
	) -> Result<(), RetireError> {
		// Also while the node catches up: whether the key was published is not known after a restart.
		self.renew_newest(intake, server)?;
		// What a node sees that catches up is long past: the server may be published again by now. So the
		// time begins when it has caught up; also if it was seen before that the server had gone, for a
		// node without peers does not know that it is behind. One that never was published waits for it,
		// and keeps its keys.
		let is_over = !intake.health().is_behind()
			&& !is_member_or_published(intake, server)?
			&& intake.chain().was_published(at, server)?;
		if !is_over {
			self.former.remove(server);
			return Ok(());
		}
		let since = *self.former.entry(server.clone()).or_insert_with(|| {
			log::info!(
				target: LOG_TARGET,
				"Server {server} is not published any more: its encryption keys but the newest are \
				 erased in {FORMER_GRACE} blocks, unless it is published again",
			);
			number
		});
		if number.saturating_sub(since) < FORMER_GRACE {
			return Ok(());
		}
		// Newest first.
		let secrets = intake.servers().secrets(server);
		let mut over: Vec<_> = secrets.iter().skip(1).map(|secret| secret.public()).collect();
		if over.is_empty() {
			return Ok(());
		}
		let in_use = keys_in_use(intake)?;
		over.retain(|key| !in_use.contains(key));
		for key in over {
			erase(intake, server, &key)?;
			log::info!(
				target: LOG_TARGET,
				"Erased an encryption key of server {server}, which is not published any more. If you \
				 publish it again, it is with its newest one",
			);
		}
		Ok(())
	}

	/// Makes another key if the newest is one that was published: from now on nobody is handed that out,
	/// so that it can be erased. The server keeps a key in any case: without one it is not hosted after a
	/// restart, and then its shares are of no use to the one in its place.
	fn renew_newest(&self, intake: &Intake, server: &AccountId) -> Result<(), StoreError> {
		let Some(shown) = self.shown.get(server) else { return Ok(()) };
		let secrets = intake.servers().secrets(server);
		if secrets.first().is_none_or(|newest| !shown.contains(&newest.public())) {
			return Ok(());
		}
		intake.make_key(server).map(drop)
	}
}

fn erase(intake: &Intake, server: &AccountId, key: &EncryptionKey) -> Result<(), StoreError> {
	intake.store().erase_key(server, key)?;
	intake.servers().forget(server, key);
	Ok(())
}

/// The keys that `server` had before `current`; none if `current` is not here.
fn older_than(
	servers: &ServerKeys,
	server: &AccountId,
	current: &EncryptionKey,
) -> Option<Vec<EncryptionKey>> {
	// Newest first.
	let keys: Vec<_> = servers.secrets(server).iter().map(|secret| secret.public()).collect();
	let place = keys.iter().position(|key| key == current)?;
	Some(keys[place + 1..].to_vec())
}

fn both_blocks(intake: &Intake) -> [BlockHash; 2] {
	[intake.chain().finalized(), intake.chain().best()]
}

/// Whether the server has a seat, or is published again in the best block.
fn is_member_or_published(intake: &Intake, server: &AccountId) -> Result<bool, ChainError> {
	let chain = intake.chain();
	for at in both_blocks(intake) {
		if chain.seat_of(at, server)?.is_some() || chain.published(at, server)?.is_some() {
			return Ok(true);
		}
	}
	Ok(false)
}

/// The keys that the chain shows for this node's servers, and the ones before them until their grace
/// periods end. What the servers of others publish keeps none: nobody proves to have the secret of an
/// encryption key, so anybody could keep this node from ever erasing one.
fn keys_in_use(intake: &Intake) -> Result<Vec<EncryptionKey>, ChainError> {
	let chain = intake.chain();
	let mut keys = Vec::new();
	for at in both_blocks(intake) {
		let number = chain.number(at)?;
		for server in intake.servers().accounts() {
			let Some(published) = chain.published(at, &server)? else { continue };
			keys.push(published.info.encryption_key);
			let in_grace = published.retired.filter(|retired| number < retired.until);
			keys.extend(in_grace.map(|retired| retired.key));
		}
	}
	Ok(keys)
}
