//! The durable, encrypted store of shares, which is also the queue of their confirmations.
//!
//! One SQLite file in WAL mode with `synchronous=FULL`: an acknowledged share survives the death
//! of the process or the machine at any instant after. One thread writes, many requests to a
//! transaction (`writer`); reads go beside it. Secrets are sealed record by record (`vault`);
//! accounts, generations and custody proofs stand in the clear, for they are public.
//!
//! Whole stores are backed up, restored and checked by [`maintenance`]; those that older programs
//! made are taken over when they are opened or restored (`versions`).
//!
//! A share that is damaged is no share: it counts as lacking from when it is found to be, by whoever
//! reads it or by a look at all of them in turn, and a good one takes its place (`scrub`). An
//! encryption key that is damaged is logged and passed over, for nobody else has it.

pub mod maintenance;
mod rows;
mod schema;
mod scrub;
mod vault;
mod versions;
mod writer;

pub use scrub::Scrubbed;

use crate::LOG_TARGET;
use keyshare_primitives::{
	seal::EncryptionSecret,
	share::{Share, VerifiedShare},
	AccountId, CustodyProof, EncryptionKey, Generation, GenesisHash, RegistrationId, SubgroupId,
};
use rows::{KeyRow, ShareRow};
use rusqlite::{ffi, Connection, ErrorCode};
use schema::{Missing, Opened};
use secrecy::SecretString;
use std::{
	collections::{BTreeMap, BTreeSet},
	fs::{self, File, OpenOptions},
	io,
	path::{self, Path, PathBuf},
	sync::{mpsc, Arc, Mutex, MutexGuard, PoisonError},
};
use vault::{Place, Vault};
use writer::{Write, Writer};

/// Name of the store's file in a node's folder.
pub const FILE_NAME: &str = "share-store.sqlite";

/// What names a stored share and what is public about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ShareRecord {
	/// The attempt or key.
	pub id: RegistrationId,
	/// The server that holds the share.
	pub server: AccountId,
	/// The user.
	pub account: AccountId,
	/// The attempt's number.
	pub generation: Generation,
	/// The server's subgroup, and so which share it is.
	pub subgroup: SubgroupId,
	/// Signature by the share over [`keyshare_primitives::messages::custody_message`].
	pub proof: CustodyProof,
}

/// How far a stored share has come. The numbers stand in the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub enum RecordState {
	/// Its confirmation has not been handed over yet.
	Stored = 0,
	/// Its confirmation has been handed to the off-chain worker.
	Confirming = 1,
	/// The finalized chain shows the confirmation.
	Confirmed = 2,
	/// It is not the share that was stored. Nothing is made of it, and a good one takes its place.
	Damaged = 3,
}

/// A record as it stands in the store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct StoredShare {
	/// Its place in the order of arrival.
	pub seq: i64,
	/// The record.
	pub record: ShareRecord,
	/// How far it has come.
	pub state: RecordState,
}

/// Whether a share was new.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Put {
	/// It is stored by this call, durably.
	Stored,
	/// It was there, and is whole as far as is known.
	AlreadyStored,
}

