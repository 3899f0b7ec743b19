//! From the store to the off-chain worker: the confirmations that the chain does not show yet.
//!
//! The store is the durable queue. After each block, and when shares have been stored, a window of
//! it is written into the node's off-chain storage, where the off-chain worker reads what to send.
//! So there is one writer, and a node that is killed forgets nothing.
//!
//! What to send is judged at the best block, for low latency; what is over for good at the
//! finalized one, so that no reorganisation can lose a confirmation, or erase a share that is needed.
//!
//! A confirmation counts for the seat of its server. A server that was away, and whose seat another
//! one has taken, confirms all that it holds once more.

use crate::{
	chain::{key_of, AccountRecord, ChainError, ChainState},
	intake::{Described, Intake},
	keys::ServerKeys,
	metrics::Metrics,
	seats::Seats,
	store::{RecordState, ShareRecord, ShareStore, StoreError, StoredShare},
	LOG_TARGET,
};
use codec::Encode;
use futures::{FutureExt, Stream, StreamExt};
use keyshare_primitives::{
	offchain::{PendingConfirmations, Queue, MAX_QUEUED, QUEUE_KEY},
	AccountId, Confirmation,
};
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::{collections::BTreeMap, pin::pin, sync::Arc, time::Duration};
use tokio::{sync::Notify, task::spawn_blocking, time::sleep};

/// Records read from the store at once.
const PAGE: u32 = 512;

/// Confirmed records that one update looks at: all of them in turn, so that what has been
/// deregistered or replaced is erased, and what has to be confirmed again is; and so few at a time
/// that it costs next to nothing.
const SWEEP: u32 = 512;

/// After a share is stored, how long to wait for more before the window is written anew.
const GATHER: Duration = Duration::from_millis(200);

/// Feeds the off-chain worker; see the module's documentation.
pub struct ConfirmationFeeder<Storage, Blocks> {
	window: Window<Storage>,
	stored: Arc<Notify>,
	blocks: Blocks,
}

impl<Storage, Blocks> ConfirmationFeeder<Storage, Blocks>
where
	Storage: OffchainStorage + 'static,
	Blocks: Stream<Item = ()>,
{
	/// Feeds what `intake` stores into `offchain`, the node's persistent off-chain storage.
	/// `blocks` yields whenever a block has been imported or finalized.
	pub fn new(intake: &Intake, offchain: Storage, blocks: Blocks) -> Self {
		let window = Window::new(
			intake.chain().clone(),
			intake.servers().clone(),
			intake.store().clone(),
			offchain,
			intake.metrics().clone(),
		);
		Self { window, stored: intake.stored().clone(), blocks }
	}

	/// Runs until `blocks` ends. Spawn it within a tokio runtime; what blocks, it does on tokio's
	/// blocking threads.
	pub async fn run(self) {
		let Self { mut window, stored, blocks } = self;
		let mut blocks = pin!(blocks);
		loop {
			let updated = spawn_blocking(move || {
				let room = window.update().unwrap_or_else(|error| {
					log::warn!(target: LOG_TARGET, "Confirmations wait for the next block: {error}");
					Room::Left
				});
				(window, room)
			});
			let Ok((back, room)) = updated.await else { return };
			window = back;
			tokio::select! {
				block = blocks.next() => if block.is_none() { return },
				() = more_stored(&stored), if room == Room::Left => {},
			}
			// One update sees all that has happened by now.
			while let Some(block) = blocks.next().now_or_never() {
				if block.is_none() {
					return;
				}
			}
		}
	}
}

async fn more_stored(stored: &Notify) {
	stored.notified().await;
	sleep(GATHER).await;
}

/// Whether further records would fit into the window.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Room {
	/// All that is to be sent is in it.
	Left,
	/// It is full; the rest follows when some of it is confirmed.
	None,
}

