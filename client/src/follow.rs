//! Following the chain from block to block, and telling what is final.
//!
//! What the best block shows may be left again. It is final when the last final block shows it too, and is
//! no older than the first best one that did: an older one may show what was there before.

use crate::{
	chain::{At, Chain, POLL, RECONNECT_PAUSE},
	error::{Error, Result},
	progress::{OnProgress, Progress},
};
use keyshare_primitives::{api::AccountInfo, AccountId};
use subxt::utils::H256;

impl Chain {
	/// Follows the state of `account` from block to block.
	pub fn follow<'a>(&'a self, account: &'a AccountId, progress: &'a OnProgress) -> Follower<'a> {
		Follower { chain: self, account, progress, last: None, lost: false }
	}

	/// Waits until what `is_done` finds in the best block is final.
	pub(crate) async fn until_final(
		&self,
		progress: &OnProgress,
		is_done: impl AsyncFn(At) -> Result<bool>,
	) -> Result<()> {
		let mut finality = Finality::default();
		let mut lost = false;
		loop {
			let round = async {
				let is_in_best = is_done(At::Best).await?;
				// Read afterwards, so that the block that showed it is no later.
				let heads = self.heads().await?;
				Ok::<_, Error>(
					finality.reached(&heads, is_in_best) && is_done(At::Finalized).await?,
				)
			};
			match round.await {
				Ok(true) => return Ok(()),
				Ok(false) => {
					if std::mem::take(&mut lost) {
						progress(Progress::NodeFound);
					}
				}
				Err(Error::Unreachable { reason, .. }) => {
					if !std::mem::replace(&mut lost, true) {
						progress(Progress::NodeLost { reason });
					}
				}
				Err(error) => return Err(error),
			}
			tokio::time::sleep(POLL).await;
		}
	}
}

/// An account's state, in the best block and in the last final one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seen {
	/// In the best block, which may be left again.
	pub best: AccountInfo,
	/// In the last final block, which is for good.
	pub finalized: AccountInfo,
	heads: Heads,
}

/// The best block and the last final one.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Heads {
	/// The best block.
	pub best: Head,
	/// The last final one.
	pub finalized: Head,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Head {
	/// Its hash.
	pub hash: H256,
	/// Its number.
	pub number: u64,
}

/// Whether something that the best block shows is final: the last final block shows it too, and is no
/// older than the first best one that did. An older one may show it from before.
#[derive(Default)]
pub struct Finality {
	since: Option<u64>,
}

impl Finality {
	/// Looks at the next state, for something that is in it or not.
	pub fn is_final(&mut self, seen: &Seen, is_there: impl Fn(&AccountInfo) -> bool) -> bool {
		let reached = self.reached(&seen.heads, is_there(&seen.best));
		reached && is_there(&seen.finalized)
	}

	/// Whether the last final block is no older than the first best one that had it.
	pub(crate) fn reached(&mut self, heads: &Heads, is_in_best: bool) -> bool {
		self.since = is_in_best.then(|| self.since.unwrap_or(heads.best.number));
		self.since.is_some_and(|since| heads.finalized.number >= since)
	}
}

/// An account's state, at each new best or final block.
pub struct Follower<'a> {
	chain: &'a Chain,
	account: &'a AccountId,
	progress: &'a OnProgress,
	last: Option<Heads>,
	lost: bool,
}

impl Follower<'_> {
	/// The state at the next new best or final block, the first one at once. A lost connection is an event
	/// and made again, without end: the caller has the deadline.
	pub async fn next(&mut self) -> Result<Seen> {
		loop {
			match self.at_new_block().await {
				Err(Error::Unreachable { reason, .. }) => {
					if !std::mem::replace(&mut self.lost, true) {
						(self.progress)(Progress::NodeLost { reason });
					}
					tokio::time::sleep(RECONNECT_PAUSE).await;
				}
				result => {
					if std::mem::take(&mut self.lost) && result.is_ok() {
						(self.progress)(Progress::NodeFound);
					}
					return result;
				}
			}
		}
	}

	async fn at_new_block(&mut self) -> Result<Seen> {
		loop {
			let heads = self.chain.heads().await?;
			if self.last != Some(heads) {
				let finalized = self.chain.finalized_registration(self.account).await?;
				let best = self.chain.registration(self.account).await?;
				self.last = Some(heads);
				return Ok(Seen { best, finalized, heads });
			}
			tokio::time::sleep(POLL).await;
		}
	}
}
