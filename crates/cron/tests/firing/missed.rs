//! What was missed fires as it is configured, and is counted and told.

use crate::world::{DAY, Daily, HOUR, at, catching_up, drain, every, fired, schedule, ticker};
use headgate_cron::{CatchupPolicy, Missed, MissedWhy, Rules, Schedule};
use headgate_event::data::CronTrigger;
use std::time::{Duration, Instant};

const START: &str = "2026-01-01T00:00:00Z";

/// What a schedule does at `now` when nothing ran since it was made.
fn after_an_outage(schedule: Schedule, now: &str) -> (Vec<String>, Vec<Missed>, Vec<u64>) {
    let mut ticker = ticker(vec![schedule], at(START));
    let (batches, _) = drain(&mut ticker, at(now));
    let firings: Vec<_> = batches.iter().flat_map(|batch| &batch.firings).collect();
    let times = firings.iter().map(|f| f.occurrence.at.to_string()).collect();
    let told = firings.iter().map(|f| f.missed).collect();
    assert!(firings.iter().all(|f| f.trigger == CronTrigger::Catchup), "{firings:?}");
    assert!(fired(&mut ticker, at(now)).is_empty(), "all is dealt with");
    (times, batches.into_iter().flat_map(|batch| batch.missed).collect(), told)
}

fn hourly(rules: Rules) -> Schedule {
    schedule("hourly", &every(3_600), rules)
}

fn range(missed: &Missed) -> (MissedWhy, u64, String, String) {
    (missed.why, missed.count, missed.first.to_string(), missed.last.to_string())
}

#[test]
fn catchup_one_fires_the_newest_and_tells_how_many_came_before() {
    let rules = Rules::default();
    let (times, missed, told) = after_an_outage(hourly(rules), "2026-01-01T08:10:00Z");
    assert_eq!(times, ["2026-01-01T08:00:00.000Z"]);
    assert_eq!(told, [7]);
    let (first, last) = ("2026-01-01T01:00:00.000Z".into(), "2026-01-01T07:00:00.000Z".into());
    assert_eq!(missed.iter().map(range).collect::<Vec<_>>(), [(MissedWhy::Policy, 7, first, last)]);
}

#[test]
fn catchup_one_fires_nothing_when_the_newest_is_older_than_the_window() {
    let daily = schedule("daily", &every(86_400), catching_up(CatchupPolicy::One, HOUR, 1));
    let (times, missed, _) = after_an_outage(daily, "2026-01-03T08:00:00Z");
    assert!(times.is_empty());
    assert_eq!(
        missed.iter().map(|m| (m.why, m.count)).collect::<Vec<_>>(),
        [(MissedWhy::Window, 2)]
    );
}

#[test]
fn what_was_skipped_is_told_by_the_next_event() {
    let mut ticker = ticker(vec![hourly(catching_up(CatchupPolicy::Skip, DAY, 1))], at(START));
    let (batches, cursors) = drain(&mut ticker, at("2026-01-01T03:10:00Z"));
    assert!(batches.iter().all(|batch| batch.firings.is_empty()));
    assert_eq!(batches.iter().map(|batch| batch.missed.len()).sum::<usize>(), 1);
    assert_eq!(cursors.first().expect("moved").missed, 3, "a restart does not forget it");
    let (batches, _) = drain(&mut ticker, at("2026-01-01T04:00:00.020Z"));
    let firing = batches.iter().flat_map(|batch| &batch.firings).next().expect("on time");
    assert_eq!((firing.missed, firing.trigger), (3, CronTrigger::Schedule));
}

#[test]
fn catchup_all_fires_the_newest_within_the_limit_the_oldest_first() {
    let rules = catching_up(CatchupPolicy::All, 30 * DAY, 3);
    let (times, missed, told) = after_an_outage(hourly(rules), "2026-01-01T08:10:00Z");
    assert_eq!(
        times,
        ["2026-01-01T06:00:00.000Z", "2026-01-01T07:00:00.000Z", "2026-01-01T08:00:00.000Z"]
    );
    assert_eq!(told, [5, 0, 0]);
    assert_eq!(
        missed.iter().map(|m| (m.why, m.count)).collect::<Vec<_>>(),
        [(MissedWhy::Limit, 5)]
    );
}

