//! Keys of events in the index: a row for each key that an event has, and none for those it lacks.
//!
//! Values come from outside, so there may be as many as there are events. A row holds a hash of the key's name and value. Rows
//! of one [part](PART_EVENTS) of the log lie together, so that random values are inserted into
//! pages that are in the cache, however many events there are. A hash may be shared: who reads the
//! events compares their keys.

use super::{hash, number};
use crate::{KeyName, Selectable, Seq, log::Committed};
use rusqlite::{Connection, OptionalExtension, Transaction, params};

/// So many places of the log make one part.
const PART_EVENTS: u64 = 262_144;

/// One key of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyRow {
    part: u64,
    hash: i64,
    seq: Seq,
}

impl KeyRow {
    /// The keys that an event has.
    pub(super) fn of(entry: &Committed, seed: u64) -> impl Iterator<Item = Self> {
        let (seq, part) = (entry.seq, part_of(entry.seq));
        let event = Selectable::from(&*entry.keys);
        let values =
            KeyName::ALL.into_iter().filter_map(move |name| Some((name, event.key(name)?)));
        let hashes = values.map(move |(name, value)| hash_of(seed, name, value));
        hashes.map(move |hash| Self { part, hash, seq })
    }
}

/// The part of the log in which a place is.
pub(super) fn part_of(seq: Seq) -> u64 {
    seq / PART_EVENTS
}

/// What stands for a value of a key.
pub(super) fn hash_of(seed: u64, name: KeyName, value: &str) -> i64 {
    hash::seeded(seed, &[name.as_str().as_bytes(), &[0xff], value.as_bytes()])
}

/// Inserts rows in the order in which the table holds them.
pub(super) fn insert(transaction: &Transaction<'_>, mut rows: Vec<KeyRow>) -> rusqlite::Result<()> {
    rows.sort_unstable();
    // Two keys of one event may have the same hash.
    rows.dedup();
    let mut statement = transaction.prepare_cached("INSERT INTO index_keys VALUES (?1, ?2, ?3)")?;
    for KeyRow { part, hash, seq } in rows {
        statement.execute(params![number(part), hash, number(seq)])?;
    }
    Ok(())
}

/// Takes away the rows of everything after `head`.
pub(super) fn cut_back(transaction: &Transaction<'_>, head: Seq) -> rusqlite::Result<()> {
    let sql = "DELETE FROM index_keys WHERE part >= ?1 AND seq > ?2";
    transaction.execute(sql, [number(part_of(head)), number(head)])?;
    Ok(())
}

/// Whether the event of a place has a key with this hash.
pub(super) fn has(connection: &Connection, hash: i64, seq: Seq) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM index_keys WHERE part = ?1 AND hash = ?2 AND seq = ?3";
    let row = params![number(part_of(seq)), hash, number(seq)];
    Ok(connection.prepare_cached(sql)?.query_row(row, |_| Ok(())).optional()?.is_some())
}
