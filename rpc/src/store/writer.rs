//! The one thread that writes. It takes whatever has arrived, writes it in one transaction, and
//! only when that is durable answers each: the cost of reaching the disk is shared.

use super::{
	schema::{self, ShareRow},
	vault::Sealed,
	RecordState, StoreError, StoredShare,
};
use crate::LOG_TARGET;
use keyshare_primitives::AccountId;
use rusqlite::{Connection, TransactionBehavior};
use std::{
	io,
	sync::mpsc::{sync_channel, Receiver, RecvTimeoutError, SyncSender},
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

/// What to write.
pub(super) enum Write {
	/// Unless it is there already.
	Share(Box<ShareRow>),
	/// Each share's new state.
	States(Vec<(StoredShare, RecordState)>),
	/// Gone for good.
	Erase(Vec<StoredShare>),
	/// One more of the server's.
	AddKey(AccountId, Sealed),
	/// By its place.
	EraseKey(i64),
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
}

impl Writer {
	/// Starts the thread, which first wipes the `traces` of what was erased before, if any are left.
	pub fn start(connection: Connection, traces: bool) -> io::Result<Self> {
		let (requests, waiting) = sync_channel(QUEUE);
		let traces = Traces { next: traces.then(Instant::now), told: false };
		let thread = thread::Builder::new()
			.name("share-store".into())
			.spawn(move || run(connection, &waiting, traces))?;
		Ok(Self { requests: Some(requests), thread: Some(thread) })
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

fn run(mut connection: Connection, requests: &Receiver<Request>, mut traces: Traces) {
	let mut crowded = false;
	// Why the last transaction failed. A full disk fails thousands, and is logged once.
	let mut told = None;
	loop {
		if traces.due_in() == Some(Duration::ZERO) {
			traces.wipe_and_tell(&connection);
		}
		let group = match next_group(requests, crowded, traces.due_in()) {
			Ok(group) => group,
			Err(RecvTimeoutError::Timeout) => continue,
			Err(RecvTimeoutError::Disconnected) => break,
		};
		crowded = group.len() > 1;
		let (writes, replies): (Vec<_>, Vec<_>) =
			group.into_iter().map(|request| (request.write, request.reply)).unzip();
		match commit(&mut connection, &writes, &mut traces) {
			Ok(changed) => {
				told = None;
				replies.into_iter().zip(changed).for_each(|(reply, rows)| reply(Ok(rows)));
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
fn commit(
	connection: &mut Connection,
	writes: &[Write],
	traces: &mut Traces,
) -> rusqlite::Result<Vec<usize>> {
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	let changed = writes
		.iter()
		.map(|write| match write {
			Write::Share(row) => schema::insert_share(&transaction, row),
			Write::States(states) => states.iter().try_fold(0, |rows, (share, state)| {
				Ok(rows + schema::update_state(&transaction, share, *state)?)
			}),
			Write::Erase(shares) => shares
				.iter()
				.try_fold(0, |rows, share| Ok(rows + schema::delete_share(&transaction, share)?)),
			Write::AddKey(account, sealed) => schema::insert_key(&transaction, account, sealed),
			Write::EraseKey(seq) => schema::delete_key(&transaction, *seq),
		})
		.collect::<rusqlite::Result<_>>()?;
	transaction.commit()?;
	let erased = writes.iter().any(|write| matches!(write, Write::Erase(_) | Write::EraseKey(_)));
	// The rows are gone in any case. While somebody keeps what is left of them, not every group
	// waits for that.
	if erased && !traces.are_left() {
		traces.wipe_and_tell(connection);
	}
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
