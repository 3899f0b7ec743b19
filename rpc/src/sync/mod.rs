//! Shares that a server should hold and does not: protocol §7. It missed them while it was away,
//! has just joined, or has lost its store.
//!
//! What is lacking is found in the finalized state, against the store: every key at the start,
//! whenever a hosted server's membership changes, when the node has caught up with the chain, and every
//! [`SyncConfig::full_scan`]; in between, at each block, only the attempts under way. It is fetched from servers of the same subgroup
//! that the chain shows to have confirmed it, and checked against the chain like a share from a
//! client: whom it comes from does not matter. A server that hands over a wrong share is asked last, and
//! so is one that is late or gives less than half of what it has confirmed.
//!
//! Fetching can take hours, and other servers decide how long an answer takes. So nothing waits for it:
//! keys are retired and attempts looked at meanwhile, at each block.
//!
//! When nothing is lacking that another member has, and the chain shows every confirmation, the
//! off-chain worker is told that the server is ready.
//!
//! | module | what it holds |
//! |---|---|
//! | `scan` | what is lacking, and who is ready |
//! | `fetch` | shares from other servers |

mod fetch;
mod scan;

pub use keyshare_transport::Reach;

use crate::{housekeeping::Housekeeping, intake::Intake, LOG_TARGET};
use codec::Encode;
use fetch::Fetcher;
use futures::{FutureExt, Stream, StreamExt};
use keyshare_primitives::{membership::Change, offchain::READY_KEY, AccountId};
use scan::{lacking_of_attempts, memberships, Memberships, Missing, Scan};
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use sp_keystore::KeystorePtr;
use std::{
	collections::HashMap,
	hash::{DefaultHasher, Hash, Hasher},
	pin::pin,
	sync::Arc,
	time::Duration,
};
use tokio::{
	task::{JoinError, JoinSet},
	time::{sleep_until, Instant},
};

/// How a node keeps its servers complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncConfig {
	/// How often every key is looked at, if nothing else is a reason to.
	pub full_scan: Duration,
	/// For how many blocks an attempt's share is left to its client, before other servers are asked.
	pub patience: u32,
	/// How long to wait, at first, before servers that did not give what was asked are asked again.
	pub first_delay: Duration,
	/// How long at most, unless nothing changes and every server is ready: then it becomes
	/// [`Self::full_scan`] by and by.
	pub longest_delay: Duration,
	/// A server that takes longer to answer is asked last.
	pub late: Duration,
	/// Which addresses of other servers are called: in a private network, any.
	pub reach: Reach,
}

impl Default for SyncConfig {
	fn default() -> Self {
		Self {
			full_scan: Duration::from_secs(600),
			patience: 10,
			first_delay: Duration::from_secs(2),
			longest_delay: Duration::from_secs(60),
			late: Duration::from_secs(5),
			reach: Reach::Public,
		}
	}
}

/// Keeps a node's servers complete; see the module's documentation.
pub struct Sync<Storage, Blocks> {
	config: SyncConfig,
	keeper: Keeper,
	offchain: Storage,
	blocks: Blocks,
}

