//! The index of the log: where each event is, by place, id, kind, keys and dedupe key.
//!
//! Everything in it is derived from the log and can be thrown away. It is a file of its own,
//! `index.db`, apart from the state in `headgate.db`: SQLite has one writer a file, and a big
//! index transaction must never hold up the commit that a consumer's ack waits for. It is written
//! without a sync at each commit (`synchronous = NORMAL`), because what a power cut takes from it
//! is read from the log again.
//!
//! An event's *kind* is its type, channel and provider together, as one small number. There are
//! few kinds, so that one index over (kind, place) serves every combination of them: each
//! wanted kind is read newest first, and the runs are merged. The [keys] that have many values
//! are in a table of their own, and so are [names]; [places] finds where several filters agree, and
//! [times] where events of a time may be.

mod build;
mod dedupe;
mod filter;
mod find;
mod hash;
mod keys;
mod kinds;
mod names;
mod places;
mod schema;
mod times;
mod trim;

#[cfg(test)]
mod tests;

use crate::{Seq, log::Position};
use filter::{Days, Filter};
use headgate_event::{EventId, Timestamp, limits::INDEX_READERS_KEPT};
use kinds::Kinds;
use rusqlite::{Connection, Row};
use std::{
    os::unix::fs::MetadataExt,
    path::{Path, PathBuf},
    sync::{
        Mutex, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

pub(super) use build::{IndexWriter, is_damage};
pub(super) use find::Span;

/// What the readers of the index share.
#[derive(Debug)]
pub(super) struct Index {
    path: PathBuf,
    /// Which file that was when it was opened.
    file: Option<FileId>,
    /// Idle connections.
    readers: Mutex<Vec<Connection>>,
    kinds: RwLock<Kinds>,
    /// The days that have a table of dedupe keys.
    days: RwLock<Days>,
    /// The names that events have, as far as they are in memory.
    names: Filter,
    /// The newest event that is committed here.
    last: AtomicU64,
    /// What keys are hashed with.
    seed: u64,
}

/// What the index has of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: Seq,
    pub(super) id: EventId,
    pub(super) kind: i64,
    pub(super) position: Position,
    pub(super) created_at: Timestamp,
}

/// Device and number of a file.
type FileId = (u64, u64);

fn file_id(path: &Path) -> Option<FileId> {
    std::fs::metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

/// A number as SQLite holds it. Places, offsets and lengths are far below 2^63.
pub(super) fn number(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// A number as it was held.
pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

impl Index {
    fn new(path: &Path, seed: u64) -> Self {
        Self {
            path: path.to_owned(),
            file: file_id(path),
            readers: Mutex::default(),
            kinds: RwLock::default(),
            days: RwLock::default(),
            names: Filter::default(),
            last: AtomicU64::new(0),
            seed,
        }
    }

    /// The index in this file, to look at it; `None` when there is none, or one of another version,
    /// and the reason when it is damaged.
    pub(super) fn look(path: &Path) -> Result<Option<Self>, String> {
        if !path.exists() {
            return Ok(None);
        }
        let read = || {
            let connection = schema::open_reader(path)?;
            let check = "PRAGMA quick_check(1)";
            let said: String = connection.query_row(check, [], |row| row.get(0))?;
            if said != "ok" {
                return Ok(Err(said));
            }
            if schema::version(&connection)? != schema::VERSION || !schema::is_whole(&connection)? {
                return Ok(Ok(None));
            }
            let index = Self::new(path, 0);
            index.last.store(unsigned(schema::meta(&connection, "last")?), Ordering::Release);
            Ok(Ok(Some(index)))
        };
        read().unwrap_or_else(|error: rusqlite::Error| Err(error.to_string()))
    }

    /// Whether the file is the one that was opened.
    pub(super) fn health(&self) -> Result<(), String> {
        if file_id(&self.path) == self.file {
            return Ok(());
        }
        let path = self.path.display();
        Err(format!("`{path}` was removed or replaced: restart, and it is made from the log"))
    }

    /// The newest event that is committed here.
    pub(super) fn last(&self) -> Seq {
        self.last.load(Ordering::Acquire)
    }

    /// Reads with a connection of its own.
    fn reading<T>(
        &self,
        read: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> rusqlite::Result<T> {
        let idle = self.idle().pop();
        let connection = match idle {
            Some(connection) => connection,
            None => schema::open_reader(&self.path)?,
        };
        let answer = read(&connection)?;
        let mut idle = self.idle();
        if idle.len() < INDEX_READERS_KEPT {
            idle.push(connection);
        }
        Ok(answer)
    }

    /// Closes the idle connections.
    pub(super) fn close(&self) {
        self.idle().clear();
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.readers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The kind of events that were erased: no selection wants them.
const ERASED: i64 = 0;

impl Entry {
    /// Whether the event was erased.
    pub(super) fn is_erased(&self) -> bool {
        self.kind == ERASED
    }

    /// The columns in which entries are read.
    const COLUMNS: &'static str = "seq, id, kind, segment, offset, length, created_at";

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        let length: i64 = row.get(5)?;
        Ok(Self {
            seq: unsigned(row.get(0)?),
            id: EventId::from_bytes(row.get(1)?),
            kind: row.get(2)?,
            position: Position {
                segment: unsigned(row.get(3)?),
                offset: unsigned(row.get(4)?),
                len: u32::try_from(length).unwrap_or(u32::MAX),
            },
            created_at: Timestamp::from_unix_ms(row.get(6)?),
        })
    }
}
