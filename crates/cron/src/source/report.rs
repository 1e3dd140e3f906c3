//! What the operator sees of firing: metrics, and a line of the log for what did not fire.

use crate::{Batch, ClockReset, Missed, Outcome, Schedule, Settled};
use headgate_event::{
    Timestamp,
    limits::{MISSED_LOG_EVERY, MISSED_LOG_SCHEDULES_MAX, PAST_LOGGED_MAX},
};
use metrics::{counter, histogram};
use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};
use tracing::warn;
use uuid::Uuid;

/// Tells what fired and what did not. A schedule that misses all the time has a line a minute.
#[derive(Debug, Default)]
pub(super) struct Report {
    logged: Mutex<Lines>,
}

/// The lines of the last minute, as many as are kept.
#[derive(Debug, Default)]
struct Lines {
    by_id: HashMap<Uuid, Logged>,
    /// When those that are older were last looked for.
    swept_at: Option<Timestamp>,
}

/// The last line of a schedule, and what it missed since.
#[derive(Debug)]
struct Logged {
    at: Timestamp,
    since: u64,
}

impl Report {
    /// Tells of a batch whose events are stored.
    pub(super) fn batch(&self, batch: &Batch, settled: &Settled, outcomes: &[Outcome]) {
        for (firing, outcome) in batch.firings.iter().zip(outcomes) {
            if matches!(outcome, Outcome::Stored(_)) {
                let channel = firing.schedule.channel().id.clone();
                counter!("headgate_cron_fired_total", "channel" => channel).increment(1);
                let late = firing.fired_at.since(firing.due_at);
                histogram!("headgate_cron_late_seconds").record(late);
            }
        }
        let now = batch.now;
        batch.missed.iter().chain(&settled.missed).for_each(|missed| self.missed(missed, now));
        batch.reset.iter().for_each(reset);
    }

    /// Tells of what was due and will not fire, because schedules changed.
    pub(super) fn left_out(&self, missed: &[Missed], now: Timestamp) {
        missed.iter().for_each(|missed| self.missed(missed, now));
    }

    /// Tells of new schedules that are never due.
    pub(super) fn past(&self, schedules: &[Schedule]) {
        for schedule in schedules.iter().take(PAST_LOGGED_MAX) {
            warn!(
                schedule = schedule.name(),
                id = %schedule.id(),
                channel = schedule.channel().id,
                due = schedule.timing().expression(),
                "a schedule is new and never fires: all its times are past"
            );
        }
        if let Some(more) = schedules.len().checked_sub(PAST_LOGGED_MAX).filter(|more| *more > 0) {
            warn!(more, "more schedules are new and never fire: all their times are past");
        }
    }

    fn missed(&self, missed: &Missed, now: Timestamp) {
        let (schedule, why) = (&missed.schedule, missed.why.as_str());
        let channel = schedule.channel().id.clone();
        counter!("headgate_cron_missed_total", "channel" => channel, "why" => why)
            .increment(missed.count);
        let Some(before) = self.turn_of(missed, now) else { return };
        warn!(
            schedule = schedule.name(),
            id = %schedule.id(),
            channel = schedule.channel().id,
            why,
            count = missed.count,
            at_least = missed.at_least,
            first = %missed.first,
            last = %missed.last,
            not_logged_before = before,
            "cron.missed"
        );
    }

    /// Whether a line is to be written, and how much was missed since the last one.
    fn turn_of(&self, missed: &Missed, now: Timestamp) -> Option<u64> {
        let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
        logged.make_room(now);
        let lines = &mut logged.by_id;
        let id = missed.schedule.id();
        if let Some(line) = lines.get_mut(&id)
            && now.since(line.at) < MISSED_LOG_EVERY
            && line.at <= now
        {
            line.since = line.since.saturating_add(missed.count);
            return None;
        }
        let before = lines.remove(&id).map_or(0, |line| line.since);
        if lines.len() < MISSED_LOG_SCHEDULES_MAX {
            lines.insert(id, Logged { at: now, since: 0 });
        }
        Some(before)
    }
}

impl Lines {
    /// Lets go of lines that are no more of the last minute. It looks at all of them, and so does
    /// it no more often than they can have become that.
    fn make_room(&mut self, now: Timestamp) {
        let is_swept = |at: Timestamp| at <= now && now.since(at) < MISSED_LOG_EVERY;
        if self.by_id.len() < MISSED_LOG_SCHEDULES_MAX || self.swept_at.is_some_and(is_swept) {
            return;
        }
        self.swept_at = Some(now);
        self.by_id.retain(|_, line| now.since(line.at) < MISSED_LOG_EVERY);
    }
}

