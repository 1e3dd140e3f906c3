//! All zones, all turns of the clock 2024 to 2037, asked from every minute around each. Judged by
//! chrono-tz itself, minute by minute, and not by the code under test.

use crate::times::{Daily, chain, every_turn};
use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeDelta, TimeZone, Utc};
use chrono_tz::{TZ_VARIANTS, Tz};
use headgate_cron::{
    CivilPlace, CivilTimes, DstPolicy, FiringClass, Fold, Gap, Occurrence, Turn, Zone, ZoneRules,
    Zones, next_occurrence,
};
use headgate_event::Timestamp;
use std::{collections::BTreeMap, thread, time::Duration};

const HOUR: Duration = Duration::from_secs(3600);
const EXPRESSIONS: [&str; 14] = [
    "30 2",
    "30 1",
    "0 0",
    "0,30 1-3",
    "15 0,1,2,3,4",
    "59 23",
    "0 3",
    "45 1,2",
    "7,33 0-23",
    "* *",
    "*/15 *",
    "*/20 2",
    "0 */2",
    "*/30 1-3",
];

/// A turn of a zone's clock, taken from chrono-tz's data.
struct Case {
    tz: Tz,
    zone: Zone,
    turn: Turn,
}

/// The turns 2024 to 2037 of all zones, or one in so many of them.
fn cases() -> Vec<Case> {
    let zones = Zones::embedded();
    let at = |text: &str| text.parse::<Timestamp>().expect("a time");
    let (from, until) = (at("2024-01-01T00:00:00Z"), at("2038-01-01T00:00:00Z"));
    let sample = if every_turn() { (1, 1) } else { (11, 8) };
    TZ_VARIANTS
        .iter()
        .step_by(sample.0)
        .flat_map(|tz| {
            let zone = zones.zone(tz.name()).expect("a zone");
            let turns = zone.rules.turns(from, until);
            turns.into_iter().map(move |turn| Case { tz: *tz, zone: zone.clone(), turn })
        })
        .enumerate()
        .filter(|(index, _)| index % sample.1 == 0)
        .map(|(_, case)| case)
        .collect()
}

/// Runs a check on all cases, on the cores there are.
fn check_all(check: impl Fn(&Case) + Sync) {
    let cases = cases();
    assert!(cases.len() > 50, "only {} turns", cases.len());
    let parts = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for part in cases.chunks(cases.len().div_ceil(parts)) {
            scope.spawn(|| part.iter().for_each(&check));
        }
    });
}

#[test]
fn nothing_is_past_equal_or_out_of_order_from_any_minute_around_any_turn() {
    let policies = [
        DstPolicy::default(),
        DstPolicy { gap: Gap::Shift, fold: Fold::Second },
        DstPolicy { gap: Gap::After, fold: Fold::Both },
        DstPolicy { gap: Gap::Skip, fold: Fold::First },
    ];
    let every_minute = every_turn();
    check_all(|case| {
        for times in EXPRESSIONS.map(Daily::new) {
            for policy in policies {
                let (from, until) = (case.turn.at.minus(4 * HOUR), case.turn.at.plus(28 * HOUR));
                let expected = judged(case, &times, policy, (from, until));
                let found = chain(&times, &*case.zone.rules, policy, (from, until));
                let found_at: Vec<_> = found.iter().map(|next| next.at).collect();
                let place = format!("{} {policy:?} {} {}", times.text, case.tz, case.turn.at);
                assert_eq!(found_at, expected, "{place}");
                if every_minute || policy == DstPolicy::default() {
                    from_every_minute(case, &times, policy, &found);
                }
            }
        }
    });
}

/// From each minute within 3 hours of a turn, the next one is the first of the chain after it.
fn from_every_minute(case: &Case, times: &Daily, policy: DstPolicy, chain: &[Occurrence]) {
    for minute in 0..=360 {
        let cursor = case.turn.at.minus(3 * HOUR).plus(Duration::from_secs(60 * minute));
        let next = next_occurrence(times, &*case.zone.rules, policy, cursor).expect("daily");
        assert!(next.at > cursor, "{} from {cursor}: {}", times.text, next.at);
        let expected = chain.iter().find(|known| known.at > cursor);
        let place = format!("{} {policy:?} {} from {cursor}", times.text, case.tz);
        if expected.is_some() || next.at <= case.turn.at.plus(28 * HOUR) {
            assert_eq!(Some(&next), expected, "{place}");
        }
    }
}

/// What is due in a window, by the rules of the policy and by chrono-tz: each minute is asked which
/// civil time it shows, and each civil minute whether there is one.
fn judged(
    case: &Case,
    times: &Daily,
    policy: DstPolicy,
    (from, until): (Timestamp, Timestamp),
) -> Vec<Timestamp> {
    let interval = times.class() == FiringClass::Interval;
    let mut due = Vec::new();
    let mut minute = from.unix_s() + 60;
    while minute <= until.unix_s() {
        let utc = DateTime::<Utc>::from_timestamp(minute, 0).expect("a time");
        let local = utc.with_timezone(&case.tz).naive_local();
        if names(times, local) && comes(case.tz, local, minute, policy.fold, interval) {
            due.push(Timestamp::from_unix_s(minute));
        }
        minute += 60;
    }
    due.extend(moved(case, times, policy.gap, interval));
    due.sort_unstable();
    due.dedup();
    due
}

