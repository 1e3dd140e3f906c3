//! Making, changing and forgetting subscriptions.

use crate::bench::{Bench, SECOND, delivery_id, ids};
use headgate_event::{Clock, EventId};
use headgate_queue::{QueueError, Selection, Start, SubscriptionError, SubscriptionSpec, Verb};
use std::time::Duration;

pub(crate) async fn a_subscription_begins_where_it_is_told(bench: Bench) {
    let mut stored = Vec::new();
    for _ in 0..5 {
        stored.push(bench.store(bench.draft("billing")).await);
        bench.clock.advance(SECOND);
    }
    let received = |n: u32| bench.clock.now().minus((5 - n) * SECOND);
    let between = EventId::from_parts(received(2), 0);
    let starts = [
        ("now", Start::Now, 5),
        ("earliest", Start::Earliest, 0),
        ("after-first", Start::After(stored[0]), 1),
        ("after-last", Start::After(stored[4]), 5),
        ("after-unknown", Start::After(between), 2),
        ("after-all", Start::After(EventId::from_bytes([0x7f; 16])), 5),
        ("after-none", Start::After(EventId::from_bytes([0; 16])), 0),
        ("at-third", Start::At(received(2)), 2),
        ("at-fourth", Start::At(received(2).plus(Duration::from_millis(1))), 3),
        ("at-ever", Start::At(received(2).minus(3600 * SECOND)), 0),
        ("at-later", Start::At(bench.clock.now().plus(SECOND)), 5),
    ];
    for (name, start, _) in starts {
        let spec = SubscriptionSpec { start, ..SubscriptionSpec::new(name) };
        bench.queue.put_subscription(spec).await.expect("made");
    }
    stored.push(bench.store(bench.draft("billing")).await);
    for (name, _, first) in starts {
        assert_eq!(ids(&bench.lease(name, 9).await), stored[first..], "{name}");
    }
}

pub(crate) async fn a_change_keeps_the_place(bench: Bench) {
    bench.store_many(3).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 2).await;
    bench.ack_all("agent", &events[..1]).await;
    let channels = vec!["rare".to_owned()];
    let spec = SubscriptionSpec {
        selection: Selection { channels, ..Selection::default() },
        start: Start::Earliest,
        ..SubscriptionSpec::new("agent")
    };
    let status = bench.queue.put_subscription(spec.clone()).await.expect("changed");
    assert_eq!((status.spec, status.in_flight), (spec, 1));
    bench.settle("agent", &events[1], Verb::Ack).await.expect("what was begun goes on");
    let rare = bench.store(bench.draft("rare")).await;
    assert_eq!(bench.lease_one("agent").await.id(), rare);
}

pub(crate) async fn a_subscription_made_again_is_another_one(bench: Bench) {
    let stored = bench.store_many(2).await;
    bench.subscribe("agent").await;
    let old = bench.lease("agent", 2).await;
    bench.settle("agent", &old[0], Verb::Ack).await.expect("leased");
    bench.queue.delete_subscription("agent").await.expect("deleted");
    assert!(bench.queue.subscriptions().await.expect("listed").is_empty());
    bench.subscribe("agent").await;
    let new = bench.lease("agent", 2).await;
    assert_eq!(ids(&new), stored, "it has forgotten what was settled");
    assert_ne!(delivery_id(&old[1]), delivery_id(&new[1]));
    let stale = bench.settle("agent", &old[1], Verb::Ack).await.expect_err("of another one");
    assert_eq!(stale.code(), "unknown_delivery");
}

pub(crate) async fn what_cannot_be_a_subscription_is_refused(bench: Bench) {
    let refused = bench.queue.put_subscription(SubscriptionSpec::new("a.b")).await;
    let words = refused.expect_err("its name").to_string();
    let expected = "subscription name `a.b` is not 1 to 64 of `a-z`, `0-9`, `-`, `_`, \
                    beginning with a letter or digit";
    assert_eq!(words, expected);
    let spec = SubscriptionSpec { lease_ms: 0, ..SubscriptionSpec::new("agent") };
    let refused = bench.queue.put_subscription(spec).await;
    let range = |error| matches!(error, QueueError::Subscription(SubscriptionError::Range { .. }));
    assert!(refused.is_err_and(range));
    assert!(bench.queue.subscriptions().await.expect("listed").is_empty());
}

pub(crate) async fn a_status_says_how_far_it_is(bench: Bench) {
    let made = bench.subscribe("agent").await;
    assert_eq!((made.created_at, made.lag, made.oldest_unsettled_ms), (bench.clock.now(), 0, None));
    for _ in 0..4 {
        bench.store_many(1).await;
        bench.clock.advance(SECOND);
    }
    let status = bench.status("agent").await;
    assert_eq!((status.lag, status.oldest_unsettled_ms), (4, Some(4_000)));
    let events = bench.lease("agent", 3).await;
    bench.settle("agent", &events[0], Verb::Ack).await.expect("leased");
    let back = Verb::Retry { after: Some(60 * SECOND), reason: None };
    bench.settle("agent", &events[1], back).await.expect("leased");
    let status = bench.status("agent").await;
    assert_eq!((status.lag, status.in_flight, status.waiting), (3, 1, 1));
    assert_eq!(status.oldest_unsettled_ms, Some(3_000));
}

pub(crate) async fn subscriptions_are_listed_by_name(bench: Bench) {
    for name in ["b", "c", "a"] {
        bench.subscribe(name).await;
    }
    let all = bench.queue.subscriptions().await.expect("listed");
    let names: Vec<String> = all.into_iter().map(|status| status.spec.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
}

pub(crate) async fn an_unknown_subscription_cannot_be_deleted(bench: Bench) {
    let refused = bench.queue.delete_subscription("nobody").await.expect_err("unknown");
    assert!(matches!(refused, QueueError::UnknownSubscription { name } if name == "nobody"));
}
