//! The store as its users see it: what it keeps, and what it refuses to open.

use crate::common::*;
use keyshare_primitives::{seal::EncryptionSecret, GenesisHash, KeyScheme};
use keyshare_rpc::store::{
	maintenance::{backup, change_password, verify},
	Put, RecordState, ShareStore, StoreError, FILE_NAME,
};
use rusqlite::Connection;
use std::{
	fs,
	sync::mpsc,
	thread,
	time::{Duration, Instant},
};
use tempfile::TempDir;

pub fn put(store: &ShareStore, dealt: &Dealt, number: u8) -> Result<Put, StoreError> {
	let (reply, answer) = mpsc::channel();
	store.put(dealt.record(number), &dealt.verified(number), move |result| {
		reply.send(result).expect("the test waits");
	});
	answer.recv().expect("every put is answered")
}

pub fn assert_holds(store: &ShareStore, dealt: &Dealt, number: u8) {
	let (record, share) =
		store.load(&dealt.key.id, &server(number)).expect("readable").expect("the share is there");
	assert_eq!(record, dealt.record(number));
	assert_eq!(share.expose_secret(), dealt.shares[usize::from(number)].expose_secret());
}

fn reopen(
	folder: &TempDir,
	password: &str,
	genesis: GenesisHash,
) -> Result<ShareStore, StoreError> {
	ShareStore::open(&store_path(folder), &password.into(), genesis)
}

#[test]
fn records_are_kept_across_a_restart() {
	let folder = tempfile::tempdir().expect("a folder");
	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	let store = open_store(&folder);
	assert!(matches!(put(&store, &dealt, 0), Ok(Put::Stored)));
	assert!(matches!(put(&store, &dealt, 0), Ok(Put::AlreadyStored)));
	store.add_key(&server(0), &secret(0)).expect("writable");
	store.add_key(&server(1), &secret(7)).expect("writable");
	store.add_key(&server(1), &secret(1)).expect("beside the one before");
	store.add_key(&server(1), &secret(1)).expect("twice is once");
	drop(store);

	let store = open_store(&folder);
	assert_holds(&store, &dealt, 0);
	assert!(store.load(&dealt.key.id, &server(1)).expect("readable").is_none());
	let servers = store.servers().expect("readable");
	let publics = |number| -> Vec<_> {
		servers[&server(number)].iter().map(|secret| secret.public()).collect()
	};
	assert_eq!(servers.len(), 2);
	assert_eq!(publics(0), [secret(0).public()]);
	assert_eq!(publics(1), [secret(7).public(), secret(1).public()], "oldest first");
	let bytes = store_bytes(&folder);
	assert!(contains(&bytes, dealt.key.id.as_bytes()), "the right files are looked at");
	for hidden in [
		dealt.shares[0].expose_secret().as_slice(),
		secret(0).expose_secret(),
		secret(7).expose_secret(),
		b"correct horse",
	] {
		assert!(!contains(&bytes, hidden));
	}
}

#[test]
fn what_is_acknowledged_survives_the_death_of_the_process() {
	let folder = tempfile::tempdir().expect("a folder");
	let dealt = deal(user(1), 1, KeyScheme::Secp256k1);
	let store = open_store(&folder);
	assert!(matches!(put(&store, &dealt, 2), Ok(Put::Stored)));
	// What a killed process leaves: the files as they are at this instant, nothing closed.
	let left = tempfile::tempdir().expect("a folder");
	for suffix in ["", "-wal"] {
		let name = format!("{FILE_NAME}{suffix}");
		fs::copy(folder.path().join(&name), left.path().join(&name)).expect("copied");
	}
	assert_holds(&open_store(&left), &dealt, 2);
}

#[test]
fn wrong_password_other_chain_and_newer_version_are_refused() {
	let folder = tempfile::tempdir().expect("a folder");
	drop(open_store(&folder));
	let error = reopen(&folder, "wrong horse", GENESIS).err().expect("refused");
	assert!(matches!(error, StoreError::WrongPassword));
	assert!(!error.to_string().contains("horse"));
	let other = reopen(&folder, "correct horse", GenesisHash::repeat_byte(9));
	assert!(matches!(other, Err(StoreError::OtherChain { stored, .. }) if stored == GENESIS));
	assert!(reopen(&folder, "correct horse", GENESIS).is_ok());

	let outside = Connection::open(store_path(&folder)).expect("opens");
	outside.pragma_update(None, "user_version", 5).expect("writable");
	let newer = reopen(&folder, "correct horse", GENESIS);
	assert!(matches!(newer, Err(StoreError::NewerVersion { found: 5, supported: 4 })));
}

