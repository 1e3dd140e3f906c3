//! The values that sources keep. What they mean is the sources' affair.

use crate::{KeptNote, SourceNote};
use rusqlite::{Connection, OpenFlags, Transaction, params};
use std::path::Path;

/// All values of this kind in the state of this file, by their keys.
pub(in crate::embedded) fn notes(path: &Path, kind: &str) -> rusqlite::Result<Vec<KeptNote>> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    let sql = "SELECT key, value FROM state_source_notes WHERE kind = ?1 ORDER BY key";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([kind], |row| Ok((row.get(0)?, row.get(1)?)))?;
    rows.collect()
}

/// Puts these values in the place of those with their keys.
pub(in crate::embedded) fn keep_notes(
    transaction: &Transaction<'_>,
    notes: &[SourceNote],
) -> rusqlite::Result<()> {
    let keep = "INSERT INTO state_source_notes (kind, key, value) VALUES (?1, ?2, ?3)
         ON CONFLICT (kind, key) DO UPDATE SET value = ?3";
    let mut keep = transaction.prepare_cached(keep)?;
    let forget = "DELETE FROM state_source_notes WHERE kind = ?1 AND key = ?2";
    let mut forget = transaction.prepare_cached(forget)?;
    for SourceNote { kind, key, value } in notes {
        match value {
            Some(value) => keep.execute(params![kind, key, value])?,
            None => forget.execute(params![kind, key])?,
        };
    }
    Ok(())
}
