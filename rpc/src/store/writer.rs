//! The one thread that writes. It takes whatever has arrived, writes it in one transaction, and
//! only when that is durable answers each: the cost of reaching the disk is shared.

use super::{
	rows::{self, Seen, ShareRow},
	schema,
	vault::Sealed,
	RecordState, StoreError, StoredShare,
};
use crate::LOG_TARGET;
use keyshare_primitives::{AccountId, CustodyProof};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use std::{
	io,
	sync::{
		atomic::{AtomicBool, Ordering},
		mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
		Arc,
	},
	thread::{self, JoinHandle},
	time::{Duration, Instant},
};

/// The most requests in one transaction.
const GROUP: usize = 256;

/// Under load, how long a group waits for company: reaching the disk costs the same for many. A
/// lone request does not wait.
const GATHER: Duration = Duration::from_millis(1);

/// Requests that may wait. Whoever has one more waits for a place.
const QUEUE: usize = 1024;

/// How long until it is tried again to wipe what is left of erased rows. While it is tried, nothing
/// else is written.
const WIPE_AGAIN: Duration = Duration::from_secs(3);

/// How long until it is tried again whether anything can be written, after it could not.
const PROBE_AGAIN: Duration = Duration::from_secs(10);

/// What to write.
pub(super) enum Write {
	/// Nothing new: whether anything can be written.
	Probe,
	/// Unless it is there already, and not damaged.
	Share(Box<ShareRow>),
	/// Each share's new state.
	States(Vec<(StoredShare, RecordState)>),
	/// It was found to be damaged.
	Damaged(Seen),
	/// Another proof of a share that is whole.
	Proof(Seen, CustodyProof),
	/// Gone for good.
	Erase(Vec<StoredShare>),
	/// One more of the server's.
	AddKey(AccountId, Sealed),
	/// By its place.
	EraseKey(i64),
}

impl Write {
	/// Whether something is taken out of the store.
	fn erases(&self) -> bool {
		matches!(self, Self::Erase(_) | Self::EraseKey(_))
	}
}

/// Called once the write is durable, with the number of rows it changed, or once it has failed.
/// Runs on the writing thread, so it may not wait for anything.
pub(super) type Reply = Box<dyn FnOnce(Result<usize, StoreError>) + Send>;

struct Request {
	write: Write,
	reply: Reply,
}

/// Handle of the thread, which ends after all that is queued when this is dropped.
pub(super) struct Writer {
	requests: Option<SyncSender<Request>>,
	thread: Option<JoinHandle<()>>,
	/// Whether the last transaction failed.
	fails: Arc<AtomicBool>,
}

impl Writer {
	/// Starts the thread, which first wipes the `traces` of what was erased before, if any are left.
	pub fn start(connection: Connection, traces: bool) -> io::Result<Self> {
		let (requests, waiting) = sync_channel(QUEUE);
		let traces = Traces { next: traces.then(Instant::now), told: false };
		let fails = Arc::new(AtomicBool::new(false));
		let told = fails.clone();
		let thread = thread::Builder::new()
			.name("share-store".into())
			.spawn(move || run(connection, &waiting, traces, &told))?;
		Ok(Self { requests: Some(requests), thread: Some(thread), fails })
	}

	/// Whether nothing can be written: the last transaction failed, or the thread has ended.
	pub fn fails(&self) -> bool {
		let has_ended = self.thread.as_ref().is_none_or(JoinHandle::is_finished);
		has_ended || self.fails.load(Ordering::Relaxed)
	}

	/// Queues a write, waiting while the queue is full.
	pub fn submit(&self, write: Write, reply: Reply) {
		let request = Request { write, reply };
		let refused = match &self.requests {
			Some(requests) => requests.send(request).err().map(|refused| refused.0),
			None => Some(request),
		};
		if let Some(request) = refused {
			(request.reply)(Err(StoreError::Closed));
		}
	}
}

impl Drop for Writer {
	fn drop(&mut self) {
		self.requests = None;
		let thread = self.thread.take();
		// The file is closed when this returns, so that it can be opened again.
		if let Some(Err(_)) = thread.map(JoinHandle::join) {
			log::error!(target: LOG_TARGET, "The share store's writer had stopped: this is a bug");
		}
	}
}

/// What is left in the files of rows that were erased, because somebody else reads them.
#[derive(Default)]
struct Traces {
	/// When to try again to wipe it; none if nothing is left.
	next: Option<Instant>,
	/// Whether the operator has been told.
	told: bool,
}

impl Traces {
	fn are_left(&self) -> bool {
		self.next.is_some()
	}

	/// How long until the next try.
	fn due_in(&self) -> Option<Duration> {
		self.next.map(|next| next.saturating_duration_since(Instant::now()))
	}

