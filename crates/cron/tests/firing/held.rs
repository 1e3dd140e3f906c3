//! What was due before a schedule was paused, changed, switched off or taken away is kept or told,
//! never forgotten.

use crate::{
    shell::{World, source},
    world::{
        DAY, HOUR, at, catching_up, drain, every, fired, made, schedule, seconds, spec, ticker,
    },
};
use headgate_cron::{
    Backlog, CatchupPolicy, Cursor, GoesOn, Missed, MissedWhy, Rules, Schedule, ScheduleOrigin,
    ScheduleSpec, Ticker,
};
use headgate_event::Timestamp;
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};

const START: &str = "2026-01-01T00:00:00Z";

/// Hourly, and each run later by its jitter.
fn jittered() -> Schedule {
    let rules = Rules { jitter: HOUR, ..Rules::default() };
    let schedule = schedule("hourly", &every(3_600), rules);
    assert!(delay(&schedule) > seconds(60), "the id of this schedule gives it a delay");
    schedule
}

fn delay(schedule: &Schedule) -> Duration {
    Duration::from_millis(u64::try_from(schedule.delay_ms(Some(3_600_000))).expect("not before"))
}

fn told(missed: &[Missed]) -> Vec<(MissedWhy, u64, String, String)> {
    let at = |at: Timestamp| at.to_string().replace(".000Z", "Z");
    missed.iter().map(|it| (it.why, it.count, at(it.first), at(it.last))).collect()
}

fn from_to(
    why: MissedWhy,
    count: u64,
    first: &str,
    last: &str,
) -> (MissedWhy, u64, String, String) {
    (why, count, format!("2026-01-01T{first}:00Z"), format!("2026-01-01T{last}:00Z"))
}

fn pause(ticker: &mut Ticker, schedule: &Schedule, now: Timestamp) {
    let cursor = ticker.paused(schedule.id(), now).expect("it is there");
    ticker.apply(cursor);
}

fn resume(ticker: &mut Ticker, schedule: &Schedule, now: Timestamp) -> Vec<Missed> {
    let resumed = ticker.resumed(schedule.id(), Backlog::Drop, now);
    let GoesOn { cursor, missed } = resumed.expect("it is there");
    ticker.apply(cursor);
    missed
}

/// The whole state goes through a restart.
fn restarted(ticker: &Ticker, schedule: &Schedule, now: Timestamp) -> Ticker {
    let cursors = ticker.cursors(&[schedule.id()]).into_iter().map(|cursor| {
        let (id, bytes) = cursor.to_bytes();
        Cursor::from_bytes(&id, &bytes).expect("as it was written")
    });
    let mut again = Ticker::resuming(cursors.collect());
    again.reload(vec![schedule.clone()], now).expect("loads");
    again
}

/// Symptom: a second pause took a run that waited for its jitter. Cause: what the first one had left
/// out decided what was due before the second. Fix: it is over once what was due before it fired.
#[test]
fn a_second_pause_keeps_what_was_due_before_it_too() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    fired(&mut ticker, at("2026-01-01T03:00:20Z"));
    for hour in ["03", "04"] {
        let time = |rest: &str| at(&format!("2026-01-01T{hour}:{rest}Z"));
        pause(&mut ticker, &hourly, time("00:20"));
        assert!(resume(&mut ticker, &hourly, time("00:40")).is_empty());
        let next = at(&format!("2026-01-01T{hour}:00:20Z")).plus(HOUR);
        assert_eq!(fired(&mut ticker, next), [format!("2026-01-01T{hour}:00:00Z")]);
    }
}

