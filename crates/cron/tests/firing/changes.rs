//! Schedules that come, change, pause and go while others fire.

use crate::shell::{World, source};
use crate::world::{DAY, HOUR, at, drain, every, fired, made, schedule, seconds, spec, ticker};
use headgate_cron::{Cursor, Rules, Schedule, ScheduleOrigin, ScheduleSpec, Ticker};
use headgate_event::Timestamp;
use serde_json::value::RawValue;
use std::sync::Arc;
use uuid::Uuid;

const START: &str = "2026-01-01T00:00:00Z";

fn start() -> Timestamp {
    at(START)
}

fn plain(name: &str, period: u64) -> Schedule {
    schedule(name, &every(period), Rules::default())
}

fn over_the_api(name: &str) -> Schedule {
    made(ScheduleSpec { origin: ScheduleOrigin::Api, ..spec(name, &every(60)) })
}

#[test]
fn a_reload_leaves_alone_what_is_unchanged_and_restarts_what_is_due_at_other_times() {
    let mut ticker =
        ticker(vec![plain("same", 3_600), plain("gone", 3_600), plain("other", 3_600)], start());
    let payload = RawValue::from_string("[1]".into()).expect("JSON");
    let said_otherwise = ScheduleSpec { payload, ..spec("same", &every(3_600)) };
    let late = start().plus(HOUR + seconds(30));
    let reloaded = ticker
        .reload(vec![made(said_otherwise), plain("other", 1_800), plain("more", 3_600)], late)
        .expect("loads");
    let counts = (reloaded.added, reloaded.changed, reloaded.removed, reloaded.unchanged);
    assert_eq!(counts, (1, 2, 1, 0));
    let (batches, _) = drain(&mut ticker, late);
    let firings: Vec<_> = batches.iter().flat_map(|batch| &batch.firings).collect();
    let shown: Vec<_> =
        firings.iter().map(|f| (f.schedule.name(), f.schedule.payload().get())).collect();
    assert_eq!(shown, [("same", "[1]")], "an edit of the payload keeps what is due");
    assert_eq!(fired(&mut ticker, start().plus(HOUR + HOUR / 2)), ["2026-01-01T01:30:00Z"]);
}

#[test]
fn two_schedules_with_one_id_are_refused_and_nothing_changes() {
    let mut ticker = ticker(vec![plain("a", 60)], start());
    let twice = vec![plain("b", 60), plain("c", 60), plain("b", 90)];
    let error = ticker.reload(twice, start()).expect_err("twice");
    insta::assert_snapshot!(error);
    assert_eq!((ticker.len(), ticker.schedule(plain("a", 60).id()).is_some()), (1, true));
    ticker.put(over_the_api("d"), start()).expect("there is none");
    assert!(ticker.reload(vec![plain("d", 60)], start()).is_err(), "it is the API's");
    assert!(ticker.put(over_the_api("a"), start()).is_err(), "it is the configuration's");
}

#[test]
fn a_reload_leaves_alone_what_was_made_over_the_api() {
    let mut ticker = ticker(vec![plain("a", 60), over_the_api("b")], start());
    let reloaded = ticker.reload(Vec::new(), start()).expect("loads");
    assert_eq!((reloaded.removed, ticker.len()), (1, 1));
    assert!(ticker.schedule(over_the_api("b").id()).is_some());
}

#[test]
fn a_removed_schedule_that_comes_back_has_no_backlog_and_is_remembered_for_a_week() {
    let counted = || {
        let rules = Rules { max_fires: Some(2), ..Rules::default() };
        schedule("s", &every(3_600), rules)
    };
    let mut ticker = ticker(vec![counted()], start());
    assert_eq!(fired(&mut ticker, start().plus(HOUR)).len(), 1);
    ticker.reload(Vec::new(), start().plus(2 * HOUR)).expect("loads");
    ticker.reload(vec![counted()], start().plus(5 * HOUR)).expect("loads");
    assert!(fired(&mut ticker, start().plus(5 * HOUR)).is_empty());
    assert_eq!(fired(&mut ticker, start().plus(6 * HOUR)), ["2026-01-01T06:00:00Z"]);
    assert!(fired(&mut ticker, start().plus(7 * HOUR)).is_empty(), "it fired twice before");

    ticker.reload(Vec::new(), start().plus(8 * HOUR)).expect("loads");
    assert!(ticker.forget_removed(start().plus(7 * DAY)).is_empty());
    assert_eq!(ticker.forget_removed(start().plus(8 * DAY)), [counted().id()]);
}

