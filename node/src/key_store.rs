//! The node's key store, which one node uses at a time.

use crate::LOG_TARGET;
use sc_service::config::KeystoreConfig;
use std::{
	fs::{self, File, TryLockError},
	io,
	path::PathBuf,
};

/// Why a node cannot use its key store.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyStoreError {
	/// Another node has it.
	#[error(
		"the key store {0} is in use by another node. Two nodes with the same keys make blocks and vote \
		 against each other, and the chain bars their validator: stop the other node, or give this one a \
		 key store of its own with --base-path or --keystore-path"
	)]
	InUse(PathBuf),
	/// There is no such folder, and none can be made.
	#[error("the key store {path} cannot be opened: {reason}")]
	Unusable {
		/// Its folder.
		path: PathBuf,
		/// What the system says.
		reason: io::Error,
	},
}

/// Locks the key store until what this returns is dropped, or the process ends in any way. Nothing can be
/// seen from here of a copy of it, or of another machine.
///
/// The lock is the folder's own, so it is the same under every name of it and leaves no file there, where
/// files are keys. Commands do not ask for it: keys can be inserted while the node runs.
pub fn claim(config: &KeystoreConfig) -> Result<Option<File>, KeyStoreError> {
	let KeystoreConfig::Path { path, .. } = config else { return Ok(None) };
	let unusable = |reason| KeyStoreError::Unusable { path: path.clone(), reason };
	fs::create_dir_all(path).map_err(unusable)?;
	let folder = File::open(path).map_err(unusable)?;
	match folder.try_lock() {
		Ok(()) => Ok(Some(folder)),
		Err(TryLockError::WouldBlock) => Err(KeyStoreError::InUse(path.clone())),
		// Some file systems, such as NFS, lock no folder.
		Err(TryLockError::Error(reason)) => {
			log::warn!(
				target: LOG_TARGET,
				"The key store {} cannot be locked ({reason}): see to it that no other node uses it",
				path.display(),
			);
			Ok(None)
		}
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use keyshare_primitives::offchain::server_crypto::KEY_TYPE;
	use sc_keystore::LocalKeystore;
	use sp_keystore::Keystore;

	fn at(path: impl Into<PathBuf>) -> KeystoreConfig {
		KeystoreConfig::Path { path: path.into(), password: None }
	}

	#[test]
	fn a_second_node_does_not_start_on_a_key_store_that_the_first_one_uses() {
		let folder = tempfile::tempdir().expect("a folder");
		let keys = folder.path().join("keystore");
		let first = claim(&at(&keys)).expect("nobody has it").expect("a folder can be locked");
		let refused = claim(&at(&keys)).expect_err("the first node has it").to_string();
		assert!(refused.contains("stop the other node"), "{refused}");
		// Nor under another name.
		let other_name = folder.path().join("link");
		std::os::unix::fs::symlink(&keys, &other_name).expect("a link");
		assert!(matches!(claim(&at(&other_name)), Err(KeyStoreError::InUse(_))));
		drop(first);
		claim(&at(&keys)).expect("the first node has ended");
	}

	#[test]
	fn nodes_with_key_stores_of_their_own_run_beside_each_other() {
		let folder = tempfile::tempdir().expect("a folder");
		let _one = claim(&at(folder.path().join("one"))).expect("its own");
		let _other = claim(&at(folder.path().join("other"))).expect("its own");
		assert!(claim(&KeystoreConfig::InMemory).expect("nobody else sees it").is_none());
	}

	#[test]
	fn keys_are_inserted_while_the_node_runs_and_the_lock_is_not_taken_for_one() {
		let folder = tempfile::tempdir().expect("a folder");
		let _node = claim(&at(folder.path())).expect("nobody has it");
		assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 0);
		let keys = LocalKeystore::open(folder.path(), None).expect("opens");
		keys.sr25519_generate_new(KEY_TYPE, None).expect("made");
		assert_eq!(fs::read_dir(folder.path()).expect("readable").count(), 1);
	}
}
