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
	sync::mpsc::{sync_channel, Receiver, SyncSender},
	thread::{self, JoinHandle},
	time::Duration,
};

/// The most requests in one transaction.
const GROUP: usize = 256;

/// Under load, how long a group waits for company: reaching the disk costs the same for many. A
/// lone request does not wait.
const GATHER: Duration = Duration::from_millis(1);

/// Requests that may wait. Whoever has one more waits for a place.
const QUEUE: usize = 1024;

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
	/// Starts the thread.
	pub fn start(connection: Connection) -> io::Result<Self> {
		let (requests, waiting) = sync_channel(QUEUE);
		let thread = thread::Builder::new()
			.name("share-store".into())
			.spawn(move || run(connection, &waiting))?;
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

fn run(mut connection: Connection, requests: &Receiver<Request>) {
	let mut crowded = false;
	while let Some(group) = next_group(requests, crowded) {
		crowded = group.len() > 1;
		let (writes, replies): (Vec<_>, Vec<_>) =
			group.into_iter().map(|request| (request.write, request.reply)).unzip();
		match commit(&mut connection, &writes) {
			Ok(changed) => {
				replies.into_iter().zip(changed).for_each(|(reply, rows)| reply(Ok(rows)));
			}
			Err(error) => {
				let error = StoreError::from(error);
				log::error!(target: LOG_TARGET, "Nothing can be stored: {error}");
				replies.into_iter().for_each(|reply| reply(Err(error.clone())));
			}
		}
	}
}

/// Waits for a request and takes with it those that are waiting too, or when `crowded` those that
/// come within [`GATHER`]; none when every handle is gone.
fn next_group(requests: &Receiver<Request>, crowded: bool) -> Option<Vec<Request>> {
	let mut group = vec![requests.recv().ok()?];
	if crowded {
		thread::sleep(GATHER);
	}
	group.extend(requests.try_iter().take(GROUP - 1));
	Some(group)
}

/// All or nothing; durable when it returns.
fn commit(connection: &mut Connection, writes: &[Write]) -> rusqlite::Result<Vec<usize>> {
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
	if writes.iter().any(|write| matches!(write, Write::Erase(_) | Write::EraseKey(_))) {
		// The rows are gone in any case; what is left of them goes with the next group then.
		if let Err(error) = schema::erase_traces(connection) {
			log::warn!(target: LOG_TARGET, "Erased shares still take room: {error}");
		}
	}
	Ok(changed)
}

#[cfg(test)]
mod tests {
	use super::*;

	fn request(reply: impl FnOnce(Result<usize, StoreError>) + Send + 'static) -> Request {
		Request { write: Write::States(Vec::new()), reply: Box::new(reply) }
	}

	#[test]
	fn what_waits_is_one_group_up_to_the_limit() {
		let (sender, requests) = sync_channel(QUEUE);
		for _ in 0..GROUP + 3 {
			assert!(sender.send(request(|_| ())).is_ok());
		}
		assert_eq!(next_group(&requests, false).map(|group| group.len()), Some(GROUP));
		assert_eq!(next_group(&requests, false).map(|group| group.len()), Some(3));
		drop(sender);
		assert!(next_group(&requests, false).is_none());
	}

	#[test]
	fn a_group_that_fails_is_refused_to_each_of_its_writers() {
		// A connection without the store's tables: every write of a share fails.
		let connection = Connection::open_in_memory().expect("memory");
		let writer = Writer::start(connection).expect("a thread");
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