#[test]
fn a_store_of_version_2_is_taken_over() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt = [KeyScheme::Ed25519, KeyScheme::Secp256k1].map(|scheme| deal(user(1), 1, scheme));
	for one in &dealt {
		assert!(matches!(put(&store, one, 2), Ok(Put::Stored)));
	}
	drop(store);
	let outside = Connection::open(store_path(&folder)).expect("opens");
	// Without the scheme's tag.
	let untag = "UPDATE shares SET proof = substr(proof, 2)";
	assert_eq!(outside.execute(untag, []).expect("writable"), 2);
	outside.execute_batch("DROP INDEX damaged").expect("writable");
	outside.pragma_update(None, "user_version", 2).expect("writable");
	drop(outside);
	for _ in 0..2 {
		let store = open_store(&folder);
		dealt.iter().for_each(|one| assert_holds(&store, one, 2));
	}
}

#[test]
fn a_header_moved_to_another_chain_does_not_unlock() {
	let folder = tempfile::tempdir().expect("a folder");
	drop(open_store(&folder));
	let outside = Connection::open(store_path(&folder)).expect("opens");
	let other = GenesisHash::repeat_byte(9);
	outside.execute("UPDATE header SET genesis = ?1", [other.as_bytes()]).expect("writable");
	let moved = reopen(&folder, "correct horse", other);
	assert!(matches!(moved, Err(StoreError::WrongPassword)));
	outside.execute("DELETE FROM header", []).expect("writable");
	assert!(matches!(reopen(&folder, "correct horse", other), Err(StoreError::Damaged(_))));
}

#[test]
fn two_nodes_cannot_have_one_store() {
	let folder = tempfile::tempdir().expect("a folder");
	let first = open_store(&folder);
	assert!(matches!(reopen(&folder, "correct horse", GENESIS), Err(StoreError::InUse)));
	drop(first);
	assert!(reopen(&folder, "correct horse", GENESIS).is_ok());
}

#[cfg(unix)]
#[test]
fn a_link_to_a_store_is_no_way_around_its_lock() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let store = open_store(&folder);
	std::os::unix::fs::symlink(store_path(&folder), store_path(&elsewhere)).expect("linked");
	assert!(matches!(reopen(&elsewhere, "correct horse", GENESIS), Err(StoreError::InUse)));
	drop(store);
	assert!(reopen(&elsewhere, "correct horse", GENESIS).is_ok());
}

#[cfg(unix)]
#[test]
fn another_name_of_the_same_file_is_no_way_around_its_lock() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let store = open_store(&folder);
	fs::hard_link(store_path(&folder), store_path(&elsewhere)).expect("linked");
	assert!(matches!(reopen(&elsewhere, "correct horse", GENESIS), Err(StoreError::InUse)));
	drop(store);
	assert!(reopen(&elsewhere, "correct horse", GENESIS).is_ok());
}

#[cfg(unix)]
#[test]
fn no_store_is_made_at_the_other_end_of_a_link_that_leads_nowhere() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let (link, there) = (store_path(&folder), store_path(&elsewhere));
	std::os::unix::fs::symlink(&there, &link).expect("linked");
	// The file is gone, and the shares that were acknowledged last are in its log.
	let log = elsewhere.path().join(format!("{FILE_NAME}-wal"));
	fs::write(&log, "shares").expect("written");
	for opened in [ShareStore::open, ShareStore::open_existing] {
		let refused = opened(&link, &"correct horse".into(), GENESIS);
		assert!(matches!(refused, Err(StoreError::BrokenLink(path)) if path == link));
	}
	assert!(!there.exists());
	assert_eq!(fs::read(&log).expect("kept"), b"shares");
}

