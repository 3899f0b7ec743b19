//! What happens, as it happens. Every event stands for something that was observed: an answer of
//! a server, or state read from the chain.

use keyshare_primitives::{
	AccountId, BlockNumber, Endpoint, Generation, RegistrationId, SubgroupId,
};
use std::{sync::Arc, time::Duration};

/// Where events go. Called from the task that observes them; it must not block.
pub type OnProgress = Arc<dyn Fn(Progress) + Send + Sync>;

/// Events go nowhere.
pub fn silent() -> OnProgress {
	Arc::new(|_| {})
}

/// Something that happened.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Progress {
	/// A call is about to be signed here.
	Signing {
		/// Who signs.
		signer: AccountId,
		/// The call in words.
		words: String,
	},
	/// The chain shows already what the call would do: nothing is signed.
	NothingToDo,
	/// A call waits for a signature made elsewhere.
	SignElsewhere {
		/// Who has to sign.
		signer: AccountId,
		/// The encoded call, `0x` and hex, as polkadot.js Apps decodes it.
		call: String,
		/// The same in words.
		words: String,
	},
	/// A transaction was handed to the node.
	Submitted {
		/// The call's name.
		call: &'static str,
	},
	/// A transaction is in a best block, which may be left again.
	Included {
		/// The call's name.
		call: &'static str,
		/// The block's hash, `0x` and hex.
		block: String,
	},
	/// The chain shows the attempt, and it is exactly the one this key makes.
	Open {
		/// Its id.
		id: RegistrationId,
		/// Its generation.
		generation: Generation,
		/// The first block in which it is gone; none when the key is in force already.
		expires_at: Option<BlockNumber>,
	},
	/// One server came further.
	Server {
		/// Which.
		server: Server,
		/// How far.
		state: ServerState,
	},
	/// The node is still catching up with the chain; nothing is signed before it has.
	NodeBehind,
	/// The connection to the node is gone; it is tried again.
	NodeLost {
		/// What the transport says.
		reason: String,
	},
	/// The connection to the node is there again.
	NodeFound,
	/// The best block shows the key as registered; it may be left again.
	Complete {
		/// Its id.
		id: RegistrationId,
	},
	/// The key is registered, and that is final.
	Registered {
		/// Its id.
		id: RegistrationId,
	},
}

/// A member of a subgroup, as a line of progress names it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Server {
	/// Its subgroup.
	pub subgroup: SubgroupId,
	/// Its account.
	pub account: AccountId,
	/// Where it answers.
	pub endpoint: String,
}

impl Server {
	/// A member, with its endpoint as text.
	pub fn new(subgroup: SubgroupId, account: AccountId, endpoint: &Endpoint) -> Self {
		Self { subgroup, account, endpoint: String::from_utf8_lossy(endpoint).into_owned() }
	}
}

/// How far one server came.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ServerState {
	/// Its share is sealed to its key.
	Sealed,
	/// The envelope is on its way.
	Sent,
	/// It answered something temporary, or nothing; the envelope is sent again.
	Retrying {
		/// Why.
		reason: String,
		/// When.
		after: Duration,
	},
	/// It stored the share durably, and proved that with the share itself.
	Stored,
	/// It will not store the share.
	Failed {
		/// Why.
		reason: String,
	},
	/// The chain shows its confirmation.
	Confirmed,
}

impl ServerState {
	/// A stable word for programs.
	pub fn word(&self) -> &'static str {
		match self {
			Self::Sealed => "sealed",
			Self::Sent => "sent",
			Self::Retrying { .. } => "retrying",
			Self::Stored => "stored",
			Self::Failed { .. } => "failed",
			Self::Confirmed => "confirmed",
		}
	}

	/// The state in words.
	pub fn in_words(&self) -> String {
		match self {
			Self::Sealed => "sealed, not sent".into(),
			Self::Sent => "sent, no answer yet".into(),
			Self::Retrying { reason, .. } => format!("trying again: {reason}"),
			Self::Stored => "stored, confirmation not on chain yet".into(),
			Self::Failed { reason } => format!("failed: {reason}"),
			Self::Confirmed => "confirmed".into(),
		}
	}
}