/// Why the store cannot be opened, read or written. Never holds a secret.
#[derive(Clone, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
	/// The password does not open it.
	#[error("the password does not open the share store; give the one it was made with")]
	WrongPassword,
	/// The password cannot be used at all.
	#[error("the share store's password cannot be used: {0}")]
	Password(String),
	/// It belongs to another chain.
	#[error(
		"the share store belongs to the chain with genesis {stored:?}, but this is {expected:?}; \
		 give each chain a base path of its own"
	)]
	OtherChain {
		/// Genesis of the chain it belongs to.
		stored: GenesisHash,
		/// Genesis of the chain it was opened for.
		expected: GenesisHash,
	},
	/// A newer program made it.
	#[error(
		"the share store has version {found}, but this program knows up to {supported}; run a newer one"
	)]
	NewerVersion {
		/// The file's version.
		found: i64,
		/// What this program reads and writes.
		supported: i64,
	},
	/// Another process has it open.
	#[error("the share store is in use by another process; stop the other node or command first")]
	InUse,
	/// The file system cannot carry it.
	#[error("the share store needs a local file system that supports SQLite's write-ahead log")]
	NoWriteAheadLog,
	/// It cannot be what this program wrote.
	#[error("the share store is damaged: {0} cannot be read; restore it from a backup")]
	Damaged(&'static str),
	/// A file or thread could not be had.
	#[error("the share store cannot be opened: {0}")]
	Io(Arc<io::Error>),
	/// SQLite refused; often a full or failing disk.
	#[error("the share store's database failed: {0}; check the disk")]
	Database(Arc<rusqlite::Error>),
	/// A link that leads nowhere.
	#[error(
		"{0} is a link to a file that is not there; mount or restore what it leads to, or remove the \
		 link"
	)]
	BrokenLink(PathBuf),
	/// There is no such file.
	#[error("there is no share store {0}")]
	NotThere(PathBuf),
	/// Nothing is written over a file that is there.
	#[error("{0} is there already, and is left as it is; move it away first")]
	InTheWay(PathBuf),
	/// The file for a copy cannot be made.
	#[error("{path} cannot be made: {reason}; give a file in a folder that can be written to")]
	NoCopy {
		/// What the copy was to be called.
		path: PathBuf,
		/// What the system says.
		reason: Arc<io::Error>,
	},
	/// SQLite cannot be told to copy to a file of such a name.
	#[error("nothing is copied to {0:?}, because that is not UTF-8; give another file")]
	NotUtf8(PathBuf),
	/// Somebody reads it, and so keeps what is to be wiped.
	#[error(
		"the password was not changed, because another program is reading the share store and would \
		 keep what the old one opens in its files; wait for the end of that program, such as a \
		 backup, and change it then"
	)]
	BeingRead,
	/// The password was changed, but what the old one opens could not be wiped.
	#[error(
		"the share store has the new password, but its files still hold what the old one opens: \
		 another program reads them, such as a backup, or the disk fails. End that program, then \
		 start the node, which wipes it"
	)]
	OldPasswordStays,
	/// It is shutting down.
	#[error("the share store is closed")]
	Closed,
}

impl From<io::Error> for StoreError {
	fn from(error: io::Error) -> Self {
		Self::Io(Arc::new(error))
	}
}

impl From<rusqlite::Error> for StoreError {
	fn from(error: rusqlite::Error) -> Self {
		// Among others what is left of a writer that was killed: half a file, and beside it the
		// journal that says so.
		let code = error.sqlite_error_code();
		let damaged = matches!(code, Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt))
			|| error.sqlite_extended_error_code() == Some(ffi::SQLITE_READONLY_ROLLBACK);
		if damaged {
			return Self::Damaged("its file");
		}
		if is_unreadable(&error) {
			return Self::Damaged("a record");
		}
		// SQLite's own lock, which ours does not keep other programs from.
		if matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked)) {
			return Self::InUse;
		}
		Self::Database(Arc::new(error))
	}
}

/// Whether what was read of a row cannot be what this program wrote.
fn is_unreadable(error: &rusqlite::Error) -> bool {
	matches!(
		error,
		rusqlite::Error::FromSqlConversionFailure(..)
			| rusqlite::Error::IntegralValueOutOfRange(..)
			| rusqlite::Error::InvalidColumnType(..)
	)
}

/// Handle of the open store; clones share it. It is closed, with all that is queued written, when
/// the last clone is dropped.
#[derive(Clone)]
pub struct ShareStore(Arc<Inner>);

