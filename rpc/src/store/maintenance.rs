//! What an operator does with a whole store: backup, restore, verification, a new password.
//!
//! A backup is a store like any other: complete, of one instant, and under the same password.

use super::{
	private_file, schema,
	schema::KeyRow,
	take_lock,
	vault::{Place, Vault},
	StoreError,
};
use keyshare_primitives::{messages, proof, share::Share, CustodyProof, GenesisHash};
use rusqlite::Connection;
use secrecy::SecretString;
use std::{
	fs::{self, File},
	io,
	path::Path,
};

/// Rows read at once.
const PAGE: u32 = 512;

/// What a store holds, and what of it is damaged.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Inventory {
	/// Shares that can be decrypted and make the proof they were acknowledged with.
	pub shares: u64,
	/// Shares that cannot.
	pub damaged_shares: u64,
	/// Servers' encryption keys that can be decrypted.
	pub keys: u64,
	/// Encryption keys that cannot.
	pub damaged_keys: u64,
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
	copy(&open_existing(from)?, to)
}

/// Checks the backup `from`, and copies it to `to`, where no store may be.
pub fn restore(
	from: &Path,
	to: &Path,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Inventory, StoreError> {
	let inventory = verify(from, password, genesis)?;
	if let Some(folder) = to.parent() {
		fs::create_dir_all(folder)?;
	}
	let _lock = take_lock(to)?;
	copy(&open_existing(from)?, to)?;
	Ok(inventory)
}

/// Checks the file, and every secret in it: each share must make the custody proof that it was
/// acknowledged with. Changes nothing; the node may be running.
pub fn verify(
	path: &Path,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Inventory, StoreError> {
	let connection = open_existing(path)?;
	let vault = unlock(&connection, password, genesis)?;
	let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
	if found != "ok" {
		return Err(StoreError::Damaged("its file"));
	}
	let mut inventory = Inventory::default();
	let mut after = 0;
	loop {
		let page = schema::select_all(&connection, after, PAGE)?;
		let Some((last, _)) = page.last() else { break };
		after = last.seq;
		for (stored, sealed) in page {
			let record = &stored.record;
			let secret = vault.open(&Place::Share(record), &sealed);
			let message = messages::custody_message(&record.id, &record.server);
			let whole =
				secret.is_some_and(|secret| makes(&Share::new(*secret), &message, &record.proof));
			inventory.shares += u64::from(whole);
			inventory.damaged_shares += u64::from(!whole);
		}
	}
	for KeyRow { account, sealed, .. } in schema::select_keys(&connection)? {
		let whole = vault.open(&Place::Server(&account), &sealed).is_some();
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
	if !path.exists() {
		return Err(StoreError::NotThere(path.into()));
	}
	let _lock = take_lock(path)?;
	let (connection, _) = schema::open_writer(path, password, genesis)?;
	let header = schema::read_header(&connection)?.rewrapped(password, new)?;
	schema::write_header(&connection, &header)?;
	// Nothing of the old wrapping stays, which the old password would still open.
	schema::erase_traces(&connection)?;
	Ok(())
}

fn open_existing(path: &Path) -> Result<Connection, StoreError> {
	if !path.exists() {
		return Err(StoreError::NotThere(path.into()));
	}
	schema::open_reader(path)
}

fn unlock(
	connection: &Connection,
	password: &SecretString,
	genesis: GenesisHash,
) -> Result<Vault, StoreError> {
	let version = schema::version(connection)?;
	if version == 0 {
		return Err(StoreError::Damaged("its header"));
	}
	if version > schema::VERSION {
		return Err(StoreError::NewerVersion { found: version, supported: schema::VERSION });
	}
	if version < schema::VERSION {
		return Err(StoreError::OlderVersion { found: version });
	}
	let header = schema::read_header(connection)?;
	if header.genesis != genesis {
		return Err(StoreError::OtherChain { stored: header.genesis, expected: genesis });
	}
	header.unlock(password)
}

/// One instant's content into a new file, durably; a copy that fails leaves no file.
fn copy(from: &Connection, to: &Path) -> Result<(), StoreError> {
	if to.exists() {
		return Err(StoreError::InTheWay(to.into()));
	}
	// SQLite takes an empty file, and this one is its owner's alone.
	drop(private_file(to)?);
	let copied = from
		.execute("VACUUM INTO ?1", [to.to_string_lossy()])
		.map_err(StoreError::from)
		.and_then(|_| Ok(make_durable(to)?));
	if copied.is_err() {
		// What is left of a failed copy must not be taken for one.
		drop(fs::remove_file(to));
	}
	copied
}

fn make_durable(file: &Path) -> io::Result<()> {
	File::open(file)?.sync_all()?;
	match file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
		Some(folder) => File::open(folder)?.sync_all(),
		None => File::open(".")?.sync_all(),
	}
}

/// Whether `proof` was made of `message` with this share.
fn makes(share: &Share, message: &[u8], proof: &CustodyProof) -> bool {
	share.public(proof.scheme()).is_ok_and(|public| proof::verify(proof, message, &public))
}