	/// Wipes them, or puts it off. Returns what the operator should be told: a reader that stays is
	/// told of once.
	fn wipe(&mut self, connection: &Connection) -> Option<String> {
		let reason = match schema::erase_traces(connection, schema::ERASE_TIMEOUT) {
			Ok(true) => {
				*self = Self::default();
				return None;
			}
			Ok(false) => "another program is reading it, such as a backup".to_owned(),
			Err(error) => error.to_string(),
		};
		self.next = Some(Instant::now() + WIPE_AGAIN);
		(!std::mem::replace(&mut self.told, true)).then_some(reason)
	}

	fn wipe_and_tell(&mut self, connection: &Connection) {
		if let Some(reason) = self.wipe(connection) {
			log::warn!(
				target: LOG_TARGET,
				"Erased shares still take room in the share store, and whoever has its password \
				 could read them there: {reason}. They are wiped as soon as that has ended",
			);
		}
	}
}

fn run(
	mut connection: Connection,
	requests: &Receiver<Request>,
	mut traces: Traces,
	fails: &AtomicBool,
) {
	let mut crowded = false;
	// When it is tried again whether anything can be written.
	let mut probe: Option<Instant> = None;
	let mut reindexed = false;
	// Why the last transaction failed. A full disk fails thousands, and is logged once.
	let mut told = None;
	loop {
		if traces.due_in() == Some(Duration::ZERO) {
			traces.wipe_and_tell(&connection);
		}
		let probe_in = probe.map(|next| next.saturating_duration_since(Instant::now()));
		let patience = [traces.due_in(), probe_in].into_iter().flatten().min();
		let group = match next_group(requests, crowded, patience) {
			Ok(group) => group,
			Err(RecvTimeoutError::Timeout) if probe.is_some_and(|next| next <= Instant::now()) => {
				vec![Request { write: Write::Probe, reply: Box::new(drop) }]
			}
			Err(RecvTimeoutError::Timeout) => continue,
			Err(RecvTimeoutError::Disconnected) => break,
		};
		crowded = group.len() > 1;
		let (writes, replies): (Vec<_>, Vec<_>) =
			group.into_iter().map(|request| (request.write, request.reply)).unzip();
		let committed = match commit(&mut connection, &writes) {
			// One damaged row is no reason to refuse what others want to write.
			Err(error) if is_corrupt(&error) => {
				one_by_one(&mut connection, &writes, replies, &mut traces, &mut reindexed);
				// Whether it is that row alone, or nothing can be written at all.
				let written = commit(&mut connection, &[Write::Probe]);
				fails.store(written.is_err(), Ordering::Relaxed);
				probe = written.is_err().then(|| Instant::now() + PROBE_AGAIN);
				continue;
			}
			committed => committed,
		};
		fails.store(committed.is_err(), Ordering::Relaxed);
		probe = committed.is_err().then(|| Instant::now() + PROBE_AGAIN);
		match committed {
			Ok(changed) => {
				if told.take().is_some() {
					log::info!(target: LOG_TARGET, "The share store can be written again");
				}
				let mut erasers = Vec::new();
				for ((write, reply), rows) in writes.iter().zip(replies).zip(changed) {
					match write.erases() {
						true => erasers.push((reply, rows)),
						false => reply(Ok(rows)),
					}
				}
				// Clients have their answers by now; who erases is answered when it is done. While somebody keeps
				// what is left of the rows, not every group waits for that: they are gone in any case.
				if !erasers.is_empty() && !traces.are_left() {
					traces.wipe_and_tell(&connection);
				}
				erasers.into_iter().for_each(|(reply, rows)| reply(Ok(rows)));
			}
			Err(error) => {
				let error = StoreError::from(error);
				let reason = Some(error.to_string());
				if told != reason {
					log::error!(target: LOG_TARGET, "Nothing can be stored: {error}");
				}
				told = reason;
				replies.into_iter().for_each(|reply| reply(Err(error.clone())));
			}
		}
	}
}

/// Whether the file holds something else than what was written to it.
fn is_corrupt(error: &rusqlite::Error) -> bool {
	error.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt)
}

/// Writes each by itself, and answers it: what touches a damaged row fails alone. Once in a process the
/// indices are made anew before, so that they agree with the rows again: a row that was altered is then found
/// under what it says now, and no longer in the way of what it was.
fn one_by_one(
	connection: &mut Connection,
	writes: &[Write],
	replies: Vec<Reply>,
	traces: &mut Traces,
	reindexed: &mut bool,
) {
	if !std::mem::replace(reindexed, true) {
		log::error!(
			target: LOG_TARGET,
			"The share store's file is damaged: its indices are made anew. Check the disk, and restore a \
			 backup if this goes on",
		);
		if let Err(error) = connection.execute_batch("REINDEX shares") {
			log::error!(target: LOG_TARGET, "The indices cannot be made anew: {error}");
		}
	}
	for (write, reply) in writes.iter().zip(replies) {
		let written = commit(connection, std::slice::from_ref(write));
		if write.erases() && written.is_ok() && !traces.are_left() {
			traces.wipe_and_tell(connection);
		}
		reply(match written {
			Ok(rows) => Ok(rows.first().copied().unwrap_or(0)),
			Err(error) => Err(error.into()),
		});
	}
}

