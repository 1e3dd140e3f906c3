//! Events that were stored long after they were received. They are listed by themselves, so that one
//! of them does not widen what is looked through for all others.

use super::{
    Entry, Index,
    find::{Order, Span, one},
    number,
};
use crate::{Selection, log::Committed};
use headgate_event::limits::INDEX_LATE_MIN;
use rusqlite::{Connection, Transaction, params};

/// Notes an event that is late.
pub(super) fn note(transaction: &Transaction<'_>, entry: &Committed) -> rusqlite::Result<()> {
    if entry.id.time().since(entry.created_at) > INDEX_LATE_MIN {
        let late = params![number(entry.seq), entry.created_at.unix_ms()];
        transaction.prepare_cached("INSERT INTO index_late VALUES (?1, ?2)")?.execute(late)?;
    }
    Ok(())
}

impl Index {
    /// Up to `max` wanted late events of the span, one by one: there are few of them.
    pub(super) fn find_late(
        &self,
        connection: &Connection,
        selection: &Selection,
        span: Span,
        max: usize,
        order: Order,
    ) -> rusqlite::Result<Vec<Entry>> {
        let sql = format!(
            "SELECT seq FROM index_late WHERE seq BETWEEN ?1 AND ?2 AND created_at >= ?3 \
             AND created_at < ?4 ORDER BY seq {}",
            order.sql()
        );
        let mut statement = connection.prepare_cached(&sql)?;
        let (first, last) = (number(span.first), number(span.last));
        let mut rows = statement.query(params![first, last, span.since_ms(), span.until_ms()])?;
        let sql = format!("SELECT {} FROM index_events WHERE seq = ?1", Entry::COLUMNS);
        let mut found = Vec::new();
        while found.len() < max
            && let Some(row) = rows.next()?
        {
            let seq: i64 = row.get(0)?;
            let Some(entry) = one(connection, &sql, [seq])? else { continue };
            if self.wants_with(connection, selection, &entry)? {
                found.push(entry);
            }
        }
        Ok(found)
    }
}
