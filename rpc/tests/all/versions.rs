//! Stores that older programs made.

use crate::{
	common::*,
	store::{assert_holds, put},
};
use keyshare_rpc::store::{
	maintenance::{backup, restore, verify, Inventory},
	Put, ShareStore,
};
use rusqlite::Connection;
use std::{fs, path::Path};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// What versions 1 to 3 had alike.
const TABLES: &str = "
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
";

/// Version 1 had one key a server.
const KEYS_OF_1: &str = "
	CREATE TABLE servers (
		account BLOB PRIMARY KEY NOT NULL,
		nonce BLOB NOT NULL,
		ciphertext BLOB NOT NULL
	) STRICT;
";

const KEYS_OF_2: &str = "
	CREATE TABLE encryption_keys (
		seq INTEGER PRIMARY KEY,
		account BLOB NOT NULL,
		nonce BLOB NOT NULL,
		ciphertext BLOB NOT NULL
	) STRICT;
";

/// A store of an older version, closed.
struct Old {
	folder: TempDir,
	/// Whose shares are in it, one of each scheme.
	dealt: [Dealt; 2],
	/// Whose share was, and is only marked as gone in version 1.
	gone: Dealt,
}

impl Old {
	/// As a program of `version` left it; the secrets are sealed today as they were then.
	fn new(version: i64, auto_vacuum: &str) -> Self {
		let today = tempfile::tempdir().expect("a folder");
		let store = open_store(&today);
		let dealt = SCHEMES.map(|scheme| deal(user(1), 1, scheme));
		let gone = deal(user(2), 1, SCHEMES[0]);
		for one in dealt.iter().chain([&gone]) {
			put(&store, one, 0).expect("stored");
		}
		store.add_key(&server(0), &secret(0)).expect("writable");
		drop(store);

		let folder = tempfile::tempdir().expect("a folder");
		let old = Connection::open(store_path(&folder)).expect("opens");
		let (keys, keys_table) =
			if version == 1 { (KEYS_OF_1, "servers") } else { (KEYS_OF_2, "encryption_keys") };
		let proof = if version < 3 { "substr(proof, 2)" } else { "proof" };
		old.execute_batch(&format!(
			"PRAGMA auto_vacuum = {auto_vacuum}; PRAGMA journal_mode = WAL; \
			 PRAGMA secure_delete = ON; {TABLES} {keys}"
		))
		.expect("laid out");
		let from = store_path(&today);
		old.execute("ATTACH ?1 AS today", [from.to_str().expect("UTF-8")]).expect("attached");
		old.execute_batch(&format!(
			"INSERT INTO main.header SELECT * FROM today.header;
			INSERT INTO main.shares
				SELECT seq, registration_id, server, account, generation, subgroup,
					{proof}, nonce, ciphertext, state
				FROM today.shares;
			INSERT INTO main.{keys_table} (account, nonce, ciphertext)
				SELECT account, nonce, ciphertext FROM today.encryption_keys;
			DETACH today;"
		))
		.expect("filled");
		let forget = match version {
			1 => "UPDATE shares SET state = 3 WHERE registration_id = ?1",
			_ => "DELETE FROM shares WHERE registration_id = ?1",
		};
		let forgotten = old.execute(forget, [gone.key.id.as_bytes()]);
		assert_eq!(forgotten, Ok(1));
		old.pragma_update(None, "user_version", version).expect("writable");
		drop(old);
		let old = Self { folder, dealt, gone };
		assert_eq!(old.pragma("user_version"), version);
		old
	}

	fn pragma(&self, name: &str) -> i64 {
		pragma(&store_path(&self.folder), name)
	}

	/// Opens it as the node does, twice, and checks that it is one of today's then.
	fn assert_is_taken_over(&self) {
		for _ in 0..2 {
			self.assert_opens(&store_path(&self.folder));
			assert_eq!(self.pragma("user_version"), 4);
			assert_eq!(self.pragma("auto_vacuum"), 2, "what is erased makes it smaller");
		}
		let bytes = store_bytes(&self.folder);
		assert!(contains(&bytes, self.dealt[0].key.id.as_bytes()));
		assert!(!contains(&bytes, self.gone.key.id.as_bytes()), "no trace of what is gone");
	}

