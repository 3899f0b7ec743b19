//! The store's SQLite file: how it is opened and how it is laid out. What is in its rows: `rows`.

use super::{
	behind_links,
	vault::{Cost, Header, Sealed, Vault},
	versions, StoreError,
};
use keyshare_primitives::GenesisHash;
use rusqlite::{params, Connection, ErrorCode, OpenFlags, TransactionBehavior};
use secrecy::SecretString;
use std::{path::Path, time::Duration};

/// `PRAGMA user_version` of the layout below.
pub(super) const VERSION: i64 = 4;

/// How long to wait for another program that holds SQLite's own lock, such as a backup.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);

/// How long erasing may wait for whoever reads, where others wait for it. Who reads for longer, such
/// as a backup, is not waited for: it is tried again later.
pub(super) const ERASE_TIMEOUT: Duration = Duration::from_millis(200);

/// `proof` is the SCALE encoding of a `CustodyProof`, and `state` a `RecordState`. The indices
/// hold what is still to be confirmed, oldest first, and what is damaged, so that finding it costs
/// nothing however much is confirmed.
pub(super) const LAYOUT: &str = "
	CREATE TABLE header (
		only INTEGER PRIMARY KEY CHECK (only = 0),
		store_id BLOB NOT NULL,
		genesis BLOB NOT NULL,
		memory_kib INTEGER NOT NULL,
		passes INTEGER NOT NULL,
		lanes INTEGER NOT NULL,
		salt BLOB NOT NULL,
		nonce BLOB NOT NULL,
		ciphertext BLOB NOT NULL
	) STRICT;
	CREATE TABLE shares (
		seq INTEGER PRIMARY KEY,
		registration_id BLOB NOT NULL,
		server BLOB NOT NULL,
		account BLOB NOT NULL,
		generation INTEGER NOT NULL,
		subgroup INTEGER NOT NULL,
		proof BLOB NOT NULL,
		nonce BLOB NOT NULL,
		ciphertext BLOB NOT NULL,
		state INTEGER NOT NULL,
		UNIQUE (registration_id, server)
	) STRICT;
	CREATE INDEX pending ON shares (seq) WHERE state < 2;
	CREATE INDEX damaged ON shares (seq) WHERE state = 3;
	CREATE TABLE encryption_keys (
		seq INTEGER PRIMARY KEY,
		account BLOB NOT NULL,
		nonce BLOB NOT NULL,
		ciphertext BLOB NOT NULL
	) STRICT;
";

/// What becomes of a file that has nothing in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Missing {
	/// A new store, for somebody has asked for one.
	Make,
	/// Nothing: it is what is left of one.
	Refuse,
}

/// A file that is open for writing.
pub(super) struct Opened {
	pub connection: Connection,
	pub vault: Vault,
	/// Whether something of what was erased may be left in it.
	pub traces: bool,
}

/// Opens the file for writing, and takes it over if an older program made it.
pub(super) fn open_writer(
	path: &Path,
	password: &SecretString,
	genesis: GenesisHash,
	missing: Missing,
) -> Result<Opened, StoreError> {
	// SQLite takes a relative name for a URL if it begins like one.
	let mut connection = Connection::open(behind_links(path))?;
	connection.busy_timeout(BUSY_TIMEOUT)?;
	// Before anything is changed: what is refused stays as it is.
	let found = match version(&connection)? {
		0 if missing == Missing::Make && is_empty(&connection)? => {
			// Before anything else: what is erased shall make the file smaller.
			connection.execute_batch(versions::SHRINKING)?;
			None
		}
		version => Some((version, unlock(&connection, password, genesis)?)),
	};
	let journal: String =
		connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
	if journal != "wal" {
		return Err(StoreError::NoWriteAheadLog);
	}
	connection.execute_batch("PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;")?;
	let Some((version, vault)) = found else {
		let vault = create(&mut connection, password, genesis)?;
		return Ok(Opened { connection, vault, traces: false });
	};
	versions::take_over(&mut connection, version)?;
	// What was erased before a crash, or while somebody read, is in the log still.
	let traces = !matches!(erase_traces(&connection, ERASE_TIMEOUT), Ok(true));
	Ok(Opened { connection, vault, traces })
}

fn is_empty(connection: &Connection) -> rusqlite::Result<bool> {
	connection.query_row("SELECT NOT EXISTS (SELECT * FROM sqlite_schema)", [], |row| row.get(0))
}

/// The file's version; 0 if nothing is in it.
pub(super) fn version(connection: &Connection) -> rusqlite::Result<i64> {
	connection.query_row("PRAGMA user_version", [], |row| row.get(0))
}

/// The version of a store that this program can read.
pub(super) fn known_version(connection: &Connection) -> Result<i64, StoreError> {
	match version(connection)? {
		0 => Err(StoreError::Damaged("its header")),
		version @ 1..=VERSION => Ok(version),
		found => Err(StoreError::NewerVersion { found, supported: VERSION }),
	}
}

