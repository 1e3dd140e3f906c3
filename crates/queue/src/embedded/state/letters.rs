//! Reading dead letters, with a connection of its own: the one of the state belongs to its writer,
//! whom nobody who only looks may hold up.

use crate::{
    DeadLetter, DeadLetterQuery, DeliveryId,
    embedded::index::{number, unsigned},
    subscription::Subscriber,
};
use headgate_event::Timestamp;
use rusqlite::{Connection, OpenFlags, params};
use std::path::Path;

/// Up to `limit` dead letters of a subscription, those of the newest events first, without the
/// ids of their events.
pub(in crate::embedded) fn dead_letters(
    path: &Path,
    known: &Subscriber,
    query: DeadLetterQuery,
) -> rusqlite::Result<Vec<DeadLetter>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let sql = "SELECT seq, reason, attempts, last_error, at FROM state_dead_letters
         WHERE generation = ?1 AND seq < ?2 ORDER BY seq DESC LIMIT ?3";
    let mut statement = connection.prepare(sql)?;
    let (before, limit) = (query.before.map_or(i64::MAX, number), number(query.limit as u64));
    let rows = statement.query_map(params![number(known.generation()), before, limit], |row| {
        let (seq, attempts) = (unsigned(row.get(0)?), row.get(2)?);
        let (subscription, generation) = (known.name().to_owned(), known.generation());
        Ok(DeadLetter {
            delivery: DeliveryId { subscription, generation, seq, attempt: attempts },
            event_id: None,
            reason: row.get(1)?,
            attempts,
            last_error: row.get(3)?,
            at: Timestamp::from_unix_ms(row.get(4)?),
        })
    })?;
    rows.collect()
}
