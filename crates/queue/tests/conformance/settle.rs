//! Settling.

use crate::bench::{Bench, SECOND, attempt, bury, delivery_id, ids, retry};
use headgate_event::Event;
use headgate_queue::{QueueError, RetryPolicy, Settlement, Start, SubscriptionSpec, Verb};
use std::time::Duration;

async fn with_policy(bench: &Bench, attempts: u32) {
    let retry = RetryPolicy { attempts, first_ms: 10_000, longest_ms: 60_000 };
    let start = Start::Earliest;
    let spec = SubscriptionSpec { retry, start, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(spec).await.expect("made");
}

fn code(answer: Result<(), headgate_queue::SettleError>) -> &'static str {
    answer.map_or_else(|error| error.code(), |()| "settled")
}

pub(crate) async fn what_is_acked_never_comes_again(bench: Bench) {
    bench.store_many(20).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 20).await;
    let (even, odd): (Vec<_>, Vec<_>) =
        events.into_iter().enumerate().partition(|(n, _)| n % 2 == 0);
    let plain = |events: Vec<(usize, Event)>| events.into_iter().map(|(_, e)| e).collect();
    let (even, odd): (Vec<Event>, Vec<Event>) = (plain(even), plain(odd));
    bench.ack_all("agent", &odd).await;
    bench.clock.advance(10 * SECOND);
    let again = bench.lease("agent", 20).await;
    assert_eq!(ids(&again), ids(&even));
    bench.ack_all("agent", &again).await;
    bench.clock.advance(3600 * SECOND);
    assert!(bench.lease("agent", 20).await.is_empty());
    let status = bench.status("agent").await;
    assert_eq!((status.lag, status.in_flight, status.oldest_unsettled_ms), (0, 0, None));
}

pub(crate) async fn settling_twice_says_so(bench: Bench) {
    bench.store_many(2).await;
    bench.subscribe("agent").await;
    for verb in [Verb::Ack, bury()] {
        let event = bench.lease("agent", 1).await.remove(0);
        bench.settle("agent", &event, verb).await.expect("leased");
        for again in [Verb::Ack, bury(), retry(SECOND), Verb::Extend { lease: SECOND }] {
            assert_eq!(code(bench.settle("agent", &event, again).await), "already_settled");
        }
    }
    assert!(bench.lease("agent", 1).await.is_empty());
}

pub(crate) async fn answers_come_in_the_order_of_the_settlements(bench: Bench) {
    bench.store_many(3).await;
    bench.subscribe("agent").await;
    let events = bench.lease("agent", 3).await;
    let say = |id: &str, verb| Settlement { id: id.to_owned(), verb };
    let of = |n: usize| delivery_id(&events[n]);
    let answers = bench.queue.settle(
        "agent",
        vec![
            say(&of(0), Verb::Ack),
            say("agent.1.77.1", Verb::Ack),
            say(&of(0), Verb::Ack),
            say(&of(1), retry(SECOND)),
            say(&of(1), Verb::Ack),
            say(&of(2), bury()),
        ],
    );
    let codes: Vec<_> = answers.await.expect("settled").into_iter().map(code).collect();
    let expected =
        ["settled", "unknown_delivery", "already_settled", "settled", "lease_expired", "settled"];
    assert_eq!(codes, expected);
    assert!(bench.queue.settle("agent", Vec::new()).await.expect("settled").is_empty());
}

pub(crate) async fn what_was_never_given_is_unknown(bench: Bench) {
    bench.store_many(5).await;
    bench.subscribe("agent").await;
    bench.subscribe("other").await;
    let event = bench.lease_first("agent").await;
    let id = delivery_id(&event);
    let base = id.strip_suffix(".1.1").expect("the first event, the first attempt");
    let generation: u64 = base.strip_prefix("agent.").expect("its name").parse().expect("one");
    for unknown in [
        String::new(),
        "nonsense".into(),
        format!("{base}.1"),
        format!("{base}.1.2"),
        format!("{base}.1.0"),
        format!("{base}.0.1"),
        format!("{base}.2.1"),
        format!("{base}.6.1"),
        format!("{base}.18446744073709551615.1"),
        format!("{base}.01.1"),
        format!("agent.{}.1.1", generation + 7),
        format!("other.{generation}.1.1"),
        format!("{id}.1"),
        "\u{0}\u{1f4a9}".repeat(1_000),
    ] {
        let answer = bench.settle_id("agent", &unknown, Verb::Ack).await;
        assert_eq!(code(answer), "unknown_delivery", "{unknown}");
    }
    bench.settle("agent", &event, Verb::Ack).await.expect("its lease is as it was");
}

fn lease_ends(event: &Event) -> headgate_event::Timestamp {
    event.delivery().expect("it is delivered").lease_expires_at
}

pub(crate) async fn what_is_released_comes_at_once_and_costs_no_attempt(bench: Bench) {
    let stored = bench.store_many(2).await;
    with_policy(&bench, 2).await;
    for expected in 1..=2 {
        for _ in 0..3 {
            let event = bench.lease_first("agent").await;
            assert_eq!((event.id(), attempt(&event)), (stored[0], expected));
            let release = Verb::Release { lease_ends: lease_ends(&event) };
            bench.settle("agent", &event, release.clone()).await.expect("leased");
            let twice = bench.settle("agent", &event, release).await.map(drop);
            assert!(twice.is_err(), "it is not leased");
        }
        if expected == 1 {
            let event = bench.lease_first("agent").await;
            bench.settle("agent", &event, retry(Duration::ZERO)).await.expect("leased");
        }
    }
    let status = bench.status("agent").await;
    assert_eq!((status.dead, status.in_flight, status.lag), (0, 0, 2));
    let Some(bench) = bench.reopened().await else { return };
    let again = bench.lease("agent", 2).await;
    assert_eq!((ids(&again), attempt(&again[0])), (stored, 2));
    bench.ack_all("agent", &again).await;
}