struct Inner {
	// Dropped in this order: the writer's connection folds the log into the file if it is the
	// last, and the lock goes when the file is closed.
	reader: Mutex<Connection>,
	writer: Writer,
	vault: Vault,
	/// Damaged rows that were told of: what they hold, and their places.
	told: Mutex<BTreeSet<(&'static str, i64)>>,
	path: PathBuf,
	/// By its name beside it, and the file itself.
	locks: [File; 2],
}

impl ShareStore {
	/// Opens the store in the file `path`, or makes it (and the folders above it) under
	/// `password`: for whoever asks for a new store. The file is readable by its owner only.
	/// Deriving the key from the password takes a noticeable part of a second, by design.
	pub fn open(
		path: &Path,
		password: &SecretString,
		genesis: GenesisHash,
	) -> Result<Self, StoreError> {
		if let Some(folder) = path.parent() {
			fs::create_dir_all(folder)?;
		}
		check_link(path)?;
		if let Some(log) = orphaned_log(path) {
			return Err(StoreError::InTheWay(log));
		}
		Self::open_or(Missing::Make, path, password, genesis)
	}

	/// Opens the store that is in the file `path`. A file with nothing in it is the rest of a
	/// store, and none is made of it: it would be empty, and its shares somewhere else.
	pub fn open_existing(
		path: &Path,
		password: &SecretString,
		genesis: GenesisHash,
	) -> Result<Self, StoreError> {
		check_there(path)?;
		Self::open_or(Missing::Refuse, path, password, genesis)
	}

	fn open_or(
		missing: Missing,
		path: &Path,
		password: &SecretString,
		genesis: GenesisHash,
	) -> Result<Self, StoreError> {
		let locks = [take_lock(path)?, lock_file(path)?];
		let Opened { connection, vault, traces } =
			schema::open_writer(path, password, genesis, missing)?;
		let reader = Mutex::new(schema::open_reader(path)?);
		let writer = Writer::start(connection, traces)?;
		let told = Mutex::default();
		let path = path::absolute(path)?;
		Ok(Self(Arc::new(Inner { reader, writer, vault, told, path, locks })))
	}

	/// Whether nothing can be written now, as on a full or failing disk.
	pub fn fails(&self) -> bool {
		self.0.writer.fails()
	}

	/// Whether its file is where it was opened. One that was removed or replaced under the running program
	/// goes on to take shares, which are gone with the program.
	pub fn is_in_place(&self) -> bool {
		let Inner { path, locks: [_, file], .. } = self.0.as_ref();
		let (Ok(there), Ok(here)) = (fs::metadata(path), file.metadata()) else { return false };
		#[cfg(unix)]
		{
			use std::os::unix::fs::MetadataExt;
			there.dev() == here.dev() && there.ino() == here.ino()
		}
		#[cfg(not(unix))]
		{
			there.is_file() && here.is_file()
		}
	}

	/// Stores `share` under `record`, unless a share is there that is not known to be damaged. `reply`
	/// is called once that is durable, or has failed; it runs on the writing thread, so it may neither
	/// wait for anything nor hold the store. This call itself waits only while the store's queue is
	/// full.
	pub fn put(
		&self,
		record: ShareRecord,
		share: &VerifiedShare,
		reply: impl FnOnce(Result<Put, StoreError>) + Send + 'static,
	) {
		let sealed = self.0.vault.seal(&Place::Share(&record), share.share().expose_secret());
		let row = Box::new(ShareRow { record, sealed });
		let reply = move |result: Result<usize, StoreError>| {
			reply(result.map(|rows| if rows == 0 { Put::AlreadyStored } else { Put::Stored }));
		};
		self.0.writer.submit(Write::Share(row), Box::new(reply));
	}

	/// The record of the share that `server` holds of `id`. It is held if it can be decrypted.
	pub fn get(
		&self,
		id: &RegistrationId,
		server: &AccountId,
	) -> Result<Option<StoredShare>, StoreError> {
		Ok(self.held(id, server)?.map(|(stored, _)| stored))
	}

	/// The share that `server` holds of `id`, decrypted but unchecked, with its record.
	pub fn load(
		&self,
		id: &RegistrationId,
		server: &AccountId,
	) -> Result<Option<(ShareRecord, Share)>, StoreError> {
		Ok(self.held(id, server)?.map(|(stored, share)| (stored.record, share)))
	}

