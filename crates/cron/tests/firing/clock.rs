//! Whatever the wall clock and the rules of zones do.

use crate::world::{DAY, Daily, HOUR, at, drain, every, fired, schedule, seconds, ticker};
use headgate_cron::{Rules, Ticker};
use headgate_event::limits::{CRON_SLEEP_MAX, SCHEDULES_PER_LOOK_MAX};
use std::{sync::atomic::Ordering, time::Duration};

#[test]
fn nothing_from_before_a_schedule_was_made_fires() {
    let mut ticker =
        ticker(vec![schedule("s", &every(60), Rules::default())], at("2026-01-01T00:00:30Z"));
    assert!(fired(&mut ticker, at("2026-01-01T00:00:59.999Z")).is_empty());
    assert_eq!(fired(&mut ticker, at("2026-01-01T00:01:00Z")), ["2026-01-01T00:01:00Z"]);
}

#[test]
fn a_sleep_ends_at_the_next_due_time_or_after_30_seconds() {
    let made = at("2026-01-01T00:00:30Z");
    let ticker = ticker(vec![schedule("s", &every(3_600), Rules::default())], made);
    assert_eq!(ticker.sleep_until(made), made.plus(CRON_SLEEP_MAX));
    let shortly = at("2026-01-01T00:59:50Z");
    assert_eq!(ticker.sleep_until(shortly), at("2026-01-01T01:00:00Z"));
    assert_eq!(ticker.sleep_until(at("2026-01-01T02:00:00Z")), at("2026-01-01T02:00:00Z"));
    assert_eq!(Ticker::default().sleep_until(made), made.plus(CRON_SLEEP_MAX));
}

#[test]
fn a_clock_that_is_put_back_by_up_to_three_hours_fires_nothing_again() {
    let noon = at("2026-01-01T12:00:00Z");
    let mut ticker = ticker(vec![schedule("s", &every(60), Rules::default())], noon);
    assert_eq!(fired(&mut ticker, noon.plus(seconds(60))).len(), 1);
    let mut now = noon.minus(3 * HOUR).plus(seconds(60));
    while now <= noon.plus(seconds(119)) {
        assert!(fired(&mut ticker, now).is_empty(), "at {now}");
        now = now.plus(seconds(59));
    }
    assert_eq!(fired(&mut ticker, noon.plus(seconds(120))), ["2026-01-01T12:02:00Z"]);
}

#[test]
fn a_clock_that_is_put_back_by_more_lets_schedules_begin_anew_and_says_so() {
    let noon = at("2027-01-01T12:00:00Z");
    let mut ticker = ticker(vec![schedule("s", &every(60), Rules::default())], noon);
    assert_eq!(fired(&mut ticker, noon.plus(seconds(60))).len(), 1);
    let right = at("2026-01-01T08:00:00Z");
    let batch = ticker.due(right);
    let reset = batch.reset.as_ref().expect("it is said");
    assert_eq!((reset.moved.len(), reset.furthest), (1, noon.plus(seconds(60))));
    let cursors = ticker.cursors(&reset.moved);
    assert_eq!(cursors.iter().map(|c| c.until).collect::<Vec<_>>(), [right]);
    assert!(batch.firings.is_empty());
    assert_eq!(fired(&mut ticker, right.plus(seconds(60))), ["2026-01-01T08:01:00Z"]);
    assert!(ticker.due(right.plus(seconds(61))).reset.is_none(), "said once");
}

// Symptom: a million schedules held up everybody when the clock was put back. Cause: all of them
// were armed anew in one go, under the lock that every call needs. Fix: some are, with each batch.
#[test]
fn a_clock_that_is_put_back_is_followed_in_pieces_and_told_of_once() {
    let (noon, many) = (at("2027-01-01T12:00:00Z"), 2 * SCHEDULES_PER_LOOK_MAX + 1);
    let timing = every(60);
    let all = (0..many).map(|n| schedule(&format!("s{n}"), &timing, Rules::default())).collect();
    let mut ticker = ticker(all, noon);
    let right = at("2026-01-01T08:00:00Z");
    let (mut pieces, mut told) = (Vec::new(), Vec::new());
    loop {
        let batch = ticker.due(right);
        let reset = batch.reset.as_ref().expect("some begin anew");
        assert_eq!(reset.furthest, noon);
        pieces.push(reset.moved.len());
        told.push(reset.all);
        assert!(batch.firings.is_empty());
        ticker.settle(&batch, &[]);
        if !batch.more {
            break;
        }
        assert_eq!(ticker.sleep_until(right), right, "there is more to do");
    }
    assert_eq!(pieces, [SCHEDULES_PER_LOOK_MAX, SCHEDULES_PER_LOOK_MAX, 1]);
    assert_eq!(told, [None, None, Some(many)]);
    assert!(ticker.due(right).reset.is_none());
    assert_eq!(fired(&mut ticker, right.plus(seconds(60))).len(), many);
}

