//! When the events of each part of the log were received, so that a list by time looks into the
//! parts that may hold some, and into no others.
//!
//! Events are stored nearly in the order in which they were received, but not quite: one that was
//! released or came slowly is late, and after a clock that was ahead all are earlier than the one
//! before them. Each of these widens what is looked through by its part, and no more.

use super::{
    find::{Order, Span},
    number, unsigned,
};
use crate::{Seq, log::Committed};
use rusqlite::{Connection, Row, Transaction, params};
use std::collections::BTreeMap;

/// So many places of the log make one part.
pub(super) const PART_EVENTS: u64 = 1_024;

/// What is kept of a part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    /// Its first and last event.
    first: Seq,
    last: Seq,
    /// When they were received at the earliest, and at the latest, in milliseconds.
    oldest: i64,
    newest: i64,
}

/// Notes when these events were received.
pub(super) fn note<'a>(
    transaction: &Transaction<'_>,
    entries: impl Iterator<Item = &'a Committed>,
) -> rusqlite::Result<()> {
    let mut parts: BTreeMap<u64, Part> = BTreeMap::new();
    for Committed { seq, created_at, .. } in entries {
        let (seq, ms) = (*seq, created_at.unix_ms());
        let one = Part { first: seq, last: seq, oldest: ms, newest: ms };
        let part = parts.entry(part_of(seq)).or_insert(one);
        part.last = seq;
        part.oldest = part.oldest.min(ms);
        part.newest = part.newest.max(ms);
    }
    let sql = "INSERT INTO index_times VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (part) DO UPDATE
         SET last = excluded.last, oldest = min(oldest, excluded.oldest),
         newest = max(newest, excluded.newest)";
    let mut statement = transaction.prepare_cached(sql)?;
    for (part, Part { first, last, oldest, newest }) in parts {
        statement.execute(params![number(part), number(first), number(last), oldest, newest])?;
    }
    Ok(())
}

/// Gives the runs of a span that may hold events of its times, in their order, until one says that
/// it is enough.
pub(super) fn runs(
    connection: &Connection,
    span: Span,
    order: Order,
    mut look: impl FnMut(Span) -> rusqlite::Result<More>,
) -> rusqlite::Result<()> {
    if span.since.is_none() && span.until.is_none() {
        return look(span).map(drop);
    }
    let sql = format!(
        "SELECT first, last FROM index_times WHERE part BETWEEN ?1 AND ?2 AND newest >= ?3
         AND oldest < ?4 ORDER BY part {}",
        order.sql()
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let (first, last) = (number(part_of(span.first)), number(part_of(span.last)));
    let mut rows = statement.query(params![first, last, span.since_ms(), span.until_ms()])?;
    let mut run: Option<Span> = None;
    loop {
        let next = rows.next()?.map(|row| span.within(row)).transpose()?;
        run = match (run, next) {
            (Some(run), Some(next)) if run.meets(next) => Some(run.with(next)),
            (Some(run), next) => {
                if look(run)? == More::No {
                    return Ok(());
                }
                next
            }
            (None, Some(next)) => Some(next),
            (None, None) => return Ok(()),
        };
    }
}

/// Whether more is looked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum More {
    Yes,
    No,
}

impl Span {
    /// What it has of a part.
    fn within(self, row: &Row<'_>) -> rusqlite::Result<Self> {
        let (first, last) = (unsigned(row.get(0)?), unsigned(row.get(1)?));
        Ok(Self { first: self.first.max(first), last: self.last.min(last), ..self })
    }

    /// Whether no part is between it and another one.
    fn meets(self, other: Self) -> bool {
        part_of(self.last) + 1 == part_of(other.first)
            || part_of(other.last) + 1 == part_of(self.first)
    }

    fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last), ..self }
    }
}

/// Takes away everything after `head`.
pub(super) fn cut_back(transaction: &Transaction<'_>, head: Seq) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM index_times WHERE first > ?1", [number(head)])?;
    // When the others of its last part were received is still true, if not all of it is needed.
    transaction
        .execute("UPDATE index_times SET last = ?1 WHERE last > ?1", [number(head)])
        .map(drop)
}

fn part_of(seq: Seq) -> u64 {
    seq / PART_EVENTS
}
