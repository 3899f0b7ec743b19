//! Backup, restore, verification and a new password.

use crate::common::*;
use keyshare_primitives::{GenesisHash, KeyScheme};
use keyshare_rpc::store::{
	maintenance::{backup, change_password, restore, verify, Inventory},
	ShareStore, StoreError,
};
use rusqlite::Connection;
use std::{
	fs,
	path::{Path, PathBuf},
	sync::mpsc,
};
use tempfile::TempDir;

const PASSWORD: &str = "correct horse";

/// A store with a share of each scheme and a key, still open.
fn filled(folder: &TempDir) -> ShareStore {
	let store = open_store(folder);
	for (number, scheme) in (0..).zip(SCHEMES) {
		put(&store, number, scheme);
	}
	store.add_key(&server(0), &secret(0)).expect("writable");
	store
}

fn put(store: &ShareStore, number: u32, scheme: KeyScheme) {
	let dealt = deal(user(number), 1, scheme);
	let (reply, answer) = mpsc::channel();
	store.put(dealt.record(0), &dealt.verified(0), move |result| {
		reply.send(result.is_ok()).expect("the test waits");
	});
	assert_eq!(answer.recv(), Ok(true));
}

fn check(path: &Path) -> Result<Inventory, StoreError> {
	verify(path, &PASSWORD.into(), GENESIS)
}

fn whole(shares: u64) -> Inventory {
	Inventory { shares, keys: 1, ..Default::default() }
}

fn beside(folder: &TempDir, name: &str) -> PathBuf {
	folder.path().join(name)
}

#[test]
fn a_backup_of_an_open_store_is_a_store_of_that_instant() {
	use std::os::unix::fs::PermissionsExt;
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let store = filled(&folder);
	let copy = beside(&elsewhere, "backup");
	backup(&store_path(&folder), &copy).expect("beside a running node");
	put(&store, 9, KeyScheme::Ed25519);
	assert_eq!(check(&copy).expect("readable"), whole(2));
	assert_eq!(check(&store_path(&folder)).expect("readable while it is open"), whole(3));
	let mode = fs::metadata(&copy).expect("there").permissions().mode();
	assert_eq!(mode & 0o777, 0o600);

	drop(store);
	let again = backup(&store_path(&folder), &copy);
	assert!(matches!(again, Err(StoreError::InTheWay(path)) if path == copy));
	assert_eq!(check(&copy).expect("untouched"), whole(2));
	let nothing = backup(&beside(&folder, "no-such"), &beside(&folder, "new"));
	assert!(matches!(nothing, Err(StoreError::NotThere(_))));
	assert!(!beside(&folder, "new").exists() && !beside(&folder, "no-such").exists());
}

#[test]
fn a_restored_store_opens_and_gets_smaller_like_any_other() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let copy = beside(&elsewhere, "backup");
	backup(&store_path(&folder), &copy).expect("copied");
	let refused = restore(&copy, &store_path(&folder), &PASSWORD.into(), GENESIS);
	assert!(matches!(refused, Err(StoreError::InTheWay(_))), "nothing is written over");

	let target = elsewhere.path().join("new/folder/store");
	let inventory = restore(&copy, &target, &PASSWORD.into(), GENESIS).expect("restored");
	assert_eq!(inventory, whole(2));
	let store = ShareStore::open(&target, &PASSWORD.into(), GENESIS).expect("opens");
	assert_eq!(store.pending(0, 10).expect("readable").len(), 2);
	assert_eq!(store.servers().expect("readable").len(), 1);
	drop(store);
	let mode: i64 = Connection::open(&target)
		.and_then(|file| file.query_row("PRAGMA auto_vacuum", [], |row| row.get(0)))
		.expect("readable");
	assert_eq!(mode, 2, "incremental: what is erased makes the file smaller");
}

#[test]
fn only_a_backup_of_this_chain_under_this_password_is_restored() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let (from, to) = (store_path(&folder), beside(&elsewhere, "store"));
	let wrong = restore(&from, &to, &"wrong".into(), GENESIS);
	assert!(matches!(wrong, Err(StoreError::WrongPassword)));
	let other = restore(&from, &to, &PASSWORD.into(), GenesisHash::repeat_byte(9));
	assert!(matches!(other, Err(StoreError::OtherChain { .. })));
	let empty = beside(&elsewhere, "empty");
	fs::write(&empty, "").expect("written");
	let nothing = restore(&empty, &to, &PASSWORD.into(), GENESIS);
	assert!(matches!(nothing, Err(StoreError::Damaged(_))));
	assert!(!to.exists());
}

#[test]
fn damage_is_found_and_counted() {
	let folder = tempfile::tempdir().expect("a folder");
	drop(filled(&folder));
	let path = store_path(&folder);
	let file = Connection::open(&path).expect("opens");
	// A share that decrypts, but whose proof is another's.
	file.execute("UPDATE shares SET proof = zeroblob(65) WHERE length(proof) = 65", [])
		.expect("writable");
	assert_eq!(
		check(&path).expect("readable"),
		Inventory { shares: 1, damaged_shares: 1, keys: 1, damaged_keys: 0 }
	);
	file.execute("UPDATE shares SET ciphertext = zeroblob(48) WHERE length(proof) = 66", [])
		.expect("writable");
	file.execute("UPDATE encryption_keys SET nonce = zeroblob(24)", []).expect("writable");
	let found = check(&path).expect("readable");
	assert_eq!(found, Inventory { shares: 0, damaged_shares: 2, keys: 0, damaged_keys: 1 });
	assert!(!found.is_whole() && whole(2).is_whole());
}

#[test]
fn a_new_password_opens_the_same_shares_and_the_old_one_nothing() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = filled(&folder);
	let path = store_path(&folder);
	let change = |old: &str, new: &str| change_password(&path, &old.into(), &new.into(), GENESIS);
	assert!(matches!(change(PASSWORD, "new"), Err(StoreError::InUse)));
	drop(store);
	assert!(matches!(change("wrong", "new"), Err(StoreError::WrongPassword)));
	let header = |path: &Path| -> Vec<u8> {
		Connection::open(path)
			.and_then(|file| file.query_row("SELECT ciphertext FROM header", [], |row| row.get(0)))
			.expect("readable")
	};
	let before = header(&path);
	change(PASSWORD, "new").expect("changed");
	assert!(matches!(check(&path), Err(StoreError::WrongPassword)));
	assert_eq!(verify(&path, &"new".into(), GENESIS).expect("opens"), whole(2));
	assert_ne!(before, header(&path));
	assert!(!contains(&store_bytes(&folder), &before), "no trace of the old wrapping");
}
