//! Dead letters: forgetting the oldest of those whose events are gone, and reading them, with a
//! connection of its own: the one of the state belongs to its writer, whom nobody who only looks
//! may hold up.

use super::State;
use crate::{
    DeadLetter, DeadLetterQuery, DeliveryId, Seq,
    embedded::index::{number, unsigned},
    subscription::Subscriber,
};
use headgate_event::{
    EventId, Timestamp,
    limits::{EXPIRED_PER_COMMIT_MAX, LETTERS_WITHOUT_EVENT_MAX},
};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::path::Path;

impl State {
    /// Notes the ids of events in letters that an older version wrote without them.
    pub(in crate::embedded) fn name_letters(
        &mut self,
        id_of: impl Fn(Seq) -> Option<EventId>,
    ) -> rusqlite::Result<()> {
        let query = "SELECT DISTINCT seq FROM state_dead_letters WHERE event_id IS NULL";
        let seqs: Vec<i64> = {
            let mut statement = self.connection.prepare(query)?;
            statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?
        };
        self.change(|transaction| {
            let sql = "UPDATE state_dead_letters SET event_id = ?2
                 WHERE seq = ?1 AND event_id IS NULL";
            for seq in seqs {
                if let Some(id) = id_of(unsigned(seq)) {
                    transaction.prepare_cached(sql)?.execute(params![seq, id.to_bytes()])?;
                }
            }
            Ok(())
        })
    }
}

/// Forgets the oldest letters of a subscription whose events are at most this one, so that the
/// newest of them stay: so many at a time, the rest with the next call.
pub(in crate::embedded) fn forget_letters(
    transaction: &Transaction<'_>,
    generation: u64,
    upto: Seq,
) -> rusqlite::Result<()> {
    let sql = "DELETE FROM state_dead_letters WHERE generation = ?1 AND seq IN (
             SELECT seq FROM state_dead_letters WHERE generation = ?1 AND seq <= (
                 SELECT seq FROM state_dead_letters WHERE generation = ?1 AND seq <= ?2
                 ORDER BY seq DESC LIMIT 1 OFFSET ?3)
             ORDER BY seq LIMIT ?4)";
    transaction.execute(
        sql,
        params![
            number(generation),
            number(upto),
            number(LETTERS_WITHOUT_EVENT_MAX as u64),
            number(EXPIRED_PER_COMMIT_MAX as u64)
        ],
    )?;
    Ok(())
}

/// Up to `limit` dead letters of a subscription, those of the newest events first. Some of an
/// older version have no id of their event.
pub(in crate::embedded) fn dead_letters(
    path: &Path,
    known: &Subscriber,
    query: DeadLetterQuery,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let sql = "SELECT seq, reason, attempts, last_error, at, event_id, coalesce(given, generation)
         FROM state_dead_letters
         WHERE generation = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
    let mut statement = connection.prepare(sql)?;
    let (before, limit) = (query.before.map_or(i64::MAX, number), number(query.limit as u64));
    let rows = statement.query_map(params![number(known.generation()), before, limit], |row| {
        let (seq, attempts) = (unsigned(row.get(0)?), row.get(2)?);
        let (subscription, generation) = (known.name().to_owned(), unsigned(row.get(6)?));
        Ok(DeadLetter {
            delivery: DeliveryId { subscription, generation, seq, attempt: attempts },
            event_id: row.get::<_, Option<_>>(5)?.map(EventId::from_bytes),
            reason: row.get(1)?,
            attempts,
            last_error: row.get(3)?,
            at: Timestamp::from_unix_ms(row.get(4)?),
        })
    })?;
    rows.collect()
}
