//! The table of what happens at the turns of the clock: `fixtures/cron/turns.txt`.

use crate::times::Daily;
use chrono::DateTime;
use headgate_cron::{DstMark, DstPolicy, Occurrence, Zones, next_occurrence};
use headgate_event::Timestamp;

#[test]
fn every_row_of_the_table_of_turns_comes_true() {
    let rows = include_str!("../../../../fixtures/cron/turns.txt");
    let zones = Zones::embedded();
    let mut checked = 0;
    for row in rows.lines().filter(|row| !row.is_empty() && !row.starts_with('#')) {
        let [zone, policy, expression, after, expected]: [&str; 5] =
            row.split('|').map(str::trim).collect::<Vec<_>>().try_into().expect("five columns");
        let zone = zones.zone(zone).expect("a zone");
        let (gap, fold) = policy.split_once('/').expect("gap/fold");
        let policy = DstPolicy {
            gap: gap.parse().expect("a gap policy"),
            fold: fold.parse().expect("a fold policy"),
        };
        let times = Daily::new(expression);
        let mut cursor: Timestamp = after.parse().expect("a time");
        let mut found = Vec::new();
        for _ in expected.split(", ") {
            let next = next_occurrence(&times, &*zone.rules, policy, cursor).expect("a next one");
            cursor = next.at;
            found.push(written(&next));
        }
        assert_eq!(found.join(", "), expected, "in the row {row}");
        checked += 1;
    }
    assert!(checked > 30, "only {checked} rows");
}

/// `03-08 03:00-04:00 gap 02:30`: local time, offset, and what the turn did.
fn written(occurrence: &Occurrence) -> String {
    let utc = DateTime::from_timestamp_millis(occurrence.at.unix_ms()).expect("a time");
    let local = utc.with_timezone(&occurrence.offset).format("%m-%d %H:%M%:z");
    let nominal: Vec<String> =
        occurrence.nominal.iter().map(|civil| civil.format("%H:%M").to_string()).collect();
    match occurrence.dst {
        Some(DstMark::Gap) => format!("{local} gap {}", nominal.join(" ")),
        Some(DstMark::FirstPass) => format!("{local} fold1"),
        Some(DstMark::SecondPass) => format!("{local} fold2"),
        None => local.to_string(),
    }
}
