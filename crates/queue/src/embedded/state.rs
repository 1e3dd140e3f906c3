//! The state of the queue that is truth, in `headgate.db`: subscriptions, how far each is, what
//! comes again, what is dead, and the installation's keys.
//!
//! Every commit is synced (`synchronous = FULL`), because consumers are answered after it. What
//! can be made again from the log is not here but in the index.

mod attempts;
mod erasures;
mod kept;
mod letters;
mod notes;
mod redriven;
mod replay_tables;
mod replays;
mod rows;
mod schema;

use super::OpenError;
use crate::{Seq, private};
use headgate_event::limits::STATE_BUSY_WAIT;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction};
use std::{io::ErrorKind, path::Path, time::Duration};

pub(super) use attempts::{Ring, attempts_of, dead_of, note_attempts};
pub(super) use erasures::{begin_erasure, end_erasure};
pub(super) use kept::{keep_from, keep_time, note_newest};
pub(super) use letters::{dead_letters, forget_letters};
pub(super) use notes::{keep_notes, notes};
pub(super) use redriven::{LetterRow, delete_letters, letter, meant};
pub(super) use replays::{ReplayRow, end_replay, insert_replay, next_generation, replay, replays};
pub(super) use rows::{Owner, Row, delete, insert, update, write};
use schema::VERSION;

/// The one connection to the state.
#[derive(Debug)]
pub(super) struct State {
    connection: Connection,
    /// How many rows were changed and commits made since the last checkpoint.
    changes: u64,
    /// The version of its tables, which is that of the program unless it is only looked at.
    version: i64,
}

impl State {
    /// Opens the state in this file, or begins it.
    pub(super) fn open(path: &Path) -> Result<Self, OpenError> {
        let failed = |source| OpenError::State { path: path.to_owned(), source };
        let made = private::database(path).and_then(|()| Connection::open(path));
        let connection = made.map_err(failed)?;
        let state = Self { connection, changes: 0, version: VERSION };
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
        let found: i64 = connection
            .pragma_query_value(None, "user_version", |row| row.get(0))
            .map_err(failed)?;
        if found > VERSION {
            return Err(OpenError::Newer { path: path.to_owned(), found, known: VERSION });
        }
        Ok(Self { connection, changes: 0, version: found })
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
        let before = transaction.total_changes();
        let answer = change(&transaction)?;
        let rows = transaction.total_changes().saturating_sub(before);
        transaction.commit()?;
        self.changes += 1 + rows;
        Ok(answer)
    }

    /// How many rows were changed and commits made since the last checkpoint: what the write-ahead
    /// log has grown by.
    pub(super) fn changes(&self) -> u64 {
        self.changes
    }

    /// Writes into the file itself what of the write-ahead log no reader needs, and waits for none.
    pub(super) fn write_back(&mut self) -> rusqlite::Result<()> {
        self.changes = 0;
        let sql = "PRAGMA wal_checkpoint(PASSIVE)";
        self.connection.query_row(sql, [], |_| Ok(()))
    }

    /// The letter of a place.
    pub(super) fn letter(&self, generation: u64, seq: Seq) -> rusqlite::Result<Option<LetterRow>> {
        letter(&self.connection, generation, seq)
    }

    /// Whether an event is about to be erased.
    pub(super) fn is_erasing(&self, seq: Seq) -> rusqlite::Result<bool> {
        erasures::is_begun(&self.connection, seq)
    }

    /// Writes what is in the write-ahead log into the file itself, synced, and empties it;
    /// `false` when a reader is in the way. It does not wait for one, because commits would wait
    /// with it.
    pub(super) fn checkpoint(&self) -> rusqlite::Result<bool> {
        let sql = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.busy_timeout(Duration::ZERO)?;
        let emptied =
            self.connection.query_row(sql, [], |row| row.get::<_, i64>(0).map(|busy| busy == 0));
        self.connection.busy_timeout(STATE_BUSY_WAIT)?;
        emptied
    }

    fn prepare(&self) -> rusqlite::Result<i64> {
        let connection = &self.connection;
        connection.busy_timeout(STATE_BUSY_WAIT)?;
        connection.pragma_update(None, "journal_mode", "WAL")?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // No commit that somebody waits for does this; the writer does it between them.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        // What an erased event has left here is overwritten, not only forgotten.
        connection.pragma_update(None, "secure_delete", "ON")?;
        let found = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found < VERSION {
            schema::bring_up(connection, found)?;
        }
        Ok(found)
    }
}
