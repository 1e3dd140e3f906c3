//! Giving stored events to a subscription again.

use crate::bench::{Bench, LONG, SECOND, attempt, bury, delivery_id, ids, retry};
use headgate_event::{Clock, Event, EventId, Origin};
use headgate_queue::{
    DeadLetterQuery, EventQuery, LeaseAsk, LetterVerb, ReplayAsk, ReplayError, ReplayEvents,
    ReplayState, ReplayStatus, Selection, SettleError, Start, SubscriptionSpec, Verb,
};
use std::{collections::BTreeSet, time::Duration};

fn of_all() -> ReplayAsk {
    ReplayAsk { subscription: "agent".into(), ..ReplayAsk::default() }
}

fn of_ids(ids: &[EventId]) -> ReplayAsk {
    ReplayAsk { events: ReplayEvents::Ids(ids.to_vec()), ..of_all() }
}

fn fitting(query: EventQuery) -> ReplayAsk {
    ReplayAsk { events: ReplayEvents::Fitting(query), ..of_all() }
}

async fn begin(bench: &Bench, ask: ReplayAsk) -> ReplayStatus {
    bench.queue.begin_replay(ask).await.expect("begun")
}

async fn shown(bench: &Bench, id: EventId) -> ReplayStatus {
    let all = bench.queue.replays().await.expect("listed");
    all.into_iter().find(|one| one.id == id).expect("there is one")
}

/// So many events that the subscription has settled.
async fn settled(bench: &Bench, n: usize) -> Vec<EventId> {
    let ids = bench.store_many(n).await;
    bench.subscribe("agent").await;
    settle_all(bench).await;
    ids
}

async fn settle_all(bench: &Bench) -> Vec<Event> {
    let mut all = Vec::new();
    loop {
        let events = bench.lease("agent", 100).await;
        if events.is_empty() {
            return all;
        }
        bench.ack_all("agent", &events).await;
        all.extend(events);
    }
}

pub(crate) async fn a_replay_gives_every_event_again_and_ends(bench: Bench) {
    let ids_of = settled(&bench, 5).await;
    let begun = begin(&bench, of_all()).await;
    assert_eq!((begun.state, begun.matched), (ReplayState::Running, Some(5)));
    let events = bench.lease("agent", 3).await;
    assert_eq!(ids(&events), ids_of[..3]);
    for event in &events {
        let delivery = event.delivery().expect("delivered");
        assert_eq!(*event.origin(), Origin::Replay);
        assert_eq!(delivery.replay_id, Some(begun.id.to_string()));
        assert_eq!((delivery.attempt, delivery.subscription.as_str()), (1, "agent"));
    }
    bench.ack_all("agent", &events[..2]).await;
    let status = shown(&bench, begun.id).await;
    let counts = (status.delivered, status.settled, status.in_flight, status.dead);
    assert_eq!((counts, status.state), ((3, 2, 1, 0), ReplayState::Running));
    assert!((status.progress - 0.4).abs() < 0.01, "{status:?}");
    bench.ack_all("agent", &events[2..]).await;
    assert_eq!(ids(&settle_all(&bench).await), ids_of[3..]);
    let status = shown(&bench, begun.id).await;
    assert_eq!((status.state, status.settled), (ReplayState::Done, 5));
    assert!(status.ended_at.is_some() && (status.progress - 1.0).abs() < 0.01);
    let late = bench.settle("agent", &events[0], Verb::Ack).await;
    assert!(matches!(late, Err(SettleError::AlreadySettled { .. })), "{late:?}");
    assert_eq!(bench.status("agent").await.lag, 0);
}

pub(crate) async fn a_replay_is_of_these_ids_and_no_others(bench: Bench) {
    let ids_of = settled(&bench, 300).await;
    let wanted = [ids_of[250], ids_of[3], ids_of[4], ids_of[120], ids_of[3]];
    let begun = begin(&bench, of_ids(&wanted)).await;
    assert_eq!(begun.matched, Some(4));
    assert_eq!(ids(&settle_all(&bench).await), [ids_of[3], ids_of[4], ids_of[120], ids_of[250]]);
    assert_eq!(shown(&bench, begun.id).await.state, ReplayState::Done);
}