	fn assert_opens(&self, path: &Path) {
		let store = ShareStore::open_existing(path, &PASSWORD.into(), GENESIS).expect("opens");
		self.dealt.iter().for_each(|one| assert_holds(&store, one, 0));
		assert!(store.get(&self.gone.key.id, &server(0)).expect("readable").is_none());
		let servers = store.servers().expect("readable");
		let [key] = servers[&server(0)].as_slice() else { panic!("one key") };
		assert_eq!(key.public(), secret(0).public());
	}
}

fn pragma(path: &Path, name: &str) -> i64 {
	Connection::open(path)
		.and_then(|file| file.query_row(&format!("PRAGMA {name}"), [], |row| row.get(0)))
		.expect("readable")
}

#[test]
fn a_store_of_version_1_is_taken_over() {
	let old = Old::new(1, "NONE");
	assert_eq!(old.pragma("auto_vacuum"), 0);
	old.assert_is_taken_over();
}

#[test]
fn a_store_of_version_3_is_taken_over() {
	let old = Old::new(3, "INCREMENTAL");
	old.assert_is_taken_over();
	// What is found to be damaged from then on is marked, and another share takes its place.
	let store = open_store(&old.folder);
	assert_eq!(alter_shares(&old.folder, "ciphertext = zeroblob(48) WHERE seq = 1"), 1);
	assert_eq!(store.get(&old.dealt[0].key.id, &server(0)).expect("readable"), None);
	assert!(matches!(put(&store, &old.dealt[0], 0), Ok(Put::Stored)));
	old.dealt.iter().for_each(|one| assert_holds(&store, one, 0));
	assert_eq!(store.count_damaged().expect("it has the index"), 0);
}

#[test]
fn a_crash_while_version_1_is_taken_over_leaves_nothing_undone() {
	// The transaction that makes it version 2 is done, and what cannot be a part of it is not.
	let old = Old::new(2, "NONE");
	assert_eq!(old.pragma("auto_vacuum"), 0);
	old.assert_is_taken_over();
}

#[test]
fn a_backup_by_an_older_program_is_verified_and_restored() {
	let older = [(1, "NONE"), (2, "NONE"), (2, "INCREMENTAL"), (3, "INCREMENTAL")];
	for (version, auto_vacuum) in older {
		let old = Old::new(version, auto_vacuum);
		let elsewhere = tempfile::tempdir().expect("a folder");
		let [copy, restored] = ["backup", "restored"].map(|name| elsewhere.path().join(name));
		let check = |path: &Path| verify(path, &PASSWORD.into(), GENESIS).expect("readable");
		let whole = Inventory { shares: 2, keys: 1, ..Inventory::default() };
		let older = Inventory { older: Some(version), ..whole };

		assert_eq!(check(&store_path(&old.folder)), older, "before the node has started on it");
		backup(&store_path(&old.folder), &copy).expect("copied");
		let before = fs::read(&copy).expect("readable");
		assert_eq!(check(&copy), older);
		let inventory = restore(&copy, &restored, &PASSWORD.into(), GENESIS).expect("restored");
		assert_eq!(inventory, whole);
		assert_eq!(fs::read(&copy).expect("readable"), before, "the backup stays what it was");
		assert_eq!(pragma(&restored, "user_version"), 4);
		assert_eq!(pragma(&restored, "auto_vacuum"), 2);
		old.assert_opens(&restored);
	}
}

#[test]
fn what_is_damaged_in_an_older_backup_is_counted() {
	let old = Old::new(2, "INCREMENTAL");
	let path = store_path(&old.folder);
	let file = Connection::open(&path).expect("opens");
	// A share that decrypts, but whose proof is another's.
	file.execute("UPDATE shares SET proof = zeroblob(64) WHERE length(proof) = 64", [])
		.expect("writable");
	drop(file);
	let found = verify(&path, &PASSWORD.into(), GENESIS).expect("readable");
	let expected =
		Inventory { shares: 1, damaged_shares: 1, keys: 1, older: Some(2), damaged_keys: 0 };
	assert_eq!(found, expected);
}
