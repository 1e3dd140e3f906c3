//! Names that belong to one event of an application: a row for each, in parts of the log like keys.
//!
//! A name is looked for in every part, because nothing says when its event was stored. Nearly all
//! that come are new, so a [filter](super::filter) of all names says without a look that there is
//! none; where its memory ends, the parts are looked at.

use super::{Index, IndexWriter, filter::Filter, hash, keys::part_of, number, unsigned};
use crate::{
    Seq,
    log::{Committed, NameDigest},
};
use headgate_event::limits::{DEDUPE_FILTER_STEP_KEYS, NAME_FILTER_BYTES_MAX};
use rusqlite::{Transaction, params};

/// One name of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct NameRow {
    part: u64,
    hash: i64,
    seq: Seq,
}

/// How far the names of the file were read into the filter: a part, and a hash in it.
pub(super) type NamesRead = (i64, i64);

impl NameRow {
    /// The names that an event has.
    pub(super) fn of(entry: &Committed, seed: u64) -> impl Iterator<Item = Self> {
        let (seq, part) = (entry.seq, part_of(entry.seq));
        entry.keys.names.iter().map(move |name| Self { part, hash: hash_of(seed, name), seq })
    }
}

impl Index {
    /// Whether an event may have a name, as far as memory tells.
    pub(in crate::embedded) fn may_be_named(&self, name: &NameDigest) -> bool {
        self.names.may_hold(hash_of(self.seed, name))
    }

    /// The events from `first` on that may have a name, the newest first. Hashes may be shared:
    /// who reads the events compares their names.
    pub(in crate::embedded) fn named(
        &self,
        name: &NameDigest,
        first: Seq,
    ) -> rusqlite::Result<Vec<Seq>> {
        let (hash, parts) = (hash_of(self.seed, name), part_of(first)..=part_of(self.last()));
        if !self.names.may_hold(hash) {
            return Ok(Vec::new());
        }
        self.reading(|connection| {
            let sql = "SELECT seq FROM index_names WHERE part = ?1 AND hash = ?2 ORDER BY seq DESC";
            let mut statement = connection.prepare_cached(sql)?;
            let mut found = Vec::new();
            for part in parts.rev() {
                let rows = statement.query_map([number(part), hash], |row| row.get(0))?;
                for seq in rows {
                    found.push(unsigned(seq?));
                }
            }
            Ok(found)
        })
    }
}

impl IndexWriter {
    /// Reads some more names into their filter; `false` when it is whole.
    pub(super) fn fill_names(&mut self) -> rusqlite::Result<bool> {
        let filter = &self.index.names;
        if !filter.is_filling() {
            return Ok(false);
        }
        let (part, hash) = self.names_read.unwrap_or((i64::MIN, i64::MIN));
        let sql = "SELECT part, hash FROM index_names WHERE (part, hash) > (?1, ?2)
             ORDER BY part, hash LIMIT ?3";
        let mut statement = self.connection.prepare_cached(sql)?;
        let step = params![part, hash, number(DEDUPE_FILTER_STEP_KEYS as u64)];
        let rows = statement.query_map(step, |row| Ok((row.get(0)?, row.get(1)?)))?;
        let read: Vec<NamesRead> = rows.collect::<rusqlite::Result<_>>()?;
        read.iter().for_each(|(_, hash)| take(filter, *hash));
        self.names_read = read.last().copied();
        if read.len() < DEDUPE_FILTER_STEP_KEYS {
            filter.whole();
        }
        Ok(true)
    }
}

/// Inserts names in the order in which the table holds them, and into their filter.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    filter: &Filter,
    mut rows: Vec<NameRow>,
) -> rusqlite::Result<()> {
    rows.sort_unstable();
    // Two names of one event may have the same hash.
    rows.dedup();
    let sql = "INSERT INTO index_names VALUES (?1, ?2, ?3)";
    let mut statement = transaction.prepare_cached(sql)?;
    for NameRow { part, hash, seq } in rows {
        statement.execute(params![number(part), hash, number(seq)])?;
        take(filter, hash);
    }
    Ok(())
}

fn take(filter: &Filter, hash: i64) {
    filter.insert(hash, || NAME_FILTER_BYTES_MAX.saturating_sub(filter.bytes()));
}

/// Takes away the rows of everything after `head`.
pub(super) fn cut_back(transaction: &Transaction<'_>, head: Seq) -> rusqlite::Result<()> {
    let sql = "DELETE FROM index_names WHERE part >= ?1 AND seq > ?2";
    transaction.execute(sql, [number(part_of(head)), number(head)])?;
    Ok(())
}

fn hash_of(seed: u64, name: &NameDigest) -> i64 {
    hash::seeded(seed, &[b"name", &[0xff], name])
}
