//! The state of the queue that is truth, in `headgate.db`: subscriptions, how far each is, what
//! comes again, what is dead, and the installation's keys.
//!
//! Every commit is synced (`synchronous = FULL`), because consumers are answered after it. What
//! can be made again from the log is not here but in the index.

mod letters;
mod rows;

use super::OpenError;
use crate::private;
use headgate_event::limits::STATE_BUSY_WAIT;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};
use std::{io::ErrorKind, path::Path};

pub(super) use letters::dead_letters;
pub(super) use rows::{Row, delete, insert, update, write};

/// The version of the tables, as `user_version`.
const VERSION: i64 = 1;

const TABLES: &str = "
CREATE TABLE state_keys (
    name  TEXT PRIMARY KEY,
    value BLOB NOT NULL
) WITHOUT ROWID;
CREATE TABLE state_subscriptions (
    generation INTEGER PRIMARY KEY AUTOINCREMENT,
    name       TEXT NOT NULL UNIQUE,
    spec       TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    start      INTEGER NOT NULL
);
CREATE TABLE state_places (
    generation INTEGER PRIMARY KEY,
    floor      INTEGER NOT NULL,
    settled    BLOB NOT NULL,
    dead       INTEGER NOT NULL
);
CREATE TABLE state_deferred (
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    attempt    INTEGER NOT NULL,
    due        INTEGER NOT NULL,
    last_error TEXT,
    PRIMARY KEY (generation, seq)
) WITHOUT ROWID;
CREATE TABLE state_dead_letters (
    generation INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    reason     TEXT NOT NULL,
    attempts   INTEGER NOT NULL,
    last_error TEXT,
    at         INTEGER NOT NULL,
    PRIMARY KEY (generation, seq)
) WITHOUT ROWID;
";

/// The one connection to the state.
#[derive(Debug)]
pub(super) struct State {
    connection: Connection,
}

impl State {
    /// Opens the state in this file, or begins it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::State { path: path.to_owned(), source };
        let made = private::database(path).and_then(|()| Connection::open(path));
        let connection = made.map_err(failed)?;
        let state = Self { connection };
        let found = state.prepare().map_err(failed)?;
        if found > VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
        }
        Ok(state)
    }

    /// Whether there is something in this file, or ever was.
    pub(super) fn is_begun(path: &Path) -> bool {
        // One that cannot be looked at is opened next, which says why.
        path.metadata().map_or_else(|e| e.kind() != ErrorKind::NotFound, |file| file.len() > 0)
    }

    /// Opens the state in this file to look at it, and changes nothing.
    pub(super) fn look(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::State { path: path.to_owned(), source };
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
        let found = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
        }
        Ok(Self { connection })
    }

    /// The first thing that SQLite finds wrong with the file.
    pub(super) fn fault(&self) -> rusqlite::Result<Option<String>> {
        let check = "PRAGMA integrity_check(1)";
        let said: String = self.connection.query_row(check, [], |row| row.get(0))?;
        Ok(Some(said).filter(|said| said != "ok"))
    }

    /// The installation's key of this name, made on first use.
    pub(super) fn key(&mut self, name: &str) -> rusqlite::Result<[u8; 32]> {
        let transaction = self.connection.transaction()?;
        let known = transaction
            .query_row("SELECT value FROM state_keys WHERE name = ?1", [name], |row| row.get(0))
            .optional()?;
        if let Some(key) = known {
            return Ok(key);
        }
        let key = super::random::key()
            .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        transaction.execute("INSERT INTO state_keys VALUES (?1, ?2)", (name, key))?;
        transaction.commit()?;
        Ok(key)
    }

    /// Makes changes in one transaction: all of them are durable, or none is made.
    pub(super) fn change<T>(
        &mut self,
        change: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let transaction =
            self.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Immediate)?;
        let answer = change(&transaction)?;
        transaction.commit()?;
        Ok(answer)
    }

    /// Writes what is in the write-ahead log into the file itself.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<()> {
        self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
    }

    fn prepare(&self) -> rusqlite::Result<i64> {
        let connection = &self.connection;
        connection.busy_timeout(STATE_BUSY_WAIT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found == 0 {
            connection.execute_batch(&format!(
                "BEGIN IMMEDIATE; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;"
            ))?;
        }
        Ok(found)
    }
}