fn names(times: &Daily, civil: NaiveDateTime) -> bool {
    times.next_after(civil - TimeDelta::seconds(1)) == Some(civil)
}

fn comes(tz: Tz, local: NaiveDateTime, at: i64, fold: Fold, interval: bool) -> bool {
    let MappedLocalTime::Ambiguous(one, other) = tz.from_local_datetime(&local) else {
        return true;
    };
    let first = at == one.timestamp().min(other.timestamp());
    match fold {
        Fold::Cron => interval || first,
        Fold::First => first,
        Fold::Second => !first,
        Fold::Both => true,
    }
}

/// The instants to which the civil times in the gap of a turn are moved.
fn moved(case: &Case, times: &Daily, gap: Gap, interval: bool) -> Vec<Timestamp> {
    let length = case.turn.forward_s();
    if gap == Gap::Skip || (gap == Gap::Cron && interval) || !(1..=3 * 3600).contains(&length) {
        return Vec::new();
    }
    (0..length / 60)
        .map(|minute| TimeDelta::minutes(minute))
        .filter(|minute| {
            let civil = case.turn.civil_before() + *minute;
            assert_eq!(case.tz.from_local_datetime(&civil), MappedLocalTime::None);
            names(times, civil)
        })
        .map(|minute| match gap {
            Gap::Shift => case.turn.at.plus(minute.to_std().expect("forward")),
            _ => case.turn.at,
        })
        .collect()
}

#[test]
fn every_fixed_civil_time_comes_exactly_once() {
    check_all(|case| {
        let policy = DstPolicy::default();
        for times in EXPRESSIONS.map(Daily::new) {
            if times.class() == FiringClass::Interval || case.turn.forward_s() > 3 * 3600 {
                continue;
            }
            let day = 24 * HOUR;
            let window = (case.turn.at.minus(2 * day), case.turn.at.plus(2 * day));
            let found = chain(&times, &*case.zone.rules, policy, window);
            let nominal: Vec<_> = found.iter().flat_map(|next| next.nominal.clone()).collect();
            let first = nominal.first().copied().expect("one");
            let last = nominal.last().copied().expect("one");
            let all: Vec<_> = std::iter::successors(Some(first), |civil| times.next_after(*civil))
                .take_while(|civil| *civil <= last)
                .collect();
            assert_eq!(nominal, all, "{} in {} at {}", times.text, case.tz, case.turn.at);
        }
    });
}

#[test]
fn intervals_follow_elapsed_time_through_every_turn() {
    check_all(|case| {
        for (text, minutes) in [("* *", 1), ("*/5 *", 5), ("*/15 *", 15), ("*/30 *", 30)] {
            if case.turn.forward_s() % (minutes * 60) != 0 {
                continue;
            }
            let window = (case.turn.at.minus(3 * HOUR), case.turn.at.plus(3 * HOUR));
            let found = chain(&Daily::new(text), &*case.zone.rules, DstPolicy::default(), window);
            let even = found.windows(2).all(|pair| {
                pair.iter().map(|next| next.at.unix_s()).reduce(|a, b| b - a) == Some(minutes * 60)
            });
            assert!(even, "{text} in {} at {}", case.tz, case.turn.at);
        }
    });
}

#[test]
fn a_civil_time_is_placed_as_the_library_of_the_data_places_it() {
    let mut kinds = BTreeMap::<&str, usize>::new();
    let cases = cases();
    for case in &cases {
        for minutes in -300..=300_i64 {
            let civil = case.turn.civil_before() + TimeDelta::minutes(minutes);
            let place = case.zone.rules.place(civil);
            let expected = case.tz.from_local_datetime(&civil);
            let at = |time: DateTime<Tz>| Timestamp::from_unix_s(time.timestamp());
            let (kind, same) = match expected {
                MappedLocalTime::Single(one) => ("once", place == CivilPlace::Once(at(one))),
                MappedLocalTime::Ambiguous(one, other) => {
                    let (first, second) = (at(one).min(at(other)), at(one).max(at(other)));
                    ("twice", place == CivilPlace::Twice { first, second })
                }
                MappedLocalTime::None => ("never", place == CivilPlace::Never(case.turn)),
            };
            assert!(same, "{civil} in {} is {place:?}, not {expected:?}", case.tz);
            *kinds.entry(kind).or_default() += 1;
        }
        let at = DateTime::<Utc>::from_timestamp(case.turn.at.unix_s(), 0).expect("a time");
        assert_eq!(
            case.zone.rules.offset_at(case.turn.at),
            at.with_timezone(&case.tz).offset().fix()
        );
    }
    assert_eq!(kinds.len(), 3, "{kinds:?}");
}