fn reset(reset: &ClockReset) {
    let Some(schedules) = reset.all else { return };
    counter!("headgate_cron_clock_resets_total").increment(1);
    warn!(
        schedules,
        furthest = %reset.furthest,
        now = %reset.now,
        "cron.reset: the wall clock was set back by hours; schedules that were ahead begin anew"
    );
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Every, MissedWhy, Schedule, ScheduleOrigin, ScheduleSpec, Timing};
    use headgate_event::{Channel, ChannelType};
    use metrics_exporter_prometheus::PrometheusBuilder;
    use serde_json::value::RawValue;
    use std::{io, sync::Arc, time::Duration};

    /// What was logged.
    #[derive(Clone, Default)]
    struct Log(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Log {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().expect("whole").extend(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn schedule() -> Schedule {
        named("report")
    }

    fn named(name: &str) -> Schedule {
        let channel = Channel::new("timers", "Timers", ChannelType::Cron).expect("fits");
        let every = Every::new(Duration::from_secs(60), Timestamp::default()).expect("fits");
        let spec = ScheduleSpec {
            id: Schedule::id_of(&channel, name, None).expect("fits"),
            channel: Arc::new(channel),
            name: name.into(),
            timing: Arc::new(Timing::Every(every)),
            payload: RawValue::from_string("{}".into()).expect("JSON"),
            rules: Arc::default(),
            enabled: true,
            origin: ScheduleOrigin::Toml,
        };
        Schedule::new(spec).expect("fits")
    }

    /// The lines and the metrics of what was missed, one batch a moment.
    fn told(batches: &[(i64, u64)]) -> (Vec<String>, String) {
        let (log, recorder) = (Log::default(), PrometheusBuilder::new().build_recorder());
        let (writer, figures) = (log.clone(), recorder.handle());
        let lines = tracing_subscriber::fmt()
            .without_time()
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        let (schedule, report) = (schedule(), Report::default());
        let tell = || {
            for (second, count) in batches {
                let now = Timestamp::from_unix_s(*second);
                let first = now.minus(Duration::from_secs(60 * count));
                let (schedule, why) = (schedule.clone(), MissedWhy::Policy);
                let missed =
                    Missed { schedule, why, count: *count, at_least: false, first, last: now };
                let mut batch = Batch::default();
                (batch.now, batch.missed) = (now, vec![missed]);
                report.batch(&batch, &Settled::default(), &[]);
            }
        };
        metrics::with_local_recorder(&recorder, || tracing::subscriber::with_default(lines, tell));
        let text = String::from_utf8(log.0.lock().expect("whole").clone()).expect("text");
        (text.lines().map(str::to_owned).collect(), figures.render())
    }

    #[test]
    fn what_was_missed_is_one_line_and_a_metric_with_count_range_and_reason() {
        let (lines, figures) = told(&[(1_800_000_000, 7)]);
        let [line] = lines.as_slice() else { panic!("{lines:?}") };
        for part in [
            "WARN",
            "cron.missed",
            "schedule=\"report\"",
            "channel=\"timers\"",
            "why=\"policy\"",
            "count=7",
            "at_least=false",
            "first=2027-01-15T07:53:00.000Z",
            "last=2027-01-15T08:00:00.000Z",
            "not_logged_before=0",
        ] {
            assert!(line.contains(part), "`{part}` is not in {line}");
        }
        let counted = "headgate_cron_missed_total{channel=\"timers\",why=\"policy\"} 7";
        assert!(figures.lines().any(|line| line == counted), "{figures}");
    }

    #[test]
    fn a_schedule_that_misses_all_the_time_has_a_line_a_minute_and_every_count() {
        let at = |second: i64| (1_800_000_000 + second, 2);
        let (lines, figures) = told(&[at(0), at(20), at(40), at(60), at(61)]);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines.iter().any(|line| line.contains("not_logged_before=4")), "{lines:?}");
        assert!(figures.contains("why=\"policy\"} 10"), "{figures}");
    }

    /// With that many schedules every line looked at all of them.
    #[test]
    fn all_lines_are_looked_at_once_a_minute_at_most() {
        let report = Report::default();
        let at = |second: i64| Timestamp::from_unix_s(1_800_000_000 + second);
        let miss = |name: &str, second: i64| {
            let (schedule, why, now) = (named(name), MissedWhy::Policy, at(second));
            let missed = Missed { schedule, why, count: 1, at_least: false, first: now, last: now };
            report.turn_of(&missed, now);
            report.logged.lock().expect("whole").by_id.len()
        };
        miss("first", 0);
        for n in 1..MISSED_LOG_SCHEDULES_MAX {
            miss(&format!("s{n}"), 30);
        }
        assert_eq!(miss("second", 60), MISSED_LOG_SCHEDULES_MAX, "in the place of the first");
        assert_eq!(miss("third", 95), MISSED_LOG_SCHEDULES_MAX, "not looked at again");
        assert_eq!(miss("third", 120), 1, "a minute later all others are gone");
    }
}
