//! What a node leaves in its off-chain storage for its off-chain worker.
//!
//! The share store is the durable queue. After each block, and whenever shares arrive, the node
//! writes a window of the confirmations that the chain does not show yet under [`QUEUE_KEY`]; the
//! off-chain worker only reads it. So there is one writer, and nothing is lost if the node dies.

use crate::{AccountId, Confirmation};
use alloc::vec::Vec;
use codec::{Decode, Encode};

/// Key in the node's persistent off-chain storage.
pub const QUEUE_KEY: &[u8] = b"keyshare/confirmations/v1";

/// Key of the servers that hold every share and have not declared so yet: a `Vec<(AccountId,
/// Change)>`, with the change of the membership with which each joined.
pub const READY_KEY: &[u8] = b"keyshare/ready/v2";

/// The least priority in the pool of what servers send without a fee; a confirmation adds the number of
/// its entries, at most 64, up to the highest there is. An ordinary transaction gets there by a tip alone,
/// whose priority saturates.
pub const SERVER_PRIORITY: u64 = u64::MAX - 64;

/// The most confirmations in one window.
pub const MAX_QUEUED: usize = 4_096;

/// Confirmations waiting to be sent, one list for each server the node hosts.
pub type Queue = Vec<PendingConfirmations>;

/// What one server has to confirm.
#[derive(Clone, PartialEq, Eq, Debug, Encode, Decode)]
pub struct PendingConfirmations {
	/// The server, whose `ksrv` key signs.
	pub server: AccountId,
	/// Its custody proofs.
	pub confirmations: Vec<Confirmation>,
}

/// The sr25519 key a server signs with, in the node's key store under key type `ksrv`.
pub mod server_crypto {
	use sp_application_crypto::{app_crypto, sr25519};
	use sp_core::crypto::KeyTypeId;

	/// Key type of servers' keys.
	pub const KEY_TYPE: KeyTypeId = KeyTypeId(*b"ksrv");

	app_crypto!(sr25519, KEY_TYPE);
}
