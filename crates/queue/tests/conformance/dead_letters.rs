//! Dead letters: what is kept of a delivery that never comes again.

use crate::bench::{Bench, SECOND, bury, delivery_id, retry};
use headgate_event::{Clock, Event};
use headgate_queue::{
    DeadLetter, DeadLetterPage, DeadLetterQuery, QueueError, RetryPolicy, Start, SubscriptionSpec,
};
use std::time::Duration;

async fn page(bench: &Bench, limit: usize, before: Option<u64>) -> DeadLetterPage {
    let query = DeadLetterQuery { before, limit };
    bench.queue.dead_letters("agent", query).await.expect("listed")
}

async fn letters(bench: &Bench) -> Vec<DeadLetter> {
    page(bench, 500, None).await.dead_letters
}

/// A subscription whose deliveries have this many attempts.
async fn subscribe(bench: &Bench, attempts: u32) {
    let retry = RetryPolicy { attempts, ..RetryPolicy::default() };
    let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(SubscriptionSpec { retry, ..spec }).await.expect("made");
}

async fn buried(bench: &Bench, n: usize) -> Vec<Event> {
    bench.store_many(n).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", n).await;
    for event in &events {
        bench.settle("agent", event, bury()).await.expect("leased");
    }
    events
}

pub(crate) async fn a_dead_letter_says_what_died_why_and_when(bench: Bench) {
    bench.store_many(3).await;
    subscribe(&bench, 2).await;
    assert!(letters(&bench).await.is_empty());
    let events = bench.lease("agent", 3).await;
    bench.clock.advance(SECOND);
    bench.settle("agent", &events[0], bury()).await.expect("leased");
    let died = bench.clock.now();
    bench.settle("agent", &events[1], retry(Duration::ZERO)).await.expect("leased");
    let again = bench.lease_one("agent").await;
    bench.clock.advance(SECOND);
    bench.settle("agent", &again, retry(Duration::ZERO)).await.expect("leased");
    let buried = DeadLetter {
        delivery: delivery_id(&events[0]).parse().expect("an id"),
        event_id: Some(events[0].id()),
        reason: "buried".into(),
        attempts: 1,
        last_error: Some("nonsense".into()),
        at: died,
    };
    let exhausted = DeadLetter {
        delivery: delivery_id(&again).parse().expect("an id"),
        event_id: Some(again.id()),
        reason: "exhausted".into(),
        attempts: 2,
        last_error: Some("busy".into()),
        at: bench.clock.now(),
    };
    let expected = [exhausted, buried];
    assert_eq!(letters(&bench).await, expected);
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(letters(&bench).await, expected);
}

pub(crate) async fn a_lease_that_ended_too_often_leaves_a_letter(bench: Bench) {
    bench.store_many(1).await;
    subscribe(&bench, 1).await;
    let event = bench.lease_one("agent").await;
    bench.clock.advance(10 * SECOND);
    assert!(bench.lease("agent", 1).await.is_empty());
    let letters = letters(&bench).await;
    assert_eq!((letters.len(), letters[0].reason.as_str()), (1, "exhausted"));
    assert_eq!(letters[0].delivery.to_string(), delivery_id(&event));
}

pub(crate) async fn dead_letters_come_in_pages_that_stay_what_they_are(bench: Bench) {
    let events = buried(&bench, 7).await;
    let mut ids: Vec<_> = events.iter().map(|event| Some(event.id())).collect();
    ids.reverse();
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let page = page(&bench, 3, before).await;
        assert!(page.dead_letters.len() <= 3);
        found.extend(page.dead_letters.iter().map(|letter| letter.event_id));
        if page.next.is_none() {
            break;
        }
        before = page.next;
        buried(&bench, 2).await;
    }
    assert_eq!(found, ids);
    assert_eq!(page(&bench, 11, None).await.next, None, "there is no empty last page");
    assert!(page(&bench, 0, None).await.dead_letters.is_empty());
    assert!(page(&bench, 9, Some(1)).await.dead_letters.is_empty());
}

pub(crate) async fn dead_letters_are_those_of_one_subscription(bench: Bench) {
    buried(&bench, 2).await;
    bench.subscribe("other").await;
    let query = DeadLetterQuery { before: None, limit: 9 };
    let others = bench.queue.dead_letters("other", query).await.expect("listed");
    assert!(others.dead_letters.is_empty());
    bench.queue.delete_subscription("agent").await.expect("deleted");
    let refused = bench.queue.dead_letters("agent", query).await.expect_err("unknown");
    assert!(matches!(refused, QueueError::UnknownSubscription { name } if name == "agent"));
    bench.subscribe("agent").await;
    assert!(letters(&bench).await.is_empty(), "another subscription of the same name");
}
