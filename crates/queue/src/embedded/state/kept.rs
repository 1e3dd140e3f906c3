//! From where on events are kept: what retention has begun to remove, an opening finishes. And the
//! time that it was removed by.

use super::State;
use crate::{
    Seq,
    embedded::index::{number, unsigned},
};
use headgate_event::{KeptDoubt, KeptTime, Timestamp};
use rusqlite::{OptionalExtension, Row, Transaction};
use std::time::Duration;

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

    /// What was known of the time last, in a state of this version.
    pub(in crate::embedded) fn kept_time(&self) -> rusqlite::Result<Option<KeptTime>> {
        let sql = "SELECT believed, seen, stood_ms FROM state_clock";
        let time = |row: &Row<'_>| {
            let seen: Option<i64> = row.get(1)?;
            let stood = Duration::from_millis(row.get::<_, Option<i64>>(2)?.map_or(0, unsigned));
            let doubted = seen.map(|seen| KeptDoubt { seen: Timestamp::from_unix_ms(seen), stood });
            Ok(KeptTime { believed: Timestamp::from_unix_ms(row.get(0)?), doubted })
        };
        self.connection.query_row(sql, [], time).optional()
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

/// Keeps what is known of the time.
pub(in crate::embedded) fn keep_time(
    transaction: &Transaction<'_>,
    time: KeptTime,
) -> rusqlite::Result<()> {
    let ms = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
    let seen = time.doubted.map(|doubted| doubted.seen.unix_ms());
    let stood = time.doubted.map(|doubted| ms(doubted.stood));
    let sql = "INSERT OR REPLACE INTO state_clock (one, believed, seen, stood_ms)
         VALUES (1, ?1, ?2, ?3)";
    transaction.execute(sql, (time.believed.unix_ms(), seen, stood))?;
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
