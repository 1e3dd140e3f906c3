//! What is counted by days is what walking finds, over turns of the clock too.

use headgate_cron::{CronText, DstPolicy, Fields, Fold, Gap, Timing, Timings, Zones};
use headgate_event::Timestamp;
use std::sync::Arc;
use uuid::Uuid;

const EXPRESSIONS: [&str; 12] = [
    "* * * * * *",
    "0 */7 * * * *",
    "0 30 2 * * *",
    "0 0,30 1-3 * * *",
    "0 15 2 * * SUN",
    "5,35 * 2 * * *",
    "0 0 0 29 2 ?",
    "0 0 9 L * ?",
    "0 */20 1-2 1-7 * +SUN",
    "0 0 0 1 1 * 2027",
    "59 59 23 13 * FRI",
    "0,30 0-59/3 0-3 * 3,4,10,11 *",
];
const ZONES: [&str; 6] = [
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "Antarctica/Troll",
    "Pacific/Apia",
    "Africa/Casablanca",
];
const POLICIES: [DstPolicy; 4] = [
    DstPolicy { gap: Gap::Cron, fold: Fold::Cron },
    DstPolicy { gap: Gap::Shift, fold: Fold::Second },
    DstPolicy { gap: Gap::After, fold: Fold::Both },
    DstPolicy { gap: Gap::Skip, fold: Fold::First },
];
/// So many occurrences are walked at most.
const WALKED_MAX: u64 = 4_000;

/// A step of a generator that is the same everywhere.
fn next(seed: &mut u64) -> u64 {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    *seed >> 33
}

fn walked(timing: &Timing, mut cursor: Timestamp, until: Timestamp) -> Option<u64> {
    let mut count = 0;
    while let Some(next) = timing.next_after(cursor).filter(|next| next.at <= until) {
        (cursor, count) = (next.at, count + 1);
        if count > WALKED_MAX {
            return None;
        }
    }
    Some(count)
}

#[test]
fn a_count_is_what_walking_finds() {
    let zones = Arc::new(Zones::embedded());
    let mut timings = Timings::new(Arc::clone(&zones));
    let (mut seed, mut compared, mut found) = (7, 0, 0);
    for (expression, timezone) in
        EXPRESSIONS.iter().flat_map(|it| ZONES.iter().map(move |zone| (*it, *zone)))
    {
        let rules = zones.zone(timezone).expect("a zone").rules;
        let (begin, end) = ["2011-12-01T00:00:00Z", "2027-12-31T00:00:00Z"]
            .map(|text| text.parse::<Timestamp>().expect("a time"))
            .into();
        let turns = headgate_cron::ZoneRules::turns(&*rules, begin, end);
        for policy in POLICIES {
            let fields = Fields::WithSeconds;
            let text = CronText { expression, fields, timezone, policy };
            let timing = timings.cron(text, Uuid::nil()).expect("a timing");
            for case in 0..40 {
                // Mostly around a turn, for seconds to days; sometimes anywhere, for months.
                let turn = turns.get(next(&mut seed) as usize % turns.len().max(1));
                let drawn = next(&mut seed) as i64;
                let middle = turn.filter(|_| case % 4 != 0).map_or_else(
                    || begin.unix_s() + drawn % 500_000_000,
                    |turn| turn.at.unix_s() + drawn % 14_400 - 7_200,
                );
                let span = 1 << (next(&mut seed) % if case % 4 == 0 { 24 } else { 18 });
                let from = middle - (next(&mut seed) % span) as i64;
                let until = from + (next(&mut seed) % (2 * span)) as i64;
                let (from, until) = (
                    Timestamp::from_unix_ms(from * 1_000 + (next(&mut seed) % 1_000) as i64),
                    Timestamp::from_unix_ms(until * 1_000 + (next(&mut seed) % 1_000) as i64),
                );
                let Some(walked) = walked(&timing, from, until) else { continue };
                let counted = timing.count(from, until);
                assert_eq!(
                    counted,
                    Some(walked),
                    "`{expression}` in {timezone} by {policy:?} after {from} up to {until}"
                );
                (compared, found) = (compared + 1, found + walked);
            }
        }
    }
    assert!(compared > 5_000 && found > 100_000, "{compared} spans with {found} occurrences");
}

#[test]
fn a_century_is_counted_in_no_time() {
    let mut timings = Timings::new(Arc::new(Zones::embedded()));
    let (fields, policy) = (Fields::WithSeconds, DstPolicy::default());
    let text = |expression| CronText { expression, fields, timezone: "America/New_York", policy };
    let timing = timings.cron(text("* * * * * *"), Uuid::nil()).expect("a timing");
    let [from, until] = ["1971-01-01T00:00:00Z", "2099-12-31T23:59:59Z"]
        .map(|text| text.parse::<Timestamp>().expect("a time"));
    let seconds = u64::try_from(until.unix_s() - from.unix_s()).expect("in order");
    assert_eq!(timing.count(from, until), Some(seconds), "an interval follows elapsed time");
    assert_eq!(timing.count(until, from), Some(0));
}
