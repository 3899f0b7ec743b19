//! Backup, restore, verification and a new password.

use crate::common::*;
use keyshare_primitives::{GenesisHash, KeyScheme};
use keyshare_rpc::store::{
	maintenance::{backup, change_password, restore, verify, Inventory},
	ShareStore, StoreError, FILE_NAME,
};
use rusqlite::Connection;
use std::{
	env, fs,
	path::{Path, PathBuf},
	process::{Command, Stdio},
	sync::mpsc,
	thread,
	time::Duration,
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

/// Tells the process that is killed which copy it is to make.
const JOB: &str = "KEYSHARE_TEST_COPY";

#[test]
fn what_is_left_of_a_killed_copy_is_not_taken_for_one() {
	if let Ok(job) = env::var(JOB) {
		let copied = match job.as_str() {
			"backup" => backup(Path::new(FILE_NAME), Path::new("copy")),
			_ => restore(Path::new(FILE_NAME), Path::new("copy"), &PASSWORD.into(), GENESIS)
				.map(drop),
		};
		return copied.expect("it is killed before, or done");
	}
	for job in ["backup", "restore"] {
		let folder = tempfile::tempdir().expect("a folder");
		drop(filled(&folder));
		enlarge(&store_path(&folder), 50_000);
		let copy = beside(&folder, "copy");
		let begun = || copy.exists() || beside(&folder, "copy.partial").exists();

		let mut process = Command::new(env::current_exe().expect("it runs"))
			.args(["--exact", "maintenance::what_is_left_of_a_killed_copy_is_not_taken_for_one"])
			.env(JOB, job)
			.current_dir(folder.path())
			.stdout(Stdio::null())
			.stderr(Stdio::null())
			.spawn()
			.expect("it starts");
		while !begun() && process.try_wait().expect("it is ours").is_none() {
			thread::yield_now();
		}
		process.kill().expect("it is ours");
		process.wait().expect("it ends");

		if copy.exists() {
			check(&copy).expect("what has the name is whole");
			fs::remove_file(&copy).expect("removed");
		}
		if job == "backup" {
			backup(&store_path(&folder), &copy).expect("what is left is not in the way");
		} else {
			restore(&store_path(&folder), &copy, &PASSWORD.into(), GENESIS)
				.expect("what is left is not in the way");
		}
		assert_eq!(check(&copy).expect("readable").shares, 2);
		assert!(!beside(&folder, "copy.partial").exists());
	}
}

/// Adds `count` rows, which take a while to copy. None of them is a share.
fn enlarge(path: &Path, count: u32) {
	let file = Connection::open(path).expect("opens");
	let added = file.execute(
		"WITH RECURSIVE numbers (number) AS
			(SELECT 1 UNION ALL SELECT number + 1 FROM numbers WHERE number < ?1)
		INSERT INTO shares (registration_id, server, account, generation, subgroup, proof, nonce,
			ciphertext, state)
		SELECT randomblob(32), server, account, generation, subgroup, proof, nonce, ciphertext, state
		FROM shares, numbers WHERE seq = 1",
		[count],
	);
	assert_eq!(added, Ok(count as usize));
}

#[test]
fn the_rest_of_a_copy_that_was_cut_off_is_removed_by_the_next() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let copy = beside(&elsewhere, "backup");
	for suffix in ["", "-journal"] {
		fs::write(beside(&elsewhere, &format!("backup.partial{suffix}")), "left").expect("written");
	}
	backup(&store_path(&folder), &copy).expect("copied");
	assert_eq!(check(&copy).expect("readable"), whole(2));
	assert_eq!(fs::read_dir(elsewhere.path()).expect("readable").count(), 1);
}

#[test]
fn a_copy_to_a_folder_that_is_not_there_names_the_copy_and_not_the_store() {
	let folder = tempfile::tempdir().expect("a folder");
	drop(filled(&folder));
	let to = folder.path().join("no-such/backup");
	let refused = backup(&store_path(&folder), &to).expect_err("nowhere to put it");
	assert!(matches!(&refused, StoreError::NoCopy { path, .. } if *path == to));
	assert!(refused.to_string().contains("no-such"));
}

