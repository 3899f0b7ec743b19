//! The rows of shares and encryption keys: every statement that reads or writes one.
//!
//! A row that cannot be what this program wrote is no error here: it costs itself alone.

use super::{
	is_unreadable,
	vault::{Sealed, SEALED_LENGTH},
	RecordState, ShareRecord, StoredShare,
};
use codec::{DecodeAll, Encode};
use keyshare_primitives::{AccountId, CustodyProof, RegistrationId};
use rusqlite::{
	params,
	types::{FromSql, FromSqlError, FromSqlResult, ValueRef},
	Connection, OptionalExtension, Row,
};

/// A share's row to be. Once it is written, only its state and proof change, unless it is damaged: then
/// another one takes its place.
pub(super) struct ShareRow {
	pub record: ShareRecord,
	pub sealed: Sealed,
}

/// Adds a share, or puts it in the place of a damaged one; the number of rows written, none if a share
/// is there.
pub(super) fn insert_share(connection: &Connection, row: &ShareRow) -> rusqlite::Result<usize> {
	let ShareRow { record, sealed } = row;
	connection
		.prepare_cached(
			"INSERT INTO shares (registration_id, server, account, generation, subgroup, proof, \
			 nonce, ciphertext, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) \
			 ON CONFLICT (registration_id, server) DO UPDATE SET account = excluded.account, \
			 generation = excluded.generation, subgroup = excluded.subgroup, \
			 proof = excluded.proof, nonce = excluded.nonce, ciphertext = excluded.ciphertext, \
			 state = excluded.state WHERE shares.state = 3",
		)?
		.execute(params![
			record.id.as_bytes(),
			bytes(&record.server),
			bytes(&record.account),
			record.generation,
			record.subgroup,
			record.proof.encode(),
			sealed.nonce,
			sealed.ciphertext,
			RecordState::Stored as u8,
		])
}

/// Which row was looked at, and what it held then: what is found out about a share is not written of
/// another one that has taken its place. Each is sealed under a nonce of its own.
pub(super) struct Seen {
	pub seq: i64,
	/// None if there is something else in its column.
	nonce: Option<Vec<u8>>,
}

impl Seen {
	pub fn new(share: &StoredShare, sealed: &Sealed) -> Self {
		Self { seq: share.seq, nonce: Some(sealed.nonce.to_vec()) }
	}
}

/// Marks a share as damaged; the number of rows changed.
pub(super) fn mark_damaged(connection: &Connection, seen: &Seen) -> rusqlite::Result<usize> {
	connection
		.prepare_cached(
			"UPDATE shares SET state = 3 \
			 WHERE seq = ?1 AND (nonce = ?2 OR typeof(nonce) <> 'blob')",
		)?
		.execute(params![seen.seq, seen.nonce])
}

/// Writes another proof of a share that is whole, which it is from now on if it was marked as damaged;
/// the number of rows changed.
pub(super) fn update_proof(
	connection: &Connection,
	seen: &Seen,
	proof: &CustodyProof,
) -> rusqlite::Result<usize> {
	connection
		.prepare_cached(
			"UPDATE shares SET proof = ?3, state = CASE state WHEN 3 THEN 0 ELSE state END \
			 WHERE seq = ?1 AND nonce = ?2",
		)?
		.execute(params![seen.seq, seen.nonce, proof.encode()])
}

/// Sets a share's state, unless it is damaged; the number of rows changed.
pub(super) fn update_state(
	connection: &Connection,
	share: &StoredShare,
	state: RecordState,
) -> rusqlite::Result<usize> {
	// By position, which is quick, but only if it is still the same share's.
	connection
		.prepare_cached(
			"UPDATE shares SET state = ?1 \
			 WHERE seq = ?2 AND registration_id = ?3 AND server = ?4 AND state <> 3",
		)?
		.execute(params![
			state as u8,
			share.seq,
			share.record.id.as_bytes(),
			bytes(&share.record.server)
		])
}

/// Deletes a share, if it is still there; the number of rows deleted.
pub(super) fn delete_share(
	connection: &Connection,
	share: &StoredShare,
) -> rusqlite::Result<usize> {
	connection
		.prepare_cached(
			"DELETE FROM shares WHERE seq = ?1 AND registration_id = ?2 AND server = ?3",
		)?
		.execute(params![share.seq, share.record.id.as_bytes(), bytes(&share.record.server)])
}

/// Adds an encryption key of a server; the number of rows added.
pub(super) fn insert_key(
	connection: &Connection,
	account: &AccountId,
	sealed: &Sealed,
) -> rusqlite::Result<usize> {
	connection
		.prepare_cached(
			"INSERT INTO encryption_keys (account, nonce, ciphertext) VALUES (?1, ?2, ?3)",
		)?
		.execute(params![bytes(account), sealed.nonce, sealed.ciphertext])
}

/// Deletes an encryption key by its place; the number of rows deleted.
pub(super) fn delete_key(connection: &Connection, seq: i64) -> rusqlite::Result<usize> {
	connection.prepare_cached("DELETE FROM encryption_keys WHERE seq = ?1")?.execute([seq])
}

