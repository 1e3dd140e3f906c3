//! How old a rejection may get, by a time that is believed: a clock that leaps a year must not take
//! what was refused today.

use headgate_event::{Belief, ClockWatch, KeptDoubt, KeptTime, Moment, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};
use std::time::Duration;

/// What is known of the time, and how old a rejection may get by it.
#[derive(Debug)]
pub(super) struct Age {
    most: Duration,
    watch: ClockWatch,
}

impl Age {
    /// From what the file has kept of the time.
    pub(super) fn read(
        connection: &Connection,
        most: Duration,
        now: Moment,
    ) -> rusqlite::Result<Self> {
        let sql = "SELECT believed_ms, seen_ms, stood_ms FROM believed";
        let kept = connection.query_row(sql, [], kept_time).optional()?;
        let sql = "SELECT max(received_ms) FROM rejection";
        let newest: Option<i64> = connection.query_row(sql, [], |row| row.get(0))?;
        let newest = newest.map(Timestamp::from_unix_ms);
        Ok(Self { most, watch: ClockWatch::new(now, kept, newest) })
    }

    /// What came before this moment leaves; none while the time is not believed.
    pub(super) fn limit(
        &mut self,
        connection: &Connection,
        now: Moment,
    ) -> rusqlite::Result<Option<Timestamp>> {
        let belief = self.watch.look(now);
        if let Belief::Leapt { expected, believed_in } = belief {
            tracing::error!(
                clock = %now.wall,
                %expected,
                believed_in_s = believed_in.as_secs(),
                "the clock is not where it should be: nothing leaves the quarantine for its age \
                 until it is set right or has stood so long"
            );
        }
        if let Some(due) = self.watch.due(now) {
            keep(connection, due)?;
            self.watch.keeps(due);
        }
        Ok((belief == Belief::Believed).then(|| now.wall.minus(self.most)))
    }
}

fn kept_time(row: &Row<'_>) -> rusqlite::Result<KeptTime> {
    let (seen, stood): (Option<i64>, Option<i64>) = (row.get(1)?, row.get(2)?);
    let stood = Duration::from_millis(stood.and_then(|ms| ms.try_into().ok()).unwrap_or(0));
    let doubted = seen.map(|ms| KeptDoubt { seen: Timestamp::from_unix_ms(ms), stood });
    Ok(KeptTime { believed: Timestamp::from_unix_ms(row.get(0)?), doubted })
}

fn keep(connection: &Connection, time: KeptTime) -> rusqlite::Result<()> {
    let sql = "INSERT OR REPLACE INTO believed (one, believed_ms, seen_ms, stood_ms)
               VALUES (1, ?1, ?2, ?3)";
    let stood = |doubt: KeptDoubt| i64::try_from(doubt.stood.as_millis()).unwrap_or(i64::MAX);
    let (seen, stood) = (time.doubted.map(|doubt| doubt.seen.unix_ms()), time.doubted.map(stood));
    connection.prepare_cached(sql)?.execute(params![time.believed.unix_ms(), seen, stood])?;
    Ok(())
}
