//! A clock that steps back an hour and forward a year, while the queue runs and over restarts.

use crate::bench::{Bench, SECOND, attempt, ids, keyed, noon};
use headgate_event::{Accepted, Clock, EventId, Timestamp};
use headgate_queue::{Embedded, EmbeddedOptions, ListQuery, Retention, SettleError, Verb};
use headgate_testkit::ManualClock;
use rusqlite::Connection;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);
const YEAR: Duration = Duration::from_secs(365 * 24 * 3_600);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ids_and_pages_stay_in_order_whatever_the_clock_does() {
    let mut bench = Bench::embedded();
    let mut stored: Vec<EventId> = Vec::new();
    let moments = [noon(), noon().minus(HOUR), noon().plus(YEAR), noon(), noon().minus(YEAR)];
    for (nth, moment) in moments.into_iter().cycle().take(15).enumerate() {
        bench.clock.set(moment);
        stored.extend(bench.store_many(3).await);
        if nth % 3 == 2 {
            bench = bench.reopened_after(|_| {}).await;
        }
        assert!(stored.is_sorted(), "ids rise");
        let mut listed = bench.list(ListQuery::default()).await;
        listed.reverse();
        assert_eq!(listed, stored, "every page goes on where the last one ended");
    }
    bench.subscribe("agent").await;
    assert_eq!(ids(&bench.lease("agent", 100).await), stored);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_repeat_is_known_when_the_clock_steps_back_and_new_when_its_window_is_over() {
    let mut bench = Bench::embedded();
    let give = async |bench: &Bench| {
        let draft = keyed(bench.draft("billing"), "one", 2 * HOUR);
        bench.queue.accept(vec![draft]).await.expect("stored")[0]
    };
    let first = give(&bench).await.id();
    bench.clock.set(noon().minus(HOUR));
    assert_eq!(give(&bench).await, Accepted::Duplicate(first));
    bench = bench.reopened_after(|_| {}).await;
    assert_eq!(give(&bench).await, Accepted::Duplicate(first));
    bench.clock.set(noon().plus(YEAR));
    let later = give(&bench).await;
    assert!(matches!(later, Accepted::New(_)), "{later:?}");
    // The clock was wrong, and is set right: the event from the future is still the same event.
    bench.clock.set(noon().plus(SECOND));
    let back = give(&bench).await;
    assert!(matches!(back, Accepted::Duplicate(id) if id == later.id() || id == first));
    bench = bench.reopened_after(|_| {}).await;
    assert!(matches!(give(&bench).await, Accepted::Duplicate(_)));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lease_survives_a_step_back_and_ends_at_a_step_forward() {
    let bench = Bench::embedded();
    bench.store_many(2).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 2).await;
    bench.clock.set(noon().minus(HOUR));
    assert!(bench.lease("agent", 2).await.is_empty(), "they are leased");
    bench.settle("agent", &events[0], Verb::Ack).await.expect("it is leased");
    bench.clock.set(noon().plus(YEAR));
    let late = bench.settle("agent", &events[1], Verb::Ack).await;
    assert!(matches!(late, Err(SettleError::LeaseExpired { .. })), "{late:?}");
    // It waits for its next attempt, which is due some seconds later at most.
    bench.clock.advance(HOUR);
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (events[1].id(), 2));
    // A restart frees what was merely leased, even when the clock is behind the lease's end.
    let bench = bench.reopened_after(|_| {}).await;
    bench.clock.set(noon().plus(YEAR).plus(HOUR));
    let again = bench.lease_one("agent").await;
    bench.settle("agent", &again, Verb::Ack).await.expect("it is leased");
    assert_eq!(bench.status("agent").await.lag, 0);
}

