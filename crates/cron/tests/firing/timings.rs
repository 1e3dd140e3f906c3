//! Timings made of texts: shared where they are the same, refused with what was expected.

use crate::world::{at, catching_up, fired, schedule, ticker};
use headgate_cron::{
    CatchupPolicy, CronText, DstPolicy, Fields, Rules, Timing, TimingError, Timings, Zones,
};
use headgate_event::limits::TIMINGS_UNUSED_MAX;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

fn timings() -> Timings {
    Timings::new(Arc::new(Zones::embedded()))
}

fn text<'a>(expression: &'a str, timezone: &'a str) -> CronText<'a> {
    CronText { expression, fields: Fields::Five, timezone, policy: DstPolicy::default() }
}

fn next(timing: &Timing, after: &str) -> String {
    timing.next_after(at(after)).expect("a next one").at.to_string()
}

#[test]
fn the_same_expressions_share_one_timing_unless_they_depend_on_the_schedule() {
    let mut timings = timings();
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let mut of =
        |expression, id| timings.cron(text(expression, "Europe/Berlin"), id).expect("fits");
    assert!(Arc::ptr_eq(&of("0 9 * * *", one), &of("0 9 * * *", two)));
    let (first, second) = (of("H H * * *", one), of("H H * * *", two));
    assert_ne!(next(&first, "2026-01-01T00:00:00Z"), next(&second, "2026-01-01T00:00:00Z"));
    let again = of("H H * * *", one);
    assert_eq!(next(&again, "2026-01-01T00:00:00Z"), next(&first, "2026-01-01T00:00:00Z"));
    let rules = |limit| catching_up(CatchupPolicy::All, Duration::from_secs(60), limit);
    assert!(Arc::ptr_eq(&timings.rules(rules(3)), &timings.rules(rules(3))));
    assert_eq!(timings.rules(rules(4)).catchup.limit, 4);
}

// Stored cursors hold them: with another one, every schedule would begin anew.
#[test]
fn the_fingerprint_of_a_timing_is_the_same_in_every_version() {
    let mut timings = timings();
    let cron = timings.cron(text("0 9 * * *", "UTC"), Uuid::nil()).expect("fits");
    let every = timings.every(Duration::from_secs(90), None).expect("fits");
    let moment = timings.at("2026-12-24T18:00:00Z", None).expect("fits");
    let found = [cron, every, moment].map(|timing| timing.fingerprint());
    let pinned = [16354389666836904199, 16215647841330144083, 16994115742936479466];
    assert_eq!(found, pinned);
}

#[test]
fn a_moment_is_read_by_the_clock_of_its_zone() {
    let mut timings = timings();
    let mut moment =
        |text, zone| next(&timings.at(text, zone).expect("fits"), "2020-01-01T00:00:00Z");
    let (berlin, york) = (Some("Europe/Berlin"), Some("America/New_York"));
    assert_eq!(moment("2026-12-24T18:00", berlin), "2026-12-24T17:00:00.000Z");
    assert_eq!(moment("2026-12-24T18:00:00+05:30", None), "2026-12-24T12:30:00.000Z");
    assert_eq!(moment("2026-03-08T02:30:00", york), "2026-03-08T07:00:00.000Z", "in a gap");
    assert_eq!(moment("2026-11-01T01:30", york), "2026-11-01T05:30:00.000Z", "the first of two");
}

/// The zone beside a time with an offset was not looked at, whatever it was.
#[test]
fn a_zone_beside_an_offset_has_to_be_one() {
    let mut timings = timings();
    let moment = "2026-12-24T18:00:00Z";
    let of = |zone: &str, timings: &mut Timings| {
        timings
            .at(moment, Some(zone))
            .map(|at| (next(&at, "2020-01-01T00:00:00Z"), at.fingerprint()))
    };
    let alone = timings.at(moment, None).expect("fits").fingerprint();
    let with_zone = of("Europe/Berlin", &mut timings).expect("fits");
    assert_eq!(with_zone, ("2026-12-24T18:00:00.000Z".to_owned(), alone));
    let wrong = of("nonsense", &mut timings).expect_err("no zone");
    assert!(matches!(wrong, TimingError::Zone(_)), "{wrong}");
}

