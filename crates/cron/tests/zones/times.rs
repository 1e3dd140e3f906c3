//! A small set of civil times of its own for these tests: minutes and hours, every day.

use chrono::{NaiveDateTime, NaiveTime, TimeDelta};
use headgate_cron::{CivilTimes, FiringClass, Occurrence, ZoneRules, next_occurrence};
use headgate_event::Timestamp;

/// `MINUTES HOURS` of every day, each `*`, `*/n` or a list of numbers and ranges.
#[derive(Debug)]
pub(crate) struct Daily {
    pub(crate) text: String,
    /// The seconds of the day, in order.
    seconds: Vec<i64>,
    class: FiringClass,
}

impl Daily {
    pub(crate) fn new(text: &str) -> Self {
        let (minutes, hours) = text.split_once(' ').expect("two fields");
        let of =
            |hour: i64| set(minutes, 60).into_iter().map(move |minute| hour * 3600 + minute * 60);
        let seconds = set(hours, 24).into_iter().flat_map(of).collect();
        let stars = minutes.starts_with('*') || hours.starts_with('*');
        let class = if stars { FiringClass::Interval } else { FiringClass::Fixed };
        Self { text: text.to_owned(), seconds, class }
    }
}

fn set(text: &str, count: i64) -> Vec<i64> {
    let number = |text: &str| text.parse::<i64>().expect("a number");
    let mut set: Vec<i64> = text
        .split(',')
        .flat_map(|item| {
            let (range, step) = item.split_once('/').unwrap_or((item, "1"));
            let (first, last) = match range.split_once('-') {
                Some((first, last)) => (number(first), number(last)),
                None if range == "*" => (0, count - 1),
                None => (number(range), number(range)),
            };
            (first..=last).step_by(usize::try_from(number(step)).expect("a step"))
        })
        .collect();
    set.sort_unstable();
    set.dedup();
    set
}

impl CivilTimes for Daily {
    fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let day = civil.date().and_time(NaiveTime::MIN);
        let second = (civil - day).num_seconds();
        let next = self.seconds.partition_point(|at| *at <= second);
        let in_seconds = match self.seconds.get(next) {
            Some(at) => *at,
            None => 24 * 3600 + self.seconds.first()?,
        };
        day.checked_add_signed(TimeDelta::seconds(in_seconds))
    }

    fn class(&self) -> FiringClass {
        self.class
    }
}

/// The occurrences after `cursor` and up to `until`, each asked for from the one before.
pub(crate) fn chain(
    times: &dyn CivilTimes,
    zone: &dyn ZoneRules,
    policy: headgate_cron::DstPolicy,
    (cursor, until): (Timestamp, Timestamp),
) -> Vec<Occurrence> {
    std::iter::successors(next_occurrence(times, zone, policy, cursor), |last| {
        next_occurrence(times, zone, policy, last.at)
    })
    .take_while(|next| next.at <= until)
    .take(20_000)
    .collect()
}

/// Whether every turn is wanted, which takes long, or a sample: `HEADGATE_TURNS=all`.
pub(crate) fn every_turn() -> bool {
    #[expect(clippy::disallowed_methods, reason = "how much a run tests is said from outside")]
    let turns = std::env::var("HEADGATE_TURNS").ok();
    match turns.as_deref() {
        None => false,
        Some("all") => true,
        Some(other) => panic!("HEADGATE_TURNS: expected `all`, found `{other}`"),
    }
}