pub(crate) async fn a_replay_keeps_to_its_times_and_to_what_is_wanted(bench: Bench) {
    let mut spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    spec.selection.channels = vec!["billing".into()];
    bench.queue.put_subscription(spec).await.expect("made");
    let mut wanted = Vec::new();
    let begin_at = bench.clock.now();
    for n in 0..6 {
        let id = bench.store(bench.draft(if n == 3 { "other" } else { "billing" })).await;
        wanted.extend((n != 3 && (1..5).contains(&n)).then_some(id));
        bench.clock.advance(SECOND);
    }
    settle_all(&bench).await;
    let query = EventQuery {
        selection: Selection::default(),
        since: Some(begin_at.plus(SECOND)),
        until: Some(begin_at.plus(5 * SECOND)),
    };
    let counted = bench.queue.plan_replay(fitting(query.clone())).await.expect("counted");
    assert_eq!((counted.matched, counted.complete), (3, true));
    begin(&bench, fitting(query)).await;
    assert_eq!(ids(&settle_all(&bench).await), wanted);
}

pub(crate) async fn a_replay_by_a_filter_gives_what_fits_inside(bench: Bench) {
    bench.subscribe("agent").await;
    let mut wanted = Vec::new();
    for n in 0..40 {
        let body = format!("{{\"n\": {n}}}");
        let draft = headgate_event::Draft { raw: body.into(), ..bench.draft("billing") };
        let id = bench.store(draft).await;
        wanted.extend((n >= 37).then_some(id));
    }
    settle_all(&bench).await;
    let filter = "provider == 'stripe' && data.body.n >= 37".parse().expect("a filter");
    let selection = Selection { filter: Some(filter), ..Selection::default() };
    let query = EventQuery { selection, ..EventQuery::default() };
    let counted = bench.queue.count(query.clone()).await.expect("counted");
    assert_eq!((counted.matched, counted.complete), (3, true));
    let begun = begin(&bench, fitting(query)).await;
    assert_eq!(ids(&bench.lease("agent", 1).await), wanted[..1]);
    assert_eq!(ids(&bench.lease("agent", 9).await), wanted[1..]);
    assert_eq!(shown(&bench, begun.id).await.delivered, 3);
}

pub(crate) async fn live_events_go_first_and_a_replay_has_a_fourth(bench: Bench) {
    settled(&bench, 100).await;
    begin(&bench, of_all()).await;
    bench.store_many(100).await;
    let events = bench.lease("agent", 40).await;
    let replayed =
        |events: &[Event]| events.iter().filter(|event| *event.origin() == Origin::Replay).count();
    assert_eq!((events.len(), replayed(&events)), (40, 10));
    assert_eq!(replayed(&events[..30]), 0, "live events are the first of an answer");
    let mut one_by_one = Vec::new();
    for _ in 0..40 {
        one_by_one.extend(bench.lease("agent", 1).await);
    }
    assert_eq!((one_by_one.len(), replayed(&one_by_one)), (40, 10));
    // All live ones that are left, and then the replay has the rest.
    let rest = bench.lease("agent", 500).await;
    assert_eq!((rest.len(), replayed(&rest)), (120, 80));
}

pub(crate) async fn a_replay_keeps_to_its_rate(bench: Bench) {
    settled(&bench, 20).await;
    let pace = Some("5/s".parse().expect("a rate"));
    begin(&bench, ReplayAsk { pace, ..of_all() }).await;
    assert_eq!(bench.lease("agent", 50).await.len(), 5, "what a second allows, at once");
    assert!(bench.lease("agent", 50).await.is_empty());
    bench.clock.advance(SECOND / 5);
    assert_eq!(bench.lease("agent", 50).await.len(), 1);
    bench.clock.advance(10 * SECOND);
    assert!(!bench.lease("agent", 50).await.is_empty());
}

