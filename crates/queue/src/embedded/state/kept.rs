//! From where on events are kept: what retention has begun to remove, an opening finishes. And the
//! time that it was removed by.

use super::State;
use crate::{
    Seq,
    embedded::index::{number, unsigned},
};
use headgate_event::Timestamp;
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

    /// The newest event that the log is known to have had; 0 when none is.
    pub(in crate::embedded) fn newest(&self) -> rusqlite::Result<Seq> {
        if self.version < 6 {
            return Ok(0);
        }
        let sql = "SELECT seq FROM state_newest";
        let newest = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(newest.map_or(0, unsigned))
    }

    /// The time that was believed last, in a state of this version.
    pub(in crate::embedded) fn believed(&self) -> rusqlite::Result<Option<Timestamp>> {
        let sql = "SELECT believed FROM state_clock";
        let believed = self.connection.query_row(sql, [], |row| row.get(0)).optional()?;
        Ok(believed.map(Timestamp::from_unix_ms))
    }
}

/// Notes that the log has this event.
pub(in crate::embedded) fn note_newest(
    transaction: &Transaction<'_>,
    newest: Seq,
) -> rusqlite::Result<()> {
    let sql = "INSERT INTO state_newest VALUES (1, ?1)
         ON CONFLICT (one) DO UPDATE SET seq = max(seq, ?1)";
    transaction.execute(sql, [number(newest)])?;
    Ok(())
}

/// Keeps the time, which is believed.
pub(in crate::embedded) fn believe(
    transaction: &Transaction<'_>,
    wall: Timestamp,
) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO state_clock VALUES (1, ?1)";
    transaction.execute(sql, [wall.unix_ms()])?;
    Ok(())
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
