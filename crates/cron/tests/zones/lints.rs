//! What people are told of coming turns of the clock that touch their fixed times.

use crate::times::Daily;
use headgate_cron::{DstPolicy, Zones, turn_lints};

/// The lints of an expression in a zone, one a line.
fn lints(expression: &str, zone: &str, policy: &str, now: &str) -> String {
    let (gap, fold) = policy.split_once('/').expect("gap/fold");
    let policy = DstPolicy {
        gap: gap.parse().expect("a gap policy"),
        fold: fold.parse().expect("a fold policy"),
    };
    let zone = Zones::embedded().zone(zone).expect("a zone");
    let now = now.parse().expect("a time");
    turn_lints(&Daily::new(expression), &*zone.rules, policy, now)
        .iter()
        .map(ToString::to_string)
        .collect::<Vec<_>>()
        .join("\n")
}

#[test]
fn a_fixed_time_in_a_coming_gap_or_fold_is_told_with_its_day_and_what_becomes_of_it() {
    let now = "2026-11-21T00:00:00Z";
    let told = [
        lints("30 2", "America/New_York", "cron/cron", now),
        lints("30 2", "America/New_York", "skip/cron", now),
        lints("30 2", "America/New_York", "shift/cron", now),
        lints("30 1", "America/New_York", "cron/cron", now),
        lints("0,30 1", "America/New_York", "cron/both", now),
        lints("45 1", "Australia/Lord_Howe", "cron/second", now),
        lints("30 2", "Pacific/Apia", "cron/cron", "2011-12-01T00:00:00Z"),
    ];
    insta::assert_snapshot!(told.join("\n\n"));
}

#[test]
fn times_that_no_turn_touches_and_intervals_are_not_told() {
    let now = "2026-11-21T00:00:00Z";
    assert_eq!(lints("0 3", "America/New_York", "cron/cron", now), "");
    assert_eq!(lints("0 2", "America/New_York", "cron/cron", now).lines().count(), 1);
    assert_eq!(lints("*/20 *", "America/New_York", "cron/cron", now), "");
    assert_eq!(lints("30 2", "UTC", "cron/cron", now), "");
}