pub(crate) async fn a_lease_that_waits_gets_what_a_replay_gives(bench: Bench) {
    let ids_of = settled(&bench, 1).await;
    let ask = LeaseAsk { max: 5, wait: LONG, lease: None, bytes: None };
    let queue = std::sync::Arc::clone(&bench.queue);
    let waiting = tokio::spawn(async move { queue.lease("agent", ask).await });
    tokio::task::yield_now().await;
    begin(&bench, of_all()).await;
    let leased = tokio::time::timeout(LONG / 2, waiting).await.expect("it was woken");
    assert_eq!(ids(&leased.expect("ended").expect("leased")), ids_of);
}

pub(crate) async fn a_cancelled_replay_gives_nothing_more(bench: Bench) {
    settled(&bench, 5).await;
    let begun = begin(&bench, of_all()).await;
    let events = bench.lease("agent", 2).await;
    bench.ack_all("agent", &events[..1]).await;
    let cancelled = bench.queue.cancel_replay(begun.id).await.expect("cancelled");
    assert_eq!((cancelled.state, cancelled.settled), (ReplayState::Cancelled, 1));
    let twice = bench.queue.cancel_replay(begun.id).await.expect_err("it has ended");
    assert_eq!(twice.to_string(), format!("replay `{}` is cancelled already", begun.id));
    let late = bench.settle("agent", &events[1], Verb::Ack).await;
    assert!(matches!(late, Err(SettleError::LeaseExpired { .. })), "{late:?}");
    bench.clock.advance(LONG);
    assert!(bench.lease("agent", 9).await.is_empty());
    let unknown = bench.queue.cancel_replay(EventId::from_bytes([9; 16])).await;
    assert!(matches!(unknown, Err(ReplayError::Unknown { .. })), "{unknown:?}");
}

pub(crate) async fn a_replay_over_nothing_is_refused(bench: Bench) {
    let ids_of = settled(&bench, 2).await;
    let nothing = |refused: Result<ReplayStatus, ReplayError>| {
        assert!(matches!(refused, Err(ReplayError::Nothing)), "{refused:?}");
    };
    nothing(bench.queue.begin_replay(of_ids(&[])).await);
    let letters = ReplayAsk { events: ReplayEvents::DeadLetters, ..of_all() };
    nothing(bench.queue.begin_replay(letters).await);
    let selection = Selection { channels: vec!["other".into()], ..Selection::default() };
    let query = EventQuery { selection, ..EventQuery::default() };
    nothing(bench.queue.begin_replay(fitting(query)).await);
    let unknown = EventId::from_bytes([9; 16]);
    let refused = bench.queue.begin_replay(of_ids(&[ids_of[0], unknown])).await;
    assert!(matches!(refused, Err(ReplayError::UnknownEvent { id }) if id == unknown));
    let nobody = ReplayAsk { subscription: "nobody".into(), ..of_all() };
    assert!(matches!(bench.queue.begin_replay(nobody).await, Err(ReplayError::Queue(_))));
    bench.queue.erase(ids_of[0]).await.expect("erased");
    let refused = bench.queue.begin_replay(of_ids(&ids_of[..1])).await;
    assert!(matches!(refused, Err(ReplayError::UnknownEvent { .. })), "{refused:?}");
    assert!(bench.queue.replays().await.expect("listed").is_empty());
}