/// Symptom: a schedule that was resumed while the clock was a year ahead fired nothing for a year.
/// Cause: when the clock was put back, only cursors were looked at. Fix: so is what is left out.
#[test]
fn what_a_wrong_clock_left_out_begins_anew_when_it_is_put_back() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    let paused_at = at("2026-01-01T03:00:20Z");
    fired(&mut ticker, paused_at);
    pause(&mut ticker, &hourly, paused_at);
    resume(&mut ticker, &hourly, paused_at.plus(365 * DAY));
    let right = paused_at.plus(seconds(60));
    assert!(ticker.due(right).reset.is_some(), "it is said");
    let next = at("2026-01-01T04:00:00Z");
    assert_eq!(fired(&mut ticker, next.plus(delay(&hourly))), ["2026-01-01T04:00:00Z"]);
}

/// A run waited for its jitter when its schedule was paused; when that ended, the cursor was put
/// past it, and nothing said so.
#[test]
fn a_run_that_waits_for_its_jitter_outlives_a_pause_and_what_was_due_in_it_is_told() {
    let hourly = jittered();
    let paused_at = at("2026-01-01T03:00:20Z");
    let run = |restart: bool| {
        let mut ticker = ticker(vec![hourly.clone()], at(START));
        fired(&mut ticker, paused_at);
        pause(&mut ticker, &hourly, paused_at);
        if restart {
            ticker = restarted(&ticker, &hourly, paused_at.plus(HOUR));
        }
        let resumed_at = at("2026-01-01T06:10:00Z");
        assert!(fired(&mut ticker, resumed_at).is_empty(), "it fired while it was paused");
        let missed = resume(&mut ticker, &hourly, resumed_at);
        assert_eq!(told(&missed), [from_to(MissedWhy::Paused, 3, "04:00", "06:00")]);
        if restart {
            ticker = restarted(&ticker, &hourly, resumed_at);
        }
        let (batches, _) = drain(&mut ticker, resumed_at);
        let firings: Vec<_> = batches.iter().flat_map(|batch| &batch.firings).collect();
        let times: Vec<_> = firings.iter().map(|it| (it.occurrence.at, it.missed)).collect();
        assert_eq!(times, [(at("2026-01-01T03:00:00Z"), 0)], "what was due before it");
        let next = at("2026-01-01T07:00:00Z");
        assert_eq!(fired(&mut ticker, next.plus(delay(&hourly))), ["2026-01-01T07:00:00Z"]);
        assert_eq!(ticker.cursor(hourly.id()).and_then(|cursor| cursor.hold), None);
    };
    run(false);
    run(true);
}

#[test]
fn a_pause_that_ends_before_a_jitter_does_leaves_its_run_in_time() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    let due = at("2026-01-01T01:00:00Z");
    pause(&mut ticker, &hourly, due.plus(seconds(10)));
    assert!(resume(&mut ticker, &hourly, due.plus(seconds(20))).is_empty());
    let shown = ticker.view(hourly.id(), 2).expect("it is there").next;
    let shown: Vec<_> = shown.iter().map(|next| next.occurrence.at).collect();
    assert_eq!(shown, [due, due.plus(HOUR)]);
    assert_eq!(fired(&mut ticker, due.plus(delay(&hourly))), ["2026-01-01T01:00:00Z"]);
}

/// What was being caught up vanished with a pause: it is judged anew when that ends.
#[test]
fn a_backlog_outlives_a_pause_and_is_judged_by_its_window_when_that_ends() {
    let rules = catching_up(CatchupPolicy::All, 5 * HOUR, 100);
    let all = schedule("all", &every(3_600), rules);
    let mut ticker = ticker(vec![all.clone()], at(START));
    let paused_at = at("2026-01-01T04:10:00Z");
    pause(&mut ticker, &all, paused_at);
    let resumed_at = at("2026-01-01T08:10:00Z");
    let missed = resume(&mut ticker, &all, resumed_at);
    assert_eq!(told(&missed), [from_to(MissedWhy::Paused, 4, "05:00", "08:00")]);
    let (batches, _) = drain(&mut ticker, resumed_at);
    let told_then: Vec<_> = batches.iter().flat_map(|batch| told(&batch.missed)).collect();
    assert_eq!(told_then, [from_to(MissedWhy::Window, 3, "01:00", "03:00")]);
    let fired_then: Vec<_> = batches.iter().flat_map(|batch| &batch.firings).collect();
    let times: Vec<_> = fired_then.iter().map(|it| it.occurrence.at.to_string()).collect();
    assert_eq!(times, ["2026-01-01T04:00:00.000Z"]);
}