#[test]
fn what_is_refused_stays_as_it_was() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	drop(open_store(&folder));
	// A copy has no write-ahead log until it is opened as a store.
	backup(&store_path(&folder), &store_path(&elsewhere)).expect("copied");
	let bytes = || fs::read(store_path(&elsewhere)).expect("readable");
	let before = bytes();
	let wrong = reopen(&elsewhere, "wrong horse", GENESIS);
	assert!(matches!(wrong, Err(StoreError::WrongPassword)));
	let other = reopen(&elsewhere, "correct horse", GenesisHash::repeat_byte(9));
	assert!(matches!(other, Err(StoreError::OtherChain { .. })));
	assert!(bytes() == before);
}

#[cfg(unix)]
#[test]
fn the_files_are_their_owners_only() {
	use std::os::unix::fs::PermissionsExt;
	let folder = tempfile::tempdir().expect("a folder");
	let path = folder.path().join("new").join(FILE_NAME);
	fs::create_dir(path.parent().expect("a folder")).expect("made");
	fs::write(&path, "").expect("written");
	fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("set");
	let store = ShareStore::open(&path, &"password".into(), GENESIS).expect("opens");
	store.add_key(&server(0), &secret(0)).expect("writable");
	let mut seen = 0;
	for file in fs::read_dir(path.parent().expect("a folder")).expect("readable") {
		let file = file.expect("readable");
		let mode = file.metadata().expect("readable").permissions().mode() & 0o777;
		assert_eq!(mode, 0o600, "{:?}", file.path());
		seen += 1;
	}
	assert!(seen >= 3, "the file, its log and its lock");
}

#[test]
fn ciphertexts_swapped_between_records_are_passed_over() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let (first, second) = (deal(user(1), 1, SCHEMES[0]), deal(user(2), 1, SCHEMES[0]));
	for dealt in [&first, &second] {
		put(&store, dealt, 0).expect("stored");
		store.add_key(&dealt.account, &secret(0)).expect("stored");
	}
	let outside = Connection::open(store_path(&folder)).expect("opens");
	// One from the other, with its nonce: each opens in its own row only.
	for table in ["shares", "encryption_keys"] {
		let last = format!("(SELECT max(rowid) FROM {table})");
		outside
			.execute_batch(&format!(
				"UPDATE {table} SET
					nonce = (SELECT nonce FROM {table} WHERE rowid = {last}),
					ciphertext = (SELECT ciphertext FROM {table} WHERE rowid = {last})
				 WHERE rowid = 1"
			))
			.expect("altered");
	}
	assert!(store.load(&first.key.id, &server(0)).expect("readable").is_none());
	assert_holds(&store, &second, 0);
	let servers = store.servers().expect("readable");
	assert_eq!(servers.into_keys().collect::<Vec<_>>(), [second.account]);
}

#[test]
fn an_erased_key_is_gone_and_the_others_stay() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	for (number, key) in [(0, 0), (0, 7), (1, 1)] {
		store.add_key(&server(number), &secret(key)).expect("writable");
	}
	store.erase_key(&server(0), &secret(1).public()).expect("another's is not touched");
	store.erase_key(&server(0), &secret(0).public()).expect("writable");
	let servers = store.servers().expect("readable");
	let [kept] = servers[&server(0)].as_slice() else { panic!("one key") };
	assert_eq!(kept.public(), secret(7).public());
	assert_eq!(servers[&server(1)].len(), 1);
}

#[test]
fn a_changed_generation_is_noticed() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt = deal(user(1), 1, KeyScheme::Ed25519);
	put(&store, &dealt, 0).expect("stored");
	let outside = Connection::open(store_path(&folder)).expect("opens");
	outside.execute("UPDATE shares SET generation = 2", []).expect("altered");
	assert!(store.load(&dealt.key.id, &server(0)).expect("readable").is_none());
}

