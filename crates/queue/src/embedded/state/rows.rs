//! The rows of the state: reading all subscriptions, writing what changed.

use super::{
    State,
    redriven::{earlier, write_redriven},
    replays::{cancel_all, forget_replays},
};
use crate::{
    Seq, SubscriptionSpec,
    embedded::index::{number, unsigned},
    subscription::{Changes, Deferred, Kept, Place, Ranges},
};
use headgate_event::{EventId, Timestamp};
use rusqlite::{Transaction, params, types::Type};
use std::collections::BTreeMap;

/// A subscription as it is kept.
#[derive(Debug)]
pub(in crate::embedded) struct Row {
    pub(in crate::embedded) generation: u64,
    pub(in crate::embedded) spec: SubscriptionSpec,
    pub(in crate::embedded) created_at: Timestamp,
    pub(in crate::embedded) kept: Kept,
}

impl State {
    /// All subscriptions.
    pub(in crate::embedded) fn subscriptions(&self) -> rusqlite::Result<Vec<Row>> {
        let expired = if self.version < 2 { "0" } else { "expired" };
        let highest = if self.version < 5 { "0" } else { "highest" };
        let query = format!(
            "SELECT generation, spec, created_at, start, floor, settled, dead, {expired}, {highest}
             FROM state_subscriptions JOIN state_places USING (generation) ORDER BY generation"
        );
        let mut statement = self.connection.prepare(&query)?;
        let rows = statement.query_map([], read)?;
        rows.map(|row| {
            let mut row = row?;
            row.kept.deferred = self.deferred(row.generation)?;
            if self.version >= 4 {
                row.kept.earlier = earlier(&self.connection, row.generation)?;
            }
            Ok(row)
        })
        .collect()
    }

    pub(super) fn deferred(&self, generation: u64) -> rusqlite::Result<Vec<Deferred>> {
        let thread = if self.version < 4 { "NULL" } else { "thread" };
        let query = format!(
            "SELECT seq, attempt, due, last_error, {thread} FROM state_deferred
             WHERE generation = ?1"
        );
        let mut statement = self.connection.prepare_cached(&query)?;
        let rows = statement.query_map([number(generation)], |row| {
            Ok(Deferred {
                seq: unsigned(row.get(0)?),
                attempt: row.get(1)?,
                due: Timestamp::from_unix_ms(row.get(2)?),
                last_error: row.get(3)?,
                thread: row.get(4)?,
            })
        })?;
        rows.collect()
    }
}

impl Row {
    /// The newest event that it has seen.
    fn seen(&self) -> Seq {
        let Kept { start, place, deferred, .. } = &self.kept;
        let settled = place.settled.iter().last().map_or(0, |(_, last)| last);
        let deferred = deferred.iter().map(|one| one.seq).max().unwrap_or(0);
        settled.max(deferred).max(place.floor).max(*start)
    }
}

impl State {
    /// The newest event that a subscription or retention has seen, when it is newer than `head`.
    pub(in crate::embedded) fn seen_after(&self, head: Seq) -> rusqlite::Result<Option<Seq>> {
        let kept = self.kept_from()?.checked_sub(1);
        let known = kept.into_iter().chain([self.newest()?]);
        let seen = self.subscriptions()?.iter().map(Row::seen).chain(known).max();
        Ok(seen.filter(|seen| *seen > head))
    }