const SHARE_COLUMNS: &str =
	"seq, registration_id, server, account, generation, subgroup, proof, state, nonce, ciphertext";

/// A row that cannot be what this program wrote.
pub(super) struct Unreadable {
	pub seen: Seen,
	/// Whether it is marked as damaged.
	pub is_marked: bool,
	pub error: rusqlite::Error,
}

/// What is read of a row, or why that cannot be.
pub(super) type Read<T> = Result<T, Box<Unreadable>>;

/// A row's place, and what is read of it.
pub(super) type PlacedRead<T> = (i64, Read<T>);

/// The share of a registration and a server.
pub(super) fn select_share(
	connection: &Connection,
	id: &RegistrationId,
	server: &AccountId,
) -> rusqlite::Result<Option<Read<(StoredShare, Sealed)>>> {
	connection
		.prepare_cached(&format!(
			"SELECT {SHARE_COLUMNS} FROM shares WHERE registration_id = ?1 AND server = ?2"
		))?
		.query_row(params![id.as_bytes(), bytes(server)], |row| read(row, read_share))
		.optional()
}

/// At most `limit` shares still to be confirmed that were stored after `after`, oldest first. What
/// cannot be read goes to `unreadable`.
pub(super) fn select_pending(
	connection: &Connection,
	after: i64,
	limit: u32,
	unreadable: &mut Vec<Unreadable>,
) -> rusqlite::Result<Vec<StoredShare>> {
	connection
		.prepare_cached(&format!(
			"SELECT {SHARE_COLUMNS} FROM shares INDEXED BY pending \
			 WHERE state < 2 AND seq > ?1 ORDER BY seq"
		))?
		.query_map([after], |row| read(row, read_public))?
		.filter_map(if_readable(unreadable))
		.take(limit as usize)
		.collect()
}

/// The same of all others: they are confirmed, or damaged.
pub(super) fn select_others(
	connection: &Connection,
	after: i64,
	limit: u32,
	unreadable: &mut Vec<Unreadable>,
) -> rusqlite::Result<Vec<StoredShare>> {
	connection
		.prepare_cached(&format!(
			"SELECT {SHARE_COLUMNS} FROM shares WHERE state IN (2, 3) AND seq > ?1 ORDER BY seq"
		))?
		.query_map([after], |row| read(row, read_public))?
		.filter_map(if_readable(unreadable))
		.take(limit as usize)
		.collect()
}

/// At most `limit` shares that are marked as damaged, oldest first, but for those that cannot be read.
pub(super) fn select_damaged(
	connection: &Connection,
	limit: u32,
) -> rusqlite::Result<Vec<StoredShare>> {
	let mut unreadable = Vec::new();
	connection
		.prepare_cached(&format!(
			"SELECT {SHARE_COLUMNS} FROM shares INDEXED BY damaged WHERE state = 3 ORDER BY seq"
		))?
		.query_map([], |row| read(row, read_public))?
		.filter_map(if_readable(&mut unreadable))
		.take(limit as usize)
		.collect()
}

/// How many shares are marked as damaged.
pub(super) fn count_damaged(connection: &Connection) -> rusqlite::Result<u64> {
	connection
		.prepare_cached("SELECT count(*) FROM shares INDEXED BY damaged WHERE state = 3")?
		.query_row([], |row| row.get::<_, u32>(0).map(u64::from))
}

/// At most `limit` rows of shares that were stored after `after`, oldest first, with their secrets.
pub(super) fn select_all(
	connection: &Connection,
	after: i64,
	limit: u32,
) -> rusqlite::Result<Vec<PlacedRead<(StoredShare, Sealed)>>> {
	connection
		.prepare_cached(&format!(
			"SELECT {SHARE_COLUMNS} FROM shares WHERE seq > ?1 ORDER BY seq LIMIT ?2"
		))?
		.query_map(params![after, limit], |row| Ok((row.get(0)?, read(row, read_share)?)))?
		.collect()
}

fn read<T>(
	row: &Row<'_>,
	columns: impl FnOnce(&Row<'_>) -> rusqlite::Result<T>,
) -> rusqlite::Result<Read<T>> {
	match columns(row) {
		Ok(found) => Ok(Ok(found)),
		Err(error) if is_unreadable(&error) => {
			let nonce = row.get_ref(8)?.as_blob().ok().map(<[u8]>::to_vec);
			let seen = Seen { seq: row.get(0)?, nonce };
			let is_marked =
				row.get_ref(7)?.as_i64().is_ok_and(|state| state == RecordState::Damaged as i64);
			Ok(Err(Box::new(Unreadable { seen, is_marked, error })))
		}
		Err(error) => Err(error),
	}
}

/// Passes over a row that cannot be read, and keeps it: those after it are to be found.
fn if_readable(
	unreadable: &mut Vec<Unreadable>,
) -> impl FnMut(rusqlite::Result<Read<StoredShare>>) -> Option<rusqlite::Result<StoredShare>> + '_ {
	move |row| match row {
		Ok(Ok(share)) => Some(Ok(share)),
		Ok(Err(row)) => {
			unreadable.push(*row);
			None
		}
		Err(error) => Some(Err(error)),
	}
}

