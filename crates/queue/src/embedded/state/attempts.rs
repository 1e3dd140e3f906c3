//! What came of attempts: the newest of all subscriptions, in two rings.

use crate::{
    Attempt, Seq,
    attempt::NotedAttempt,
    embedded::index::{number, unsigned},
};
use headgate_event::{
    Timestamp,
    limits::{ATTEMPTS_KEPT_MAX, ATTEMPTS_SHOWN_MAX},
};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// The numbers of the next attempts; none before the first is written.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::embedded) struct Ring {
    /// Of those that worked and of those that failed.
    next: Option<[u64; 2]>,
}

impl Ring {
    /// The place of the next attempt, and its number.
    fn place(
        &mut self,
        transaction: &Transaction<'_>,
        kind: usize,
    ) -> rusqlite::Result<(u64, u64)> {
        let mut next = match self.next {
            Some(next) => next,
            None => [last(transaction, 0)?, last(transaction, 1)?].map(|last| last + 1),
        };
        let Some(one) = next.get_mut(kind) else { return Ok((0, 0)) };
        let number = *one;
        *one += 1;
        self.next = Some(next);
        Ok((2 * (number % ATTEMPTS_KEPT_MAX) + kind as u64, number))
    }
}

fn last(transaction: &Transaction<'_>, kind: i64) -> rusqlite::Result<u64> {
    let sql = "SELECT coalesce(max(number), 0) FROM state_attempts WHERE place % 2 = ?1";
    transaction.query_row(sql, [kind], |row| row.get(0).map(unsigned))
}

/// Keeps attempts in the places of the oldest, each with the generation of its subscription.
pub(in crate::embedded) fn note_attempts(
    transaction: &Transaction<'_>,
    ring: &mut Ring,
    noted: &[(u64, NotedAttempt)],
) -> rusqlite::Result<()> {
    if noted.is_empty() {
        return Ok(());
    }
    let sql = "INSERT OR REPLACE INTO state_attempts
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
    let mut keep = transaction.prepare_cached(sql)?;
    for (generation, NotedAttempt { seq, attempt }) in noted {
        let kind = usize::from(attempt.error.is_some());
        let (place, at) = ring.place(transaction, kind)?;
        keep.execute(params![
            number(place),
            number(at),
            number(*generation),
            number(*seq),
            attempt.attempt,
            attempt.at.unix_ms(),
            number(attempt.took_ms),
            attempt.outcome,
            attempt.status,
            attempt.answer.as_ref().map(String::as_bytes),
            attempt.error,
        ])?;
    }
    Ok(())
}

/// The attempts that are kept of one event, by the generation of their subscription.
pub(in crate::embedded) fn attempts_of(
    path: &Path,
    seq: Seq,
) -> rusqlite::Result<BTreeMap<u64, Vec<Attempt>>> {
    let connection = reader(path)?;
    let sql = "SELECT generation, attempt, at, took_ms, outcome, status, answer, error
         FROM state_attempts WHERE seq = ?1 ORDER BY generation, at, attempt LIMIT ?2";
    let mut statement = connection.prepare(sql)?;
    let most = number(ATTEMPTS_SHOWN_MAX as u64);
    let mut rows = statement.query(params![number(seq), most])?;
    let mut found: BTreeMap<u64, Vec<Attempt>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let answer: Option<Vec<u8>> = row.get(6)?;
        found.entry(unsigned(row.get(0)?)).or_default().push(Attempt {
            attempt: row.get(1)?,
            at: Timestamp::from_unix_ms(row.get(2)?),
            took_ms: unsigned(row.get(3)?),
            outcome: row.get(4)?,
            status: row.get(5)?,
            answer: answer.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()),
            error: row.get(7)?,
        });
    }
    Ok(found)
}

/// The generations of the subscriptions that have a dead letter of an event.
pub(in crate::embedded) fn dead_of(path: &Path, seq: Seq) -> rusqlite::Result<BTreeSet<u64>> {
    let connection = reader(path)?;
    let sql = "SELECT generation FROM state_dead_letters WHERE seq = ?1";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([number(seq)], |row| row.get(0).map(unsigned))?;
    rows.collect()
}

fn reader(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}
