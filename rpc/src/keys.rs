//! The servers this node hosts, each with the secret that its envelopes are opened with. What
//! they sign with is in the node's key store, for the off-chain worker alone.

use keyshare_primitives::{seal::EncryptionSecret, AccountId};
use std::{collections::BTreeMap, sync::Arc};

/// The hosted servers by account. Cloning shares the secrets.
#[derive(Clone)]
pub struct ServerKeys(Arc<BTreeMap<AccountId, EncryptionSecret>>);

impl ServerKeys {
	/// The servers to host. Of two entries for one account the last counts.
	pub fn new(servers: Vec<(AccountId, EncryptionSecret)>) -> Self {
		Self(Arc::new(servers.into_iter().collect()))
	}

	/// Whether `server` is hosted here.
	pub fn hosts(&self, server: &AccountId) -> bool {
		self.0.contains_key(server)
	}

	/// What opens envelopes sealed to `server`.
	pub fn secret(&self, server: &AccountId) -> Option<&EncryptionSecret> {
		self.0.get(server)
	}

	/// Every hosted server, ordered by account.
	pub fn iter(&self) -> impl Iterator<Item = (&AccountId, &EncryptionSecret)> {
		self.0.iter()
	}
}
