//! Taking out of the index what is not in the log any more: events that retention removed, a
//! bounded number of rows at a time, and what an erased event had.
//!
//! Readers leave out what is before the first event of the log, so the rows may go whenever there
//! is time for it.

use super::{ERASED, IndexWriter, dedupe, keys::part_of, number, schema, unsigned};
use crate::Seq;
use headgate_event::{Timestamp, limits::INDEX_TRIM_ROWS_MAX};
use rusqlite::{Connection, OptionalExtension, params};
use std::sync::PoisonError;

impl IndexWriter {
    /// Takes away some rows of events before this one; `false` when there is nothing left.
    pub(in crate::embedded) fn trim(&mut self, first: Seq) -> rusqlite::Result<bool> {
        Ok(self.trim_events(first)?
            || self.trim_parts(first, "index_keys")?
            || self.trim_parts(first, "index_names")?
            || self.trim_days(first)?)
    }

    /// Leaves of these events what says that they were erased, and the names that belong to them.
    pub(in crate::embedded) fn erase(&mut self, erased: &[Seq]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for place in erased {
            let seq = number(*place);
            let count = "UPDATE index_kinds SET events = events - 1
                 WHERE kind = (SELECT kind FROM index_events WHERE seq = ?1)";
            transaction.prepare_cached(count)?.execute([seq])?;
            let kind = "UPDATE index_events SET kind = ?2 WHERE seq = ?1";
            transaction.prepare_cached(kind)?.execute([seq, ERASED])?;
            // The hashes of its keys are not known any more, so its part is looked through.
            let forget = "DELETE FROM index_keys WHERE part = ?1 AND seq = ?2";
            transaction.prepare_cached(forget)?.execute([number(part_of(*place)), seq])?;
        }
        transaction.commit()?;
        self.publish()
    }

    fn trim_events(&mut self, first: Seq) -> rusqlite::Result<bool> {
        let sql = "SELECT min(seq) FROM index_events";
        let oldest: Option<i64> = self.connection.query_row(sql, [], |row| row.get(0))?;
        let Some(oldest) = oldest.map(unsigned).filter(|oldest| *oldest < first) else {
            return Ok(false);
        };
        let end = number(first.min(oldest + INDEX_TRIM_ROWS_MAX));
        let transaction = self.connection.transaction()?;
        let count = "UPDATE index_kinds SET events = events - (SELECT count(*) FROM index_events
             WHERE index_events.kind = index_kinds.kind AND seq < ?1)";
        transaction.execute(count, [end])?;
        transaction.execute("DELETE FROM index_events WHERE seq < ?1", [end])?;
        transaction.execute("DELETE FROM index_times WHERE last < ?1", [end])?;
        transaction.commit()?;
        self.publish()?;
        Ok(true)
    }

    /// Takes away rows of parts of which every event is gone. What is left of the last part is
    /// found by nobody, because its events are not.
    fn trim_parts(&mut self, first: Seq, table: &str) -> rusqlite::Result<bool> {
        let sql = format!("SELECT min(part) FROM {table}");
        let part: Option<i64> = self.connection.query_row(&sql, [], |row| row.get(0))?;
        let Some(part) = part.filter(|part| unsigned(*part) < part_of(first)) else {
            return Ok(false);
        };
        let transaction = self.connection.transaction()?;
        let end =
            format!("SELECT hash FROM {table} WHERE part = ?1 ORDER BY hash LIMIT 1 OFFSET ?2");
        let row = params![part, number(INDEX_TRIM_ROWS_MAX)];
        let end: Option<i64> = transaction.query_row(&end, row, |row| row.get(0)).optional()?;
        let sql = format!("DELETE FROM {table} WHERE part = ?1 AND hash <= ?2");
        transaction.execute(&sql, [part, end.unwrap_or(i64::MAX)])?;
        transaction.commit()?;
        Ok(true)
    }

    /// Drops the oldest table of dedupe keys when every event in it is gone.
    fn trim_days(&mut self, first: Seq) -> rusqlite::Result<bool> {
        let Some(received) = received_at(&self.connection, first)? else { return Ok(false) };
        let mut days = self.index.days.read().unwrap_or_else(PoisonError::into_inner).clone();
        let oldest = days.pop_first().map(|(day, _)| day);
        let Some(day) = oldest.filter(|day| *day < dedupe::day_of(received)) else {
            return Ok(false);
        };
        let table = schema::dedupe_table(day);
        let sql = format!("SELECT 1 FROM {table} WHERE seq >= ?1 LIMIT 1");
        let kept = self.connection.query_row(&sql, [number(first)], |_| Ok(())).optional()?;
        if kept.is_some() {
            return Ok(false);
        }
        let transaction = self.connection.transaction()?;
        dedupe::drop_day(&transaction, day)?;
        // Before the commit, so that a reader who misses a table finds that it is gone.
        self.index.days.write().unwrap_or_else(PoisonError::into_inner).remove(&day);
        transaction.commit()?;
        Ok(true)
    }
}

/// When the first event that is kept was received.
fn received_at(connection: &Connection, first: Seq) -> rusqlite::Result<Option<Timestamp>> {
    let sql = "SELECT created_at FROM index_events WHERE seq >= ?1 ORDER BY seq LIMIT 1";
    let received = connection.query_row(sql, [number(first)], |row| row.get(0)).optional()?;
    Ok(received.map(Timestamp::from_unix_ms))
}
