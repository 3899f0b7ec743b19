//! From the store to the off-chain worker: the confirmations that the chain does not show yet.
//!
//! The store is the durable queue. After each block, and when shares have been stored, a window of
//! it is written into the node's off-chain storage, where the off-chain worker reads what to send.
//! So there is one writer, and a node that is killed forgets nothing.
//!
//! What to send is judged at the best block, for low latency; what is over for good at the
//! finalized one, so that no reorganisation can lose a confirmation, or erase a share that is needed.
//! What is sent is no success: it is offered until the chain shows it.
//!
//! The chain refuses a whole batch for one wrong proof. So a share's proof is checked before its
//! confirmation is offered, and made again if it does not hold; and what is wrong with one share holds up
//! that one alone.
//!
//! A confirmation counts for the seat of its server. A server that was away, and whose seat another
//! one has taken, confirms all that it holds once more.

use crate::{
	chain::{key_of, AccountRecord, ChainError, ChainState},
	health::Health,
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
	Confirmation, CustodyProof, Element,
};
use sp_core::offchain::{OffchainStorage, STORAGE_PREFIX};
use std::{
	collections::{BTreeMap, BTreeSet},
	fmt::Display,
	pin::pin,
	sync::Arc,
	time::{Duration, Instant},
};
use tokio::{sync::Notify, task::spawn_blocking, time::sleep};

/// Records read from the store at once.
const PAGE: u32 = 512;

/// Confirmed or damaged records that one update looks at: all of them in turn, so that what has been
/// deregistered or replaced is erased, and what has to be confirmed again is; and so few at a time
/// that it costs next to nothing.
const SWEEP: u32 = 512;

/// Shares that hold nobody up, which the log names. If there are more, the chain is at fault and not
/// they.
const NAMED: usize = 64;

/// For how long one confirmation may be the oldest that waits, before it is said that they are stuck.
const STUCK: Duration = Duration::from_secs(600);

/// After a share is stored, how long to wait for more before the window is written anew.
const GATHER: Duration = Duration::from_millis(200);