#[test]
fn a_second_pause_keeps_what_the_first_one_kept() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    pause(&mut ticker, &hourly, at("2026-01-01T01:00:05Z"));
    resume(&mut ticker, &hourly, at("2026-01-01T01:00:10Z"));
    pause(&mut ticker, &hourly, at("2026-01-01T01:00:15Z"));
    pause(&mut ticker, &hourly, at("2026-01-01T02:30:00Z"));
    let missed = resume(&mut ticker, &hourly, at("2026-01-01T03:00:10Z"));
    assert_eq!(told(&missed), [from_to(MissedWhy::Paused, 2, "02:00", "03:00")]);
    assert_eq!(fired(&mut ticker, at("2026-01-01T03:00:10Z")), ["2026-01-01T01:00:00Z"]);
}

#[test]
fn a_schedule_that_is_switched_off_and_on_keeps_what_was_due_before() {
    let hourly = jittered();
    let spec = |enabled| ScheduleSpec {
        enabled,
        rules: Arc::new(hourly.rules().clone()),
        ..spec("hourly", &every(3_600))
    };
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    let off = ticker.reload(vec![made(spec(false))], at("2026-01-01T01:00:05Z")).expect("loads");
    assert_eq!((off.changed, told(&off.missed)), (1, Vec::new()));
    let back = at("2026-01-01T04:00:10Z");
    let on = ticker.reload(vec![made(spec(true))], back).expect("loads");
    assert_eq!(told(&on.missed), [from_to(MissedWhy::Paused, 3, "02:00", "04:00")]);
    assert_eq!(fired(&mut ticker, back), ["2026-01-01T01:00:00Z"]);
}

#[test]
fn what_was_due_by_other_times_than_those_that_hold_is_told_and_counted() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly], at(START));
    let changed_at = at("2026-01-01T01:00:05Z");
    let half = made(spec("hourly", &every(1_800)));
    let reloaded = ticker.reload(vec![half], changed_at).expect("loads");
    assert_eq!(told(&reloaded.missed), [from_to(MissedWhy::Changed, 1, "01:00", "01:00")]);
    let (batches, _) = drain(&mut ticker, at("2026-01-01T01:30:00Z"));
    let counts: Vec<_> = batches.iter().flat_map(|it| &it.firings).map(|it| it.missed).collect();
    assert_eq!(counts, [1], "the next event tells of it");
}

#[test]
fn what_was_due_before_a_schedule_is_taken_away_is_told_then_and_not_again() {
    let hourly = jittered();
    let mut ticker = ticker(vec![hourly.clone()], at(START));
    let gone = ticker.reload(Vec::new(), at("2026-01-01T01:00:05Z")).expect("loads");
    assert_eq!(told(&gone.missed), [from_to(MissedWhy::Removed, 1, "01:00", "01:00")]);
    let back = ticker.reload(vec![hourly.clone()], at("2026-01-01T05:00:05Z")).expect("loads");
    assert!(back.missed.is_empty(), "it was not there: {:?}", back.missed);
    let next = at("2026-01-01T06:00:00Z").plus(delay(&hourly));
    assert_eq!(fired(&mut ticker, next), ["2026-01-01T06:00:00Z"]);
    assert!(ticker.reload(Vec::new(), next).expect("loads").missed.is_empty());
}

fn over_the_api(rules: Rules) -> Schedule {
    let origin = ScheduleOrigin::Api;
    made(ScheduleSpec { origin, rules: Arc::new(rules), ..spec("hourly", &every(3_600)) })
}

