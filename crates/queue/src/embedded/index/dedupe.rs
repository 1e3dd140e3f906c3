//! Dedupe keys in the index: hashes of channel and key, in a table a day.
//!
//! Keys are random, so one big table would touch a page of its own for nearly every row; the
//! table of a day stays small enough for the cache. A hash may be shared by two keys: who looks
//! up compares the keys in the frames.

use super::{
    Index, IndexWriter,
    filter::{self, Days, Filter},
    hash, number,
    schema::dedupe_table,
    unsigned,
};
use crate::{
    Seq,
    log::{Committed, DedupeDigest},
};
use headgate_event::{
    Timestamp,
    limits::{DEDUPE_FILTER_STEP_KEYS, DEDUPE_WINDOW_MAX},
};
use rusqlite::{Connection, Transaction, params};
use std::{
    collections::btree_map::Entry,
    sync::{Arc, PoisonError},
};

const DAY_MS: i64 = 24 * 3600 * 1000;

/// Days that the longest window touches, with one for events that are received late.
const DAYS_KEPT: i64 = (DEDUPE_WINDOW_MAX.as_secs() / (24 * 3600)) as i64 + 2;

/// One dedupe key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct DedupeRow {
    day: i64,
    hash: i64,
    seq: Seq,
}

impl DedupeRow {
    /// The key of an event, if it has one.
    pub(super) fn of(entry: &Committed, seed: u64) -> Option<Self> {
        let hash = hash_of(entry.keys.dedupe_digest(), seed)?;
        Some(Self { day: day_of(entry.created_at), hash, seq: entry.seq })
    }
}

impl Index {
    /// Whether an event received after `oldest` may have the same channel and dedupe key, as far as
    /// memory tells.
    pub(in crate::embedded) fn may_repeat(&self, digest: DedupeDigest, oldest: Timestamp) -> bool {
        let Some(hash) = hash_of(Some(digest), self.seed) else { return false };
        let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
        days.range(day_of(oldest)..).any(|(_, filter)| filter.may_hold(hash))
    }

    /// The events received after `oldest` that may have the same channel and dedupe key, the
    /// newest first.
    pub(in crate::embedded) fn repeats_of(
        &self,
        digest: DedupeDigest,
        oldest: Timestamp,
    ) -> rusqlite::Result<Vec<Seq>> {
        let Some(hash) = hash_of(Some(digest), self.seed) else { return Ok(Vec::new()) };
        let days: Vec<i64> = {
            let days = self.days.read().unwrap_or_else(PoisonError::into_inner);
            let may_hold =
                |(day, filter): (&i64, &Arc<Filter>)| filter.may_hold(hash).then_some(*day);
            days.range(day_of(oldest)..).rev().filter_map(may_hold).collect()
        };
        if days.is_empty() {
            return Ok(Vec::new());
        }
        self.reading(|connection| {
            let mut found = Vec::new();
            for day in days {
                match seqs_of(connection, day, hash) {
                    Ok(seqs) => found.extend(seqs),
                    // It was dropped since the days were read.
                    Err(_) if !self.has_day(day) => {}
                    Err(error) => return Err(error),
                }
            }
            found.sort_unstable_by(|a, b| b.cmp(a));
            Ok(found)
        })
    }
}