#[test]
fn what_may_not_be_meant_is_said_of_a_timing() {
    let mut timings = timings();
    let mut told = String::new();
    for (expression, zone) in [("0 9 1 * MON", "EST"), ("*/7 * * * *", "UTC"), ("0 9 * * *", "UTC")]
    {
        let timing = timings.cron(text(expression, zone), Uuid::nil()).expect("fits");
        told += &format!("{expression} {zone}\n");
        timing.doubts().iter().for_each(|doubt| told += &format!("    {doubt}\n"));
    }
    let moment = timings.at("2026-12-24T18:00", Some("MST")).expect("fits");
    told += "at 2026-12-24T18:00 MST\n";
    moment.doubts().iter().for_each(|doubt| told += &format!("    {doubt}\n"));
    insta::assert_snapshot!(told);
}

#[test]
fn a_text_that_is_no_timing_is_refused_with_what_was_expected() {
    let mut timings = timings();
    let id = Uuid::from_u128(1);
    let wrong: Vec<TimingError> = vec![
        timings.cron(text("61 * * * *", "UTC"), id).expect_err("minute"),
        timings.cron(text("0 0 31 2 *", "UTC"), id).expect_err("never"),
        timings.cron(text("0 9 * * *", "Europe/Berln"), id).expect_err("zone"),
        timings.every(Duration::from_millis(1_500), None).expect_err("half a second"),
        timings.at("tomorrow", None).expect_err("no time"),
        timings.at("2026-12-24T18:00", None).expect_err("no zone"),
        timings.at("2011-12-30T12:00", Some("Pacific/Apia")).expect_err("a day left out"),
    ];
    let texts: Vec<_> = wrong.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(texts.join("\n"));
}

#[test]
fn a_schedule_with_fixed_times_fires_once_a_local_day_over_both_turns_of_the_clock() {
    let mut timings = timings();
    let timing = timings.cron(text("30 1,2 * * *", "America/New_York"), Uuid::nil()).expect("fits");
    for (day, times) in [
        ("2026-03-08", ["2026-03-08T06:30:00Z", "2026-03-08T07:00:00Z"]),
        ("2026-11-01", ["2026-11-01T05:30:00Z", "2026-11-01T07:30:00Z"]),
    ] {
        let mut now = at(&format!("{day}T00:00:00-05:00"));
        let mut ticker = ticker(vec![schedule("s", &timing, Rules::default())], now);
        let mut all = Vec::new();
        for _ in 0..12 * 120 {
            now = now.plus(Duration::from_secs(30));
            all.extend(fired(&mut ticker, now));
        }
        assert_eq!(all, times);
    }
}

/// They were let go of at a reload only: who made and deleted schedules over the API filled memory.
#[test]
fn what_no_schedule_uses_any_more_is_let_go_of() {
    let mut timings = timings();
    let held = timings.cron(text("0 9 * * *", "UTC"), Uuid::nil()).expect("fits");
    for n in 0..2 * TIMINGS_UNUSED_MAX {
        let (minute, hour, day) = (n % 60, n / 60 % 24, 1 + n / 1_440);
        let expression = format!("{minute} {hour} {day} * *");
        timings.cron(text(&expression, "UTC"), Uuid::nil()).expect("fits");
    }
    assert!(timings.expression_count() <= TIMINGS_UNUSED_MAX + 2, "unused ones are kept");
    let again = timings.cron(text("0 9 * * *", "UTC"), Uuid::nil()).expect("fits");
    assert!(Arc::ptr_eq(&held, &again), "a used one was let go of");
}
