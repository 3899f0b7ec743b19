//! Shares that a server should hold and does not: protocol §7. It missed them while it was away,
//! has just joined, or has lost its store.
//!
//! What is lacking is found in the finalized state, against the store: every key at the start,
//! whenever a hosted server's membership changes, and every [`SyncConfig::full_scan`]; in between,
//! at each block, only the attempts under way. It is fetched from servers of the same subgroup
//! that the chain shows to have confirmed it, and checked against the chain like a share from a
//! client: whom it comes from does not matter. A server that hands over a wrong share is asked last.
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

use crate::{
	chain::ChainError,
	intake::{Intake, Lack},
	retire::KeyKeeper,
	seats::Seats,
	LOG_TARGET,
};
use codec::Encode;
use fetch::Fetcher;
use futures::{FutureExt, Stream, StreamExt};
use keyshare_primitives::{membership::Change, offchain::READY_KEY, AccountId, RegistrationId};
use scan::{lacking_of_attempts, memberships, Memberships, Scan};
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use sp_keystore::KeystorePtr;
use std::{collections::HashMap, pin::pin, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How a node keeps its servers complete.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SyncConfig {
	/// How often every key is looked at, if nothing else is a reason to.
	pub full_scan: Duration,
	/// For how many blocks an attempt's share is left to its client, before other servers are asked.
	pub patience: u32,
	/// How long to wait, at first, before servers that did not give what was asked are asked again.
	pub first_delay: Duration,
	/// How long at most.
	pub longest_delay: Duration,
}

impl Default for SyncConfig {
	fn default() -> Self {
		Self {
			full_scan: Duration::from_secs(600),
			patience: 10,
			first_delay: Duration::from_secs(2),
			longest_delay: Duration::from_secs(60),
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
		let fetcher = Fetcher::new(intake, keystore);
		let keeper = Keeper { fetcher, keys: KeyKeeper::default(), awaited: HashMap::new() };
		Self { config, keeper, offchain, blocks }
	}

	/// Runs until `blocks` ends. Spawn it within a tokio runtime; what blocks, it does on tokio's
	/// blocking threads.
	pub async fn run(self) {
		let Self { config, mut keeper, mut offchain, blocks } = self;
		let mut blocks = pin!(blocks);
		let mut members = Memberships::new();
		let mut ready: Option<Vec<(AccountId, Change)>> = None;
		let mut delay = config.first_delay;
		let mut next_scan = Instant::now();
		loop {
			keeper.keep_house().await;
			let moved = keeper.memberships().await.is_some_and(|now| {
				let moved = now != members;
				members = now;
				moved
			});
			if moved || Instant::now() >= next_scan {
				let outcome = keeper.full_scan().await;
				if let Some(now) = outcome.ready {
					// Written when it changes only: the off-chain worker reads it at each block.
					if ready.as_ref() != Some(&now) {
						offchain.set(STORAGE_PREFIX, READY_KEY, &now.encode());
						ready = Some(now);
					}
				}
				delay = match outcome.progress {
					Progress::Settled => config.full_scan,
					Progress::Some => config.first_delay,
					Progress::None => delay.saturating_mul(2).min(config.longest_delay),
				};
				next_scan = Instant::now() + delay;
			} else {
				keeper.look_at_attempts(config.patience).await;
			}
			tokio::select! {
				block = blocks.next() => if block.is_none() { return },
				() = tokio::time::sleep_until(next_scan) => {},
			}
			// One look sees all that has happened by now.
			while let Some(block) = blocks.next().now_or_never() {
				if block.is_none() {
					return;
				}
			}
		}
	}
}

/// How far a full scan has brought its servers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
	/// Nothing is lacking, and whoever joined is ready.
	Settled,
	/// Something was fetched, and there is more to do.
	Some,
	/// Nothing could be done now.
	None,
}

struct Outcome {
	/// Servers that hold everything and have not declared so; none if that is not known.
	ready: Option<Vec<(AccountId, Change)>>,
	progress: Progress,
}

/// Finds what is lacking, and has it fetched.
struct Keeper {
	fetcher: Fetcher,
	keys: KeyKeeper,
	/// Shares that attempts under way lack, with the number of blocks at which that was seen.
	awaited: HashMap<(RegistrationId, AccountId), (Lack, u32)>,
}

impl Keeper {
	/// What is done at every finalized block: keys are retired, and the members counted.
	async fn keep_house(&mut self) {
		let mut keys = std::mem::take(&mut self.keys);
		let done = self
			.fetcher
			.blocking(move |intake| {
				let retired = keys.look(intake).map_err(|error| error.to_string());
				let counted = count_members(intake).map_err(|error| error.to_string());
				(keys, retired.and(counted))
			})
			.await;
		if let Some((keys, result)) = done {
			self.keys = keys;
			if let Err(error) = result {
				log::debug!(target: LOG_TARGET, "Waiting for the next block: {error}");
			}
		}
	}

	/// Where this node's servers are members in the finalized state.
	async fn memberships(&self) -> Option<Memberships> {
		let read = |intake: &Intake| memberships(intake, intake.chain().finalized());
		self.fetcher.blocking(read).await?.ok()
	}

	async fn full_scan(&mut self) -> Outcome {
		let scan = match self.fetcher.blocking(Scan::of).await {
			Some(Ok(scan)) => scan,
			Some(Err(error)) => {
				log::warn!(target: LOG_TARGET, "Cannot look for lacking shares now: {error}");
				return Outcome { ready: None, progress: Progress::None };
			}
			None => return Outcome { ready: None, progress: Progress::None },
		};
		let (ready, settled) = (scan.ready(), scan.is_settled());
		if scan.lost > 0 {
			log::error!(
				target: LOG_TARGET,
				"The share store lacks {} share(s) that the chain says this node has confirmed: it is \
				 an old copy, or damaged. They are fetched from other servers now",
				scan.lost,
			);
		}
		let lacking = scan.lacking.len();
		let metrics = self.fetcher.intake.metrics().clone();
		metrics.lost.set(number(scan.lost));
		self.say_backlog(lacking);
		let left = self.fetcher.fetch(scan.lacking).await.len();
		self.say_backlog(left);
		if left == 0 {
			metrics.lost.set(0);
		}
		let progress = match (settled, left < lacking) {
			(true, _) => Progress::Settled,
			(false, true) => Progress::Some,
			(false, false) => Progress::None,
		};
		Outcome { ready: Some(ready), progress }
	}

	fn say_backlog(&self, lacking: usize) {
		self.fetcher.intake.metrics().backlog.set(number(lacking));
		self.fetcher.intake.health().lacks(number(lacking));
	}

	/// Fetches what attempts under way lack for too long, and what those that were completed in the
	/// meantime lack.
	async fn look_at_attempts(&mut self, patience: u32) {
		let before: Vec<Lack> = self.awaited.values().map(|(lack, _)| lack.clone()).collect();
		let look = move |intake: &Intake| lacking_of_attempts(intake, &before);
		let Some(Ok((open, completed))) = self.fetcher.blocking(look).await else { return };
		let mut now = HashMap::new();
		let mut due = completed;
		for lack in open {
			let place = (lack.key.id, lack.server.clone());
			let blocks =
				self.awaited.get(&place).map_or(0, |(_, blocks)| *blocks).saturating_add(1);
			if blocks > patience {
				due.push(lack.clone());
			}
			now.insert(place, (lack, blocks));
		}
		self.awaited = now;
		// What cannot be had now is found again: by the next look, or by the next full scan.
		self.fetcher.fetch(due).await;
	}
}

fn number(count: usize) -> u64 {
	u64::try_from(count).unwrap_or(u64::MAX)
}

/// Tells Prometheus of the members in the finalized state: those of each subgroup, and this node's.
fn count_members(intake: &Intake) -> Result<(), ChainError> {
	let chain = intake.chain();
	let seats = Seats::of(chain.as_ref(), chain.finalized(), intake.servers().accounts())?;
	let masks = seats.masks();
	for (subgroup, _) in (0u8..).zip(&masks.subgroups) {
		intake.metrics().subgroup(subgroup, masks.size(subgroup), masks.ready(subgroup));
	}
	intake.metrics().not_ready.set(number(seats.not_ready()));
	let silences = chain.silences(chain.finalized())?;
	intake.metrics().missed.set(seats.most_missed(&silences).into());
	Ok(())
}