	/// At most `limit` records not confirmed yet that arrived after the one at `after` (0
	/// to begin), oldest first.
	pub fn pending(&self, after: i64, limit: u32) -> Result<Vec<StoredShare>, StoreError> {
		self.page(rows::select_pending, after, limit)
	}

	/// The same of all others: they are confirmed, or damaged.
	pub fn others(&self, after: i64, limit: u32) -> Result<Vec<StoredShare>, StoreError> {
		self.page(rows::select_others, after, limit)
	}

	/// Erases shares: their bytes are overwritten in the file, its log is emptied, and the file gets
	/// smaller. Waits until that is durable; but while another program reads the store, the shares
	/// are only deleted, and their bytes go when it has ended.
	/// One that cannot be erased keeps no other.
	pub fn erase(&self, shares: Vec<StoredShare>) -> Result<(), StoreError> {
		let waiting: Vec<_> =
			shares.into_iter().map(|share| self.begin(Write::Erase(vec![share]))).collect();
		let answers = waiting.into_iter().map(|answer| answer.recv());
		let answers: Vec<_> =
			answers.map(|answer| answer.unwrap_or(Err(StoreError::Closed)).map(drop)).collect();
		answers.into_iter().collect()
	}

	/// Sets the state of each share that is not damaged; waits until that is durable.
	pub fn set_states(&self, states: Vec<(StoredShare, RecordState)>) -> Result<(), StoreError> {
		self.write(Write::States(states))
	}

	/// Keeps a secret that envelopes to `server` are opened with, beside those it has, unless it is
	/// one of them; waits until that is durable.
	pub fn add_key(&self, server: &AccountId, secret: &EncryptionSecret) -> Result<(), StoreError> {
		if self.keys()?.iter().any(|key| key.is(server, &secret.public())) {
			return Ok(());
		}
		let sealed = self.0.vault.seal(&Place::Server(server), secret.expose_secret());
		self.write(Write::AddKey(server.clone(), sealed))
	}

	/// Erases the secret behind `public`, if `server` has it; waits until that is durable.
	pub fn erase_key(&self, server: &AccountId, public: &EncryptionKey) -> Result<(), StoreError> {
		for key in self.keys()?.into_iter().filter(|key| key.is(server, public)) {
			self.write(Write::EraseKey(key.seq))?;
		}
		Ok(())
	}

	/// Every server a key was added for, with its secrets, oldest first.
	pub fn servers(&self) -> Result<BTreeMap<AccountId, Vec<EncryptionSecret>>, StoreError> {
		let mut servers = BTreeMap::<_, Vec<_>>::new();
		for key in self.keys()? {
			servers.entry(key.server).or_default().push(key.secret);
		}
		Ok(servers)
	}

	fn keys(&self) -> Result<Vec<StoredKey>, StoreError> {
		let rows = rows::select_keys(&self.reader())?;
		let readable = |(seq, row): (i64, rusqlite::Result<KeyRow>)| {
			row.inspect_err(|error| self.say_key_damaged(seq, error)).ok()
		};
		let open = |KeyRow { seq, account, sealed }| {
			let secret = self.0.vault.open(&Place::Server(&account), &sealed);
			if secret.is_none() {
				log::error!(
					target: LOG_TARGET,
					"A stored key of server {account} is damaged and passed over: restore the \
					 share store",
				);
			}
			let secret = EncryptionSecret::new(*secret?);
			Some(StoredKey { seq, server: account, secret })
		};
		Ok(rows.into_iter().filter_map(readable).filter_map(open).collect())
	}

	/// Says once of a key's row that it cannot be what this program wrote, and is passed over.
	fn say_key_damaged(&self, seq: i64, error: &rusqlite::Error) {
		if self.is_new("key", seq) {
			log::error!(
				target: LOG_TARGET,
				"The record of the key at place {seq} of the share store is damaged and passed over \
				 ({error}): restore the share store",
			);
		}
	}

