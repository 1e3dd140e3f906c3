//! What came of attempts, and how an event stands.

use crate::bench::{Bench, SECOND, bury, delivery_id, retry};
use headgate_event::{Clock, Event, EventId};
use headgate_queue::{
    Attempt, EventDelivery, Selection, Settlement, Standing, Start, SubscriptionSpec, Tried, Verb,
};

async fn deliveries(bench: &Bench, event: &Event) -> Vec<EventDelivery> {
    let found = bench.attempts().deliveries_of(event.id()).await.expect("read");
    found.expect("it is stored")
}

fn tried(bench: &Bench, event: &Event, verb: Verb, status: u16) -> Tried {
    let attempt = event.delivery().expect("leased").attempt;
    let error = (verb != Verb::Ack).then(|| format!("answered {status}"));
    let settlement = Settlement { id: delivery_id(event), verb };
    let attempt = Attempt {
        attempt,
        at: bench.clock.now(),
        took_ms: 12,
        outcome: "refused".to_owned(),
        status: Some(status),
        answer: Some("ünïcode".to_owned()),
        error,
    };
    Tried { settlement, attempt }
}

pub(crate) async fn an_event_tells_how_it_stands_with_each_subscription(bench: Bench) {
    bench.store_many(2).await;
    for name in ["acked", "buried", "leased", "pending", "waiting"] {
        bench.subscribe(name).await;
    }
    let selection = Selection { channels: vec!["other".into()], ..Selection::default() };
    let start = Start::Earliest;
    let other = SubscriptionSpec { selection, start, ..SubscriptionSpec::new("unwanted") };
    bench.queue.put_subscription(other).await.expect("made");
    bench.queue.put_subscription(SubscriptionSpec::new("too late")).await.expect_err("a name");
    bench.queue.put_subscription(SubscriptionSpec::new("late")).await.expect("made");
    for (name, verb) in [
        ("acked", Some(Verb::Ack)),
        ("buried", Some(bury())),
        ("leased", None),
        ("waiting", Some(retry(60 * SECOND))),
    ] {
        let event = bench.lease_first(name).await;
        if let Some(verb) = verb {
            bench.settle(name, &event, verb).await.expect("leased");
        }
    }
    let event = bench.lease_first("pending").await;
    bench.settle("pending", &event, Verb::Ack).await.expect("leased");
    let first = deliveries(&bench, &event).await;
    let stand = |all: &[EventDelivery]| -> Vec<(String, Standing, Option<u32>)> {
        all.iter().map(|one| (one.subscription.clone(), one.standing, one.attempt)).collect()
    };
    let expected = [
        ("acked", Standing::Settled, None),
        ("buried", Standing::Dead, None),
        ("leased", Standing::Leased, Some(1)),
        ("pending", Standing::Settled, None),
        ("waiting", Standing::Waiting, Some(2)),
    ]
    .map(|(name, standing, attempt)| (name.to_owned(), standing, attempt));
    assert_eq!(stand(&first), expected);
    let due = first.iter().find(|one| one.subscription == "waiting").and_then(|one| one.due);
    assert_eq!(due, Some(bench.clock.now().plus(60 * SECOND)));
    let second = bench.queue.read(2, 1).await.expect("read").remove(0).event;
    let pending = deliveries(&bench, &second).await;
    assert!(pending.iter().all(|one| one.standing == Standing::Pending), "{pending:?}");
    let other = EventId::from_parts(bench.clock.now(), 7);
    assert_eq!(bench.attempts().deliveries_of(other).await.expect("read"), None);
}

pub(crate) async fn attempts_are_kept_with_what_was_settled(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let first = bench.lease_first("agent").await;
    let one = tried(&bench, &first, retry(SECOND), 503);
    let answers = bench.attempts().settle_tried("agent", vec![one.clone()]).await.expect("kept");
    assert_eq!(answers, [Ok(())]);
    bench.clock.advance(SECOND);
    let second = bench.lease_first("agent").await;
    let two = tried(&bench, &second, Verb::Ack, 200);
    // What cannot be settled any more was tried all the same.
    let late = tried(&bench, &first, Verb::Ack, 200);
    let answers = bench
        .attempts()
        .settle_tried("agent", vec![late.clone(), two.clone()])
        .await
        .expect("kept");
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 1);
    let kept = deliveries(&bench, &first).await.remove(0);
    assert_eq!(kept.standing, Standing::Settled);
    let mut expected = vec![one.attempt, late.attempt, two.attempt];
    expected.sort_by_key(|attempt| (attempt.at, attempt.attempt));
    assert_eq!(kept.attempts, expected);
}

pub(crate) async fn attempts_outlive_a_restart_and_go_with_an_erased_event(bench: Bench) {
    bench.store_many(2).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 2).await;
    let all = events.iter().map(|event| tried(&bench, event, Verb::Ack, 200)).collect();
    bench.attempts().settle_tried("agent", all).await.expect("kept");
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(deliveries(&bench, &events[0]).await[0].attempts.len(), 1);
    bench.store_many(1).await;
    let third = bench.lease_first("agent").await;
    let one = tried(&bench, &third, Verb::Ack, 200);
    bench.attempts().settle_tried("agent", vec![one]).await.expect("kept");
    bench.queue.erase(events[0].id()).await.expect("erased");
    let count = "SELECT CAST(count(*) AS TEXT) FROM state_attempts";
    assert_eq!(bench.state(count), "2", "the erased event's is gone, no other one is driven out");
    assert_eq!(deliveries(&bench, &events[1]).await[0].attempts.len(), 1);
}