impl IndexWriter {
    /// Reads some more keys into the filter of a day that was there when the index was opened, or
    /// names into theirs; `false` when all filters are whole.
    pub(in crate::embedded) fn fill(&mut self) -> rusqlite::Result<bool> {
        let days = self.index.days.read().unwrap_or_else(PoisonError::into_inner).clone();
        // The newest first: nearly all repeats are of the last hours.
        let Some((day, filter)) = days.iter().rev().find(|(_, filter)| filter.is_filling()) else {
            return self.fill_names();
        };
        let from = self.filled.filter(|(of, _)| of == day).map_or(i64::MIN, |(_, next)| next);
        let table = dedupe_table(*day);
        let sql = format!("SELECT hash FROM {table} WHERE hash >= ?1 ORDER BY hash LIMIT ?2");
        let mut statement = self.connection.prepare_cached(&sql)?;
        let step = params![from, number(DEDUPE_FILTER_STEP_KEYS as u64)];
        let hashes: Vec<i64> =
            statement.query_map(step, |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let next = hashes.last().and_then(|hash| hash.checked_add(1));
        let ended = hashes.len() < DEDUPE_FILTER_STEP_KEYS;
        filter::insert(&days, *day, hashes);
        match next.filter(|_| !ended) {
            Some(next) => self.filled = Some((*day, next)),
            None => filter.whole(),
        }
        Ok(true)
    }
}

impl Index {
    fn has_day(&self, day: i64) -> bool {
        self.days.read().unwrap_or_else(PoisonError::into_inner).contains_key(&day)
    }
}

fn seqs_of(connection: &Connection, day: i64, hash: i64) -> rusqlite::Result<Vec<Seq>> {
    let sql = format!("SELECT seq FROM {} WHERE hash = ?1", dedupe_table(day));
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map([hash], |row| Ok(unsigned(row.get(0)?)))?;
    rows.collect()
}

/// Drops the tables of days that no window reaches any more when an event is received at `now`,
/// and answers which.
///
/// A clock may be wrong for a while: as many of the newest tables stay as a window has days,
/// whatever the time is said to be, so that keys are not forgotten because it jumped ahead.
pub(super) fn drop_old(
    transaction: &Transaction<'_>,
    days: &mut Days,
    now: Timestamp,
) -> rusqlite::Result<Vec<i64>> {
    let (first_kept, mut dropped) = (day_of(now) - DAYS_KEPT + 1, Vec::new());
    while days.len() as i64 > DAYS_KEPT
        && let Some(oldest) = days.first_entry()
    {
        let day = *oldest.key();
        if day >= first_kept {
            break;
        }
        oldest.remove();
        drop_day(transaction, day)?;
        dropped.push(day);
    }
    Ok(dropped)
}

/// Drops the table of a day.
pub(super) fn drop_day(transaction: &Transaction<'_>, day: i64) -> rusqlite::Result<()> {
    transaction.execute_batch(&format!("DROP TABLE {}", dedupe_table(day)))?;
    transaction.execute("DELETE FROM index_days WHERE day = ?1", [day])?;
    Ok(())
}

/// Inserts keys, each into the table of its day, in the order in which the tables hold them.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    days: &mut Days,
    mut rows: Vec<DedupeRow>,
) -> rusqlite::Result<()> {
    rows.sort_unstable();
    for day in rows.chunk_by(|a, b| a.day == b.day) {
        let Some(first) = day.first() else { continue };
        let table = dedupe_table(first.day);
        if let Entry::Vacant(day) = days.entry(first.day) {
            day.insert(Arc::default());
            transaction.execute_batch(&format!(
                "CREATE TABLE IF NOT EXISTS {table} (hash INTEGER, seq INTEGER,
                 PRIMARY KEY (hash, seq)) WITHOUT ROWID"
            ))?;
            let sql = "INSERT OR IGNORE INTO index_days VALUES (?1)";
            transaction.execute(sql, [first.day])?;
        }
        let mut statement =
            transaction.prepare_cached(&format!("INSERT INTO {table} VALUES (?1, ?2)"))?;
        for row in day {
            statement.execute(params![row.hash, number(row.seq)])?;
        }
        filter::insert(days, first.day, day.iter().map(|row| row.hash));
    }
    Ok(())
}

pub(super) fn day_of(time: Timestamp) -> i64 {
    time.unix_ms().div_euclid(DAY_MS)
}

fn hash_of(digest: Option<DedupeDigest>, seed: u64) -> Option<i64> {
    Some(hash::seeded(seed, &[&digest?]))
}