#[test]
fn a_start_with_a_clock_that_is_hours_behind_the_cursors_begins_anew() {
    let noon = at("2027-01-01T12:00:00Z");
    let schedules = || vec![schedule("s", &every(60), Rules::default())];
    let (_, cursors) = drain(&mut ticker(schedules(), noon), noon.plus(seconds(60)));
    let mut again = Ticker::resuming(cursors);
    let right = at("2026-01-01T08:00:00Z");
    again.reload(schedules(), right).expect("loads");
    assert!(again.due(right).reset.is_some());
    assert_eq!(fired(&mut again, right.plus(seconds(60))), ["2026-01-01T08:01:00Z"]);
}

#[test]
fn a_start_in_the_future_is_no_cursor_ahead_of_the_clock() {
    let made = at("2026-01-01T00:00:00Z");
    let rules = Rules { start_at: Some(made.plus(30 * DAY)), ..Rules::default() };
    let mut ticker = ticker(vec![schedule("s", &every(3_600), rules)], made);
    assert!(ticker.due(made.plus(DAY)).reset.is_none());
    assert_eq!(fired(&mut ticker, made.plus(30 * DAY)), ["2026-01-31T00:00:00Z"]);
}

// A zone that moves west while a schedule runs shows times again that have fired.
#[test]
fn a_wall_clock_time_that_fired_does_not_fire_again_after_a_zones_rules_change() {
    let (timing, offset_s) = Daily::timing(&["09:00", "09:30", "12:00"], -7);
    let schedules = || vec![schedule("s", &timing, Rules::default())];
    let mut ticker = ticker(schedules(), at("2026-11-01T15:59:00Z"));
    assert_eq!(fired(&mut ticker, at("2026-11-01T16:00:00Z")), ["2026-11-01T16:00:00Z"]);
    let (_, cursors) = drain(&mut ticker, at("2026-11-01T16:30:00Z"));
    // 09:00 and 09:30 are to come once more, an hour later.
    offset_s.store(-8 * 3_600, Ordering::SeqCst);
    ticker.zones_changed();
    let mut restarted = Ticker::resuming(cursors);
    restarted.reload(schedules(), at("2026-11-01T16:45:00Z")).expect("loads");
    for ticker in [&mut ticker, &mut restarted] {
        assert!(fired(ticker, at("2026-11-01T17:59:00Z")).is_empty());
        assert_eq!(fired(ticker, at("2026-11-01T20:00:00Z")), ["2026-11-01T20:00:00Z"]);
        assert_eq!(fired(ticker, at("2026-11-02T17:00:00Z")), ["2026-11-02T17:00:00Z"]);
    }
}

#[test]
fn a_zone_that_moves_east_makes_due_what_its_clock_has_passed() {
    let (timing, offset_s) = Daily::timing(&["09:00"], -8);
    let made = at("2026-11-01T15:00:00Z");
    let mut ticker = ticker(vec![schedule("s", &timing, Rules::default())], made);
    assert!(fired(&mut ticker, at("2026-11-01T16:20:00Z")).is_empty());
    offset_s.store(-7 * 3_600, Ordering::SeqCst);
    ticker.zones_changed();
    assert_eq!(fired(&mut ticker, at("2026-11-01T16:20:00Z")), ["2026-11-01T16:00:00Z"]);
    assert!(fired(&mut ticker, at("2026-11-01T17:30:00Z")).is_empty());
}

#[test]
fn a_suspend_of_eight_hours_is_one_event_that_says_so() {
    let made = at("2026-01-01T00:00:00Z");
    let mut ticker = ticker(vec![schedule("s", &every(60), Rules::default())], made);
    assert_eq!(fired(&mut ticker, made.plus(seconds(60))).len(), 1);
    let (batches, _) = drain(&mut ticker, made.plus(8 * HOUR).plus(Duration::from_millis(5)));
    let firings: Vec<_> = batches.iter().flat_map(|batch| &batch.firings).collect();
    assert_eq!(firings.iter().map(|f| f.missed).collect::<Vec<_>>(), [478]);
}