/// Why the window could not be updated. It stays as it was.
#[derive(Debug, thiserror::Error)]
pub enum UpdateError {
	/// The chain could not be read.
	#[error(transparent)]
	Chain(#[from] ChainError),
	/// The store could not be read or written.
	#[error(transparent)]
	Store(#[from] StoreError),
}

/// What is to become of a record.
enum Fate {
	/// Its confirmation is to be sent.
	Send,
	/// Nothing to do now, and nothing certain yet.
	Wait,
	/// The finalized chain shows its confirmation.
	Confirmed,
	/// The finalized chain shows that its attempt or key is gone for good.
	Gone,
}

/// What an update found.
#[derive(Default)]
struct Found {
	/// To be sent.
	queue: BTreeMap<AccountId, Vec<Confirmation>>,
	/// Further than the store knows.
	states: Vec<(StoredShare, RecordState)>,
	/// To be erased.
	gone: Vec<StoredShare>,
}

/// The window of confirmations in the off-chain storage.
pub struct Window<Storage> {
	chain: Arc<dyn ChainState>,
	servers: ServerKeys,
	store: ShareStore,
	offchain: Storage,
	metrics: Metrics,
	written: Option<Vec<u8>>,
	/// The last confirmed record that was looked at.
	swept: i64,
}

impl<Storage: OffchainStorage> Window<Storage> {
	/// Over a store and an off-chain storage.
	pub fn new(
		chain: Arc<dyn ChainState>,
		servers: ServerKeys,
		store: ShareStore,
		offchain: Storage,
		metrics: Metrics,
	) -> Self {
		Self { chain, servers, store, offchain, metrics, written: None, swept: 0 }
	}

	/// Looks at what the chain shows now, writes the window, keeps in the store how far each record
	/// has come, and erases what is gone for good. Blocks on reads and writes.
	pub fn update(&mut self) -> Result<Room, UpdateError> {
		let mut found = Found::default();
		let view = View::of(self.chain.as_ref(), &self.servers)?;
		let room = self.collect(&view, &mut found)?;
		let swept = self.sweep(&view, &mut found)?;
		let Found { queue, states, gone } = found;
		let pending = queue.values().map(|confirmations| confirmations.len()).sum::<usize>();
		self.metrics.pending.set(u64::try_from(pending).unwrap_or(u64::MAX));
		self.write(queue);
		if !states.is_empty() {
			self.store.set_states(states.clone())?;
		}
		for (share, state) in &states {
			log_progress(&share.record, *state);
			if *state == RecordState::Confirmed {
				self.metrics.confirmed.inc();
			}
		}
		if !gone.is_empty() {
			self.store.erase(gone.clone())?;
		}
		for share in gone {
			self.metrics.erased.inc();
			log::info!(
				target: LOG_TARGET,
				"Erased, for its attempt or key is gone: {}",
				Described(&share.record),
			);
		}
		self.swept = swept;
		Ok(room)
	}

	/// What is not confirmed yet.
	fn collect(&self, view: &View<'_>, found: &mut Found) -> Result<Room, UpdateError> {
		let (mut after, mut queued) = (0, 0);
		loop {
			let page = self.store.pending(after, PAGE)?;
			let Some(last) = page.last() else { return Ok(Room::Left) };
			after = last.seq;
			for share in page {
				match view.fate(&share.record)? {
					Fate::Send if queued == MAX_QUEUED => return Ok(Room::None),
					Fate::Send => {
						queued += 1;
						let server = share.record.server.clone();
						found.queue.entry(server).or_default().push(Confirmation {
							account: share.record.account.clone(),
							generation: share.record.generation,
							proof: share.record.proof,
						});
						if share.state == RecordState::Stored {
							found.states.push((share, RecordState::Confirming));
						}
					}
					Fate::Wait => {}
					Fate::Confirmed => found.states.push((share, RecordState::Confirmed)),
					Fate::Gone => found.gone.push(share),
				}
			}
		}
	}

	/// The next of what is confirmed; gives where to go on.
	fn sweep(&self, view: &View<'_>, found: &mut Found) -> Result<i64, UpdateError> {
		let page = self.store.confirmed(self.swept, SWEEP)?;
		let next = match page.last() {
			Some(last) if page.len() >= SWEEP as usize => last.seq,
			_ => 0,
		};
		for share in page {
			match view.later_fate(&share.record)? {
				Fate::Send => found.states.push((share, RecordState::Stored)),
				Fate::Wait | Fate::Confirmed => {}
				Fate::Gone => found.gone.push(share),
			}
		}
		Ok(next)
	}

	/// Writes the window where the off-chain worker looks for it, unless it stands there.
	fn write(&mut self, queue: BTreeMap<AccountId, Vec<Confirmation>>) {
		let queue: Queue = queue
			.into_iter()
			.map(|(server, confirmations)| PendingConfirmations { server, confirmations })
			.collect();
		let encoded = queue.encode();
		if self.written.as_ref() != Some(&encoded) {
			self.offchain.set(STORAGE_PREFIX, QUEUE_KEY, &encoded);
			self.written = Some(encoded);
		}
	}
}

fn log_progress(record: &ShareRecord, state: RecordState) {
	let share = Described(record);
	match state {
		RecordState::Stored => log::info!(
			target: LOG_TARGET,
			"To be confirmed again, for the chain shows its confirmation no longer: {share}",
		),
		RecordState::Confirming => {
			log::info!(target: LOG_TARGET, "Confirmation handed over for sending: {share}");
		}
		RecordState::Confirmed => log::info!(target: LOG_TARGET, "Confirmed on chain: {share}"),
	}
}

/// The chain as it is during one update, with the seats of this node's servers.
struct View<'a> {
	chain: &'a dyn ChainState,
	best: Seats,
	finalized: Seats,
}

impl<'a> View<'a> {
	fn of(chain: &'a dyn ChainState, servers: &ServerKeys) -> Result<Self, ChainError> {
		let best = Seats::of(chain, chain.best(), servers.accounts())?;
		let finalized = Seats::of(chain, chain.finalized(), servers.accounts())?;
		Ok(Self { chain, best, finalized })
	}