/// Opens the vault of a store of this chain.
pub(super) fn unlock(
	connection: &Connection,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Vault, StoreError> {
	known_version(connection)?;
	let header = read_header(connection)?;
	if header.genesis != genesis {
		return Err(StoreError::OtherChain { stored: header.genesis, expected: genesis });
	}
	header.unlock(password)
}

/// Opens the file for reading, beside the writer.
pub(super) fn open_reader(path: &Path) -> Result<Connection, StoreError> {
	let connection = Connection::open_with_flags(
		behind_links(path),
		OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX,
	)?;
	connection.busy_timeout(BUSY_TIMEOUT)?;
	Ok(connection)
}

/// In one transaction, so that a crash leaves no half-made store.
fn create(
	connection: &mut Connection,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Vault, StoreError> {
	let (header, vault) = Header::create(password, genesis)?;
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	transaction.execute_batch(LAYOUT)?;
	write_header(&transaction, &header)?;
	transaction.pragma_update(None, "user_version", VERSION)?;
	transaction.commit()?;
	Ok(vault)
}

/// Gives unused pages back to the file system, and takes what was deleted out of the log. Whether
/// it is all gone: whoever reads for longer than `patience` keeps it there.
pub(super) fn erase_traces(connection: &Connection, patience: Duration) -> rusqlite::Result<bool> {
	connection.busy_timeout(patience)?;
	let erased = vacuum_and_checkpoint(connection);
	connection.busy_timeout(BUSY_TIMEOUT)?;
	match erased {
		Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => Ok(false),
		erased => erased,
	}
}

fn vacuum_and_checkpoint(connection: &Connection) -> rusqlite::Result<bool> {
	// The pragma works a page a row, so all of its rows are read.
	let mut vacuum = connection.prepare_cached("PRAGMA incremental_vacuum")?;
	let mut pages = vacuum.query([])?;
	while pages.next()?.is_some() {}
	// That somebody was in the way is no error to SQLite, but the first column of its answer.
	let blocked: bool =
		connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |row| row.get(0))?;
	Ok(!blocked)
}

pub(super) fn read_header(connection: &Connection) -> Result<Header, StoreError> {
	let header = connection.query_row(
		"SELECT store_id, genesis, memory_kib, passes, lanes, salt, nonce, ciphertext FROM header",
		[],
		|row| {
			Ok(Header {
				store_id: row.get(0)?,
				genesis: row.get::<_, [u8; 32]>(1)?.into(),
				cost: Cost { memory_kib: row.get(2)?, passes: row.get(3)?, lanes: row.get(4)? },
				salt: row.get(5)?,
				data_key: Sealed { nonce: row.get(6)?, ciphertext: row.get(7)? },
			})
		},
	);
	header.map_err(|error| match error.sqlite_error_code() {
		// There is none, no table for it, or something else in it.
		None | Some(ErrorCode::Unknown) => StoreError::Damaged("its header"),
		// The header may be as it was: another program holds it, or the disk fails.
		Some(_) => error.into(),
	})
}

/// Writes the header, in place of the one that may be there.
pub(super) fn write_header(connection: &Connection, header: &Header) -> rusqlite::Result<()> {
	let written = connection.execute(
		"INSERT OR REPLACE INTO header VALUES (0, ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
		params![
			header.store_id,
			header.genesis.as_bytes(),
			header.cost.memory_kib,
			header.cost.passes,
			header.cost.lanes,
			header.salt,
			header.data_key.nonce,
			header.data_key.ciphertext,
		],
	);
	written.map(drop)
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::store::rows::select_keys;

	fn made(path: &Path) -> Connection {
		let genesis = GenesisHash::repeat_byte(1);
		let opened = open_writer(path, &"password".into(), genesis, Missing::Make);
		opened.expect("a new store").connection
	}

	#[test]
	fn what_is_committed_is_on_the_disk_and_what_is_deleted_is_wiped() {
		let folder = tempfile::tempdir().expect("a folder");
		let path = folder.path().join("store");
		let writer = made(&path);
		let pragma = |name: &str| -> String {
			let sql = format!("SELECT CAST({name} AS TEXT) FROM pragma_{name}");
			writer.query_row(&sql, [], |row| row.get(0)).expect("known")
		};
		assert_eq!(pragma("journal_mode"), "wal");
		assert_eq!(pragma("synchronous"), "2", "FULL: each commit waits for the disk");
		assert_eq!(pragma("secure_delete"), "1");
	}

	#[test]
	fn the_reader_cannot_write() {
		let folder = tempfile::tempdir().expect("a folder");
		let path = folder.path().join("store");
		let _writer = made(&path);
		let reader = open_reader(&path).expect("opens");
		assert!(select_keys(&reader).expect("readable").is_empty());
		assert!(reader.execute("DELETE FROM shares", []).is_err());
	}

	#[test]
	fn a_header_that_another_program_holds_is_not_said_to_be_damaged() {
		let folder = tempfile::tempdir().expect("a folder");
		let path = folder.path().join("store");
		let other = Connection::open(&path).expect("opens");
		other.execute_batch(LAYOUT).expect("valid");
		let reader = open_reader(&path).expect("opens");
		reader.busy_timeout(Duration::ZERO).expect("set");
		assert!(matches!(read_header(&reader), Err(StoreError::Damaged(_))), "there is none");
		other.execute_batch("BEGIN EXCLUSIVE").expect("held");
		assert!(matches!(read_header(&reader), Err(StoreError::InUse)));
	}
}