pub(crate) async fn what_dies_in_a_replay_is_a_dead_letter_of_the_subscription(bench: Bench) {
    settled(&bench, 2).await;
    let begun = begin(&bench, of_all()).await;
    let events = bench.lease("agent", 2).await;
    bench.settle("agent", &events[0], bury()).await.expect("leased");
    bench.settle("agent", &events[1], Verb::Ack).await.expect("leased");
    let status = shown(&bench, begun.id).await;
    assert_eq!((status.state, status.dead, status.settled), (ReplayState::Done, 1, 1));
    assert_eq!(bench.status("agent").await.dead, 1);
    let query = DeadLetterQuery { before: None, limit: 9 };
    let page = bench.queue.dead_letters("agent", query).await.expect("listed");
    let letter = page.dead_letters[0].delivery.to_string();
    assert_eq!(letter, delivery_id(&events[0]));
    // It can be replayed as such, and redriven.
    let letters = ReplayAsk { events: ReplayEvents::DeadLetters, ..of_all() };
    begin(&bench, letters).await;
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (events[0].id(), 1));
    bench.settle("agent", &again, bury()).await.expect("leased");
    assert_eq!(bench.status("agent").await.dead, 1, "one letter an event");
    let page = bench.queue.dead_letters("agent", query).await.expect("listed");
    let letter = page.dead_letters[0].delivery.to_string();
    let redriven = bench.queue.settle_letters("agent", vec![letter], LetterVerb::Redrive).await;
    assert_eq!(redriven.expect("answered"), [Ok(())]);
    let live = bench.lease_one("agent").await;
    assert_eq!((live.origin(), attempt(&live)), (&Origin::Live.into(), 1));
    assert_eq!(bench.status("agent").await.dead, 0);
}

/// Regression: what died in a replay was redriven with the attempt after the replay's, which the
/// subscription had given before, so that an answer of then settled the delivery of now.
pub(crate) async fn what_died_in_a_replay_comes_again_under_an_id_that_nothing_had(bench: Bench) {
    bench.store_many(1).await;
    bench.subscribe("agent").await;
    let mut given = Vec::new();
    for _ in 0..3 {
        let event = bench.lease_one("agent").await;
        given.push(delivery_id(&event));
        bench.settle("agent", &event, retry(Duration::ZERO)).await.expect("leased");
    }
    let event = bench.lease_one("agent").await;
    given.push(delivery_id(&event));
    bench.settle("agent", &event, Verb::Ack).await.expect("leased");
    let Some(bench) = again_and_again(bench, &mut given).await.reopened().await else { return };
    again_and_again(bench, &mut given).await;
}

/// Lets the event die in replays, and takes it up again.
async fn again_and_again(bench: Bench, given: &mut Vec<String>) -> Bench {
    for _ in 0..2 {
        begin(&bench, of_all()).await;
        let replayed = bench.lease_one("agent").await;
        bench.settle("agent", &replayed, bury()).await.expect("leased");
        let letters = vec![delivery_id(&replayed)];
        let redriven = bench.queue.settle_letters("agent", letters, LetterVerb::Redrive).await;
        assert_eq!(redriven.expect("answered"), [Ok(())]);
        let live = bench.lease_one("agent").await;
        assert!(*live.origin() == Origin::Live && attempt(&live) == 1, "{live:?}");
        assert!(!given.contains(&delivery_id(&live)), "{} twice", delivery_id(&live));
        for late in &*given {
            assert!(bench.settle_id("agent", late, Verb::Ack).await.is_err(), "{late}");
        }
        given.push(delivery_id(&live));
        bench.settle("agent", &live, retry(Duration::ZERO)).await.expect("leased");
        let live = bench.lease_one("agent").await;
        assert_eq!(attempt(&live), 2);
        given.push(delivery_id(&live));
        bench.settle("agent", &live, Verb::Ack).await.expect("leased");
    }
    bench
}

pub(crate) async fn events_that_go_meanwhile_are_passed_over(bench: Bench) {
    let ids_of = settled(&bench, 3).await;
    let begun = begin(&bench, of_all()).await;
    let leased = bench.lease("agent", 1).await;
    bench.queue.erase(ids_of[0]).await.expect("erased");
    bench.queue.erase(ids_of[1]).await.expect("erased");
    assert!(bench.settle("agent", &leased[0], Verb::Ack).await.is_err());
    assert_eq!(ids(&bench.lease("agent", 9).await), ids_of[2..]);
    bench.clock.advance(3_600 * SECOND);
    bench.retain(SECOND).await;
    assert_eq!(shown(&bench, begun.id).await.state, ReplayState::Done);
    assert_eq!(bench.status("agent").await.expired, 0, "a replay owes nothing");
    assert!(bench.lease("agent", 9).await.is_empty());
}

