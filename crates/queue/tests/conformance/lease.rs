//! Leasing.

use crate::bench::{Bench, SECOND, attempt, delivery_id, ids};
use headgate_event::{Clock, DataText, Draft, Event, EventId, Fill, Origin};
use headgate_queue::{
    KeyName, LeaseAsk, QueueError, ReplayAsk, ReplayEvents, Selection, Start, SubscriptionSpec,
    Verb,
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

pub(crate) async fn events_are_leased_in_their_order_once(bench: Bench) {
    let stored = bench.store_many(10).await;
    bench.subscribe("agent").await;
    let (first, second) = (bench.lease("agent", 4).await, bench.lease("agent", 100).await);
    assert_eq!([ids(&first), ids(&second)].concat(), stored);
    assert_eq!(first.len(), 4);
    assert!(bench.lease("agent", 100).await.is_empty());
}

pub(crate) async fn a_delivery_says_what_it_is(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    let delivery = event.delivery().expect("it is delivered");
    assert_eq!((delivery.subscription.as_str(), delivery.attempt), ("agent", 1));
    assert_eq!(delivery.lease_expires_at, bench.clock.now().plus(10 * SECOND));
    assert_eq!((event.origin(), &delivery.replay_id), (&Origin::Live.into(), &None));
    assert!(delivery.id.starts_with("agent."), "{}", delivery.id);
    let stored = bench.queue.event(event.id()).await.expect("read").expect("stored").event;
    assert_eq!(stored.data().get(), event.data().get());
    assert_eq!(stored.delivery(), None);
}

pub(crate) async fn only_wanted_events_are_leased(bench: Bench) {
    let mut wanted = Vec::new();
    for index in 0..30 {
        let provider = [Some("github"), None][index % 2].map(str::to_owned);
        let draft = Draft { provider, ..bench.draft(["a", "b", "c"][index % 3]) };
        let id = bench.store(draft).await;
        wanted.extend((index % 2 == 0 && index % 3 != 2).then_some(id));
    }
    let selection = Selection {
        channels: vec!["a".into(), "b".into()],
        providers: vec!["github".into()],
        ..Selection::default()
    };
    let start = Start::Earliest;
    let spec = SubscriptionSpec { selection, start, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    let events = bench.lease("agent", 100).await;
    assert_eq!(ids(&events), wanted);
    bench.ack_all("agent", &events).await;
    assert_eq!(bench.status("agent").await.lag, 0, "what is not wanted is no lag once looked at");
}

pub(crate) async fn only_events_with_the_wanted_keys_are_leased(bench: Bench) {
    let mut wanted = Vec::new();
    for index in 0..30 {
        let thread_key = [Some("cus_1"), None, Some("cus_2")][index % 3].map(str::to_owned);
        let provider_event = Some(["paid", "failed"][index % 2].to_owned());
        let draft = Draft { thread_key, provider_event, ..bench.draft("billing") };
        let id = bench.store(draft).await;
        wanted.extend((index % 3 == 0 && index % 2 == 1).then_some(id));
    }
    let selection = Selection {
        keys: BTreeMap::from([
            (KeyName::ThreadKey, vec!["cus_1".into(), "cus_9".into()]),
            (KeyName::ProviderEvent, vec!["failed".into()]),
        ]),
        ..Selection::default()
    };
    let spec = SubscriptionSpec { selection, ..SubscriptionSpec::new("agent") };
    let spec = SubscriptionSpec { start: Start::Earliest, ..spec };
    bench.queue.put_subscription(spec).await.expect("made");
    let events = bench.lease("agent", 100).await;
    assert_eq!(ids(&events), wanted);
    bench.ack_all("agent", &events[1..]).await;
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(ids(&bench.lease("agent", 100).await), wanted[..1]);
}

pub(crate) async fn a_lease_that_ends_comes_again_with_the_next_attempt(bench: Bench) {
    bench.store_many(2).await;
    bench.subscribe("agent").await;
    let first = bench.lease("agent", 2).await;
    bench.clock.advance(10 * SECOND - Duration::from_millis(1));
    assert!(bench.lease("agent", 2).await.is_empty());
    bench.clock.advance(Duration::from_millis(1));
    let second = bench.lease("agent", 2).await;
    assert_eq!(ids(&first), ids(&second));
    assert_eq!(second.iter().map(attempt).collect::<Vec<_>>(), [2, 2]);
    assert_ne!(delivery_id(&first[0]), delivery_id(&second[0]));
}

pub(crate) async fn two_consumers_never_have_one_delivery(bench: Bench) {
    let stored = bench.store_many(400).await;
    bench.subscribe("agent").await;
    let consumers: Vec<_> = (0..8)
        .map(|_| {
            let queue = Arc::clone(&bench.queue);
            tokio::spawn(async move {
                let mut had = Vec::new();
                loop {
                    let ask = LeaseAsk {
                        max: 7,
                        wait: Duration::ZERO,
                        lease: Some(600 * SECOND),
                        bytes: None,
                    };
                    let events = queue.lease("agent", ask).await.expect("leased");
                    if events.is_empty() {
                        return had;
                    }
                    had.extend(ids(&events));
                }
            })
        })
        .collect();
    let mut had = Vec::new();
    for consumer in consumers {
        had.extend(consumer.await.expect("ended"));
    }
    assert_eq!(had.len(), 400);
    assert_eq!(BTreeSet::from_iter(had), BTreeSet::from_iter(stored));
}

pub(crate) async fn a_paused_subscription_leases_nothing(bench: Bench) {
    bench.store_many(2).await;
    bench.subscribe("agent").await;
    let had = bench.lease("agent", 1).await;
    let spec = SubscriptionSpec { paused: true, ..SubscriptionSpec::new("agent") };
    assert!(bench.queue.put_subscription(spec).await.expect("changed").spec.paused);
    assert!(bench.lease("agent", 1).await.is_empty());
    bench.settle("agent", &had[0], Verb::Ack).await.expect("settling goes on");
    bench.queue.put_subscription(SubscriptionSpec::new("agent")).await.expect("changed");
    assert_eq!(bench.lease("agent", 9).await.len(), 1);
}

pub(crate) async fn no_more_than_the_most_are_in_flight(bench: Bench) {
    bench.store_many(1_010).await;
    bench.subscribe("agent").await;
    let first = bench.lease("agent", 500).await;
    assert_eq!(bench.lease("agent", 499).await.len(), 499);
    assert_eq!(bench.lease("agent", 500).await.len(), 1);
    assert!(bench.lease("agent", 1).await.is_empty());
    assert_eq!(bench.status("agent").await.in_flight, 1_000);
    bench.ack_all("agent", &first[..4]).await;
    assert_eq!(bench.lease("agent", 500).await.len(), 4);
}

pub(crate) async fn leases_and_asks_are_kept_within_their_bounds(bench: Bench) {
    bench.store_many(600).await;
    bench.subscribe("agent").await;
    let ask =
        LeaseAsk { max: usize::MAX, wait: Duration::ZERO, lease: Some(Duration::MAX), bytes: None };
    let events = bench.queue.lease("agent", ask).await.expect("leased");
    assert_eq!(events.len(), 500);
    let until = events[0].delivery().expect("delivered").lease_expires_at;
    assert_eq!(until, bench.clock.now().plus(12 * 3600 * SECOND));
    let ask = LeaseAsk { max: 0, ..ask };
    assert!(bench.queue.lease("agent", ask).await.expect("leased").is_empty());
    let ask = LeaseAsk { max: 1, lease: Some(Duration::ZERO), ..ask };
    let events = bench.queue.lease("agent", ask).await.expect("leased");
    let until = events[0].delivery().expect("delivered").lease_expires_at;
    assert!(until > bench.clock.now(), "a lease lasts");
}

pub(crate) async fn a_lease_left_out_lasts_as_long_as_the_subscription_says(bench: Bench) {
    let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: None, bytes: None };
    bench.store_many(2).await;
    let mut spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    for lease_ms in [90_000, 7_000] {
        spec.lease_ms = lease_ms;
        bench.queue.put_subscription(spec.clone()).await.expect("put");
        let events = bench.queue.lease("agent", ask).await.expect("leased");
        let until = events[0].delivery().expect("delivered").lease_expires_at;
        assert_eq!(until, bench.clock.now().plus(Duration::from_millis(lease_ms)));
    }
}

pub(crate) async fn subscriptions_do_not_disturb_each_other(bench: Bench) {
    let stored = bench.store_many(5).await;
    bench.subscribe("agent").await;
    bench.subscribe("audit").await;
    let events = bench.lease("agent", 9).await;
    bench.ack_all("agent", &events).await;
    let others = bench.lease("audit", 9).await;
    assert_eq!(ids(&others), stored);
    let wrong = bench.settle("audit", &events[0], Verb::Ack).await.expect_err("not its own");
    assert_eq!(wrong.code(), "unknown_delivery");
}

pub(crate) async fn rare_events_are_found_among_many(bench: Bench) {
    let mut rare: Vec<EventId> = Vec::new();
    for _ in 0..3 {
        bench.store_many(700).await;
        rare.push(bench.store(bench.draft("rare")).await);
    }
    let selection = Selection { channels: vec!["rare".into()], ..Selection::default() };
    let start = Start::Earliest;
    let spec = SubscriptionSpec { selection, start, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
    let Some(bench) = bench.reopened().await else { return };
    let mut found: Vec<Event> = Vec::new();
    for _ in 0..3 {
        found.extend(bench.lease("agent", 1).await);
    }
    assert_eq!(ids(&found), rare);
    assert!(bench.lease("agent", 1).await.is_empty());
}

pub(crate) async fn a_lease_of_an_unknown_subscription_is_refused(bench: Bench) {
    let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: Some(SECOND), bytes: None };
    let refused = bench.queue.lease("nobody", ask).await.expect_err("unknown");
    assert!(matches!(refused, QueueError::UnknownSubscription { name } if name == "nobody"));
}

/// An event whose body has so many bytes.
fn sized(bench: &Bench, bytes: usize) -> Draft {
    let body = format!("\"{}\"", "x".repeat(bytes));
    let data = DataText::whole(&serde_json::json!({})).hole("body", Fill::Json);
    Draft { data, raw: body.into(), ..bench.draft("billing") }
}

fn within(bytes: usize) -> LeaseAsk {
    LeaseAsk { max: 100, wait: Duration::ZERO, lease: None, bytes: Some(bytes) }
}

pub(crate) async fn a_lease_takes_no_more_bytes_than_it_has_room_for(bench: Bench) {
    let mut stored = Vec::new();
    for bytes in [1_000, 1_000, 300_000, 1_000] {
        stored.push(bench.store(sized(&bench, bytes)).await);
    }
    bench.subscribe("agent").await;
    let leased = bench.queue.lease("agent", within(10_000)).await.expect("leased");
    assert_eq!(ids(&leased), stored[..2], "the third is left for later");
    let mut bytes = 10_000;
    // What is compressed shows its size step by step.
    let large = loop {
        match bench.queue.lease("agent", within(bytes)).await {
            Err(QueueError::Larger { bytes: found }) if found > bytes => bytes = found,
            leased => break leased.expect("leased"),
        }
    };
    assert_eq!(ids(&large), stored[2..3]);
    assert!((300_000..310_000).contains(&bytes), "{bytes}");
    let status = bench.status("agent").await;
    assert_eq!((status.in_flight, status.lag), (3, 4), "what is refused is not leased");
    let last = bench.queue.lease("agent", within(10_000)).await.expect("leased");
    assert_eq!(ids(&last), stored[3..]);
    // What comes again is held to it too.
    bench.clock.advance(700 * SECOND);
    let again = bench.queue.lease("agent", within(10_000)).await.expect("leased");
    assert_eq!(ids(&again), stored[..2]);
    assert!(matches!(
        bench.queue.lease("agent", within(10_000)).await,
        Err(QueueError::Larger { .. })
    ));
}

pub(crate) async fn a_replay_takes_no_more_bytes_than_are_left(bench: Bench) {
    let mut stored = Vec::new();
    for _ in 0..6 {
        stored.push(bench.store(sized(&bench, 4_000)).await);
    }
    bench.subscribe("agent").await;
    let live = bench.lease("agent", 100).await;
    bench.ack_all("agent", &live).await;
    let ask =
        ReplayAsk { subscription: "agent".into(), events: ReplayEvents::Ids(stored), pace: None };
    bench.queue.begin_replay(ask).await.expect("begun");
    let live = bench.store(sized(&bench, 4_000)).await;
    let leased = bench.queue.lease("agent", within(10_000)).await.expect("leased");
    assert_eq!(leased.len(), 2, "{:?}", ids(&leased));
    assert_eq!(leased[0].id(), live);
    let leased = bench.queue.lease("agent", within(9_000)).await.expect("leased");
    assert_eq!(leased.len(), 2, "{:?}", ids(&leased));
    let refused = bench.queue.lease("agent", within(1_000)).await;
    assert!(matches!(refused, Err(QueueError::Larger { .. })), "{refused:?}");
}