    /// Takes every subscription back to `head`, because the log does not have what came after it.
    ///
    /// They get new generations: other events will have those places, and an answer that still
    /// comes for a lost one must not settle them.
    pub(in crate::embedded) fn cut_back(&mut self, head: Seq) -> rusqlite::Result<()> {
        let rows = self.subscriptions()?;
        self.change(|transaction| {
            cancel_all(transaction)?;
            for Row { generation, spec, created_at, kept } in rows {
                let delete = "DELETE FROM state_subscriptions WHERE generation = ?1";
                transaction.execute(delete, [number(generation)])?;
                let renewed = insert(transaction, &spec, created_at, kept.start.min(head))?;
                let delete = "DELETE FROM state_places WHERE generation = ?1";
                transaction.execute(delete, [number(renewed)])?;
                for table in RENEWED {
                    let renew = format!("UPDATE {table} SET generation = ?2 WHERE generation = ?1");
                    transaction.execute(&renew, [number(generation), number(renewed)])?;
                }
                let place = kept.place.cut_back(head);
                let lost = kept.deferred.iter().map(|one| one.seq).filter(|seq| *seq > head);
                let changes = Changes { place, ended: lost.collect(), ..Changes::default() };
                write(transaction, Owner::of(renewed), &changes, &|_| None)?;
            }
            let first = number(head + 1);
            transaction.execute("UPDATE state_kept SET kept = min(kept, ?1)", [first])?;
            let newest = "UPDATE state_newest SET seq = min(seq, ?1)";
            transaction.execute(newest, [number(head)])?;
            transaction.execute("DELETE FROM state_erasures WHERE seq >= ?1", [first])?;
            transaction.execute("DELETE FROM state_attempts WHERE seq >= ?1", [first])?;
            Ok(())
        })
    }
}

/// The tables whose rows go over to another generation of their subscription.
const RENEWED: [&str; 4] =
    ["state_places", "state_deferred", "state_dead_letters", "state_redriven"];

/// Whose deliveries move.
#[derive(Clone, Copy, Debug)]
pub(in crate::embedded) struct Owner {
    /// The generation of the subscription or the replay.
    pub(in crate::embedded) generation: u64,
    /// The generation that letters are kept under: that of the subscription.
    pub(in crate::embedded) letters: u64,
}

impl Owner {
    fn of(generation: u64) -> Self {
        Self { generation, letters: generation }
    }

    fn is_replay(self) -> bool {
        self.generation != self.letters
    }
}

/// Makes a subscription that begins after `start`, and answers its generation.
pub(in crate::embedded) fn insert(
    transaction: &Transaction<'_>,
    spec: &SubscriptionSpec,
    created_at: Timestamp,
    start: Seq,
) -> rusqlite::Result<u64> {
    transaction.execute(
        "INSERT INTO state_subscriptions (name, spec, created_at, start) VALUES (?1, ?2, ?3, ?4)",
        params![spec.name, text(spec)?, created_at.unix_ms(), number(start)],
    )?;
    let generation = transaction.last_insert_rowid();
    transaction.execute(
        "INSERT INTO state_places (generation, floor, settled, dead) VALUES (?1, ?2, x'', 0)",
        params![generation, number(start)],
    )?;
    Ok(unsigned(generation))
}

/// Changes what a subscription asks for.
pub(in crate::embedded) fn update(
    transaction: &Transaction<'_>,
    generation: u64,
    spec: &SubscriptionSpec,
) -> rusqlite::Result<()> {
    transaction.execute(
        "UPDATE state_subscriptions SET spec = ?2 WHERE generation = ?1",
        params![number(generation), text(spec)?],
    )?;
    Ok(())
}

/// Forgets a subscription.
pub(in crate::embedded) fn delete(
    transaction: &Transaction<'_>,
    generation: u64,
) -> rusqlite::Result<()> {
    forget_replays(transaction, generation)?;
    for table in RENEWED.into_iter().chain(["state_subscriptions"]) {
        let sql = format!("DELETE FROM {table} WHERE generation = ?1");
        transaction.execute(&sql, [number(generation)])?;
    }
    Ok(())
}

