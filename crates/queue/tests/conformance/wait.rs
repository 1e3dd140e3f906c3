//! Leases that wait, what wakes them, and what a call that is dropped leaves behind.

use crate::bench::{Bench, LONG, SECOND, attempt, ids, retry};
use headgate_event::Event;
use headgate_queue::{LeaseAsk, QueueError, RetryPolicy, Start, SubscriptionSpec, Verb};
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// A pause that is short for a test and long enough to be waited for.
const MOMENT: Duration = Duration::from_millis(20);

type Waiting = JoinHandle<Result<Vec<Event>, QueueError>>;

fn waiting(bench: &Bench) -> Waiting {
    let queue = Arc::clone(&bench.queue);
    let ask = LeaseAsk { max: 5, wait: LONG, lease: Some(10 * SECOND), bytes: None };
    tokio::spawn(async move { queue.lease("agent", ask).await })
}

async fn end(waiting: Waiting) -> Result<Vec<Event>, QueueError> {
    tokio::time::timeout(LONG / 2, waiting).await.expect("it was woken").expect("ended")
}

pub(crate) async fn a_lease_waits_for_the_next_event(bench: Bench) {
    bench.subscribe("agent").await;
    for _ in 0..5 {
        let waiting = waiting(&bench);
        tokio::task::yield_now().await;
        let stored = bench.store_many(1).await;
        let events = end(waiting).await.expect("leased");
        assert_eq!(ids(&events), stored);
    }
}

pub(crate) async fn a_lease_that_waits_in_vain_is_empty(bench: Bench) {
    bench.subscribe("agent").await;
    let ask = LeaseAsk { max: 5, wait: MOMENT, lease: Some(SECOND), bytes: None };
    assert!(bench.queue.lease("agent", ask).await.expect("leased").is_empty());
}

pub(crate) async fn a_lease_waits_for_a_wait_that_ends(bench: Bench) {
    let stored = bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    bench.settle("agent", &event, retry(MOMENT)).await.expect("leased");
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.clock.advance(MOMENT);
    let events = end(waiting).await.expect("leased");
    assert_eq!((ids(&events), attempt(&events[0])), (stored, 2));
}

pub(crate) async fn a_lease_waits_for_a_lease_that_ends(bench: Bench) {
    let stored = bench.store_many(1).await;
    bench.subscribe("agent").await;
    let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: Some(MOMENT), bytes: None };
    assert_eq!(bench.queue.lease("agent", ask).await.expect("leased").len(), 1);
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.clock.advance(MOMENT);
    let events = end(waiting).await.expect("leased");
    assert_eq!((ids(&events), attempt(&events[0])), (stored, 2));
}

pub(crate) async fn a_lease_waits_for_room(bench: Bench) {
    let stored = bench.store_many(1_001).await;
    bench.subscribe("agent").await;
    let ask = LeaseAsk { max: 500, wait: Duration::ZERO, lease: Some(600 * SECOND), bytes: None };
    let first = bench.queue.lease("agent", ask).await.expect("leased");
    assert_eq!(bench.queue.lease("agent", ask).await.expect("leased").len(), 500);
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.ack_all("agent", &first[3..4]).await;
    let events = end(waiting).await.expect("leased");
    assert_eq!(ids(&events), stored[1_000..]);
}

pub(crate) async fn a_lease_waits_for_a_release(bench: Bench) {
    let stored = bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    let lease_ends = event.delivery().expect("it is delivered").lease_expires_at;
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.settle("agent", &event, Verb::Release { lease_ends }).await.expect("leased");
    let events = end(waiting).await.expect("leased");
    assert_eq!((ids(&events), attempt(&events[0])), (stored, 1));
}

pub(crate) async fn a_lease_waits_for_the_end_of_a_pause(bench: Bench) {
    let stored = bench.store_many(1).await;
    bench.subscribe("agent").await;
    let spec = SubscriptionSpec { paused: true, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("changed");
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.queue.put_subscription(SubscriptionSpec::new("agent")).await.expect("changed");
    assert_eq!(ids(&end(waiting).await.expect("leased")), stored);
}

pub(crate) async fn a_lease_of_a_subscription_that_is_deleted_ends(bench: Bench) {
    bench.subscribe("agent").await;
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.queue.delete_subscription("agent").await.expect("deleted");
    let refused = end(waiting).await.expect_err("it is gone");
    assert!(matches!(refused, QueueError::UnknownSubscription { .. }), "{refused}");
}

pub(crate) async fn a_lease_that_waits_ends_when_the_queue_closes(bench: Bench) {
    bench.subscribe("agent").await;
    let waiting = waiting(&bench);
    tokio::task::yield_now().await;
    bench.queue.close().await;
    let refused = end(waiting).await.expect_err("it is closed");
    assert!(matches!(refused, QueueError::Unavailable { .. }), "{refused}");
}

/// Polls a lease a few times and drops it, at every point where it can be dropped.
pub(crate) async fn a_call_that_is_dropped_leaves_nothing_leased(bench: Bench) {
    let stored = bench.store_many(3).await;
    let retry_policy = RetryPolicy { attempts: 1_000, ..RetryPolicy::default() };
    let start = Start::Earliest;
    let spec = SubscriptionSpec { retry: retry_policy, start, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    for polls in 0..40 {
        let ask = LeaseAsk { max: 5, wait: LONG, lease: Some(10 * SECOND), bytes: None };
        let mut lease = bench.queue.lease("agent", ask);
        let mut leased = None;
        for _ in 0..polls {
            tokio::select! {
                biased;
                events = &mut lease => { leased = Some(events.expect("leased")); break }
                () = tokio::task::yield_now() => {}
            }
        }
        drop(lease);
        let events = match leased {
            Some(events) => events,
            None => bench.lease("agent", 5).await,
        };
        assert_eq!(ids(&events), stored, "dropped after {polls} polls");
        assert!(events.iter().all(|event| attempt(event) == polls + 1));
        for event in &events {
            bench.settle("agent", event, retry(Duration::ZERO)).await.expect("leased");
        }
    }
    let events = bench.lease("agent", 5).await;
    for event in events {
        bench.settle("agent", &event, Verb::Ack).await.expect("leased");
    }
    assert_eq!(bench.status("agent").await.lag, 0);
}