	/// What is to become of a share.
	fn fate(&self, share: &ShareRecord) -> Result<Fate, ChainError> {
		let record = self.chain.record(self.best.at(), &share.account)?;
		if key_of(&record, &share.id).is_none() {
			let over = is_gone_for_good(share, &self.finalized_record(share)?);
			return Ok(if over { Fate::Gone } else { Fate::Wait });
		}
		if self.best.has_confirmed(share, &record) {
			let over = self.finalized.has_confirmed(share, &self.finalized_record(share)?);
			return Ok(if over { Fate::Confirmed } else { Fate::Wait });
		}
		// What a server confirmed that is no member would be void.
		Ok(if self.best.is_member(share) { Fate::Send } else { Fate::Wait })
	}

	/// The same of one whose confirmation the finalized chain has shown: it is sent again if it counts
	/// no longer.
	fn later_fate(&self, share: &ShareRecord) -> Result<Fate, ChainError> {
		let record = self.finalized_record(share)?;
		if is_gone_for_good(share, &record) {
			return Ok(Fate::Gone);
		}
		let is_live = key_of(&record, &share.id).is_some();
		let counts = self.finalized.has_confirmed(share, &record);
		let again = is_live && !counts && self.finalized.is_member(share);
		Ok(if again { Fate::Send } else { Fate::Confirmed })
	}

	fn finalized_record(&self, share: &ShareRecord) -> Result<AccountRecord, ChainError> {
		self.chain.record(self.finalized.at(), &share.account)
	}
}

/// Whether the finalized chain, whose `record` is given, will never show the share's attempt or key
/// again. Generations are never reused: one that it has had and shows no longer cannot come back. One
/// that it has not had yet may still come, after a reorganisation.
fn is_gone_for_good(share: &ShareRecord, record: &AccountRecord) -> bool {
	record.last_generation >= share.generation && key_of(record, &share.id).is_none()
}