/// Waits for a request, if told so not longer than `patience`, and takes with it those that are
/// waiting too, or when `crowded` those that come within [`GATHER`].
fn next_group(
	requests: &Receiver<Request>,
	crowded: bool,
	patience: Option<Duration>,
) -> Result<Vec<Request>, RecvTimeoutError> {
	let first = match patience {
		Some(patience) => requests.recv_timeout(patience)?,
		None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected)?,
	};
	let mut group = vec![first];
	if crowded {
		thread::sleep(GATHER);
	}
	group.extend(requests.try_iter().take(GROUP - 1));
	Ok(group)
}

/// All or nothing; durable when it returns.
fn commit(connection: &mut Connection, writes: &[Write]) -> rusqlite::Result<Vec<usize>> {
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	let changed = writes
		.iter()
		.map(|write| match write {
			// Something written as it was is a write like any other.
			Write::Probe => {
				transaction.pragma_update(None, "user_version", schema::VERSION).map(|()| 0)
			}
			Write::Share(row) => rows::insert_share(&transaction, row),
			Write::States(states) => states.iter().try_fold(0, |rows, (share, state)| {
				Ok(rows + rows::update_state(&transaction, share, *state)?)
			}),
			Write::Damaged(seen) => rows::mark_damaged(&transaction, seen),
			Write::Proof(seen, proof) => rows::update_proof(&transaction, seen, proof),
			Write::Erase(shares) => shares
				.iter()
				.try_fold(0, |rows, share| Ok(rows + rows::delete_share(&transaction, share)?)),
			Write::AddKey(account, sealed) => rows::insert_key(&transaction, account, sealed),
			Write::EraseKey(seq) => rows::delete_key(&transaction, *seq),
		})
		.collect::<rusqlite::Result<_>>()?;
	transaction.commit()?;
	Ok(changed)
}

#[cfg(test)]
mod tests {
	use super::{schema::Missing, *};
	use keyshare_primitives::GenesisHash;

	fn request(reply: impl FnOnce(Result<usize, StoreError>) + Send + 'static) -> Request {
		Request { write: Write::States(Vec::new()), reply: Box::new(reply) }
	}

	#[test]
	fn what_waits_is_one_group_up_to_the_limit() {
		let (sender, requests) = sync_channel(QUEUE);
		for _ in 0..GROUP + 3 {
			assert!(sender.send(request(|_| ())).is_ok());
		}
		let next = |patience| next_group(&requests, false, patience).map(|group| group.len());
		assert_eq!(next(None), Ok(GROUP));
		assert_eq!(next(Some(Duration::ZERO)), Ok(3));
		assert_eq!(next(Some(Duration::ZERO)), Err(RecvTimeoutError::Timeout));
		drop(sender);
		assert_eq!(next(None), Err(RecvTimeoutError::Disconnected));
	}

	#[test]
	fn a_reader_that_keeps_what_was_erased_is_told_of_once() {
		let folder = tempfile::tempdir().expect("a folder");
		let path = folder.path().join("store");
		let genesis = GenesisHash::repeat_byte(1);
		let opened = schema::open_writer(&path, &"password".into(), genesis, Missing::Make);
		let connection = opened.expect("a new store").connection;
		let reader = schema::open_reader(&path).expect("opens");
		for _ in 0..2 {
			// Something in the log that the reader needs.
			connection.pragma_update(None, "user_version", schema::VERSION).expect("writable");
			reader.execute_batch("BEGIN; SELECT * FROM header;").expect("readable");
			let mut traces = Traces::default();
			assert!(traces.wipe(&connection).is_some_and(|reason| reason.contains("backup")));
			assert!(traces.are_left() && traces.due_in().is_some());
			assert_eq!(traces.wipe(&connection), None, "it was told");
			assert!(traces.are_left());
			reader.execute_batch("COMMIT").expect("it reads");
			assert_eq!(traces.wipe(&connection), None);
			assert!(!traces.are_left() && traces.due_in().is_none());
		}
	}

	#[test]
	fn a_group_that_fails_is_refused_to_each_of_its_writers() {
		// A connection without the store's tables: every write of a share fails.
		let connection = Connection::open_in_memory().expect("memory");
		let writer = Writer::start(connection, false).expect("a thread");
		let (answers, received) = std::sync::mpsc::channel();
		for _ in 0..2 {
			let answers = answers.clone();
			let key = Write::AddKey(
				AccountId::new([1; 32]),
				Sealed { nonce: [0; 24], ciphertext: [0; 48] },
			);
			writer.submit(key, Box::new(move |result| drop(answers.send(result))));
		}
		drop((writer, answers));
		let answers: Vec<_> = received.iter().collect();
		assert_eq!(answers.len(), 2);
		assert!(answers.iter().all(|answer| matches!(answer, Err(StoreError::Database(_)))));
	}
}
