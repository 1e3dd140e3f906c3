//! The one order of events.

use crate::bench::{Bench, SECOND, draft};
use bytes::Bytes;
use headgate_event::{Accepted, Clock, Draft, EventId, StoreError};
use headgate_queue::{Health, LeaseAsk, ListQuery, QueueError, SubscriptionSpec};
use std::{collections::BTreeSet, sync::Arc, time::Duration};

pub(crate) async fn ids_rise_in_the_order_of_acceptance(bench: Bench) {
    let mut ids = Vec::new();
    for _ in 0..5 {
        ids.extend(bench.store_many(3).await);
        bench.clock.advance(SECOND);
    }
    assert!(ids.is_sorted_by(|a, b| a < b), "{ids:?}");
    assert_eq!(*bench.queue.head().borrow(), 15);
}

pub(crate) async fn ids_rise_also_when_the_clock_goes_backwards(bench: Bench) {
    let first = bench.store(bench.draft("billing")).await;
    bench.clock.set(bench.clock.now().minus(3600 * SECOND));
    let second = bench.store(bench.draft("billing")).await;
    assert!(second > first);
    let early = bench.queue.event(second).await.expect("read").expect("stored");
    assert_eq!(early.event.created_at(), bench.clock.now(), "it says when it was received");
}

pub(crate) async fn an_event_is_given_as_it_came(bench: Bench) {
    let large: String = (0..200).map(|n| format!("{{\"n\": {n}}}, ")).collect();
    let raw = Bytes::from(format!("{{\"many\": [{large} 1.0]}}"));
    let sent = Draft { raw: raw.clone(), ..bench.draft("billing") };
    let id = bench.store(sent).await;
    let stored = bench.queue.event(id).await.expect("read").expect("stored");
    assert_eq!((stored.seq, stored.event.id(), &stored.raw), (1, id, &raw));
    assert_eq!(stored.event.created_at(), bench.clock.now());
    assert!(id.time() >= stored.event.created_at());
    assert_eq!(stored.event.provider(), Some("stripe"));
    assert_eq!(stored.event.prompt_ready(), "an invoice was paid");
    let body = std::str::from_utf8(&raw).expect("text").replace(' ', "");
    let data = format!("{{\"method\":\"POST\",\"body\":{body}}}");
    assert_eq!(stored.event.data().get(), data);
    let other = EventId::from_parts(bench.clock.now(), 7);
    assert!(bench.queue.event(other).await.expect("read").is_none());
}

pub(crate) async fn events_are_read_in_their_order(bench: Bench) {
    let ids = bench.store_many(1_200).await;
    let mut read = Vec::new();
    loop {
        let next = bench.queue.read(read.len() as u64 + 1, 500).await.expect("read");
        if next.is_empty() {
            break;
        }
        assert!(next.len() <= 500);
        for stored in next {
            read.push(stored.event.id());
            assert_eq!(stored.seq, read.len() as u64);
        }
    }
    assert_eq!(read, ids);
    let first = bench.queue.read(0, 1).await.expect("read");
    assert_eq!(first[0].seq, 1, "before the first is the first");
    assert!(bench.queue.read(1, 0).await.expect("read").is_empty());
    assert!(bench.queue.read(u64::MAX, 1).await.expect("read").is_empty());
}

pub(crate) async fn events_of_many_senders_have_one_order(bench: Bench) {
    let senders: Vec<_> = (0..16)
        .map(|_| {
            let (queue, now) = (Arc::clone(&bench.queue), bench.clock.now());
            tokio::spawn(async move {
                let mut ids = Vec::new();
                for _ in 0..25 {
                    let accepted = queue.accept(vec![draft("billing", now)]).await.expect("stored");
                    ids.push(accepted[0].id());
                }
                ids
            })
        })
        .collect();
    let mut sent = BTreeSet::new();
    for sender in senders {
        let ids = sender.await.expect("ended");
        assert!(ids.is_sorted(), "each sender's are in its order");
        sent.extend(ids);
    }
    let read = bench.queue.read(1, 500).await.expect("read");
    let read: Vec<EventId> = read.into_iter().map(|stored| stored.event.id()).collect();
    assert_eq!(read, Vec::from_iter(sent));
}

pub(crate) async fn a_call_is_stored_whole_or_not_at_all(bench: Bench) {
    let raw = Bytes::from(vec![0; (64 << 20) + 1]);
    let too_large = Draft { raw, ..bench.draft("billing") };
    let refused = bench.queue.accept(vec![bench.draft("billing"), too_large]).await;
    assert!(matches!(refused, Err(StoreError::TooLarge { .. })), "{refused:?}");
    let too_many = (0..513).map(|_| bench.draft("billing")).collect();
    let refused = bench.queue.accept(too_many).await;
    assert!(matches!(refused, Err(StoreError::TooMany { drafts: 513, .. })), "{refused:?}");
    assert_eq!(*bench.queue.head().borrow(), 0);
    assert!(bench.list(ListQuery::default()).await.is_empty());
}

pub(crate) async fn an_empty_call_stores_nothing(bench: Bench) {
    assert_eq!(bench.queue.accept(Vec::new()).await.expect("taken"), Vec::<Accepted>::new());
    assert_eq!(*bench.queue.head().borrow(), 0);
}

pub(crate) async fn a_closed_queue_takes_and_gives_nothing(bench: Bench) {
    let id = bench.store(bench.draft("billing")).await;
    bench.subscribe("agent").await;
    assert_eq!(bench.queue.health(), Health::default());
    bench.queue.close().await;
    bench.queue.close().await;
    let health = bench.queue.health();
    assert!(!health.receiving.is_empty() && !health.consuming.is_empty(), "{health:?}");
    let refused = bench.queue.accept(vec![bench.draft("billing")]).await;
    assert!(matches!(refused, Err(StoreError::Unavailable { .. })), "{refused:?}");
    let is_closed = |error: QueueError| matches!(error, QueueError::Unavailable { .. });
    assert!(bench.queue.event(id).await.is_err_and(is_closed));
    assert!(bench.queue.list(ListQuery::default()).await.is_err_and(is_closed));
    assert!(bench.queue.settle("agent", Vec::new()).await.is_err_and(is_closed));
    let ask = LeaseAsk { max: 1, wait: Duration::ZERO, lease: Some(SECOND), bytes: None };
    assert!(bench.queue.lease("agent", ask).await.is_err_and(is_closed));
    let spec = SubscriptionSpec::new("other");
    assert!(bench.queue.put_subscription(spec).await.is_err_and(is_closed));
}
