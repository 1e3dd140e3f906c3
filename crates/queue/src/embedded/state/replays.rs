//! Replays: a row for each, and while it runs the rows of a subscription's deliveries, under a
//! generation of its own.

use super::State;
use crate::{
    ReplaySpec, ReplayState, Seq,
    embedded::index::{number, unsigned},
    subscription::{Kept, Place, Ranges},
};
use headgate_event::{EventId, Timestamp, limits::REPLAYS_KEPT_MAX};
use rusqlite::{
    Connection, OpenFlags, OptionalExtension, Row as SqlRow, Transaction, params, types::Type,
};
use std::path::Path;

/// A replay as it is kept.
#[derive(Clone, Debug)]
pub(in crate::embedded) struct ReplayRow {
    /// What its delivery ids have for a generation.
    pub(in crate::embedded) generation: u64,
    pub(in crate::embedded) id: EventId,
    /// The generation of the subscription.
    pub(in crate::embedded) of: u64,
    pub(in crate::embedded) spec: ReplaySpec,
    pub(in crate::embedded) created_at: Timestamp,
    pub(in crate::embedded) first: Seq,
    pub(in crate::embedded) last: Seq,
    pub(in crate::embedded) matched: Option<u64>,
    pub(in crate::embedded) state: ReplayState,
    pub(in crate::embedded) acked: u64,
    pub(in crate::embedded) dead: u64,
    pub(in crate::embedded) ended_at: Option<Timestamp>,
}

const COLUMNS: &str = "generation, id, subscription, spec, created_at, first, last, matched, state,
     acked, dead, ended_at";

impl State {
    /// The replays that run, with what is kept of their deliveries.
    pub(in crate::embedded) fn running_replays(&self) -> rusqlite::Result<Vec<(ReplayRow, Kept)>> {
        let query = format!("SELECT {COLUMNS} FROM state_replays WHERE state = 'running'");
        let mut statement = self.connection.prepare(&query)?;
        let rows: Vec<ReplayRow> =
            statement.query_map([], read)?.collect::<rusqlite::Result<_>>()?;
        rows.into_iter()
            .map(|row| {
                let kept = self.kept_of(&row)?;
                Ok((row, kept))
            })
            .collect()
    }

    /// How each replay that is kept ended, by its generation.
    pub(in crate::embedded) fn ended_replays(&self) -> rusqlite::Result<Vec<(u64, ReplayState)>> {
        let query = "SELECT generation, state FROM state_replays WHERE state <> 'running'";
        let mut statement = self.connection.prepare(query)?;
        let rows = statement.query_map([], |row| Ok((unsigned(row.get(0)?), state(row, 1)?)))?;
        rows.collect()
    }

    fn kept_of(&self, row: &ReplayRow) -> rusqlite::Result<Kept> {
        let query = "SELECT floor, settled, dead, highest FROM state_places WHERE generation = ?1";
        let place = self.connection.query_row(query, [number(row.generation)], |row| {
            let (floor, settled): (_, Vec<u8>) = (unsigned(row.get(0)?), row.get(1)?);
            Ok((floor, settled, unsigned(row.get(2)?), row.get(3)?))
        });
        let (floor, settled, dead, highest) = place?;
        let damaged = || -> rusqlite::Error {
            let reason = "the settled ranges of a replay are damaged";
            rusqlite::Error::FromSqlConversionFailure(1, Type::Blob, reason.into())
        };
        let settled = Ranges::from_bytes(floor, &settled).ok_or_else(damaged)?;
        Ok(Kept {
            start: row.first - 1,
            place: Place { floor, settled },
            deferred: self.deferred(row.generation)?,
            dead,
            expired: 0,
            earlier: super::redriven::earlier(&self.connection, row.generation)?,
            highest,
        })
    }
}

/// The number that the delivery ids of the next replay have for a generation: no subscription has
/// or will have it.
pub(in crate::embedded) fn next_generation(transaction: &Transaction<'_>) -> rusqlite::Result<u64> {
    let sql = "UPDATE sqlite_sequence SET seq = seq + 1 WHERE name = 'state_subscriptions'
         RETURNING seq";
    transaction.query_row(sql, [], |row| row.get(0).map(unsigned))
}

/// Begins a replay.
pub(in crate::embedded) fn insert_replay(
    transaction: &Transaction<'_>,
    row: &ReplayRow,
    place: &Place,
) -> rusqlite::Result<()> {
    let spec = serde_json::to_string(&row.spec)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
    transaction.execute(
        "INSERT INTO state_replays VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, 0, NULL)",
        params![
            number(row.generation),
            row.id.to_bytes(),
            number(row.of),
            spec,
            row.created_at.unix_ms(),
            number(row.first),
            number(row.last),
            row.matched.map(number),
            row.state.as_str(),
        ],
    )?;
    transaction.execute(
        "INSERT INTO state_places (generation, floor, settled, dead, expired)
         VALUES (?1, ?2, ?3, 0, 0)",
        params![number(row.generation), number(place.floor), place.settled.to_bytes(place.floor)],
    )?;
    Ok(())
}