/// Writes what the moves of a subscription or a replay changed. Letters are given the ids of their
/// events. Answers how many letters a replay has added to those of its subscription.
pub(in crate::embedded) fn write(
    transaction: &Transaction<'_>,
    owner: Owner,
    changes: &Changes,
    id_of: &dyn Fn(Seq) -> Option<EventId>,
) -> rusqlite::Result<u64> {
    let generation = number(owner.generation);
    let Changes { place, deferred, ended, died, expired, highest, .. } = changes;
    let sql = "UPDATE state_places SET floor = ?2, settled = ?3, dead = dead + ?4,
         expired = expired + ?5, highest = max(highest, ?6) WHERE generation = ?1";
    let settled = place.settled.to_bytes(place.floor);
    transaction.prepare_cached(sql)?.execute(params![
        generation,
        number(place.floor),
        settled,
        number(*died),
        number(*expired),
        highest
    ])?;
    for Deferred { seq, attempt, due, last_error, thread } in deferred {
        let sql = "INSERT OR REPLACE INTO state_deferred VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
        let row = params![generation, number(*seq), attempt, due.unix_ms(), last_error, thread];
        transaction.prepare_cached(sql)?.execute(row)?;
    }
    for seq in ended {
        let sql = "DELETE FROM state_deferred WHERE generation = ?1 AND seq = ?2";
        transaction.prepare_cached(sql)?.execute(params![generation, number(*seq)])?;
    }
    write_redriven(transaction, owner.generation, changes)?;
    let added = write_letters(transaction, owner, changes, id_of)?;
    if owner.is_replay() {
        let sql = "UPDATE state_replays SET acked = acked + ?2 WHERE generation = ?1";
        transaction.prepare_cached(sql)?.execute([generation, number(changes.acked)])?;
        let sql = "UPDATE state_places SET dead = dead + ?2 WHERE generation = ?1";
        transaction.prepare_cached(sql)?.execute([number(owner.letters), number(added)])?;
    }
    Ok(added)
}

/// Writes the letters; answers how many of a replay are for events that had none.
fn write_letters(
    transaction: &Transaction<'_>,
    owner: Owner,
    changes: &Changes,
    id_of: &dyn Fn(Seq) -> Option<EventId>,
) -> rusqlite::Result<u64> {
    let mut added = 0;
    for letter in &changes.dead {
        let known = "SELECT EXISTS (SELECT 1 FROM state_dead_letters
             WHERE generation = ?1 AND seq = ?2)";
        if owner.is_replay() {
            let place = [number(owner.letters), number(letter.seq)];
            let known: bool =
                transaction.prepare_cached(known)?.query_row(place, |row| row.get(0))?;
            added += u64::from(!known);
        }
        let sql =
            "INSERT OR REPLACE INTO state_dead_letters VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";
        transaction.prepare_cached(sql)?.execute(params![
            number(owner.letters),
            number(letter.seq),
            letter.reason.as_str(),
            letter.attempts,
            letter.last_error,
            letter.at.unix_ms(),
            id_of(letter.seq).map(EventId::to_bytes),
            owner.is_replay().then(|| number(owner.generation)),
        ])?;
    }
    Ok(added)
}

fn read(row: &rusqlite::Row<'_>) -> rusqlite::Result<Row> {
    let spec: String = row.get(1)?;
    let damaged = |column, kind, error: Box<dyn std::error::Error + Send + Sync>| {
        rusqlite::Error::FromSqlConversionFailure(column, kind, error)
    };
    let spec = serde_json::from_str(&spec).map_err(|error| damaged(1, Type::Text, error.into()))?;
    let floor = unsigned(row.get(4)?);
    let settled: Vec<u8> = row.get(5)?;
    let settled = Ranges::from_bytes(floor, &settled)
        .ok_or_else(|| damaged(5, Type::Blob, "the settled ranges are damaged".into()))?;
    Ok(Row {
        generation: unsigned(row.get(0)?),
        spec,
        created_at: Timestamp::from_unix_ms(row.get(2)?),
        kept: Kept {
            start: unsigned(row.get(3)?),
            place: Place { floor, settled },
            deferred: Vec::new(),
            dead: unsigned(row.get(6)?),
            expired: unsigned(row.get(7)?),
            earlier: BTreeMap::new(),
            highest: row.get(8)?,
        },
    })
}

fn text(spec: &SubscriptionSpec) -> rusqlite::Result<String> {
    serde_json::to_string(spec)
        .map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}
