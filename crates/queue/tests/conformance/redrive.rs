//! Dead letters that are taken up again, or forgotten.

use crate::bench::{Bench, SECOND, attempt, bury, delivery_id, ids, retry};
use headgate_event::Event;
use headgate_queue::{
    DeadLetterQuery, LetterError, LetterVerb, RetryPolicy, SettleError, Start, SubscriptionSpec,
    Verb,
};
use std::time::Duration;

async fn letters(bench: &Bench) -> Vec<String> {
    let query = DeadLetterQuery { before: None, limit: 500 };
    let page = bench.queue.dead_letters("agent", query).await.expect("listed");
    page.dead_letters.iter().map(|letter| letter.delivery.to_string()).collect()
}

async fn say(bench: &Bench, verb: LetterVerb, ids: &[&str]) -> Vec<Result<(), LetterError>> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    bench.queue.settle_letters("agent", ids, verb).await.expect("answered")
}

async fn redrive(bench: &Bench, id: &str) -> Result<(), LetterError> {
    say(bench, LetterVerb::Redrive, &[id]).await.remove(0)
}

async fn subscribe(bench: &Bench, attempts: u32) {
    let retry = RetryPolicy { attempts, ..RetryPolicy::default() };
    let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    bench.queue.put_subscription(SubscriptionSpec { retry, ..spec }).await.expect("made");
}

/// So many buried deliveries.
async fn buried(bench: &Bench, n: usize) -> Vec<Event> {
    bench.store_many(n).await;
    subscribe(bench, 2).await;
    let events = bench.lease("agent", n).await;
    for event in &events {
        bench.settle("agent", event, bury()).await.expect("leased");
    }
    events
}

pub(crate) async fn a_redriven_delivery_has_its_first_attempt_again(bench: Bench) {
    let events = buried(&bench, 2).await;
    assert_eq!(redrive(&bench, &delivery_id(&events[0])).await, Ok(()));
    assert_eq!(letters(&bench).await, [delivery_id(&events[1])]);
    assert_eq!(bench.status("agent").await.dead, 1);
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (events[0].id(), 1));
    assert_ne!(delivery_id(&again), delivery_id(&events[0]), "it is another delivery");
    bench.settle("agent", &again, retry(Duration::ZERO)).await.expect("leased");
    let again = bench.lease_one("agent").await;
    assert_eq!(attempt(&again), 2, "it has all its attempts again");
    bench.settle("agent", &again, Verb::Ack).await.expect("leased");
    assert!(bench.lease("agent", 9).await.is_empty());
}

pub(crate) async fn a_redriven_delivery_may_die_and_be_redriven_again(bench: Bench) {
    let events = buried(&bench, 1).await;
    for round in 0..3 {
        let dead = letters(&bench).await;
        assert_eq!((dead.len(), bench.status("agent").await.dead), (1, 1), "{round}");
        redrive(&bench, &dead[0]).await.expect("dead");
        assert_eq!(bench.status("agent").await.dead, 0);
        for n in 1..=2 {
            let again = bench.lease_one("agent").await;
            assert_eq!((again.id(), attempt(&again)), (events[0].id(), n));
            bench.settle("agent", &again, retry(Duration::ZERO)).await.expect("leased");
        }
    }
    assert_eq!(letters(&bench).await.len(), 1);
}

pub(crate) async fn an_answer_for_an_attempt_before_the_redrive_is_late(bench: Bench) {
    let events = buried(&bench, 1).await;
    let id = delivery_id(&events[0]);
    redrive(&bench, &id).await.expect("dead");
    let late = bench.settle_id("agent", &id, Verb::Ack).await;
    assert_eq!(late, Err(SettleError::LeaseExpired { id }));
    assert_eq!(ids(&bench.lease("agent", 9).await), ids(&events));
}

pub(crate) async fn what_is_not_dead_is_an_error_for_that_id_alone(bench: Bench) {
    let events = buried(&bench, 3).await;
    let of = |n: usize| delivery_id(&events[n]);
    redrive(&bench, &of(0)).await.expect("dead");
    let again = bench.lease_one("agent").await;
    bench.settle("agent", &again, Verb::Ack).await.expect("leased");
    let mixed = [of(0), of(1), "nonsense".into(), "agent.1.99.1".into(), of(1), of(2)];
    let mixed: Vec<&str> = mixed.iter().map(String::as_str).collect();
    let answers = say(&bench, LetterVerb::Redrive, &mixed).await;
    let not_dead = |id: &str| Err(LetterError::NotDead { id: id.to_owned() });
    assert_eq!(answers[0], not_dead(&of(0)));
    assert_eq!(answers[1], Ok(()));
    assert_eq!(answers[2], not_dead("nonsense"));
    assert_eq!(answers[3], not_dead("agent.1.99.1"));
    assert!(answers[4].is_err(), "it is on its way: {answers:?}");
    assert_eq!(answers[5], Ok(()));
    assert_eq!(bench.lease("agent", 9).await.len(), 2);
}

pub(crate) async fn what_is_deleted_is_forgotten(bench: Bench) {
    let events = buried(&bench, 3).await;
    let gone = delivery_id(&events[1]);
    assert_eq!(say(&bench, LetterVerb::Delete, &[&gone]).await, [Ok(())]);
    assert_eq!(letters(&bench).await.len(), 2);
    assert_eq!(bench.status("agent").await.dead, 2);
    let twice = say(&bench, LetterVerb::Delete, &[&gone]).await;
    assert_eq!(twice, [Err(LetterError::NotDead { id: gone.clone() })]);
    assert_eq!(redrive(&bench, &gone).await, Err(LetterError::NotDead { id: gone }));
    let rest = [delivery_id(&events[0]), delivery_id(&events[2])];
    say(&bench, LetterVerb::Delete, &[&rest[0], &rest[1]]).await;
    assert_eq!((letters(&bench).await.len(), bench.status("agent").await.dead), (0, 0));
    assert!(bench.lease("agent", 9).await.is_empty());
}

pub(crate) async fn a_letter_whose_event_is_gone_can_be_deleted_alone(bench: Bench) {
    let events = buried(&bench, 2).await;
    bench.queue.erase(events[0].id()).await.expect("erased");
    let id = delivery_id(&events[0]);
    assert_eq!(redrive(&bench, &id).await, Err(LetterError::Gone { id: id.clone() }));
    bench.clock.advance(3_600 * SECOND);
    bench.retain(SECOND).await;
    let other = delivery_id(&events[1]);
    let refused = redrive(&bench, &other).await;
    assert_eq!(refused, Err(LetterError::Gone { id: other.clone() }));
    assert_eq!(say(&bench, LetterVerb::Delete, &[&id, &other]).await, [Ok(()), Ok(())]);
    assert_eq!((letters(&bench).await.len(), bench.status("agent").await.dead), (0, 0));
}

pub(crate) async fn a_redriven_delivery_survives_a_restart(bench: Bench) {
    let events = buried(&bench, 2).await;
    redrive(&bench, &delivery_id(&events[0])).await.expect("dead");
    let leased = bench.lease_one("agent").await;
    bench.settle("agent", &leased, retry(Duration::ZERO)).await.expect("leased");
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(letters(&bench).await, [delivery_id(&events[1])]);
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (events[0].id(), 2));
    bench.settle("agent", &again, retry(Duration::ZERO)).await.expect("leased");
    assert_eq!(letters(&bench).await.len(), 2, "it died of its second attempt");
}