#[test]
fn catchup_all_leaves_out_what_is_older_than_the_window() {
    let rules = catching_up(CatchupPolicy::All, 2 * HOUR, 100);
    let (times, missed, _) = after_an_outage(hourly(rules), "2026-01-01T08:00:00Z");
    assert_eq!(
        times,
        ["2026-01-01T06:00:00.000Z", "2026-01-01T07:00:00.000Z", "2026-01-01T08:00:00.000Z"]
    );
    assert_eq!(
        missed.iter().map(|m| (m.why, m.count)).collect::<Vec<_>>(),
        [(MissedWhy::Window, 5)]
    );
}

/// What was too old was told as more than the limit, when both were so.
#[test]
fn what_is_too_old_and_what_is_too_much_are_told_apart() {
    let rules = catching_up(CatchupPolicy::All, 4 * HOUR, 2);
    let (times, missed, told) = after_an_outage(hourly(rules), "2026-01-01T08:00:00Z");
    assert_eq!(times, ["2026-01-01T07:00:00.000Z", "2026-01-01T08:00:00.000Z"]);
    assert_eq!(told, [6, 0]);
    let range = |why, count, first, last| {
        let at = |hour| format!("2026-01-01T0{hour}:00:00.000Z");
        (why, count, at(first), at(last))
    };
    assert_eq!(
        missed.iter().map(self::range).collect::<Vec<_>>(),
        [range(MissedWhy::Window, 3, 1, 3), range(MissedWhy::Limit, 3, 4, 6)]
    );
}

#[test]
fn what_is_less_than_a_minute_late_fires_one_by_one_whatever_the_policy() {
    for policy in [CatchupPolicy::Skip, CatchupPolicy::One, CatchupPolicy::All] {
        let schedule = schedule("s", &every(1), catching_up(policy, DAY, 1));
        let mut ticker = ticker(vec![schedule], at(START));
        assert_eq!(fired(&mut ticker, at("2026-01-01T00:00:55Z")).len(), 55, "{policy:?}");
    }
}

#[test]
fn an_outage_of_years_is_counted_in_no_time_and_no_memory() {
    let begun = Instant::now();
    let secondly = schedule("s", &every(1), Rules::default());
    let (times, missed, _) = after_an_outage(secondly, "2036-01-01T00:00:00Z");
    assert_eq!(times, ["2036-01-01T00:00:00.000Z"]);
    // 3652 days of 86,400 seconds: a steady beat is computed, not walked.
    assert_eq!(
        missed.iter().map(|m| (m.count, m.at_least)).collect::<Vec<_>>(),
        [(315_532_799, false)]
    );

    let hours: Vec<_> = (0..24).map(|hour| format!("{hour:02}:00")).collect();
    let hours: Vec<_> = hours.iter().map(String::as_str).collect();
    let (timing, _) = Daily::timing(&hours, 0);
    let rules = catching_up(CatchupPolicy::All, 85 * DAY, 2);
    let (times, missed, _) = after_an_outage(schedule("d", &timing, rules), "2036-01-01T00:30:00Z");
    assert_eq!(times, ["2035-12-31T23:00:00.000Z", "2036-01-01T00:00:00.000Z"]);
    let told: Vec<_> = missed.iter().map(|m| (m.count, m.at_least, m.last.to_string())).collect();
    let too_old = (10_000, true, "2035-10-08T00:00:00.000Z".to_owned());
    assert_eq!(told, [too_old, (2_038, false, "2035-12-31T22:00:00.000Z".to_owned())]);
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn a_schedule_with_jitter_catches_up_only_what_is_due_with_it() {
    let jittered = Rules { jitter: HOUR, ..Rules::default() };
    let probe = hourly(jittered.clone());
    let delay = Duration::from_millis(u64::try_from(probe.delay_ms(None)).expect("not before"));
    assert!(delay > Duration::from_secs(1), "the id of this schedule gives it a delay");
    let just_before = at("2026-01-01T05:00:00Z").plus(delay).minus(Duration::from_millis(1));
    let mut ticker = ticker(vec![hourly(jittered)], at(START));
    assert_eq!(fired(&mut ticker, just_before), ["2026-01-01T04:00:00Z"]);
    let due = just_before.plus(Duration::from_millis(1));
    assert_eq!(fired(&mut ticker, due), ["2026-01-01T05:00:00Z"]);
}