/// A row's place, and what it holds or why that cannot be read.
type Placed<T> = (i64, rusqlite::Result<T>);

/// An encryption key in its row.
pub(super) struct KeyRow {
	pub seq: i64,
	pub account: AccountId,
	pub sealed: Sealed,
}

/// The rows of all encryption keys, oldest first.
pub(super) fn select_keys(connection: &Connection) -> rusqlite::Result<Vec<Placed<KeyRow>>> {
	connection
		.prepare("SELECT seq, account, nonce, ciphertext FROM encryption_keys ORDER BY seq")?
		.query_map([], |row| Ok((row.get(0)?, read_key(row))))?
		.collect()
}

fn read_key(row: &Row<'_>) -> rusqlite::Result<KeyRow> {
	let sealed = Sealed { nonce: row.get(2)?, ciphertext: row.get(3)? };
	Ok(KeyRow { seq: row.get(0)?, account: AccountId::new(row.get(1)?), sealed })
}

fn read_share(row: &Row<'_>) -> rusqlite::Result<(StoredShare, Sealed)> {
	let sealed = Sealed { nonce: row.get(8)?, ciphertext: row.get::<_, [u8; SEALED_LENGTH]>(9)? };
	Ok((read_public(row)?, sealed))
}

fn read_public(row: &Row<'_>) -> rusqlite::Result<StoredShare> {
	let record = ShareRecord {
		id: row.get::<_, [u8; 32]>(1)?.into(),
		server: AccountId::new(row.get(2)?),
		account: AccountId::new(row.get(3)?),
		generation: row.get(4)?,
		subgroup: row.get(5)?,
		proof: row.get::<_, ProofColumn>(6)?.0,
	};
	Ok(StoredShare { seq: row.get(0)?, record, state: row.get(7)? })
}

fn bytes(account: &AccountId) -> &[u8] {
	account.as_ref()
}

/// A proof that cannot be read is one that does not hold: whoever needs it makes it again, if the share
/// is whole.
struct ProofColumn(CustodyProof);

impl FromSql for ProofColumn {
	fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
		let stored = value.as_blob().ok();
		let proof = stored.and_then(|mut stored| CustodyProof::decode_all(&mut stored).ok());
		Ok(Self(proof.unwrap_or(CustodyProof::Ed25519([0; 64]))))
	}
}

impl FromSql for RecordState {
	fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
		let number = value.as_i64()?;
		let states = [Self::Stored, Self::Confirming, Self::Confirmed, Self::Damaged];
		let state = states.into_iter().find(|state| *state as i64 == number);
		state.ok_or(FromSqlError::OutOfRange(number))
	}
}

#[cfg(test)]
mod tests {
	use super::*;
	use crate::store::schema::LAYOUT;

	#[test]
	fn what_was_found_of_a_row_is_not_written_of_the_one_in_its_place() {
		let memory = Connection::open_in_memory().expect("memory");
		memory.execute_batch(LAYOUT).expect("valid");
		let proof = CustodyProof::Ed25519([7; 64]);
		let record = ShareRecord {
			id: RegistrationId::repeat_byte(2),
			server: AccountId::new([3; 32]),
			account: AccountId::new([4; 32]),
			generation: 5,
			subgroup: 6,
			proof,
		};
		let row = |nonce: u8| ShareRow {
			record: record.clone(),
			sealed: Sealed { nonce: [nonce; 24], ciphertext: [0; SEALED_LENGTH] },
		};
		let seen = Seen { seq: 1, nonce: Some(vec![1; 24]) };
		assert_eq!(insert_share(&memory, &row(1)), Ok(1));
		assert_eq!(insert_share(&memory, &row(2)), Ok(0), "one is there");
		assert_eq!(mark_damaged(&memory, &seen), Ok(1));
		assert_eq!(count_damaged(&memory), Ok(1));
		assert_eq!(insert_share(&memory, &row(2)), Ok(1), "it takes the place");
		assert_eq!(mark_damaged(&memory, &seen), Ok(0));
		assert_eq!(update_proof(&memory, &seen, &proof), Ok(0));
		assert_eq!(count_damaged(&memory), Ok(0));
	}

	#[test]
	fn what_is_pending_or_damaged_is_found_through_its_index() {
		let memory = Connection::open_in_memory().expect("memory");
		memory.execute_batch(LAYOUT).expect("valid");
		let pending = select_pending(&memory, 0, 1, &mut Vec::new());
		assert!(pending.expect("the index can be used").is_empty());
		assert!(select_damaged(&memory, 1).expect("the index can be used").is_empty());
		assert_eq!(count_damaged(&memory), Ok(0));
	}
}
