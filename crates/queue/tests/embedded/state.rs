//! The state and its commits.

use crate::bench::{Bench, LONG, SECOND, attempt, bury, delivery_id, ids, retry};
use headgate_queue::{LetterVerb, QueueError, Selection, Settlement, SubscriptionSpec, Verb};
use std::time::Duration;

fn ack(event: &headgate_event::Event) -> Settlement {
    Settlement { id: crate::bench::delivery_id(event), verb: Verb::Ack }
}

/// While another program holds the file, nothing can be committed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_committed_is_refused_and_memory_is_as_the_disk() {
    let bench = Bench::embedded();
    let stored = bench.store_many(3).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 3).await;
    let other = rusqlite::Connection::open(bench.path().join("headgate.db")).expect("opens");
    other.execute_batch("BEGIN IMMEDIATE").expect("begun");
    let refused = bench.queue.settle("agent", vec![ack(&events[0])]).await.expect_err("held");
    assert!(matches!(refused, QueueError::Unavailable { .. }), "{refused}");
    let back = Settlement { verb: retry(SECOND), ..ack(&events[1]) };
    assert!(bench.queue.settle("agent", vec![back, ack(&events[2])]).await.is_err());
    let refused = bench.queue.put_subscription(SubscriptionSpec::new("other")).await;
    assert!(matches!(refused, Err(QueueError::Unavailable { .. })), "{refused:?}");
    assert!(bench.queue.delete_subscription("agent").await.is_err());
    let status = bench.status("agent").await;
    assert_eq!((status.in_flight, status.waiting, status.lag), (3, 0, 3));
    bench.clock.advance(10 * SECOND);
    assert!(bench.try_lease("agent", 3).await.is_err(), "a lease that ended cannot be given again");
    let health = bench.queue.health();
    assert!(health.receiving.is_empty(), "events can be stored all the while: {health:?}");
    assert!(health.consuming.iter().any(|reason| reason.contains("locked")), "{health:?}");
    other.execute_batch("ROLLBACK").expect("ended");
    let well = async {
        while !bench.queue.health().is_well() {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(LONG, well).await.expect("it tries again when it is asked");
    let again = bench.lease("agent", 3).await;
    assert_eq!(ids(&again), stored);
    assert!(again.iter().all(|event| attempt(event) == 2));
    bench.ack_all("agent", &again).await;
    let bench = bench.reopened_after(|_| {}).await;
    assert_eq!(bench.status("agent").await.lag, 0);
    assert_eq!(bench.queue.subscriptions().await.expect("listed").len(), 1);
}

/// Regression: the letters before one that could not be read were staged to come again, the call
/// was refused, and the next ack of anybody wrote what was staged.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_redrive_that_fails_half_way_brings_nothing_back() {
    let bench = Bench::embedded();
    bench.store_many(3).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 3).await;
    for event in &events[..2] {
        bench.settle("agent", event, bury()).await.expect("leased");
    }
    let other = rusqlite::Connection::open(bench.path().join("headgate.db")).expect("opens");
    let spoil = "UPDATE state_dead_letters SET attempts = 'many' WHERE seq = 2";
    assert_eq!(other.execute(spoil, []).expect("spoilt"), 1);
    let letters = vec![delivery_id(&events[0]), delivery_id(&events[1])];
    let refused = bench.queue.settle_letters("agent", letters.clone(), LetterVerb::Redrive).await;
    assert!(matches!(refused, Err(QueueError::Unavailable { .. })), "{refused:?}");
    bench.settle("agent", &events[2], Verb::Ack).await.expect("leased");
    assert!(bench.lease("agent", 3).await.is_empty(), "both are dead");
    let status = bench.status("agent").await;
    assert_eq!((status.dead, status.waiting), (2, 0));
    let mend = "UPDATE state_dead_letters SET attempts = 1 WHERE seq = 2";
    other.execute(mend, []).expect("mended");
    let redriven = bench.queue.settle_letters("agent", letters, LetterVerb::Redrive).await;
    assert_eq!(redriven.expect("answered"), [Ok(()), Ok(())]);
    assert_eq!(bench.lease("agent", 3).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn settlements_of_many_consumers_are_all_kept() {
    let bench = Bench::embedded();
    bench.store_many(400).await;
    let names: Vec<String> = (0..4).map(|n| format!("agent-{n}")).collect();
    for name in &names {
        bench.subscribe(name).await;
    }
    let consumers: Vec<_> = (0..16)
        .map(|n| {
            let (queue, name) = (std::sync::Arc::clone(&bench.queue), names[n % 4].clone());
            tokio::spawn(async move {
                let ask = headgate_queue::LeaseAsk {
                    max: 9,
                    wait: Duration::ZERO,
                    lease: Some(600 * SECOND),
                    bytes: None,
                };
                loop {
                    let events = queue.lease(&name, ask).await.expect("leased");
                    if events.is_empty() {
                        return;
                    }
                    let answers = queue.settle(&name, events.iter().map(ack).collect()).await;
                    assert!(answers.expect("settled").iter().all(Result::is_ok));
                }
            })
        })
        .collect();
    for consumer in consumers {
        consumer.await.expect("ended");
    }
    let bench = bench.reopened_after(|_| {}).await;
    for name in &names {
        assert_eq!(bench.status(name).await.lag, 0, "{name}");
    }
    assert_eq!(bench.state("SELECT min(floor) || '' FROM state_places"), "400");
    assert_eq!(bench.state("SELECT max(length(settled)) || '' FROM state_places"), "0");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_floor_that_moves_far_without_a_settlement_is_noted() {
    let bench = Bench::embedded();
    let selection = Selection { channels: vec!["rare".into()], ..Selection::default() };
    let spec = SubscriptionSpec { selection, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    bench.store_many(5_000).await;
    assert!(bench.lease("agent", 1).await.is_empty());
    // The note is written in the background, in the order of calls: this one comes after it.
    bench.queue.put_subscription(SubscriptionSpec::new("other")).await.expect("made");
    let floor = bench.state("SELECT floor || '' FROM state_places WHERE generation = 1");
    assert_eq!(floor, "5000");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dead_letters_keep_their_reason_and_their_last_error() {
    let bench = Bench::embedded();
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    let reason = Some("no such customer".to_owned());
    bench.settle("agent", &event, Verb::Bury { reason }).await.expect("leased");
    let query = "SELECT seq || ' ' || reason || ' ' || attempts || ' ' || last_error
         FROM state_dead_letters";
    assert_eq!(bench.state(query), "1 buried 1 no such customer");
}

// Symptom: every thousandth page of the state was written back, with two syncs, by the commit that
// somebody waited for. Cause: SQLite does so by itself. Fix: the writer does it between commits.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_write_ahead_log_of_the_state_stays_short() {
    let bench = Bench::embedded();
    bench.subscribe("agent").await;
    bench.store_many(1_500).await;
    for _ in 0..15 {
        for event in bench.lease("agent", 100).await {
            bench.settle("agent", &event, retry(SECOND)).await.expect("leased");
        }
    }
    let bytes = std::fs::metadata(bench.path().join("headgate.db-wal")).expect("there").len();
    assert!(bytes < 12 << 20, "{bytes} bytes");
}
