//! Whether what this node signs with is in its key store. Without its servers' keys it confirms nothing, and
//! without its validators' session keys it makes no blocks: it holds every share all the same.

use crate::types::Client;
use keyshare_primitives::{api::KeyshareApi, offchain::server_crypto, AccountId};
use keyshare_rpc::{
	health::{Kind, Reason},
	keys::ServerKeys,
};
use keyshare_runtime::Hash;
use parking_lot::Mutex;
use sp_api::{ApiError, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_core::crypto::KeyTypeId;
use sp_keystore::KeystorePtr;
use sp_session::SessionKeys;
use std::sync::Arc;

/// Looks at the keys of the members that this node hosts.
pub struct Keys {
	client: Arc<Client>,
	keystore: KeystorePtr,
	servers: ServerKeys,
	/// Whether it is a validator's node, which makes its blocks too.
	makes_blocks: bool,
	/// What was found, and in which state.
	found: Mutex<Option<(Hash, Vec<Reason>)>>,
}

impl Keys {
	/// Of the servers of this node.
	pub fn new(
		client: Arc<Client>,
		keystore: KeystorePtr,
		servers: ServerKeys,
		makes_blocks: bool,
	) -> Self {
		Self { client, keystore, servers, makes_blocks, found: Mutex::default() }
	}

	/// What is missing by the last final block. Asked again of the same block it costs nothing.
	pub fn missing(&self) -> Vec<Reason> {
		let at = self.client.info().finalized_hash;
		let mut found = self.found.lock();
		if let Some((_, reasons)) = found.as_ref().filter(|(of, _)| *of == at) {
			return reasons.clone();
		}
		// A state that cannot be read is another reason.
		let reasons = self.look(at).unwrap_or_default();
		*found = Some((at, reasons.clone()));
		reasons
	}

	fn look(&self, at: Hash) -> Result<Vec<Reason>, ApiError> {
		let mut missing = Vec::new();
		let mut add = |words| missing.push(Reason::new(Kind::KeysMissing, words));
		let hosted = self.servers.accounts();
		let subgroups = self.client.runtime_api().subgroups(at)?;
		let members = subgroups.into_iter().flat_map(|subgroup| subgroup.members);
		for member in members.filter(|member| hosted.contains(&member.server.account)) {
			let server = member.server.account;
			if !self.has(&[(AsRef::<[u8]>::as_ref(&server).to_vec(), server_crypto::KEY_TYPE)]) {
				add(format!(
					"the signing key of server {server} is not in the key store: bring it back from a \
					 backup"
				));
			}
			if self.makes_blocks && !self.has_session_keys(at, &member.validator)? {
				let validator = member.validator;
				add(format!(
					"the session keys of validator {validator} are not in the key store: bring them back \
					 from a backup, or make others with `keyshare session-keys rotate`"
				));
			}
		}
		Ok(missing)
	}

	/// Whether this node can sign as the validator. One that has set no keys has other troubles.
	fn has_session_keys(&self, at: Hash, validator: &AccountId) -> Result<bool, ApiError> {
		let info = self.client.runtime_api().validator(at, validator.clone())?;
		let Some(keys) = info.session_keys else { return Ok(true) };
		let keys = self.client.runtime_api().decode_session_keys(at, keys)?;
		Ok(keys.is_none_or(|keys| self.has(&keys)))
	}

	fn has(&self, keys: &[(Vec<u8>, KeyTypeId)]) -> bool {
		self.keystore.has_keys(keys)
	}
}