/// Feeds the off-chain worker; see the module's documentation.
pub struct ConfirmationFeeder<Storage, Blocks> {
	window: Window<Storage>,
	health: Arc<Health>,
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
		let health = intake.health().clone();
		Self { window, health, stored: intake.stored().clone(), blocks }
	}

	/// Runs until `blocks` ends. Spawn it within a tokio runtime; what blocks, it does on tokio's
	/// blocking threads.
	pub async fn run(self) {
		let Self { mut window, health, stored, blocks } = self;
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
			health.stuck(window.is_stuck(Instant::now()));
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

/// Why the window could not be updated.
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
	/// Its confirmation is to be sent; with the verifying share that its proof has to hold under.
	Send(Element),
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
	/// What is in the window, by place: its proofs hold.
	checked: BTreeMap<i64, ShareRecord>,
	/// The last confirmed or damaged record that was looked at.
	swept: i64,
	/// Places of records that were passed over, and that the log names.
	named: BTreeSet<i64>,
	/// The place of the oldest confirmation to be sent, and since when it is that.
	oldest: Option<(i64, Instant)>,
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
		Self {
			chain,
			servers,
			store,
			offchain,
			metrics,
			written: None,
			checked: BTreeMap::new(),
			swept: 0,
			named: BTreeSet::new(),
			oldest: None,
		}
	}

	/// Whether the chain has not taken the oldest confirmation for longer than any attempt should need.
	pub fn is_stuck(&self, now: Instant) -> bool {
		self.oldest.is_some_and(|(_, since)| now.saturating_duration_since(since) > STUCK)
	}

	/// Looks at what the chain shows now, writes the window, keeps in the store how far each record
	/// has come, and erases what is gone for good. Blocks on reads and writes.
	pub fn update(&mut self) -> Result<Room, UpdateError> {
		let chain = self.chain.clone();
		let view = View::of(chain.as_ref(), &self.servers)?;
		let (room, found) = self.collect(&view)?;
		self.metrics.pending.set(u64::try_from(self.checked.len()).unwrap_or(u64::MAX));
		self.write();
		let oldest = self.checked.keys().next().copied();
		if self.oldest.map(|(place, _)| place) != oldest {
			self.oldest = oldest.map(|place| (place, Instant::now()));
		}
		let settled = self.settle(found);
		// Nobody waits for it.
		if let Err(error) = self.sweep(&view) {
			log::warn!(
				target: LOG_TARGET,
				"Whether confirmed shares are still wanted is looked at again at the next block: {error}",
			);
		}
		settled?;
		Ok(room)
	}

	/// What is not confirmed yet: what of it is to be sent is in the window from now on.
	fn collect(&mut self, view: &View<'_>) -> Result<(Room, Found), UpdateError> {
		let (mut after, mut found, mut window) = (0, Found::default(), BTreeMap::new());
		let room = 'pages: loop {
			let page = self.store.pending(after, PAGE)?;
			let Some(last) = page.last() else { break Room::Left };
			after = last.seq;
			for share in page {
				let Some(fate) = self.unless_undecodable(&share, view.fate(&share.record))? else {
					continue;
				};
				match fate {
					Fate::Send(_) if window.len() == MAX_QUEUED => break 'pages Room::None,
					Fate::Send(promised) => {
						let Some(proof) = self.proof_of(&share, promised) else { continue };
						window.insert(share.seq, ShareRecord { proof, ..share.record.clone() });
						if share.state == RecordState::Stored {
							found.states.push((share, RecordState::Confirming));
						}
					}
					Fate::Wait => {}
					Fate::Confirmed => found.states.push((share, RecordState::Confirmed)),
					Fate::Gone => found.gone.push(share),
				}
			}
		};
		self.checked = window;
		Ok((room, found))
	}

	/// The proof of a share, if the chain takes it: checked once, and again when the record is another.
	fn proof_of(&mut self, share: &StoredShare, promised: Element) -> Option<CustodyProof> {
		let record = &share.record;
		if self.checked.get(&share.seq) == Some(record) {
			return Some(record.proof);
		}
		// Nor is a share confirmed that cannot be decrypted any more.
		let proof = self.store.get(&record.id, &record.server).and_then(|held| match held {
			Some(held) => self.store.proof_under(&held.record, promised),
			None => Ok(None),
		});
		proof.unwrap_or_else(|error| {
			self.pass_over(share, &error);
			None
		})
	}

	/// The next of what is confirmed or damaged.
	fn sweep(&mut self, view: &View<'_>) -> Result<(), UpdateError> {
		let page = self.store.others(self.swept, SWEEP)?;
		let next = match page.last() {
			Some(last) if page.len() >= SWEEP as usize => last.seq,
			_ => 0,
		};
		let mut found = Found::default();
		for share in page {
			let fate = view.later_fate(&share.record);
			match self.unless_undecodable(&share, fate)? {
				// What is damaged is sent when a good one is in its place.
				Some(Fate::Send(_)) if share.state != RecordState::Damaged => {
					found.states.push((share, RecordState::Stored));
				}
				Some(Fate::Gone) => found.gone.push(share),
				Some(Fate::Send(_) | Fate::Wait | Fate::Confirmed) | None => {}
			}
		}
		// What cannot be written now is looked at again when its turn comes.
		self.swept = next;
		self.settle(found)?;
		Ok(())
	}

	/// Keeps in the store what was found.
	fn settle(&self, Found { states, gone }: Found) -> Result<(), StoreError> {
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
		Ok(())
	}

	/// What is to become of a share. If what the chain keeps of its account is not understood, it is
	/// passed over; a state that cannot be read at all is no reason to pass over anything.
	fn unless_undecodable(
		&mut self,
		share: &StoredShare,
		fate: Result<Fate, ChainError>,
	) -> Result<Option<Fate>, ChainError> {
		match fate {
			Err(error @ ChainError::Undecodable { .. }) => {
				self.pass_over(share, &error);
				Ok(None)
			}
			fate => fate.map(Some),
		}
	}

	/// Says once that a share is passed over.
	fn pass_over(&mut self, share: &StoredShare, error: &dyn Display) {
		if self.named.len() < NAMED && self.named.insert(share.seq) {
			log::error!(
				target: LOG_TARGET,
				"Passed over until it is mended, and the others are not: {}: {error}",
				Described(&share.record),
			);
		}
	}

	/// Writes the window where the off-chain worker looks for it, unless it stands there.
	fn write(&mut self) {
		let mut lists = BTreeMap::<_, Vec<_>>::new();
		for ShareRecord { server, account, generation, proof, .. } in self.checked.values() {
			let (account, generation, proof) = (account.clone(), *generation, *proof);
			let confirmation = Confirmation { account, generation, proof };
			lists.entry(server.clone()).or_default().push(confirmation);
		}
		let queue: Queue = lists
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
		// Nothing of it is known here, and it is said by the store.
		RecordState::Damaged => {}
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
		let Some((key, _)) = key_of(&record, &share.id) else {
			let over = is_gone_for_good(share, &self.finalized_record(share)?);
			return Ok(if over { Fate::Gone } else { Fate::Wait });
		};
		if self.best.has_confirmed(share, &record) {
			let over = self.finalized.has_confirmed(share, &self.finalized_record(share)?);
			return Ok(if over { Fate::Confirmed } else { Fate::Wait });
		}
		// What a server confirmed that is no member would be void.
		let promised = key.verifying_share(share.subgroup).filter(|_| self.best.is_member(share));
		Ok(promised.map_or(Fate::Wait, Fate::Send))
	}

	/// The same of one whose confirmation the finalized chain has shown: it is sent again if it counts
	/// no longer.
	fn later_fate(&self, share: &ShareRecord) -> Result<Fate, ChainError> {
		let record = self.finalized_record(share)?;
		if is_gone_for_good(share, &record) {
			return Ok(Fate::Gone);
		}
		let key = key_of(&record, &share.id).map(|(key, _)| key);
		let counts = self.finalized.has_confirmed(share, &record);
		let again = !counts && self.finalized.is_member(share);
		let promised = key.and_then(|key| key.verifying_share(share.subgroup)).filter(|_| again);
		Ok(promised.map_or(Fate::Confirmed, Fate::Send))
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