pub(crate) async fn a_replay_goes_with_its_subscription(bench: Bench) {
    settled(&bench, 3).await;
    let begun = begin(&bench, of_all()).await;
    let events = bench.lease("agent", 1).await;
    bench.queue.delete_subscription("agent").await.expect("deleted");
    assert!(bench.queue.replays().await.expect("listed").is_empty());
    assert!(bench.queue.cancel_replay(begun.id).await.is_err());
    bench.subscribe("agent").await;
    let unknown = bench.settle("agent", &events[0], Verb::Ack).await;
    assert!(matches!(unknown, Err(SettleError::Unknown { .. })), "{unknown:?}");
}

pub(crate) async fn a_paused_subscription_holds_its_replays_too(bench: Bench) {
    settled(&bench, 2).await;
    begin(&bench, of_all()).await;
    let mut spec = bench.status("agent").await.spec;
    spec.paused = true;
    bench.queue.put_subscription(spec.clone()).await.expect("paused");
    assert!(bench.lease("agent", 9).await.is_empty());
    spec.paused = false;
    bench.queue.put_subscription(spec).await.expect("resumed");
    assert_eq!(bench.lease("agent", 9).await.len(), 2);
}

pub(crate) async fn no_more_replays_run_than_may(bench: Bench) {
    settled(&bench, 1).await;
    for _ in 0..16 {
        begin(&bench, of_all()).await;
    }
    let refused = bench.queue.begin_replay(of_all()).await;
    assert!(matches!(refused, Err(ReplayError::TooMany { most: 16 })), "{refused:?}");
    let events = bench.lease("agent", 500).await;
    let replay = |event: &Event| event.delivery().expect("delivered").replay_id.clone();
    let of: BTreeSet<_> = events.iter().map(replay).collect();
    assert_eq!((events.len(), of.len()), (16, 16), "each has its turn");
}

pub(crate) async fn a_replay_goes_on_after_a_restart(bench: Bench) {
    let ids_of = settled(&bench, 9).await;
    let picked = [ids_of[1], ids_of[3], ids_of[5], ids_of[7], ids_of[8]];
    let begun = begin(&bench, of_ids(&picked)).await;
    let events = bench.lease("agent", 4).await;
    bench.ack_all("agent", &events[..1]).await;
    bench.settle("agent", &events[1], retry(Duration::ZERO)).await.expect("leased");
    let before = shown(&bench, begun.id).await;
    assert_eq!((before.settled, before.waiting, before.in_flight), (1, 1, 2));
    let Some(bench) = bench.reopened().await else { return };
    let after = shown(&bench, begun.id).await;
    assert_eq!((after.state, after.settled, after.waiting), (ReplayState::Running, 1, 1));
    // An answer for what was leased before is taken.
    bench.settle("agent", &events[2], Verb::Ack).await.expect("it was leased");
    let rest = settle_all(&bench).await;
    let mut rest: Vec<_> = rest.iter().map(|event| (event.id(), attempt(event))).collect();
    rest.sort();
    assert_eq!(rest, [(picked[1], 2), (picked[3], 1), (picked[4], 1)]);
    let done = shown(&bench, begun.id).await;
    assert_eq!((done.state, done.settled), (ReplayState::Done, 5));
    let Some(bench) = bench.reopened().await else { return };
    assert_eq!(shown(&bench, begun.id).await, done);
    let late = bench.settle("agent", &events[0], Verb::Ack).await;
    assert!(matches!(late, Err(SettleError::AlreadySettled { .. })), "{late:?}");
}
