//! Schedules for tests, and a day with named times whose zone a test can move.

use chrono::{DateTime, Duration as Days, FixedOffset, NaiveDateTime, NaiveTime};
use headgate_cron::{
    Batch, Catchup, CatchupPolicy, CronTiming, Cursor, Every, FiringClass, Occurrence, Occurrences,
    Outcome, Rules, Schedule, ScheduleOrigin, ScheduleSpec, Settled, Ticker, Timing,
};
use headgate_event::{Channel, ChannelType, EventId, Timestamp};
use serde_json::value::RawValue;
use std::{
    sync::{
        Arc,
        atomic::{AtomicI32, Ordering},
    },
    time::Duration,
};

pub(crate) const HOUR: Duration = Duration::from_secs(3_600);
pub(crate) const DAY: Duration = Duration::from_secs(24 * 3_600);

pub(crate) fn at(text: &str) -> Timestamp {
    text.parse().expect("a time")
}

pub(crate) fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

pub(crate) fn channel() -> Arc<Channel> {
    Arc::new(Channel::new("timers", "Timers", ChannelType::Cron).expect("fits"))
}

pub(crate) fn every(seconds: u64) -> Arc<Timing> {
    let every = Every::new(Duration::from_secs(seconds), Timestamp::default());
    Arc::new(Timing::Every(every.expect("fits")))
}

/// A schedule from the configuration.
pub(crate) fn spec(name: &str, timing: &Arc<Timing>) -> ScheduleSpec {
    ScheduleSpec {
        channel: channel(),
        name: name.into(),
        id: Schedule::id_of(&channel(), name, None).expect("fits"),
        timing: Arc::clone(timing),
        payload: RawValue::from_string("{}".into()).expect("JSON"),
        rules: Arc::default(),
        enabled: true,
        origin: ScheduleOrigin::Toml,
    }
}

pub(crate) fn schedule(name: &str, timing: &Arc<Timing>, rules: Rules) -> Schedule {
    made(ScheduleSpec { rules: Arc::new(rules), ..spec(name, timing) })
}

pub(crate) fn made(spec: ScheduleSpec) -> Schedule {
    Schedule::new(spec).expect("fits")
}

pub(crate) fn catching_up(policy: CatchupPolicy, window: Duration, limit: u32) -> Rules {
    Rules { catchup: Catchup { policy, window, limit }, ..Rules::default() }
}

/// A core with these schedules, made at `now`.
pub(crate) fn ticker(schedules: Vec<Schedule>, now: Timestamp) -> Ticker {
    let mut ticker = Ticker::default();
    ticker.reload(schedules, now).expect("no two are the same");
    ticker
}

/// Everything that is due, as if each batch were stored at once.
pub(crate) fn drain(ticker: &mut Ticker, now: Timestamp) -> (Vec<Batch>, Vec<Cursor>) {
    let (mut batches, mut cursors) = (Vec::new(), Vec::new());
    loop {
        let batch = ticker.due(now);
        let Settled { moved, .. } = ticker.settle(&batch, &stored(&batch));
        cursors.extend(ticker.cursors(&moved));
        let more = batch.more;
        batches.push(batch);
        if !more {
            return (batches, cursors);
        }
    }
}

pub(crate) fn stored(batch: &Batch) -> Vec<Outcome> {
    let id = EventId::from_parts(batch.now, 1);
    vec![Outcome::Stored(id); batch.firings.len()]
}

/// When the occurrences that fire are due, in their order.
pub(crate) fn fired(ticker: &mut Ticker, now: Timestamp) -> Vec<String> {
    let (batches, _) = drain(ticker, now);
    let firings = batches.iter().flat_map(|batch| &batch.firings);
    firings.map(|firing| firing.occurrence.at.to_string().replace(".000Z", "Z")).collect()
}

/// Named times of the day in a zone of one offset, which can be moved: as if its rules changed.
pub(crate) struct Daily {
    pub(crate) times: Vec<NaiveTime>,
    pub(crate) offset_s: Arc<AtomicI32>,
}

impl Daily {
    /// A timing of these times (`02:30`), and what moves its zone.
    pub(crate) fn timing(times: &[&str], offset_hours: i32) -> (Arc<Timing>, Arc<AtomicI32>) {
        let offset_s = Arc::new(AtomicI32::new(offset_hours * 3_600));
        let text = times.join(",");
        let time = |text: &&str| NaiveTime::parse_from_str(text, "%H:%M").expect("a time");
        let times = times.iter().map(time).collect();
        let daily = Self { times, offset_s: Arc::clone(&offset_s) };
        let timing = CronTiming::new((&text, "Test/Zone", ""), Box::new(daily));
        (Arc::new(Timing::Cron(timing)), offset_s)
    }
}

impl Occurrences for Daily {
    fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        let offset = FixedOffset::east_opt(self.offset_s.load(Ordering::SeqCst)).expect("hours");
        let utc = DateTime::from_timestamp_millis(cursor.unix_ms())?;
        let civil: NaiveDateTime = utc.with_timezone(&offset).naive_local();
        let days = (0..3).map(|day| civil.date() + Days::days(day));
        let times = days.flat_map(|day| self.times.iter().map(move |time| day.and_time(*time)));
        let next = times.filter(|time| *time > civil).min()?;
        let instant = next.and_local_timezone(offset).single()?;
        let at = Timestamp::from_unix_ms(instant.timestamp_millis());
        Some(Occurrence { at, nominal: vec![next], offset, dst: None })
    }

    fn class(&self) -> FiringClass {
        FiringClass::Fixed
    }

    fn describe(&self) -> String {
        format!("At {}", self.times.first().expect("one"))
    }
}