#[test]
fn pending_is_what_is_neither_confirmed_nor_gone_oldest_first() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt: Vec<_> = (0..5).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	for one in &dealt {
		put(&store, one, 0).expect("stored");
	}
	let pending = |after, limit| store.pending(after, limit).expect("readable");
	let all = pending(0, 10);
	let accounts = |shares: &[keyshare_rpc::store::StoredShare]| -> Vec<_> {
		shares.iter().map(|share| share.record.account.clone()).collect()
	};
	assert_eq!(accounts(&all), (0..5).map(user).collect::<Vec<_>>());
	assert!(all.iter().all(|share| share.state == RecordState::Stored));
	assert_eq!(pending(0, 2), all[..2]);
	assert_eq!(pending(all[1].seq, 2), all[2..4]);

	let states = [RecordState::Confirming, RecordState::Confirmed, RecordState::Confirmed];
	store.set_states(all.iter().cloned().zip(states).collect()).expect("writable");
	let left = pending(0, 10);
	assert_eq!(accounts(&left), [user(0), user(3), user(4)]);
	assert_eq!(left[0].state, RecordState::Confirming);
	let confirmed = |after, limit| store.others(after, limit).expect("readable");
	assert_eq!(accounts(&confirmed(0, 10)), [user(1), user(2)]);
	assert_eq!(accounts(&confirmed(0, 1)), [user(1)]);
	assert_eq!(accounts(&confirmed(all[1].seq, 10)), [user(2)]);
	assert_holds(&store, &dealt[2], 0);
}

#[test]
fn what_is_erased_leaves_no_trace_and_makes_the_file_smaller() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let kept = deal(user(0), 1, SCHEMES[0]);
	put(&store, &kept, 0).expect("stored");
	let gone: Vec<_> = (1..200).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	for one in &gone {
		put(&store, one, 0).expect("stored");
	}
	let has_traces = || {
		let names = ["", "-wal"].map(|suffix| folder.path().join(format!("{FILE_NAME}{suffix}")));
		let bytes = names.map(|name| fs::read(name).expect("readable")).concat();
		gone.iter().any(|one| {
			let id = one.key.id.as_bytes();
			bytes.windows(id.len()).any(|window| window == id)
		})
	};
	assert!(has_traces());
	// Into the file itself, so that its size is that of all records.
	let first = store.get(&gone[0].key.id, &server(0)).expect("readable").expect("stored");
	store.erase(vec![first]).expect("writable");
	let before = fs::metadata(store_path(&folder)).expect("there").len();

	let erased: Vec<_> = gone[1..]
		.iter()
		.map(|one| store.get(&one.key.id, &server(0)).expect("readable").expect("stored"))
		.collect();
	store.erase(erased.clone()).expect("writable");
	assert!(!has_traces());
	let after = fs::metadata(store_path(&folder)).expect("there").len();
	assert!(after < before / 2, "{after} of {before} bytes are left");
	assert_holds(&store, &kept, 0);
	store.erase(erased).expect("what is gone stays gone");
	assert_holds(&store, &kept, 0);
}

#[test]
fn what_another_program_keeps_of_erased_shares_goes_when_it_has_ended() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let (gone, later) = (deal(user(1), 1, SCHEMES[0]), deal(user(2), 1, SCHEMES[0]));
	put(&store, &gone, 0).expect("stored");
	let stored = store.get(&gone.key.id, &server(0)).expect("readable").expect("stored");
	let has_traces = || contains(&store_bytes(&folder), gone.key.id.as_bytes());

	// As a backup does, for as long as it takes.
	let reader = Connection::open(store_path(&folder)).expect("opens");
	reader.execute_batch("BEGIN; SELECT * FROM shares;").expect("readable");
	store.erase(vec![stored]).expect("it is gone for the store's users");
	assert!(store.get(&gone.key.id, &server(0)).expect("readable").is_none());
	assert!(has_traces(), "the reader needs them");
	put(&store, &later, 0).expect("the intake goes on");
	assert_holds(&store, &later, 0);

	reader.execute_batch("COMMIT").expect("it has read");
	let until = Instant::now() + Duration::from_secs(120);
	while has_traces() {
		assert!(Instant::now() < until, "nobody wipes what is left");
		thread::sleep(Duration::from_millis(50));
	}
	assert_holds(&store, &later, 0);
}

#[test]
fn what_was_not_wiped_before_a_crash_is_wiped_at_the_next_start() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let (gone, kept) = (deal(user(1), 1, SCHEMES[0]), deal(user(2), 1, SCHEMES[0]));
	for dealt in [&gone, &kept] {
		put(&store, dealt, 0).expect("stored");
	}
	let stored = store.get(&gone.key.id, &server(0)).expect("readable").expect("stored");
	let reader = Connection::open(store_path(&folder)).expect("opens");
	reader.execute_batch("BEGIN; SELECT * FROM shares;").expect("readable");
	store.erase(vec![stored]).expect("writable");
	// What a killed process leaves.
	let left = tempfile::tempdir().expect("a folder");
	for suffix in ["", "-wal"] {
		let name = format!("{FILE_NAME}{suffix}");
		fs::copy(folder.path().join(&name), left.path().join(&name)).expect("copied");
	}
	let has_traces = || contains(&store_bytes(&left), gone.key.id.as_bytes());
	assert!(has_traces());
	let store = open_store(&left);
	assert!(!has_traces(), "wiped while it is opened");
	assert_holds(&store, &kept, 0);
}

