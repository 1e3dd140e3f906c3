//! In which order events are given: random workloads, in which nothing may come before its turn.

use crate::bench::{Bench, SECOND, attempt, bury, delivery_id, retry};
use headgate_event::{Draft, Event, EventId};
use headgate_queue::{Order, Settlement, Start, SubscriptionSpec, Verb};
use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

const CASES: u64 = 6;
const STEPS: usize = 120;

/// Numbers that look random and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963);
        (self.0 >> 33) % sides
    }
}

/// What is known of the deliveries of one subscription.
struct World {
    bench: Bench,
    dice: Dice,
    order: Order,
    /// Every event with its thread, in its order.
    stored: Vec<(EventId, Option<String>)>,
    /// What consumers hold, and until when.
    held: BTreeMap<EventId, (Event, u64)>,
    ended: BTreeSet<EventId>,
    /// What was ever given, and what of it by another order than the present one.
    given: BTreeSet<EventId>,
    given_before: BTreeSet<EventId>,
    now: u64,
}

fn spec(order: Order) -> SubscriptionSpec {
    let mut spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new("agent") };
    spec.order = order;
    spec.retry.attempts = 3;
    spec.retry.first_ms = 2_000;
    spec
}

impl World {
    async fn new(bench: Bench, order: Order, seed: u64) -> Self {
        bench.queue.put_subscription(spec(order)).await.expect("made");
        let (stored, held) = (Vec::new(), BTreeMap::new());
        let (given, given_before) = (BTreeSet::new(), BTreeSet::new());
        let (dice, ended, now) = (Dice(seed), BTreeSet::new(), 0);
        Self { bench, dice, order, stored, held, ended, given, given_before, now }
    }

    async fn arrive(&mut self) {
        for _ in 0..=self.dice.roll(4) {
            let thread = Some(self.dice.roll(5)).filter(|thread| *thread > 0);
            let thread_key = thread.map(|thread| format!("thread {thread}"));
            let draft = Draft { thread_key: thread_key.clone(), ..self.bench.draft("billing") };
            let id = self.bench.store(draft).await;
            self.stored.push((id, thread_key));
        }
    }

    async fn lease(&mut self) -> usize {
        let max = 1 + self.dice.roll(6) as usize;
        let events = self.bench.lease("agent", max).await;
        let given = events.len();
        // A lease that ended with this call may have been the last of its event.
        self.note_dead().await;
        for event in events {
            self.check(&event);
            self.given.insert(event.id());
            self.held.insert(event.id(), (event, self.now + 10));
        }
        given
    }

    /// What holds of every event that is given: nothing that it has to wait for is left.
    fn check(&self, event: &Event) {
        let id = event.id();
        assert!(!self.ended.contains(&id), "it has ended and comes again");
        let is_held = |id: &EventId| self.held.get(id).is_some_and(|(_, until)| *until > self.now);
        assert!(!is_held(&id), "two consumers have it");
        if self.given_before.contains(&id) {
            return;
        }
        let thread = event.thread_key();
        for (earlier, of) in self.stored.iter().take_while(|(earlier, _)| *earlier < id) {
            let before = match self.order {
                Order::None => false,
                Order::Thread => thread.is_some() && of.as_deref() == thread,
                Order::Strict => true,
            };
            assert!(!before || self.ended.contains(earlier), "{earlier} comes before {id}");
        }
        for (other, of) in &self.stored {
            let same = self.order == Order::Strict || (thread.is_some() && of.as_deref() == thread);
            let alone = self.order == Order::None || !same;
            assert!(alone || *other == id || !is_held(other), "{other} and {id} are in flight");
        }
    }

    async fn settle(&mut self) {
        let Some(nth) = self.held.len().checked_sub(1) else { return };
        let nth = self.dice.roll(nth as u64 + 1) as usize;
        let id = *self.held.keys().nth(nth).expect("there is one");
        let (event, _) = self.held.remove(&id).expect("it is held");
        let (verb, ends) = match self.dice.roll(8) {
            0 => (retry(3 * SECOND), attempt(&event) == 3),
            1 => (Verb::Retry { after: None, reason: None }, attempt(&event) == 3),
            2 => (bury(), true),
            _ => (Verb::Ack, true),
        };
        let settlement = Settlement { id: delivery_id(&event), verb };
        let answer = self.bench.queue.settle("agent", vec![settlement]).await.expect("settled");
        // A lease that was over is no more, and its last attempt is the end.
        if answer[0].is_ok() && ends {
            self.ended.insert(id);
        }
    }