/// Ends a replay, and forgets the oldest of those that ended before.
pub(in crate::embedded) fn end_replay(
    transaction: &Transaction<'_>,
    generation: u64,
    state: ReplayState,
    now: Timestamp,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE state_replays SET state = ?2, ended_at = ?3, dead = coalesce(
             (SELECT dead FROM state_places WHERE generation = ?1), 0)
         WHERE generation = ?1 AND state = 'running'",
        params![number(generation), state.as_str(), now.unix_ms()],
    )?;
    forget_places(transaction, generation)?;
    transaction.execute(
        "DELETE FROM state_replays WHERE generation IN (
             SELECT generation FROM state_replays WHERE state <> 'running'
             ORDER BY generation DESC LIMIT -1 OFFSET ?1)",
        [number(REPLAYS_KEPT_MAX as u64)],
    )?;
    Ok(())
}

/// Forgets the replays of a subscription.
pub(in crate::embedded) fn forget_replays(
    transaction: &Transaction<'_>,
    of: u64,
) -> rusqlite::Result<()> {
    let query = "SELECT generation FROM state_replays WHERE subscription = ?1";
    let mut statement = transaction.prepare(query)?;
    let replays = statement.query_map([number(of)], |row| row.get(0).map(unsigned))?;
    for generation in replays.collect::<rusqlite::Result<Vec<u64>>>()? {
        forget_places(transaction, generation)?;
    }
    transaction.execute("DELETE FROM state_replays WHERE subscription = ?1", [number(of)])?;
    Ok(())
}

/// Cancels every replay that runs, because the log lacks what they would give.
pub(super) fn cancel_all(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    let running = "SELECT generation FROM state_replays WHERE state = 'running'";
    for table in ["state_places", "state_deferred", "state_redriven"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE generation IN ({running})"), [])?;
    }
    let cancel = "UPDATE state_replays SET state = 'cancelled', ended_at = created_at
         WHERE state = 'running'";
    transaction.execute(cancel, [])?;
    Ok(())
}

fn forget_places(transaction: &Transaction<'_>, generation: u64) -> rusqlite::Result<()> {
    for table in ["state_places", "state_deferred", "state_redriven"] {
        let sql = format!("DELETE FROM {table} WHERE generation = ?1");
        transaction.execute(&sql, [number(generation)])?;
    }
    Ok(())
}

/// All replays that are kept, the newest first; by a connection of its own.
pub(in crate::embedded) fn replays(path: &Path) -> rusqlite::Result<Vec<ReplayRow>> {
    let connection = look(path)?;
    let query = format!("SELECT {COLUMNS} FROM state_replays ORDER BY generation DESC");
    let mut statement = connection.prepare(&query)?;
    let rows = statement.query_map([], read)?;
    rows.collect()
}

/// The replay of this id; by a connection of its own.
pub(in crate::embedded) fn replay(path: &Path, id: EventId) -> rusqlite::Result<Option<ReplayRow>> {
    let query = format!("SELECT {COLUMNS} FROM state_replays WHERE id = ?1");
    look(path)?.query_row(&query, [id.to_bytes()], read).optional()
}

fn look(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags(path, flags)
}

fn read(row: &SqlRow<'_>) -> rusqlite::Result<ReplayRow> {
    let spec: String = row.get(3)?;
    let spec = serde_json::from_str(&spec).map_err(|error| damaged(3, error.into()))?;
    let moment = |ms: i64| Timestamp::from_unix_ms(ms);
    Ok(ReplayRow {
        generation: unsigned(row.get(0)?),
        id: EventId::from_bytes(row.get(1)?),
        of: unsigned(row.get(2)?),
        spec,
        created_at: moment(row.get(4)?),
        first: unsigned(row.get(5)?),
        last: unsigned(row.get(6)?),
        matched: row.get::<_, Option<i64>>(7)?.map(unsigned),
        state: state(row, 8)?,
        acked: unsigned(row.get(9)?),
        dead: unsigned(row.get(10)?),
        ended_at: row.get::<_, Option<i64>>(11)?.map(moment),
    })
}

fn state(row: &SqlRow<'_>, column: usize) -> rusqlite::Result<ReplayState> {
    let word: String = row.get(column)?;
    let all = [ReplayState::Running, ReplayState::Done, ReplayState::Cancelled];
    let known = all.into_iter().find(|state| state.as_str() == word);
    known.ok_or_else(|| damaged(column, "it is no state of a replay".into()))
}

fn damaged(column: usize, error: Box<dyn std::error::Error + Send + Sync>) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Text, error)
}