/// What fires after a restart at `now` with other schedules.
fn restarted(cursors: &[Cursor], schedules: Vec<Schedule>, now: Timestamp) -> Vec<String> {
    let mut ticker = Ticker::resuming(cursors.to_vec());
    ticker.reload(schedules, now).expect("loads");
    fired(&mut ticker, now)
}

#[test]
fn a_restart_catches_up_but_not_with_another_timing_and_not_what_was_switched_off() {
    let mut before = Ticker::default();
    let moved = before.reload(vec![plain("s", 3_600)], start()).expect("loads").moved;
    let cursors = before.cursors(&moved);
    let later = start().plus(3 * HOUR);
    assert_eq!(restarted(&cursors, vec![plain("s", 3_600)], later), ["2026-01-01T03:00:00Z"]);
    assert!(restarted(&cursors, vec![plain("s", 1_800)], later).is_empty());

    let off = made(ScheduleSpec { enabled: false, ..spec("s", &every(3_600)) });
    let moved = before.reload(vec![off.clone()], start()).expect("loads").moved;
    let cursors = before.cursors(&moved);
    assert!(fired(&mut before, later).is_empty(), "it is switched off");
    assert!(restarted(&cursors, vec![off], later).is_empty());
    assert!(restarted(&cursors, vec![plain("s", 3_600)], later).is_empty(), "no backlog");
    before.reload(vec![plain("s", 3_600)], later).expect("loads");
    assert!(fired(&mut before, later).is_empty(), "no backlog");
    assert_eq!(fired(&mut before, later.plus(HOUR)).len(), 1);
}

#[test]
fn an_unchanged_schedule_is_not_stored_again_at_a_start() {
    let mut before = Ticker::default();
    let moved = before.reload(vec![plain("s", 3_600)], start()).expect("loads").moved;
    let cursors = before.cursors(&moved);
    assert_eq!(cursors.len(), 1, "the time it was made is to be stored");
    let mut again = Ticker::resuming(cursors);
    let reloaded = again.reload(vec![plain("s", 3_600)], start().plus(HOUR)).expect("loads");
    assert!(reloaded.moved.is_empty());
}

/// A page ended between two of one name, and the second was on no page.
#[tokio::test(start_paused = true)]
async fn pages_hold_every_schedule_once_also_those_of_one_name() {
    let twin = |id: u128| made(ScheduleSpec { id: Uuid::from_u128(id), ..spec("b", &every(60)) });
    let schedules = vec![twin(7), plain("a", 60), twin(3), plain("c", 60), twin(5)];
    let source = source(&Arc::new(World::default()), schedules, START).await;
    let all: Vec<Uuid> = source.list(0).iter().map(|view| view.schedule.id()).collect();
    for limit in 1..=6 {
        let (mut seen, mut last) = (Vec::new(), None);
        loop {
            let after =
                last.as_ref().map(|(name, id): &(String, Uuid)| ("timers", name.as_str(), *id));
            let page = source.page(Some("timers"), after, limit, 0);
            let Some(end) = page.last() else { break };
            last = Some((end.schedule.name().to_owned(), end.schedule.id()));
            seen.extend(page.iter().map(|view| view.schedule.id()));
        }
        assert_eq!(seen, all, "with {limit} on a page");
    }
    assert_eq!(all.len(), 5);
    assert_eq!(all.get(1..4), Some(&[3, 5, 7].map(Uuid::from_u128)[..]));
}
