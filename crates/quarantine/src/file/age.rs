//! How old a rejection may get, by a time that is believed: a clock that leaps a year must not take
//! what was refused today.

use headgate_event::{Belief, ClockWatch, Moment, Timestamp, limits::CLOCK_GRACE};
use rusqlite::{Connection, OptionalExtension, params};
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
        let time = |sql| {
            let found = connection.query_row(sql, [], |row| row.get::<_, Option<i64>>(0));
            Ok::<_, rusqlite::Error>(found.optional()?.flatten().map(Timestamp::from_unix_ms))
        };
        let kept = time("SELECT believed_ms FROM believed")?;
        let newest = time("SELECT max(received_ms) FROM rejection")?;
        Ok(Self { most, watch: ClockWatch::new(now, kept, newest) })
    }

    /// What came before this moment leaves; none while the time is not believed.
    pub(super) fn limit(
        &mut self,
        connection: &Connection,
        now: Moment,
    ) -> rusqlite::Result<Option<Timestamp>> {
        let belief = self.watch.look(now);
        match belief {
            Belief::Keep => {
                let sql = "INSERT OR REPLACE INTO believed (one, believed_ms) VALUES (1, ?1)";
                connection.prepare_cached(sql)?.execute(params![now.wall.unix_ms()])?;
                self.watch.keeps(now.wall);
            }
            Belief::Leapt { expected } => tracing::error!(
                clock = %now.wall,
                %expected,
                believed_in_s = CLOCK_GRACE.as_secs(),
                "the clock is not where it should be: nothing leaves the quarantine for its age \
                 until it is set right or has stood so long"
            ),
            Belief::Believed | Belief::Doubted => {}
        }
        Ok(belief.is_believed().then(|| now.wall.minus(self.most)))
    }
}