#[test]
fn a_file_with_no_store_in_it_becomes_one_only_where_one_is_asked_for() {
	let folder = tempfile::tempdir().expect("a folder");
	let path = store_path(&folder);
	let open = || ShareStore::open_existing(&path, &"correct horse".into(), GENESIS);
	assert!(matches!(open(), Err(StoreError::NotThere(_))));
	assert!(!path.exists());
	// What a killed copy left under its own name, before it had another until it was whole.
	for length in [0, 3 * 4096] {
		let left = vec![0; length];
		fs::write(&path, &left).expect("written");
		assert!(matches!(open(), Err(StoreError::Damaged(_))));
		assert_eq!(fs::read(&path).expect("readable"), left, "it is left as it was");
	}
	assert!(matches!(reopen(&folder, "correct horse", GENESIS), Err(StoreError::Damaged(_))));

	fs::remove_file(&path).expect("removed");
	let others = Connection::open(&path).expect("opens");
	others.execute_batch("CREATE TABLE theirs (a)").expect("writable");
	drop(others);
	assert!(matches!(reopen(&folder, "correct horse", GENESIS), Err(StoreError::Damaged(_))));

	fs::write(&path, "").expect("written");
	drop(open_store(&folder));
	assert!(open().is_ok());
}

#[test]
fn the_log_of_a_lost_file_waits_for_the_file_to_be_brought_back() {
	let (folder, left) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let dealt = deal(user(1), 1, SCHEMES[0]);
	let store = open_store(&folder);
	assert!(matches!(put(&store, &dealt, 0), Ok(Put::Stored)));
	// What a killed process leaves; somebody has moved the file away, and not the log with the share.
	let (path, log) = (store_path(&left), left.path().join(format!("{FILE_NAME}-wal")));
	fs::copy(folder.path().join(format!("{FILE_NAME}-wal")), &log).expect("copied");
	let before = fs::read(&log).expect("readable");
	let made = reopen(&left, "correct horse", GENESIS);
	assert!(matches!(made, Err(StoreError::InTheWay(file)) if file == log));
	assert!(!path.exists());

	fs::write(&path, "").expect("written");
	let password: secrecy::SecretString = "correct horse".into();
	let is_damaged = |error: Option<StoreError>| matches!(error, Some(StoreError::Damaged(_)));
	assert!(is_damaged(ShareStore::open_existing(&path, &password, GENESIS).err()));
	assert!(is_damaged(verify(&path, &password, GENESIS).err()));
	assert!(is_damaged(backup(&path, &left.path().join("backup")).err()));
	assert!(is_damaged(change_password(&path, &password, &password, GENESIS).err()));
	assert!(fs::read(&log).expect("still there") == before);

	fs::copy(store_path(&folder), &path).expect("brought back");
	assert_holds(&open_store(&left), &dealt, 0);
}

#[test]
fn a_record_that_cannot_be_read_is_passed_over_and_those_after_it_are_found() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt: Vec<_> = (0..3).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	for one in &dealt {
		put(&store, one, 0).expect("stored");
	}
	let outside = Connection::open(store_path(&folder)).expect("opens");
	let damage = "UPDATE shares SET account = X'ff' WHERE seq = 2";
	outside.execute(damage, []).expect("altered");
	let pending = store.pending(0, 2).expect("readable");
	assert_eq!(pending.iter().map(|share| share.seq).collect::<Vec<_>>(), [1, 3]);
	let states = pending.into_iter().map(|share| (share, RecordState::Confirmed));
	store.set_states(states.collect()).expect("writable");
	outside.execute("UPDATE shares SET state = 2 WHERE seq = 2", []).expect("altered");
	let confirmed = store.others(0, 2).expect("readable");
	assert_eq!(confirmed.iter().map(|share| share.seq).collect::<Vec<_>>(), [1, 3]);
	// It is lacking: before, it counted as held, and nobody fetched it.
	assert_eq!(store.get(&dealt[1].key.id, &server(0)).expect("readable"), None);
	flush(&store);
	assert_eq!(store.count_damaged().expect("readable"), 1);
}

