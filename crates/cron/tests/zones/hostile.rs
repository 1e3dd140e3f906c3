//! Schedules that break their word and bytes that are no zone: no panic, no endless loop.

use crate::times::Daily;
use chrono::{NaiveDateTime, TimeDelta};
use headgate_cron::{
    CivilTimes, DstPolicy, FiringClass, ZoneRules, ZoneTable, Zones, next_occurrence,
};
use headgate_event::Timestamp;
use proptest::prelude::*;

/// Answers with a time so many seconds after the one asked for, or before it.
struct Wrong(i64);

impl CivilTimes for Wrong {
    fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        civil.checked_add_signed(TimeDelta::seconds(self.0))
    }

    fn class(&self) -> FiringClass {
        FiringClass::Interval
    }
}

/// Answers with the same time, whatever it is asked.
struct Stuck(NaiveDateTime);

impl CivilTimes for Stuck {
    fn next_after(&self, _: NaiveDateTime) -> Option<NaiveDateTime> {
        Some(self.0)
    }

    fn class(&self) -> FiringClass {
        FiringClass::Fixed
    }
}

fn new_york() -> headgate_cron::Zone {
    Zones::embedded().zone("America/New_York").expect("a zone")
}

#[test]
fn a_schedule_that_answers_with_the_past_ends() {
    let cursor: Timestamp = "2026-11-01T05:50:00Z".parse().expect("a time");
    let (zone, policy) = (new_york(), DstPolicy::default());
    for wrong in [-3600, -86_400 * 400] {
        assert_eq!(next_occurrence(&Wrong(wrong), &*zone.rules, policy, cursor), None, "{wrong}");
    }
    for nearly in [0, -1] {
        let next = next_occurrence(&Wrong(nearly), &*zone.rules, policy, cursor).expect("later");
        assert!(next.at > cursor, "{nearly}: {}", next.at);
    }
}

#[test]
fn a_schedule_with_one_answer_is_due_once() {
    let noon = "2026-11-01T12:00:00".parse().expect("a civil time");
    let (zone, policy) = (new_york(), DstPolicy::default());
    let cursor = "2026-10-01T00:00:00Z".parse().expect("a time");
    let next = next_occurrence(&Stuck(noon), &*zone.rules, policy, cursor).expect("once");
    assert_eq!(next.at.to_string(), "2026-11-01T17:00:00.000Z");
    assert_eq!(next_occurrence(&Stuck(noon), &*zone.rules, policy, next.at), None);
}

#[test]
fn a_cursor_at_either_end_of_time_is_no_trouble() {
    let (zone, policy) = (new_york(), DstPolicy::default());
    let times = Daily::new("30 2");
    let first = Timestamp::from_unix_ms(i64::MIN);
    assert!(next_occurrence(&times, &*zone.rules, policy, first).is_some());
    let last = Timestamp::from_unix_ms(i64::MAX);
    assert_eq!(next_occurrence(&times, &*zone.rules, policy, last), None);
    for second in [253_402_300_799, 253_402_300_800, 8_210_266_876_799, -62_135_596_801] {
        let cursor = Timestamp::from_unix_s(second);
        if let Some(next) = next_occurrence(&times, &*zone.rules, policy, cursor) {
            assert!(next.at > cursor, "{cursor}");
        }
    }
}

#[test]
fn a_cursor_within_a_second_is_not_answered_with_that_second() {
    let cursor: Timestamp = "2026-06-01T12:00:00.999Z".parse().expect("a time");
    let next =
        next_occurrence(&Daily::new("* *"), &*new_york().rules, DstPolicy::default(), cursor);
    assert_eq!(next.expect("one").at.to_string(), "2026-06-01T12:01:00.000Z");
}

#[test]
fn bytes_that_are_no_zone_are_refused_in_words() {
    let error = ZoneTable::from_tzif(b"not a zone").expect_err("no zone");
    assert!(error.to_string().starts_with("the bytes are no TZif file: "), "{error}");
    assert!(ZoneTable::from_tzif(b"").is_err());
}

/// A TZif file of version 2 with one turn and a rule for the years after.
fn tzif(footer: &str) -> Vec<u8> {
    let block = |time: &[u8]| {
        let mut block = b"TZif2".to_vec();
        block.extend([0; 15]);
        for count in [0_u32, 0, 0, 1, 2, 8] {
            block.extend(count.to_be_bytes());
        }
        block.extend(time);
        block.push(1);
        block.extend([0, 0, 0, 0, 0, 0]);
        block.extend([0, 0, 0x0e, 0x10, 1, 4]);
        block.extend(b"AAA\0BBB\0");
        block
    };
    let mut file = block(&1_000_000_000_i32.to_be_bytes());
    file.extend(block(&1_000_000_000_i64.to_be_bytes()));
    file.extend(format!("\n{footer}\n").bytes());
    file
}

#[test]
fn a_rule_for_later_years_holds_to_the_end_of_the_century() {
    let table = ZoneTable::from_tzif(&tzif("AAA0BBB,M3.5.0,M10.5.0")).expect("a zone");
    assert!(table.change_count() > 190, "{}", table.change_count());
    let july: Timestamp = "2099-07-01T00:00:00Z".parse().expect("a time");
    assert_eq!(table.offset_at(july).local_minus_utc(), 3600);
}

proptest! {
    #[test]
    fn any_bytes_are_a_zone_or_refused(
        at in 0_usize..200,
        byte in any::<u8>(),
        cut in 0_usize..200,
        footer in "[A-Z0-9,./<>+-]{0,30}",
    ) {
        let mut bytes = tzif(&footer);
        if let Some(place) = bytes.get_mut(at) {
            *place = byte;
        }
        bytes.truncate(bytes.len() - cut % 8);
        if let Ok(table) = ZoneTable::from_tzif(&bytes) {
            let cursor = Timestamp::from_unix_s(1_700_000_000);
            let next = next_occurrence(&Daily::new("30 2"), &table, DstPolicy::default(), cursor);
            prop_assert!(next.is_some_and(|next| next.at > cursor));
        }
    }
}
