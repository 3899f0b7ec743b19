//! The servers this node hosts, each with the secrets that its envelopes are opened with: one, and
//! around a rotation two or three. What they sign with is in the node's key store.

use keyshare_primitives::{seal::EncryptionSecret, AccountId, EncryptionKey};
use std::{
	collections::BTreeMap,
	sync::{Arc, PoisonError, RwLock},
};

type Secrets = BTreeMap<AccountId, Vec<Arc<EncryptionSecret>>>;

/// The hosted servers by account. Clones share the secrets, and see it when they change.
#[derive(Clone)]
pub struct ServerKeys(Arc<RwLock<Secrets>>);

impl ServerKeys {
	/// The servers to host, each with its secrets, oldest first.
	pub fn new(servers: BTreeMap<AccountId, Vec<EncryptionSecret>>) -> Self {
		let shared = |secrets: Vec<_>| secrets.into_iter().map(Arc::new).collect();
		let servers =
			servers.into_iter().map(|(account, secrets)| (account, shared(secrets))).collect();
		Self(Arc::new(RwLock::new(servers)))
	}

	/// Whether `server` is hosted here.
	pub fn hosts(&self, server: &AccountId) -> bool {
		self.with(|servers| servers.contains_key(server))
	}

	/// What opens envelopes sealed to `server`, newest first; empty for a server not hosted here.
	pub fn secrets(&self, server: &AccountId) -> Vec<Arc<EncryptionSecret>> {
		self.with(|servers| {
			let secrets = servers.get(server).into_iter().flatten();
			secrets.rev().cloned().collect()
		})
	}

	/// Every hosted server, in order.
	pub fn accounts(&self) -> Vec<AccountId> {
		self.with(|servers| servers.keys().cloned().collect())
	}

	/// Opens envelopes with this secret too, from now on.
	pub fn add(&self, server: &AccountId, secret: EncryptionSecret) {
		self.change(|servers| {
			servers.entry(server.clone()).or_default().push(Arc::new(secret));
		});
	}

	/// Opens nothing sealed to `public` any more.
	pub fn forget(&self, server: &AccountId, public: &EncryptionKey) {
		self.change(|servers| {
			if let Some(secrets) = servers.get_mut(server) {
				secrets.retain(|secret| secret.public() != *public);
			}
		});
	}

	fn with<T>(&self, f: impl FnOnce(&Secrets) -> T) -> T {
		f(&self.0.read().unwrap_or_else(PoisonError::into_inner))
	}

	fn change(&self, f: impl FnOnce(&mut Secrets)) {
		f(&mut self.0.write().unwrap_or_else(PoisonError::into_inner));
	}
}