// Symptom: a clock that stepped a month ahead removed the whole log within a minute. Cause: nothing
// but the wall clock told how old events are. Fix: one that nobody sets, and the time that the state
// keeps, tell that it has leapt.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_leaps_removes_nothing_until_it_has_stood_for_hours() {
    let bench = Bench::embedded();
    let stored = bench.store_many(5).await;
    assert_eq!(bench.retain(DAY).await.events, 0);
    bench.clock.set(noon().plus(YEAR));
    assert_eq!(bench.retain(DAY).await.events, 0, "it has leapt");
    bench.clock.set(noon());
    bench.clock.advance(HOUR);
    assert_eq!(bench.retain(DAY).await.events, 0, "it is back, and they are young");
    bench.clock.advance(23 * HOUR);
    assert_eq!(bench.retain(DAY).await.events, 5, "a day has passed by both clocks");
    let kept = bench.store_many(5).await;
    bench.clock.set(bench.clock.now().plus(YEAR));
    assert_eq!(bench.retain(DAY).await.events, 0, "it has leapt");
    bench.clock.advance(5 * HOUR);
    assert_eq!(bench.retain(DAY).await.events, 0, "it may yet be set right");
    assert!(bench.queue.event(stored[0]).await.expect("read").is_none());
    assert!(bench.queue.event(kept[0]).await.expect("read").is_some());
    bench.clock.advance(HOUR);
    assert_eq!(bench.retain(DAY).await.events, 5, "it is what the time is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_leaps_over_a_stop_removes_nothing_either() {
    let bench = Bench::embedded();
    bench.store_many(5).await;
    assert_eq!(bench.retain(DAY).await.events, 0);
    bench.clock.set(noon().plus(YEAR));
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.retain(DAY).await.events, 0, "by what the state keeps");
    // An event of that time makes it no truer.
    bench.store_many(1).await;
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.retain(DAY).await.events, 0, "an event from the future tells nothing");
    bench.clock.advance(DAY);
    assert_eq!(bench.retain(DAY).await.events, 6, "it is what the time is");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn where_no_time_was_kept_the_newest_event_tells_it() {
    let bench = Bench::embedded();
    bench.store_many(5).await;
    bench.clock.set(noon().plus(YEAR));
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.retain(DAY).await.events, 0);
    bench.clock.set(noon());
    assert_eq!(bench.retain(DAY).await.events, 0);
    bench.clock.advance(DAY);
    assert_eq!(bench.retain(DAY).await.events, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bytes_are_removed_whatever_the_time_is() {
    let bench = Bench::embedded();
    bench.store_many(2_000).await;
    bench.clock.set(noon().plus(YEAR));
    let both = Retention { age: Some(DAY), bytes: Some(200 << 10) };
    let removed = bench.retain_to(both).await.events;
    assert!((1..2_000).contains(&removed), "{removed}");
}

// Symptom: a machine that runs for some hours a day kept every event for ever. Cause: how long a
// clock that is doubted has stood was not kept over a stop. Fix: the state keeps it, also when the
// queue is closed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_machine_that_runs_for_some_hours_at_a_time_removes_at_last() {
    let mut bench = Bench::embedded();
    bench.store_many(5).await;
    bench.clock.set(noon().plus(30 * DAY));
    for _ in 0..2 {
        bench = bench.reopened_after(|_| {}).await;
        assert_eq!(bench.retain(DAY).await.events, 0);
        bench.clock.advance(2 * HOUR);
        bench.queue.close().await;
        bench.clock.set(bench.clock.now().plus(20 * HOUR));
    }
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.retain(DAY).await.events, 0, "two hours are left");
    bench.clock.advance(2 * HOUR);
    assert_eq!(bench.retain(DAY).await.events, 5);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_time_is_kept_where_nothing_is_removed_and_when_the_queue_is_closed() {
    let kept = |bench: &Bench| bench.state("SELECT CAST(believed AS TEXT) FROM state_clock");
    let bench = Bench::embedded();
    assert_eq!(bench.retain_to(Retention::default()).await.events, 0);
    assert_eq!(kept(&bench), noon().unix_ms().to_string());
    bench.clock.advance(SECOND);
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(kept(&bench), noon().plus(SECOND).unix_ms().to_string());
}

/// A clock that leaps a year ahead once both of its times were asked for.
#[derive(Debug)]
struct LeapsWhenLookedAt {
    clock: ManualClock,
    is_armed: AtomicBool,
    looks: AtomicU32,
}

impl Clock for LeapsWhenLookedAt {
    fn now(&self) -> Timestamp {
        self.clock.now()
    }

    fn elapsed(&self) -> Duration {
        if self.is_armed.load(Ordering::SeqCst) {
            self.looks.fetch_add(1, Ordering::SeqCst);
            self.clock.set(noon().plus(YEAR));
        }
        self.clock.elapsed()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_clock_that_leaps_after_the_look_at_it_removes_nothing() {
    let clock = Arc::new(LeapsWhenLookedAt {
        clock: ManualClock::at(noon()),
        is_armed: AtomicBool::new(false),
        looks: AtomicU32::new(0),
    });
    let folder = TempDir::new().expect("a folder");
    let opened = Embedded::open(folder.path(), Arc::clone(&clock) as _, EmbeddedOptions::default());
    let bench = Bench::embedded().with(opened.expect("opens"));
    bench.store_many(5).await;
    clock.is_armed.store(true, Ordering::SeqCst);
    assert_eq!(bench.retain(DAY).await.events, 0, "by the time that was judged");
    assert_eq!(clock.looks.load(Ordering::SeqCst), 1, "they were looked at together");
    assert_eq!(clock.now(), noon().plus(YEAR));
    let kept = Connection::open(folder.path().join("headgate.db")).expect("opens");
    let believed = kept.query_row("SELECT believed FROM state_clock", [], |row| row.get(0));
    assert_eq!(believed, Ok(noon().unix_ms()), "the look itself was right");
    bench.queue.close().await;
}