pub(crate) async fn what_another_has_renewed_is_not_given_back(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_first("agent").await;
    let known = lease_ends(&event);
    bench.clock.advance(SECOND);
    bench.settle("agent", &event, Verb::Extend { lease: 10 * SECOND }).await.expect("leased");
    let (after, reason) = (Some(Duration::ZERO), None);
    let give_back = |lease_ends| Verb::GiveBack { after, reason: reason.clone(), lease_ends };
    for verb in [give_back(known), Verb::Release { lease_ends: known }] {
        assert_eq!(code(bench.settle("agent", &event, verb).await), "lease_expired");
    }
    assert!(bench.lease("agent", 1).await.is_empty(), "the other one has it");
    let verb = give_back(known.plus(SECOND));
    bench.settle("agent", &event, verb).await.expect("the lease is known");
    assert_eq!(attempt(&bench.lease_one("agent").await), 2);
}

pub(crate) async fn a_delivery_given_back_comes_after_its_wait(bench: Bench) {
    let stored = bench.store_many(2).await;
    bench.subscribe("agent").await;
    let event = bench.lease_first("agent").await;
    bench.settle("agent", &event, retry(30 * SECOND)).await.expect("leased");
    assert_eq!(bench.status("agent").await.waiting, 1);
    let next = bench.lease("agent", 5).await;
    assert_eq!(ids(&next), stored[1..], "others go on");
    bench.ack_all("agent", &next).await;
    bench.clock.advance(30 * SECOND - Duration::from_millis(1));
    assert!(bench.lease("agent", 5).await.is_empty());
    bench.clock.advance(Duration::from_millis(1));
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (stored[0], 2));
}

pub(crate) async fn waits_grow_by_the_policy(bench: Bench) {
    bench.store_many(1).await;
    with_policy(&bench, 8).await;
    for whole in [10, 30, 60, 60] {
        let event = bench.lease_one("agent").await;
        let back = Verb::Retry { after: None, reason: None };
        bench.settle("agent", &event, back).await.expect("leased");
        bench.clock.advance(whole * SECOND * 4 / 5 - Duration::from_millis(1));
        assert!(bench.lease("agent", 1).await.is_empty(), "no sooner than a fifth before {whole}");
        bench.clock.advance(whole * SECOND / 5 + Duration::from_millis(1));
    }
    assert_eq!(attempt(&bench.lease_one("agent").await), 5);
}

pub(crate) async fn an_answer_after_the_lease_is_refused(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let first = bench.lease_one("agent").await;
    bench.clock.advance(10 * SECOND);
    for verb in [Verb::Ack, bury(), retry(SECOND), Verb::Extend { lease: SECOND }] {
        assert_eq!(code(bench.settle("agent", &first, verb).await), "lease_expired");
    }
    let second = bench.lease_one("agent").await;
    assert_eq!(code(bench.settle("agent", &first, Verb::Ack).await), "lease_expired");
    bench.settle("agent", &second, Verb::Ack).await.expect("leased");
    assert_ne!(code(bench.settle("agent", &first, Verb::Ack).await), "settled");
}

pub(crate) async fn an_extended_lease_lasts(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    for _ in 0..5 {
        bench.clock.advance(9 * SECOND);
        let verb = Verb::Extend { lease: 10 * SECOND };
        bench.settle("agent", &event, verb).await.expect("leased");
        assert!(bench.lease("agent", 1).await.is_empty());
    }
    bench.clock.advance(9 * SECOND);
    bench.settle("agent", &event, Verb::Ack).await.expect("leased");
}

pub(crate) async fn what_is_buried_is_dead(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let event = bench.lease_one("agent").await;
    bench.settle("agent", &event, bury()).await.expect("leased");
    bench.clock.advance(3600 * SECOND);
    assert!(bench.lease("agent", 1).await.is_empty());
    let status = bench.status("agent").await;
    assert_eq!((status.dead, status.lag), (1, 0));
}

pub(crate) async fn what_fails_too_often_is_dead(bench: Bench) {
    bench.store_many(1).await;
    with_policy(&bench, 3).await;
    for n in 1..=3 {
        let event = bench.lease_one("agent").await;
        assert_eq!((attempt(&event), bench.status("agent").await.dead), (n, 0));
        bench.settle("agent", &event, retry(Duration::ZERO)).await.expect("leased");
    }
    assert!(bench.lease("agent", 1).await.is_empty());
    let status = bench.status("agent").await;
    assert_eq!((status.dead, status.waiting, status.lag), (1, 0, 0));
}

pub(crate) async fn a_lease_that_ends_too_often_is_dead(bench: Bench) {
    bench.store_many(1).await;
    with_policy(&bench, 2).await;
    for n in 1..=2 {
        assert_eq!(attempt(&bench.lease_one("agent").await), n);
        bench.clock.advance(10 * SECOND);
    }
    assert!(bench.lease("agent", 1).await.is_empty());
    assert_eq!(bench.status("agent").await.dead, 1);
}

pub(crate) async fn settling_for_an_unknown_subscription_is_refused(bench: Bench) {
    let settlement = Settlement { id: "nobody.1.1.1".into(), verb: Verb::Ack };
    let refused = bench.queue.settle("nobody", vec![settlement]).await.expect_err("unknown");
    assert!(matches!(refused, QueueError::UnknownSubscription { name } if name == "nobody"));
}