/// One that was deleted and made again was born paused, or had fired as often as it may.
#[test]
fn a_schedule_that_is_made_again_is_a_new_one_but_for_what_was_dealt_with() {
    let twice = || over_the_api(Rules { max_fires: Some(2), ..Rules::default() });
    let mut ticker = ticker(vec![twice()], at(START));
    fired(&mut ticker, at("2026-01-01T01:00:00Z"));
    fired(&mut ticker, at("2026-01-01T02:00:00Z"));
    pause(&mut ticker, &twice(), at("2026-01-01T02:10:00Z"));
    ticker.remove(twice().id(), at("2026-01-01T02:20:00Z")).expect("it was there");
    let again = at("2026-01-01T04:30:00Z");
    let stored = ticker.cursor_for(&twice(), again);
    ticker.put(twice(), again).expect("there is none");
    assert_eq!(ticker.cursor(twice().id()), Some(stored.clone()), "what was stored holds");
    assert_eq!((stored.fires, stored.paused, stored.until), (0, false, again));
    assert_eq!(fired(&mut ticker, at("2026-01-01T05:00:00Z")), ["2026-01-01T05:00:00Z"]);

    // With a start that is past it asks for what was due since, but for what was dealt with.
    ticker.remove(twice().id(), at("2026-01-01T05:10:00Z")).expect("it was there");
    let all = Rules { start_at: Some(at(START)), ..catching_up(CatchupPolicy::All, DAY, 10) };
    ticker.put(over_the_api(all), at("2026-01-01T07:30:00Z")).expect("there is none");
    let times = fired(&mut ticker, at("2026-01-01T07:30:00Z"));
    assert_eq!(times, ["2026-01-01T06:00:00Z", "2026-01-01T07:00:00Z"]);
}

#[test]
fn a_new_schedule_whose_times_are_past_is_named() {
    let ended = Rules { end_at: Some(at(START)), ..Rules::default() };
    let schedules =
        vec![schedule("ended", &every(60), ended), schedule("b", &every(60), Rules::default())];
    let mut ticker = Ticker::default();
    let now = at("2026-01-02T00:00:00Z");
    let past = |past: &[Schedule]| past.iter().map(|it| it.name().to_owned()).collect::<Vec<_>>();
    let loaded = ticker.reload(schedules.clone(), now).expect("loads");
    assert_eq!(past(&loaded.past), ["ended"]);
    let mut again = Ticker::resuming(ticker.cursors(&loaded.moved));
    let loaded = again.reload(schedules, now.plus(HOUR)).expect("loads");
    assert_eq!(past(&loaded.past), [""; 0], "it was there before");
}

/// As over the API: the pause and its end are stored, and what fires in between is nobody's.
#[tokio::test(start_paused = true)]
async fn a_pause_over_the_api_keeps_what_waits_for_its_jitter() {
    let hourly = {
        let rules = jittered().rules().clone();
        let origin = ScheduleOrigin::Api;
        made(ScheduleSpec { origin, rules: Arc::new(rules), ..spec("hourly", &every(3_600)) })
    };
    let world = Arc::new(World::default());
    let source = source(&world, vec![hourly.clone()], "2026-01-01T00:59:50Z").await;
    let running = source.start();
    tokio::time::sleep(seconds(20)).await;
    source.pause(hourly.id()).await.expect("pauses");
    tokio::time::sleep(2 * HOUR).await;
    assert!(world.stored.lock().expect("whole").is_empty(), "it is paused");
    source.resume(hourly.id(), Backlog::Drop).await.expect("resumes");
    tokio::time::sleep(seconds(5)).await;
    let keys: Vec<String> = world.stored.lock().expect("whole").keys().cloned().collect();
    assert_eq!(keys, [format!("cron:{}:2026-01-01T01:00:00.000Z", hourly.id())]);
    source.delete(hourly.id()).await.expect("deletes");
    let definition = RawValue::from_string("{}".into()).expect("JSON");
    let view = source.create(hourly.clone(), definition).await.expect("makes it again");
    assert_eq!((view.cursor.fires, view.cursor.hold.is_none()), (0, true));
    running.stop().await;
}