impl<Storage, Blocks> Sync<Storage, Blocks>
where
	Storage: OffchainStorage + 'static,
	Blocks: Stream<Item = ()>,
{
	/// For the servers of `intake`, whose signing keys are in `keystore`. `blocks` yields whenever a
	/// block has been finalized.
	pub fn new(
		config: SyncConfig,
		intake: Arc<Intake>,
		keystore: KeystorePtr,
		offchain: Storage,
		blocks: Blocks,
	) -> Self {
		let fetcher = Fetcher::new(intake, keystore, config.late, config.reach);
		Self { config, keeper: Keeper::new(fetcher), offchain, blocks }
	}

	/// Runs until `blocks` ends. Spawn it within a tokio runtime; what blocks, it does on tokio's
	/// blocking threads.
	pub async fn run(self) {
		let Self { config, mut keeper, mut offchain, blocks } = self;
		let mut blocks = pin!(blocks);
		let mut members = Memberships::new();
		// What an earlier process found does not hold for a store that was brought back from a backup since;
		// and the off-chain worker would declare it while this one is still looking.
		offchain.remove(STORAGE_PREFIX, READY_KEY);
		let mut ready: Option<Vec<(AccountId, Change)>> = None;
		let mut pace = Pace::new(config);
		let (mut moved, mut is_new_block, mut was_behind) = (false, true, false);
		loop {
			// What is damaged is lacking from now on. A disk that fails gives more at each block.
			if keeper.keep_house().await {
				pace.within(config.longest_delay);
			}
			// Keys may have come into force in the blocks that the node has caught up with, whose attempts it
			// has never seen.
			let is_behind = keeper.fetcher.intake.health().is_behind();
			moved |= was_behind && !is_behind;
			was_behind = is_behind;
			if let Some(now) = keeper.memberships().await {
				moved |= now != members;
				members = now;
			}
			if is_new_block {
				keeper.look_at_attempts(config.patience).await;
			}
			// One at a time: what the one before has found is being fetched.
			if keeper.of_scan.is_empty() && (moved || Instant::now() >= pace.next_scan) {
				moved = false;
				match keeper.full_scan().await {
					// Written when it changes only: the off-chain worker reads it at each block.
					Some(now) if ready.as_ref() != Some(&now) => {
						offchain.set(STORAGE_PREFIX, READY_KEY, &now.encode());
						ready = Some(now);
					}
					Some(_) => {}
					None => pace.after(Outcome::None),
				}
			}
			is_new_block = false;
			tokio::select! {
				block = blocks.next() => match block {
					Some(()) => is_new_block = true,
					None => return,
				},
				() = sleep_until(pace.next_scan), if keeper.of_scan.is_empty() => {},
				Some(ended) = keeper.of_scan.join_next() => pace.after(keeper.settle(ended)),
				Some(_) = keeper.of_attempts.join_next() => {},
			}
			// One look sees all that has happened by now.
			while let Some(block) = blocks.next().now_or_never() {
				if block.is_none() {
					return;
				}
				is_new_block = true;
			}
		}
	}
}

/// When every key is looked at again.
struct Pace {
	config: SyncConfig,
	delay: Duration,
	next_scan: Instant,
}

impl Pace {
	/// At once.
	fn new(config: SyncConfig) -> Self {
		Self { config, delay: config.first_delay, next_scan: Instant::now() }
	}

	/// In so long at the latest.
	fn within(&mut self, delay: Duration) {
		self.next_scan = self.next_scan.min(Instant::now() + delay);
	}

	/// After a full scan has brought its servers that far.
	fn after(&mut self, progress: Outcome) {
		self.delay = match progress {
			Outcome::Settled => self.config.full_scan,
			Outcome::Some => self.config.first_delay,
			Outcome::None => self.delay.saturating_mul(2).min(self.config.longest_delay),
			Outcome::Stuck => self.delay.saturating_mul(2).min(self.config.full_scan),
		};
		self.next_scan = Instant::now() + self.delay;
	}
}

/// What a full scan has brought its servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Outcome {
	/// Nothing is lacking, and whoever joined is ready.
	Settled,
	/// Something was fetched, and there is more to do.
	Some,
	/// Nothing could be done now.
	None,
	/// Nor is there hope that it soon can: the scan before has found the same, and nobody waits for it.
	Stuck,
}

/// What has come of fetching what a full scan has found.
struct Fetched {
	/// Whether nothing was left to do for anybody before.
	settled: bool,
	/// Whether it is what the scan before has found, and nobody waits for it.
	stuck: bool,
	/// How many shares were lacking.
	lacking: usize,
	/// How many of them still are.
	left: usize,
}

/// Finds what is lacking, and has it fetched.
struct Keeper {
	fetcher: Arc<Fetcher>,
	house: Housekeeping,
	/// Shares that attempts under way lack, with the number of blocks at which that was seen.
	awaited: HashMap<Missing, u32>,
	/// Shares that attempts lack that were completed in the meantime.
	completed: Vec<Missing>,
	/// What the last full scan has found, as a digest: there may be a million of them.
	found: u64,
	/// The same of what was last asked for because of attempts.
	asked: u64,
	/// Fetches what a full scan has found; one task at most. It ends when this is dropped.
	of_scan: JoinSet<Fetched>,
	/// The same of attempts.
	of_attempts: JoinSet<()>,
}

impl Keeper {
	fn new(fetcher: Fetcher) -> Self {
		Self {
			fetcher: Arc::new(fetcher),
			house: Housekeeping::default(),
			awaited: HashMap::new(),
			completed: Vec::new(),
			found: digest(&[]),
			asked: digest(&[]),
			of_scan: JoinSet::new(),
			of_attempts: JoinSet::new(),
		}
	}

	/// What is done at every finalized block. Whether more shares were found to be damaged than before.
	async fn keep_house(&mut self) -> bool {
		let mut house = std::mem::take(&mut self.house);
		let kept = self.fetcher.blocking(move |intake| {
			let are_more = house.keep(intake);
			(house, are_more)
		});
		let Some((house, are_more)) = kept.await else { return false };
		self.house = house;
		are_more
	}

