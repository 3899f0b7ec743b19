//! Stores that older programs made, and how each becomes one of today's.

use super::{schema, StoreError};
use rusqlite::{Connection, TransactionBehavior};
use std::path::Path;

/// What is erased makes the file smaller. Of a file that has something in it already, this is so
/// only after `VACUUM`.
pub(super) const SHRINKING: &str = "PRAGMA auto_vacuum = INCREMENTAL;";

/// What `PRAGMA auto_vacuum` says then.
const INCREMENTAL: i64 = 2;

/// A proof of version 1 or 2 as today's are: these told its scheme by its length alone.
const TAGGED_PROOF: &str =
	"CAST((CASE length(proof) WHEN 64 THEN X'00' ELSE X'01' END) || proof AS BLOB)";

/// Makes of a store of `version` one of today's. After a crash the next opening goes on where this
/// one was.
pub(super) fn take_over(connection: &mut Connection, version: i64) -> Result<(), StoreError> {
	if version < 2 {
		from_1(connection)?;
	}
	if version < 3 {
		from_2(connection)?;
	}
	if version < 4 {
		from_3(connection)?;
	}
	// Whatever the version: this cannot be in the transaction that takes the store to version 2, so
	// a crash could come between.
	let mode: i64 = connection.query_row("PRAGMA auto_vacuum", [], |row| row.get(0))?;
	if mode != INCREMENTAL {
		connection.execute_batch(SHRINKING)?;
		connection.execute_batch("VACUUM;")?;
	}
	Ok(())
}

/// The same for a file that nobody else has: a copy.
pub(super) fn take_over_copy(path: &Path) -> Result<(), StoreError> {
	let mut connection = Connection::open(path)?;
	connection.execute_batch("PRAGMA secure_delete = ON;")?;
	let version = schema::version(&connection)?;
	take_over(&mut connection, version)?;
	connection.close().map_err(|(_, error)| error)?;
	Ok(())
}

/// Lets today's statements read a store of `version` through this connection, and changes nothing
/// in the file. The connection cannot copy the store any more.
pub(super) fn show_as_todays(connection: &Connection, version: i64) -> rusqlite::Result<()> {
	// A temporary view hides the table of its name.
	if version < 2 {
		connection.execute_batch(
			"CREATE TEMP VIEW encryption_keys AS
				SELECT rowid AS seq, account, nonce, ciphertext FROM main.servers;",
		)?;
	}
	if version < 3 {
		connection.execute_batch(&format!(
			"CREATE TEMP VIEW shares AS
				SELECT seq, registration_id, server, account, generation, subgroup,
					{TAGGED_PROOF} AS proof, nonce, ciphertext, state
				FROM main.shares WHERE state < 3;"
		))?;
	}
	Ok(())
}

/// Version 1 kept what was gone, pages that nothing used, and one key a server.
fn from_1(connection: &mut Connection) -> Result<(), StoreError> {
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	transaction.execute_batch(
		"DELETE FROM shares WHERE state = 3;
		CREATE TABLE encryption_keys (
			seq INTEGER PRIMARY KEY,
			account BLOB NOT NULL,
			nonce BLOB NOT NULL,
			ciphertext BLOB NOT NULL
		) STRICT;
		INSERT INTO encryption_keys (account, nonce, ciphertext)
			SELECT account, nonce, ciphertext FROM servers ORDER BY account;
		DROP TABLE servers;",
	)?;
	transaction.pragma_update(None, "user_version", 2)?;
	transaction.commit()?;
	Ok(())
}

/// Version 2 told a proof's scheme by its length alone.
fn from_2(connection: &mut Connection) -> Result<(), StoreError> {
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	transaction.execute(&format!("UPDATE shares SET proof = {TAGGED_PROOF}"), [])?;
	transaction.pragma_update(None, "user_version", 3)?;
	transaction.commit()?;
	Ok(())
}

/// Version 3 knew of no damaged shares.
fn from_3(connection: &mut Connection) -> Result<(), StoreError> {
	let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
	transaction.execute_batch("CREATE INDEX damaged ON shares (seq) WHERE state = 3;")?;
	transaction.pragma_update(None, "user_version", 4)?;
	transaction.commit()?;
	Ok(())
}
