//! What an operator does with a whole store: backup, restore, verification, a new password.
//!
//! A backup is a store like any other: complete, of one instant, and under the same password.

use super::{
	beside, check_there, is_filled, lock_file, private_file,
	rows::{self, KeyRow},
	schema::{self, known_version, unlock, Missing},
	scrub::{made_its_proof, open},
	take_lock,
	vault::Place,
	versions, RecordState, StoreError,
};
use keyshare_primitives::GenesisHash;
use rusqlite::Connection;
use secrecy::SecretString;
use std::{
	fs::{self, File},
	io,
	path::{self, Path},
	sync::Arc,
	time::Duration,
};

/// Rows read at once.
const PAGE: u32 = 512;

/// How long a change of password waits for others that read the store.
const PATIENCE: Duration = Duration::from_secs(5);

/// What a store holds, and what of it is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inventory {
	/// Shares that can be decrypted and make the proof they were acknowledged with.
	pub shares: u64,
	/// Shares that cannot, or that the node has found to be damaged.
	pub damaged_shares: u64,
	/// Servers' encryption keys that can be decrypted.
	pub keys: u64,
	/// Encryption keys that cannot.
	pub damaged_keys: u64,
	/// The store's version, if an older program made it. It is taken over when it is opened or
	/// restored.
	pub older: Option<i64>,
}

impl Inventory {
	/// Whether nothing is damaged.
	pub fn is_whole(&self) -> bool {
		self.damaged_shares == 0 && self.damaged_keys == 0
	}
}

/// Copies the store `from` to the new file `to`, as it is at this instant. The node may be running
/// and go on storing.
pub fn backup(from: &Path, to: &Path) -> Result<(), StoreError> {
	let from = open_existing(from)?;
	known_version(&from)?;
	copy(&from, to, |copy| check_file(&open_existing(copy)?))
}