#[test]
fn an_encryption_key_that_cannot_be_read_is_passed_over_and_the_others_are_found() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let secrets = [EncryptionSecret::generate(), EncryptionSecret::generate()];
	for secret in &secrets {
		store.add_key(&server(0), secret).expect("stored");
	}
	let outside = Connection::open(store_path(&folder)).expect("opens");
	outside.execute("UPDATE encryption_keys SET nonce = X'00' WHERE seq = 1", []).expect("altered");
	let publics = || -> Vec<_> {
		let servers = store.servers().expect("readable");
		servers.values().flatten().map(|secret| secret.public()).collect()
	};
	assert_eq!(publics(), [secrets[1].public()]);
	store.erase_key(&server(0), &secrets[1].public()).expect("erased");
	assert_eq!(publics(), []);
}

#[cfg(unix)]
#[test]
fn a_store_whose_file_was_removed_or_replaced_is_not_in_place() {
	let (folder, elsewhere) = (tempfile::tempdir().expect("a"), tempfile::tempdir().expect("b"));
	let store = open_store(&folder);
	assert!(store.is_in_place());
	let aside = elsewhere.path().join("aside");
	fs::rename(store_path(&folder), &aside).expect("moved");
	assert!(!store.is_in_place());
	fs::write(store_path(&folder), "another").expect("written");
	assert!(!store.is_in_place());
	fs::rename(&aside, store_path(&folder)).expect("brought back");
	assert!(store.is_in_place());
}

#[test]
fn a_store_that_cannot_be_written_says_so_until_it_can() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	assert!(!store.fails());
	let outside = Connection::open(store_path(&folder)).expect("opens");
	let trigger =
		"CREATE TRIGGER full BEFORE INSERT ON shares BEGIN SELECT RAISE(ABORT, 'full'); END";
	outside.execute_batch(trigger).expect("made");
	let dealt = deal(user(0), 1, SCHEMES[0]);
	assert!(put(&store, &dealt, 0).is_err());
	assert!(store.fails());
	outside.execute_batch("DROP TRIGGER full").expect("dropped");
	assert!(put(&store, &dealt, 0).is_ok());
	assert!(!store.fails());
}

#[test]
fn shares_that_wait_together_are_written_together() {
	let folder = tempfile::tempdir().expect("a folder");
	let store = open_store(&folder);
	let dealt: Vec<_> = (0..40).map(|number| deal(user(number), 1, SCHEMES[0])).collect();
	// While another program holds the file the first write waits, and the others behind it.
	let outside = Connection::open(store_path(&folder)).expect("opens");
	outside.execute_batch("BEGIN IMMEDIATE").expect("held");
	let (reply, answers) = mpsc::channel();
	for one in &dealt {
		let reply = reply.clone();
		store.put(one.record(0), &one.verified(0), move |result| {
			reply.send(matches!(result, Ok(Put::Stored))).expect("the test waits");
		});
	}
	let pages_before = wal_commits(&folder);
	outside.execute_batch("COMMIT").expect("released");
	drop(reply);
	assert_eq!(answers.iter().filter(|stored| *stored).count(), dealt.len());
	let commits = wal_commits(&folder) - pages_before;
	assert!((1..=2).contains(&commits), "{commits} commits for {} shares", dealt.len());
}

/// Commits in the write-ahead log: frames whose header names the size of the database after
/// them (SQLite's file format, section 4.2).
fn wal_commits(folder: &TempDir) -> usize {
	const HEADER: usize = 32;
	const FRAME_HEADER: usize = 24;
	let log = fs::read(folder.path().join(format!("{FILE_NAME}-wal"))).expect("readable");
	let page_size = u32::from_be_bytes(log[8..12].try_into().expect("four bytes"));
	let frame = FRAME_HEADER + usize::try_from(page_size).expect("small");
	log[HEADER..].chunks_exact(frame).filter(|frame| frame[4..8] != [0; 4]).count()
}
