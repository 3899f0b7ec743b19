//! A replaced encryption key opens envelopes for a grace period, then it is erased: protocol §8.
//!
//! What is kept is judged at the finalized block: the key that the chain shows, the one before it
//! until its grace period ends, and whatever was made after it, which waits to be published.

use crate::{chain::ChainError, intake::Intake, keys::ServerKeys, store::StoreError, LOG_TARGET};
use keyshare_primitives::{AccountId, EncryptionKey};
use std::collections::BTreeSet;

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
}

impl KeyKeeper {
	/// Looks at every hosted server. Blocks on reads and writes.
	pub fn look(&mut self, intake: &Intake) -> Result<(), RetireError> {
		let chain = intake.chain();
		let at = chain.finalized();
		let number = chain.number(at)?;
		for server in intake.servers().accounts() {
			let Some(published) = chain.published(at, &server)? else { continue };
			let current = published.info.encryption_key;
			let Some(old) = older_than(intake.servers(), &server, &current) else {
				self.say_lost(&server);
				continue;
			};
			self.lost.remove(&server);
			let in_grace = published.retired.filter(|retired| number < retired.until);
			for key in old {
				if in_grace.is_none_or(|retired| retired.key != key) {
					intake.store().erase_key(&server, &key)?;
					intake.servers().forget(&server, &key);
					log::info!(
						target: LOG_TARGET,
						"Erased an encryption key of server {server} whose time is over",
					);
				}
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