/// Checks the backup `from`, and makes of it the store `to`, of today's version. No store may be
/// there.
pub fn restore(
	from: &Path,
	to: &Path,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Inventory, StoreError> {
	let from = open_existing(from)?;
	unlock(&from, password, genesis)?;
	check_file(&from)?;
	if let Some(folder) = to.parent() {
		fs::create_dir_all(folder)?;
	}
	let _lock = take_lock(to)?;
	copy(&from, to, |copy| {
		versions::take_over_copy(copy)?;
		verify(copy, password, genesis)
	})
}

/// Checks the file, and every secret in it: each share must make the custody proof that it was
/// acknowledged with. Changes nothing; the node may be running, and the store of an older version.
pub fn verify(
	path: &Path,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Inventory, StoreError> {
	let connection = open_existing(path)?;
	let vault = unlock(&connection, password, genesis)?;
	check_file(&connection)?;
	let version = schema::version(&connection)?;
	versions::show_as_todays(&connection, version)?;
	let older = (version < schema::VERSION).then_some(version);
	let mut inventory = Inventory { older, ..Inventory::default() };
	let mut after = 0;
	loop {
		let page = rows::select_all(&connection, after, PAGE)?;
		let Some((last, _)) = page.last() else { break };
		after = *last;
		for (_, row) in page {
			let whole = row.is_ok_and(|(stored, sealed)| {
				let share = open(&vault, &stored.record, &sealed);
				stored.state != RecordState::Damaged
					&& share.is_some_and(|share| made_its_proof(&share, &stored.record))
			});
			inventory.shares += u64::from(whole);
			inventory.damaged_shares += u64::from(!whole);
		}
	}
	for (_, row) in rows::select_keys(&connection)? {
		let whole = row.is_ok_and(|KeyRow { account, sealed, .. }| {
			vault.open(&Place::Server(&account), &sealed).is_some()
		});
		inventory.keys += u64::from(whole);
		inventory.damaged_keys += u64::from(!whole);
	}
	Ok(inventory)
}

/// Puts the store under another password; the node must not be running. Backups made before keep
/// the password they were made with.
pub fn change_password(
	path: &Path,
	password: &SecretString,
	new: &SecretString,
	genesis: GenesisHash,
) -> Result<(), StoreError> {
	check_there(path)?;
	let _locks = [take_lock(path)?, lock_file(path)?];
	let connection = schema::open_writer(path, password, genesis, Missing::Refuse)?.connection;
	let header = schema::read_header(&connection)?.rewrapped(password, new)?;
	// Whoever reads the store would keep the old wrapping in its files. Something written as it
	// was shows it while nothing is changed yet.
	connection.pragma_update(None, "user_version", schema::VERSION)?;
	if !schema::erase_traces(&connection, PATIENCE)? {
		return Err(StoreError::BeingRead);
	}
	schema::write_header(&connection, &header)?;
	// Nothing of the old wrapping stays, which the old password would still open.
	match schema::erase_traces(&connection, PATIENCE) {
		Ok(true) => Ok(()),
		Ok(false) | Err(_) => Err(StoreError::OldPasswordStays),
	}
}

fn open_existing(path: &Path) -> Result<Connection, StoreError> {
	check_there(path)?;
	schema::open_reader(path)
}

/// Checks that the file is a store, and every page of it what SQLite has written.
fn check_file(connection: &Connection) -> Result<(), StoreError> {
	known_version(connection)?;
	let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
	if found != "ok" {
		return Err(StoreError::Damaged("its file"));
	}
	Ok(())
}

/// One instant's content into the new file `to`, durably. It has another name until `check` has
/// passed it, so that what is left of a copy that was cut off is never taken for one.
fn copy<T>(
	from: &Connection,
	to: &Path,
	check: impl FnOnce(&Path) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
	// SQLite takes a relative name for a URL if it begins like one.
	let to = path::absolute(to)?;
	let partial = Partial::begin(&to)?;
	from.execute("VACUUM INTO ?1", [partial.name.as_str()])?;
	let checked = check(Path::new(&partial.name))?;
	partial.finish(&to)?;
	Ok(checked)
}

/// Nothing is written over. Nor is a store made beside another one's log or journal, which SQLite
/// would play into it.
fn refuse_taken(file: &Path) -> Result<(), StoreError> {
	if fs::symlink_metadata(file).is_ok() {
		return Err(StoreError::InTheWay(file.into()));
	}
	for suffix in ["-journal", "-wal"] {
		let log = beside(file, suffix);
		if is_filled(&log) {
			return Err(StoreError::InTheWay(log));
		}
	}
	Ok(())
}

/// A copy that is being made, which is gone when this is dropped.
struct Partial {
	name: String,
	/// Has other copies into the same folder wait: one to the same place would begin by removing this.
	_turn: Option<File>,
}

impl Partial {
	/// An empty file, its owner's alone, that becomes `to`.
	fn begin(to: &Path) -> Result<Self, StoreError> {
		let name = beside(to, ".partial").into_os_string().into_string();
		let name = name.map_err(|_| StoreError::NotUtf8(to.into()))?;
		let turn = to.parent().and_then(|folder| turn(folder).ok());
		refuse_taken(to)?;
		let partial = Self { name, _turn: turn };
		let failed = |reason| StoreError::NoCopy { path: to.into(), reason: Arc::new(reason) };
		// Of one that was cut off, with its journal: SQLite would take back with it what it is told
		// to write.
		partial.remove().map_err(failed)?;
		drop(private_file(Path::new(&partial.name)).map_err(failed)?);
		Ok(partial)
	}

	/// Gives the file its name, durably.
	fn finish(self, to: &Path) -> Result<(), StoreError> {
		File::open(&self.name)?.sync_all()?;
		// A link, unlike a new name, replaces nothing.
		match fs::hard_link(&self.name, to) {
			Ok(()) => {}
			Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
				return Err(StoreError::InTheWay(to.into()));
			}
			// The file system has no links, such as a memory stick's.
			Err(_) => {
				refuse_taken(to)?;
				fs::rename(&self.name, to)?;
			}
		}
		self.remove()?;
		// The path is absolute, so that this is never the empty one.
		if let Some(folder) = to.parent() {
			File::open(folder)?.sync_all()?;
		}
		Ok(())
	}

	fn remove(&self) -> io::Result<()> {
		for suffix in ["", "-journal", "-wal", "-shm"] {
			match fs::remove_file(beside(Path::new(&self.name), suffix)) {
				Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
				_ => {}
			}
		}
		Ok(())
	}
}

/// Waits for copies into `folder` that others make. Some file systems, such as NFS, lock no folder; there
/// nobody waits.
fn turn(folder: &Path) -> io::Result<File> {
	let folder = File::open(folder)?;
	folder.lock()?;
	Ok(folder)
}

impl Drop for Partial {
	fn drop(&mut self) {
		// If it cannot be removed, the next copy to the same place removes it, or says why not.
		drop(self.remove());
	}
}