    fn wait(&mut self) {
        let seconds = self.dice.roll(4);
        self.pass(seconds);
    }

    fn pass(&mut self, seconds: u64) {
        self.now += seconds;
        self.bench.clock.advance(SECOND * u32::try_from(seconds).expect("few"));
    }

    /// Leases that ended with the last attempt leave a letter.
    async fn note_dead(&mut self) {
        let query = headgate_queue::DeadLetterQuery { before: None, limit: 500 };
        let page = self.bench.queue.dead_letters("agent", query).await.expect("listed");
        self.ended.extend(page.dead_letters.iter().filter_map(|letter| letter.event_id));
    }

    async fn restart(self) -> Self {
        if self.bench.folder.is_none() {
            return self;
        }
        let bench = self.bench.reopened().await.expect("it has a folder");
        Self { bench, held: BTreeMap::new(), ..self }
    }

    async fn run(mut self) -> Self {
        for _ in 0..STEPS {
            match self.dice.roll(20) {
                0..5 => self.arrive().await,
                5..12 => {
                    self.lease().await;
                }
                12..18 => self.settle().await,
                18 => self.wait(),
                _ => self = self.restart().await,
            }
        }
        self
    }

    /// Everything ends when all is acked.
    async fn finish(mut self) {
        for _ in 0..4 * self.stored.len() + 40 {
            if self.ended.len() == self.stored.len() {
                break;
            }
            if self.lease().await == 0 {
                self.pass(11);
                self.held.clear();
                continue;
            }
            let held = std::mem::take(&mut self.held);
            let events: Vec<Event> = held.into_values().map(|(event, _)| event).collect();
            for event in &events {
                let settled = self.bench.settle("agent", event, Verb::Ack).await;
                if settled.is_ok() {
                    self.ended.insert(event.id());
                }
            }
        }
        assert_eq!(self.ended.len(), self.stored.len(), "some never came");
        let status = self.bench.status("agent").await;
        assert_eq!((status.lag, status.held_back), (0, 0));
    }
}

async fn keeps(bench: Bench, order: Order) {
    let fresh = |bench: &Bench| match bench.folder {
        Some(_) => Bench::embedded(),
        None => Bench::memory(),
    };
    for seed in 1..=CASES {
        let world = World::new(fresh(&bench), order, seed).await;
        world.run().await.finish().await;
    }
}

pub(crate) async fn without_order_everything_comes_and_nothing_twice(bench: Bench) {
    keeps(bench, Order::None).await;
}

pub(crate) async fn no_two_events_of_a_thread_are_in_flight_or_out_of_order(bench: Bench) {
    keeps(bench, Order::Thread).await;
}

pub(crate) async fn a_strict_subscription_gives_one_event_after_the_other(bench: Bench) {
    keeps(bench, Order::Strict).await;
}

pub(crate) async fn an_order_that_changes_holds_from_then_on(bench: Bench) {
    let mut world = World::new(bench, Order::None, 7).await.run().await;
    for order in [Order::Thread, Order::Strict, Order::Thread, Order::None, Order::Strict] {
        world.bench.queue.put_subscription(spec(order)).await.expect("changed");
        // What consumers have by the order before ends first: it was given by another rule.
        world.pass(11);
        world.held.clear();
        world.order = Order::None;
        world.lease().await;
        world.pass(11);
        world.held.clear();
        world.given_before = world.given.clone();
        world.order = order;
        world = world.run().await;
    }
    world.finish().await;
}

pub(crate) async fn what_waits_when_the_order_changes_comes_one_after_the_other(bench: Bench) {
    bench.queue.put_subscription(spec(Order::None)).await.expect("made");
    let stored = threads(&bench, &["a", "a", "a", "b"]).await;
    for event in bench.lease("agent", 9).await {
        bench.settle("agent", &event, retry(Duration::ZERO)).await.expect("leased");
    }
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("changed");
    let first = bench.lease("agent", 9).await;
    assert_eq!(ids(&first), [stored[0], stored[3]], "one of each thread");
    bench.ack_all("agent", &first).await;
    let second = bench.lease("agent", 9).await;
    assert_eq!(ids(&second), [stored[1]]);
    bench.ack_all("agent", &second).await;
    assert_eq!(ids(&bench.lease("agent", 9).await), [stored[2]]);
}

async fn threads(bench: &Bench, keys: &[&str]) -> Vec<EventId> {
    let mut ids = Vec::new();
    for key in keys {
        let thread_key = Some((*key).to_owned()).filter(|key| !key.is_empty());
        ids.push(bench.store(Draft { thread_key, ..bench.draft("billing") }).await);
    }
    ids
}

fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(Event::id).collect()
}

pub(crate) async fn a_thread_waits_for_its_retry_and_others_go_on(bench: Bench) {
    let stored = threads(&bench, &["a", "a", "b", "", "a", "", "b"]).await;
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("made");
    let first = bench.lease("agent", 10).await;
    assert_eq!(ids(&first), [stored[0], stored[2], stored[3], stored[5]]);
    assert_eq!(bench.status("agent").await.held_back, 3);
    bench.settle("agent", &first[0], retry(60 * SECOND)).await.expect("leased");
    bench.ack_all("agent", &first[1..]).await;
    assert_eq!(ids(&bench.lease("agent", 10).await), [stored[6]], "`a` waits");
    bench.clock.advance(60 * SECOND);
    let again = bench.lease("agent", 1).await;
    assert_eq!((again[0].id(), attempt(&again[0])), (stored[0], 2));
    bench.ack_all("agent", &again).await;
    let next = bench.lease("agent", 1).await;
    assert_eq!((next[0].id(), attempt(&next[0])), (stored[1], 1));
}

pub(crate) async fn a_buried_event_lets_its_thread_go_on(bench: Bench) {
    let stored = threads(&bench, &["a", "a"]).await;
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("made");
    let first = bench.lease_one("agent").await;
    bench.settle("agent", &first, bury()).await.expect("leased");
    assert_eq!(bench.lease_one("agent").await.id(), stored[1]);
}

pub(crate) async fn a_thread_waits_after_a_restart_too(bench: Bench) {
    let stored = threads(&bench, &["a", "a", "b"]).await;
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("made");
    let first = bench.lease("agent", 3).await;
    bench.settle("agent", &first[0], retry(60 * SECOND)).await.expect("leased");
    bench.ack_all("agent", &first[1..]).await;
    let Some(bench) = bench.reopened().await else { return };
    assert!(bench.lease("agent", 3).await.is_empty(), "`a` waits for its retry");
    bench.clock.advance(60 * SECOND);
    let again = bench.lease_one("agent").await;
    assert_eq!((again.id(), attempt(&again)), (stored[0], 2));
    bench.ack_all("agent", &[again]).await;
    assert_eq!(bench.lease_one("agent").await.id(), stored[1]);
}

pub(crate) async fn what_is_held_back_expires_and_is_erased_like_the_rest(bench: Bench) {
    let stored = threads(&bench, &["a", "a", "a"]).await;
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("made");
    let first = bench.lease_one("agent").await;
    assert!(bench.lease("agent", 5).await.is_empty(), "the others wait");
    bench.queue.erase(stored[1]).await.expect("erased");
    assert_eq!(bench.status("agent").await.held_back, 1);
    bench.ack_all("agent", &[first]).await;
    assert_eq!(bench.lease_one("agent").await.id(), stored[2], "the erased one is passed");
    let last = threads(&bench, &["a", "a"]).await;
    bench.clock.advance(3_600 * SECOND);
    assert!(bench.lease("agent", 5).await.len() == 1 && last.len() == 2);
    bench.clock.advance(3_600 * SECOND);
    bench.retain(SECOND).await;
    let status = bench.status("agent").await;
    assert_eq!((status.held_back, status.lag, status.expired), (0, 0, 3));
}

pub(crate) async fn a_thread_that_holds_back_many_is_bounded(bench: Bench) {
    let most = headgate_event::limits::HELD_BACK_EVENTS_MAX;
    let drafts = |n: usize, key: &str| -> Vec<Draft> {
        let draft = || Draft { thread_key: Some(key.to_owned()), ..bench.draft("billing") };
        std::iter::repeat_with(draft).take(n).collect()
    };
    let mut left = most + 600;
    while left > 0 {
        let n = left.min(500);
        bench.queue.accept(drafts(n, "a")).await.expect("stored");
        left -= n;
    }
    bench.queue.accept(drafts(1, "b")).await.expect("stored");
    bench.queue.put_subscription(spec(Order::Thread)).await.expect("made");
    let first = bench.lease("agent", 500).await;
    assert_eq!(first.len(), 1, "`a` goes one by one, and `b` is beyond what is looked at");
    assert!(bench.lease("agent", 500).await.is_empty());
    let held_back = bench.status("agent").await.held_back;
    assert!((most as u64..most as u64 + 500).contains(&held_back), "{held_back}");
    bench.ack_all("agent", &first).await;
    assert_eq!(bench.lease("agent", 500).await.len(), 1);
}