#[cfg(unix)]
#[test]
fn a_backup_waits_for_another_one_to_the_same_place() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let (to, partial) = (beside(&elsewhere, "backup"), beside(&elsewhere, "backup.partial"));
	// The other one is at work.
	let other = fs::File::open(elsewhere.path()).expect("a folder");
	other.lock().expect("its turn");
	fs::write(&partial, "half").expect("written");
	let (from, second) = (store_path(&folder), to.clone());
	let waiting = thread::spawn(move || backup(&from, &second));
	thread::sleep(Duration::from_millis(300));
	assert_eq!(fs::read(&partial).expect("left alone"), b"half");
	fs::rename(&partial, &to).expect("finished");
	drop(other);
	let refused = waiting.join().expect("no panic");
	assert!(matches!(refused, Err(StoreError::InTheWay(path)) if path == to));
	assert_eq!(fs::read(&to).expect("left alone"), b"half");
}

#[cfg(unix)]
#[test]
fn a_copy_to_a_name_that_is_not_utf8_is_refused_and_goes_nowhere_else() {
	use std::{ffi::OsStr, os::unix::ffi::OsStrExt};
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let to = elsewhere.path().join(OsStr::from_bytes(b"back\xffup"));
	let refused = backup(&store_path(&folder), &to);
	assert!(matches!(refused, Err(StoreError::NotUtf8(path)) if path == to));
	assert_eq!(fs::read_dir(elsewhere.path()).expect("readable").count(), 0);
	let refused = restore(&store_path(&folder), &to, &PASSWORD.into(), GENESIS);
	assert!(matches!(refused, Err(StoreError::NotUtf8(_))));
	assert!(!to.exists());
}

#[test]
fn a_store_is_not_restored_beside_the_log_of_a_lost_one() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let to = beside(&elsewhere, "store");
	let restored = || restore(&store_path(&folder), &to, &PASSWORD.into(), GENESIS);
	for log in ["store-wal", "store-journal"].map(|name| beside(&elsewhere, name)) {
		fs::write(&log, "what SQLite would play into it").expect("written");
		assert!(matches!(restored(), Err(StoreError::InTheWay(path)) if path == log));
		assert!(!to.exists());
		fs::remove_file(&log).expect("removed");
	}
	// Whoever only reads leaves one with nothing in it.
	fs::write(beside(&elsewhere, "store-wal"), "").expect("written");
	assert_eq!(restored().expect("restored"), whole(2));
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
		Inventory { shares: 1, damaged_shares: 1, keys: 1, ..Default::default() }
	);
	file.execute("UPDATE shares SET ciphertext = zeroblob(48) WHERE length(proof) = 66", [])
		.expect("writable");
	file.execute("UPDATE encryption_keys SET nonce = zeroblob(24)", []).expect("writable");
	let found = check(&path).expect("readable");
	assert_eq!(found, Inventory { damaged_shares: 2, damaged_keys: 1, ..Default::default() });
	assert!(!found.is_whole() && whole(2).is_whole());
}

#[test]
fn a_record_that_cannot_be_read_does_not_keep_a_backup_from_being_restored() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(filled(&folder));
	let file = Connection::open(store_path(&folder)).expect("opens");
	let damage = "UPDATE shares SET account = X'ff' WHERE length(proof) = 65";
	file.execute(damage, []).expect("writable");
	file.execute("UPDATE encryption_keys SET account = X'ff'", []).expect("writable");
	drop(file);
	let to = beside(&elsewhere, "store");
	let inventory =
		restore(&store_path(&folder), &to, &PASSWORD.into(), GENESIS).expect("restored");
	assert_eq!(
		inventory,
		Inventory { shares: 1, damaged_shares: 1, damaged_keys: 1, ..Default::default() }
	);
	let store = ShareStore::open_existing(&to, &PASSWORD.into(), GENESIS).expect("opens");
	assert_eq!(store.pending(0, 10).expect("readable").len(), 1);
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

#[test]
fn a_password_is_not_changed_while_a_reader_would_keep_the_old_wrapping() {
	let folder = tempfile::tempdir().expect("a folder");
	drop(filled(&folder));
	let path = store_path(&folder);
	let change = || change_password(&path, &PASSWORD.into(), &"new".into(), GENESIS);
	let reader = Connection::open(&path).expect("opens");
	let before: Vec<u8> =
		reader.query_row("SELECT ciphertext FROM header", [], |row| row.get(0)).expect("readable");
	reader.execute_batch("BEGIN; SELECT * FROM header;").expect("readable");
	assert!(matches!(change(), Err(StoreError::BeingRead)));
	assert_eq!(check(&path).expect("the password is what it was"), whole(2));

	reader.execute_batch("COMMIT").expect("it has read");
	change().expect("changed");
	assert!(matches!(check(&path), Err(StoreError::WrongPassword)));
	assert!(!contains(&store_bytes(&folder), &before), "no trace of the old wrapping");
}