	/// Where this node's servers are members in the finalized state.
	async fn memberships(&self) -> Option<Memberships> {
		let read = |intake: &Intake| memberships(intake, intake.chain().finalized());
		self.fetcher.blocking(read).await?.ok()
	}

	/// Looks at every key, and begins to fetch what is lacking. Gives the servers that hold everything
	/// and have not declared so; `None` if that is not known now.
	async fn full_scan(&mut self) -> Option<Vec<(AccountId, Change)>> {
		let scan = match self.fetcher.blocking(Scan::of).await? {
			Ok(scan) => scan,
			Err(error) => {
				log::warn!(target: LOG_TARGET, "Cannot look for lacking shares now: {error}");
				return None;
			}
		};
		let (mut ready, settled, declared) = (scan.ready(), scan.is_settled(), scan.is_declared());
		// What a node sees that catches up is long past, and it may lack what was registered since.
		if self.fetcher.intake.health().is_behind() {
			ready.clear();
		}
		if scan.lost > 0 {
			log::error!(
				target: LOG_TARGET,
				"The share store lacks {} share(s) that the chain says this node has confirmed: it is \
				 an old copy, or damaged. They are fetched from other servers now",
				scan.lost,
			);
		}
		self.fetcher.intake.metrics().lost.set(number(scan.lost));
		let missing = scan.lacking;
		let lacking = missing.len();
		let found = digest(&missing);
		let is_new = found != self.found;
		self.found = found;
		let stuck = declared && !is_new;
		self.say_backlog(lacking);
		self.fetcher.begin_anew();
		let fetcher = self.fetcher.clone();
		self.of_scan.spawn(async move {
			let left = fetcher.fetch(missing, is_new).await;
			Fetched { settled, stuck, lacking, left }
		});
		Some(ready)
	}

	/// Says what has come of it.
	fn settle(&self, ended: Result<Fetched, JoinError>) -> Outcome {
		let Ok(Fetched { settled, stuck, lacking, left }) = ended else {
			log::error!(
				target: LOG_TARGET,
				"Fetching shares failed unexpectedly: this is a bug. It is tried again",
			);
			return Outcome::None;
		};
		self.say_backlog(left);
		if left == 0 {
			self.fetcher.intake.metrics().lost.set(0);
		}
		match (settled, left < lacking) {
			(true, _) => Outcome::Settled,
			(false, true) => Outcome::Some,
			(false, false) if stuck => Outcome::Stuck,
			(false, false) => Outcome::None,
		}
	}

	fn say_backlog(&self, lacking: usize) {
		self.fetcher.intake.metrics().backlog.set(number(lacking));
		self.fetcher.intake.health().lacks(number(lacking));
	}

	/// Fetches what attempts under way lack for too long, and what those that were completed in the
	/// meantime lack.
	async fn look_at_attempts(&mut self, patience: u32) {
		let before: Vec<Missing> = self.awaited.keys().cloned().collect();
		let look = move |intake: &Intake| lacking_of_attempts(intake, &before);
		let Some(Ok((open, completed))) = self.fetcher.blocking(look).await else { return };
		self.completed.extend(completed);
		let mut now = HashMap::new();
		let mut due = Vec::new();
		for missing in open {
			let blocks = self.awaited.get(&missing).copied().unwrap_or(0).saturating_add(1);
			if blocks > patience {
				due.push(missing.clone());
			}
			now.insert(missing, blocks);
		}
		self.awaited = now;
		// One at a time: what is under way is due again at the next look, and what is completed waits.
		if !self.of_attempts.is_empty() {
			return;
		}
		due.append(&mut self.completed);
		let asked = digest(&due);
		let is_new = asked != self.asked;
		self.asked = asked;
		// What cannot be had now is found again: by the next look, or by the next full scan.
		if !due.is_empty() {
			let fetcher = self.fetcher.clone();
			self.of_attempts.spawn(async move {
				fetcher.fetch(due, is_new).await;
			});
		}
	}
}

/// The same for the same shares in whatever order.
fn digest(lacking: &[Missing]) -> u64 {
	let one = |missing: &Missing| {
		let mut hasher = DefaultHasher::new();
		missing.hash(&mut hasher);
		hasher.finish()
	};
	lacking.iter().map(one).fold(0, u64::wrapping_add)
}

fn number(count: usize) -> u64 {
	u64::try_from(count).unwrap_or(u64::MAX)
}
