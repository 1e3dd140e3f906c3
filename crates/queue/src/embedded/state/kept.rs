//! From where on events are kept: what retention has begun to remove, an opening finishes.

use super::State;
use crate::{
    Seq,
    embedded::index::{number, unsigned},
};
use rusqlite::{OptionalExtension, Transaction};

impl State {
    /// The first event that is kept; 0 when none was ever removed.
    pub(in crate::embedded) fn kept_from(&self) -> rusqlite::Result<Seq> {
        if self.version < 2 {
            return Ok(0);
        }
        let sql = "SELECT kept FROM state_kept";
        let kept = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(kept.map_or(0, unsigned))
    }
}

/// Notes that events before this one are removed. Nothing of them is left to erase.
pub(in crate::embedded) fn keep_from(
    transaction: &Transaction<'_>,
    first: Seq,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO state_kept VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET kept = max(kept, ?1)";
    transaction.execute(sql, [number(first)])?;
    transaction.execute("DELETE FROM state_erasures WHERE seq < ?1", [number(first)])?;
    Ok(())
}
