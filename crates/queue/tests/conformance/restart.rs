//! What outlives the process. Backends that keep nothing pass by having nothing to show.

use crate::bench::{Bench, SECOND, attempt, bury, delivery_id, ids, retry};
use headgate_queue::{Selection, Start, SubscriptionSpec, Verb};

pub(crate) async fn what_was_settled_never_comes_again(bench: Bench) {
    let stored = bench.store_many(100).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 50).await;
    let (mut done, mut left) = (Vec::new(), Vec::new());
    for (n, event) in events.into_iter().enumerate() {
        if n % 3 == 0 { left.push(event) } else { done.push(event) }
    }
    bench.ack_all("agent", &done).await;
    let Some(bench) = bench.reopened().await else { return };
    let again = bench.lease("agent", 100).await;
    assert_eq!(ids(&again), [ids(&left), stored[50..].to_vec()].concat());
    bench.ack_all("agent", &again).await;
    let Some(bench) = bench.reopened().await else { return };
    assert!(bench.lease("agent", 100).await.is_empty());
    let twice = bench.settle("agent", &done[0], Verb::Ack).await.expect_err("settled");
    assert_eq!(twice.code(), "already_settled");
}

pub(crate) async fn what_was_leased_comes_again_with_the_same_attempt(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    bench.lease_one("agent").await;
    bench.clock.advance(10 * SECOND);
    let second = bench.lease_one("agent").await;
    let Some(bench) = bench.reopened().await else { return };
    let again = bench.lease_one("agent").await;
    assert_eq!((attempt(&again), delivery_id(&again)), (2, delivery_id(&second)));
}

pub(crate) async fn what_was_deferred_keeps_its_attempt_and_its_wait(bench: Bench) {
    let stored = bench.store_many(3).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 3).await;
    bench.settle("agent", &events[0], retry(60 * SECOND)).await.expect("leased");
    bench.ack_all("agent", &events[1..]).await;
    let Some(bench) = bench.reopened().await else { return };
    let status = bench.status("agent").await;
    assert_eq!((status.lag, status.waiting), (1, 1));
    assert!(bench.lease("agent", 3).await.is_empty());
    bench.clock.advance(60 * SECOND);
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (stored[0], 2));
}

pub(crate) async fn an_ack_survives_a_restart(bench: Bench) {
    bench.store_many(4).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 4).await;
    let Some(bench) = bench.reopened().await else { return };
    bench.ack_all("agent", &events[1..3]).await;
    let left = bench.lease("agent", 4).await;
    assert_eq!(ids(&left), [events[0].id(), events[3].id()]);
    bench.ack_all("agent", &events[..1]).await;
    bench.ack_all("agent", &left[1..]).await;
    assert_eq!(bench.status("agent").await.lag, 0);
}

pub(crate) async fn an_answer_for_what_was_never_given_is_unknown_after_a_restart(bench: Bench) {
    bench.store_many(2).await;
    bench.store(bench.draft("rare")).await;
    let selection = Selection { channels: vec!["billing".into()], ..Selection::default() };
    let start = Start::Earliest;
    let spec = SubscriptionSpec { selection, start, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    let id = delivery_id(&bench.lease_first("agent").await);
    let base = id.strip_suffix(".1.1").expect("the first event, the first attempt").to_owned();
    let Some(bench) = bench.reopened().await else { return };
    for unknown in ["1.2", "2.2", "3.1", "4.1", "0.1"] {
        let id = format!("{base}.{unknown}");
        let answer = bench.settle_id("agent", &id, Verb::Ack).await.expect_err("never given");
        assert_eq!(answer.code(), "unknown_delivery", "{unknown}");
    }
}

pub(crate) async fn a_subscription_and_its_dead_letters_are_kept(bench: Bench) {
    bench.store_many(2).await;
    let spec = SubscriptionSpec {
        start: Start::Earliest,
        lease_ms: 1_234,
        configured: true,
        ..SubscriptionSpec::new("agent")
    };
    bench.queue.put_subscription(spec.clone()).await.expect("made");
    bench.subscribe("gone").await;
    bench.queue.delete_subscription("gone").await.expect("deleted");
    let event = bench.lease_first("agent").await;
    bench.settle("agent", &event, bury()).await.expect("leased");
    let Some(bench) = bench.reopened().await else { return };
    let all = bench.queue.subscriptions().await.expect("listed");
    assert_eq!(all.len(), 1);
    assert_eq!((&all[0].spec, all[0].dead, all[0].lag), (&spec, 1, 1));
    let again = bench.settle("agent", &event, Verb::Ack).await.expect_err("it is dead");
    assert_eq!(again.code(), "already_settled");
}

pub(crate) async fn events_that_nobody_wants_are_not_looked_at_again(bench: Bench) {
    let selection = Selection { channels: vec!["rare".into()], ..Selection::default() };
    let spec = SubscriptionSpec { selection, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    bench.store_many(50).await;
    assert!(bench.lease("agent", 1).await.is_empty());
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(bench.status("agent").await.lag, 0);
}