	/// Whether nothing was said yet of the damaged row at that place.
	fn is_new(&self, what: &'static str, seq: i64) -> bool {
		self.0.told.lock().unwrap_or_else(PoisonError::into_inner).insert((what, seq))
	}

	fn write(&self, write: Write) -> Result<(), StoreError> {
		self.begin(write).recv().unwrap_or(Err(StoreError::Closed)).map(drop)
	}

	/// Queues a write, whose answer comes to what is given back.
	fn begin(&self, write: Write) -> mpsc::Receiver<Result<usize, StoreError>> {
		let (reply, answer) = mpsc::sync_channel(1);
		// An error says that nobody waits for the answer.
		self.0.writer.submit(write, Box::new(move |result| drop(reply.send(result))));
		answer
	}

	fn reader(&self) -> MutexGuard<'_, Connection> {
		// A reader that panicked has changed nothing.
		self.0.reader.lock().unwrap_or_else(PoisonError::into_inner)
	}
}

/// An encryption key of a server, opened.
struct StoredKey {
	seq: i64,
	server: AccountId,
	secret: EncryptionSecret,
}

impl StoredKey {
	fn is(&self, server: &AccountId, public: &EncryptionKey) -> bool {
		self.server == *server && self.secret.public() == *public
	}
}

/// The file beside `path` whose name ends in `suffix` as well.
fn beside(path: &Path, suffix: &str) -> PathBuf {
	let mut name = path.as_os_str().to_owned();
	name.push(suffix);
	name.into()
}

/// Whether there is something in the file.
fn is_filled(file: &Path) -> bool {
	fs::metadata(file).is_ok_and(|file| file.len() > 0)
}

/// The file itself, by whatever links it is called: SQLite's other files lie beside that one, and one
/// file has one lock.
fn behind_links(path: &Path) -> PathBuf {
	fs::canonicalize(path).unwrap_or_else(|_| path.into())
}

/// The log of a file that is gone, or has nothing in it any more. SQLite removes it as soon as it opens
/// such a file, if only to read; but the shares that were acknowledged last may be in the log alone.
fn orphaned_log(path: &Path) -> Option<PathBuf> {
	let log = beside(&behind_links(path), "-wal");
	(!is_filled(path) && is_filled(&log)).then_some(log)
}

/// Refuses a link that leads nowhere: the log and the lock of what it led to lie at the other end.
fn check_link(path: &Path) -> Result<(), StoreError> {
	match path.is_symlink() && !path.exists() {
		true => Err(StoreError::BrokenLink(path.into())),
		false => Ok(()),
	}
}

/// Refuses what cannot be opened as a store, before SQLite touches it.
fn check_there(path: &Path) -> Result<(), StoreError> {
	check_link(path)?;
	if !path.exists() {
		return Err(StoreError::NotThere(path.into()));
	}
	match orphaned_log(path) {
		Some(_) => Err(StoreError::Damaged("its file")),
		None => Ok(()),
	}
}

/// A lock file of our own: SQLite's exclusive mode would shut out our reader too.
fn take_lock(path: &Path) -> Result<File, StoreError> {
	lock_file(&beside(&behind_links(path), ".lock"))
}

/// Opens and locks a file. The store is locked itself too: by a hard link it has another name, and so
/// another lock file. To be kept until SQLite has closed it: whoever closes a file gives up SQLite's locks
/// on it, which are of another kind.
fn lock_file(path: &Path) -> Result<File, StoreError> {
	let lock = private_file(path)?;
	lock.try_lock().map_err(|error| match error {
		fs::TryLockError::WouldBlock => StoreError::InUse,
		fs::TryLockError::Error(error) => error.into(),
	})?;
	Ok(lock)
}

/// Opens a file, making it if it is not there, for its owner only. SQLite gives its side files
/// the same permissions.
fn private_file(path: &Path) -> io::Result<File> {
	let mut options = OpenOptions::new();
	options.read(true).write(true).create(true).truncate(false);
	#[cfg(unix)]
	std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
	let file = options.open(path)?;
	#[cfg(unix)]
	file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(0o600))?;
	Ok(file)
}
