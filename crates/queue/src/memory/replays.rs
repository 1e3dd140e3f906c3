//! Replays and redriven letters of the queue in memory.

use super::{Inner, Memory};
use crate::{
    Counted, DeliveryId, EventQuery, LetterError, LetterVerb, QueueError, ReplayAsk, ReplayBy,
    ReplayError, ReplayEvents, ReplaySpec, ReplayState, ReplayStatus, Replays, Seq, Stored,
    SubscriptionSpec,
    subscription::{
        Budget, DeadReason, Deliveries, Died, Lane, Subscriber, Window, begun, thread_of,
    },
};
use headgate_event::{
    BoxFuture, EventId, Origin, Timestamp,
    limits::{REPLAY_PLACES_MAX, REPLAYS_KEPT_MAX, REPLAYS_RUNNING_MAX},
};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

/// The replays by the generation in their delivery ids.
#[derive(Debug, Default)]
pub(super) struct MemoryReplays {
    all: BTreeMap<u64, Replay>,
    /// Letters that replays left since they were counted.
    died: BTreeMap<u64, u64>,
}

#[derive(Debug)]
struct Replay {
    status: ReplayStatus,
    lane: Arc<Subscriber>,
}

/// What a replay will look at.
struct Plan {
    spec: ReplaySpec,
    places: BTreeSet<Seq>,
    by_place: bool,
}

impl Replays for Memory {
    fn settle_letters(
        &self,
        subscription: &str,
        deliveries: Vec<String>,
        verb: LetterVerb,
    ) -> BoxFuture<'_, Result<Vec<Result<(), LetterError>>, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let (known, now) = (self.subscriber(&name)?, self.clock.now());
            let mut inner = self.open()?;
            let settled = deliveries.iter().map(|id| inner.settle_letter(&known, id, verb, now));
            let settled = settled.collect();
            drop(inner);
            known.wake();
            Ok(settled)
        })
    }

    fn count(&self, query: EventQuery) -> BoxFuture<'_, Result<Counted, QueueError>> {
        Box::pin(async move {
            let inner = self.open()?;
            let matched = inner.fitting(&query).len() as u64;
            Ok(Counted { matched, scanned: inner.events.head(), complete: true })
        })
    }

    fn plan_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<Counted, ReplayError>> {
        Box::pin(async move {
            let known = self.subscriber(&ask.subscription)?;
            let matched = self.open()?.plan(&known, ask)?.places.len() as u64;
            Ok(Counted { matched, scanned: matched, complete: true })
        })
    }

    fn begin_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        Box::pin(async move {
            let (known, now) = (self.subscriber(&ask.subscription)?, self.clock.now());
            let status = self.open()?.begin_replay(&known, ask, now)?;
            known.wake();
            Ok(status)
        })
    }

    fn replays(&self) -> BoxFuture<'_, Result<Vec<ReplayStatus>, QueueError>> {
        Box::pin(async move {
            let inner = self.open()?;
            Ok(inner.replays.all.values().rev().map(Replay::status).collect())
        })
    }

    fn cancel_replay(&self, id: EventId) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        Box::pin(async move {
            let (mut inner, now) = (self.open()?, self.clock.now());
            let replay = inner.replays.all.values_mut().find(|replay| replay.status.id == id);
            let replay = replay.ok_or(ReplayError::Unknown { id })?;
            let state = replay.status.state;
            if state != ReplayState::Running {
                return Err(ReplayError::Ended { id, state });
            }
            replay.end(ReplayState::Cancelled, now);
            Ok(replay.status())
        })
    }
}

impl Inner {
    fn settle_letter(
        &mut self,
        known: &Subscriber,
        id: &str,
        verb: LetterVerb,
        now: Timestamp,
    ) -> Result<(), LetterError> {
        let id = || id.to_owned();
        let not_dead = || LetterError::NotDead { id: id() };
        let read = id().parse::<DeliveryId>().ok();
        let read = read.filter(|read| read.subscription == known.name()).ok_or_else(not_dead)?;
        let generation = known.generation();
        let (letter, given) = self.letters.of(generation, read.seq).ok_or_else(not_dead)?;
        if (given, letter.attempts) != (read.generation, read.attempt) {
            return Err(not_dead());
        }
        let (expired, attempts) = (letter.reason == DeadReason::Expired, letter.attempts);
        let by = if given == generation { Origin::Live } else { Origin::Replay };
        let mut held = known.held();
        if verb == LetterVerb::Delete {
            let expired = u64::from(self.letters.delete(generation, read.seq));
            let left = self.letters.places(generation).next().is_some();
            let (dead, expired) = if left { (1, expired) } else { (u64::MAX, u64::MAX) };
            held.deliveries.forget_dead(dead, expired);
            return Ok(());
        }
        if expired || self.events.at(read.seq).is_none() {
            return Err(LetterError::Gone { id: id() });
        }
        let stored = self.events.at(read.seq);
        let thread = stored.and_then(|stored| stored.event.thread_key().map(thread_of));
        let staged = held.deliveries.redrive(Died { seq: read.seq, attempts, by, thread }, now);
        staged.map_err(|_| LetterError::Underway { id: id() })?;
        self.letters.commit(known, &mut held, &self.events);
        Ok(())
    }

    fn begin_replay(
        &mut self,
        to: &Subscriber,
        ask: ReplayAsk,
        now: Timestamp,
    ) -> Result<ReplayStatus, ReplayError> {
        if self.replays.of(to.generation()).len() >= REPLAYS_RUNNING_MAX {
            return Err(ReplayError::TooMany { most: REPLAYS_RUNNING_MAX });
        }
        let plan = self.plan(to, ask)?;
        self.generations += 1;
        let (first, last) = (*plan.places.first().unwrap_or(&1), *plan.places.last().unwrap_or(&1));
        let kept = begun(first, last, plan.by_place.then_some(&plan.places));
        let random = u128::from(getrandom::u64().map_err(|error| {
            QueueError::unavailable(format!("the system gives no random bytes: {error}"))
        })?);
        let spec = plan.spec;
        let lane = Lane {
            id: EventId::from_parts(now, random),
            of: to.generation(),
            first,
            last,
            window: Window { since: spec.since, until: spec.until },
            pace: spec.rate,
            begun_at: now,
            acked_before: 0,
            budget: Mutex::new(Budget::default()),
        };
        let mut rules = to.held().spec.clone();
        rules.selection = spec.selection.clone();
        let status = ReplayStatus {
            id: lane.id,
            subscription: to.name().to_owned(),
            state: ReplayState::Running,
            spec,
            matched: Some(plan.places.len() as u64),
            delivered: 0,
            settled: 0,
            dead: 0,
            in_flight: 0,
            waiting: 0,
            progress: 0.0,
            created_at: now,
            ended_at: None,
        };
        let deliveries = Deliveries::load(kept, 0);
        let lane = Arc::new(Subscriber::replaying(self.generations, lane, rules, deliveries));
        let replay = Replay { status: status.clone(), lane };
        self.replays.all.insert(self.generations, replay);
        Ok(status)
    }

    fn plan(&self, to: &Subscriber, ask: ReplayAsk) -> Result<Plan, ReplayError> {
        let rate = ask.pace;
        let named = |by, places| {
            let spec = ReplaySpec { by, rate, ..ReplaySpec::default() };
            Plan { spec, places, by_place: true }
        };
        let plan = match ask.events {
            ReplayEvents::Ids(ids) => {
                let stored = |id: EventId| {
                    let place =
                        self.events.place_of_id(id).filter(|seq| self.events.at(*seq).is_some());
                    place.ok_or(ReplayError::UnknownEvent { id })
                };
                named(ReplayBy::Ids, ids.into_iter().map(stored).collect::<Result<_, _>>()?)
            }
            ReplayEvents::DeadLetters => {
                let places = self.letters.places(to.generation());
                let places = places.filter(|seq| self.events.at(*seq).is_some());
                named(ReplayBy::DeadLetters, places.collect())
            }
            ReplayEvents::Fitting(query) => {
                let wanted = to.held_live()?.spec.selection.clone();
                let selection = wanted.and(&query.selection).ok_or(ReplayError::Nothing)?;
                let query = EventQuery { selection, ..query };
                let places = self.fitting(&query).into_iter().collect();
                let EventQuery { selection, since, until } = query;
                let by = ReplayBy::Filter;
                let spec = ReplaySpec { selection, since, until, by, rate };
                Plan { spec, places, by_place: false }
            }
        };
        match plan.places.len() {
            0 => Err(ReplayError::Nothing),
            found if plan.by_place && found > REPLAY_PLACES_MAX => {
                Err(ReplayError::TooManyEvents { most: REPLAY_PLACES_MAX })
            }
            _ => Ok(plan),
        }
    }

    /// The places of the events that fit.
    fn fitting(&self, query: &EventQuery) -> Vec<Seq> {
        let window = Window { since: query.since, until: query.until };
        let fits = |stored: &Stored| {
            window.has(stored.event.created_at()) && query.selection.wants(&stored.event)
        };
        self.events.from(1).filter(fits).map(|stored| stored.seq).collect()
    }
}

impl MemoryReplays {
    /// Those that run.
    pub(super) fn running(&self) -> Vec<Arc<Subscriber>> {
        let runs = |replay: &&Replay| replay.status.state == ReplayState::Running;
        self.all.values().filter(runs).map(|replay| Arc::clone(&replay.lane)).collect()
    }

    /// Those that run to a subscription.
    pub(super) fn of(&self, generation: u64) -> Vec<Arc<Subscriber>> {
        let running = self.running().into_iter();
        running.filter(|lane| lane.letters() == generation).collect()
    }

    /// The one with this generation, or how it ended.
    pub(super) fn numbered(&self, generation: u64) -> Option<Result<Arc<Subscriber>, ReplayState>> {
        let replay = self.all.get(&generation)?;
        Some(match replay.status.state {
            ReplayState::Running => Ok(Arc::clone(&replay.lane)),
            ended => Err(ended),
        })
    }

    /// Gives those to a subscription its rules.
    pub(super) fn tell(&self, of: u64, spec: &SubscriptionSpec) {
        for lane in self.of(of) {
            let mut held = lane.held();
            let selection = held.spec.selection.clone();
            held.spec = SubscriptionSpec { selection, ..spec.clone() };
        }
    }

    /// Forgets those of a subscription that was deleted.
    pub(super) fn forget(&mut self, of: u64) {
        self.all.retain(|_, replay| replay.lane.letters() != of);
    }

    /// Notes letters that were left while something was leased.
    pub(super) fn note_died(&mut self, lane: &Subscriber, died: u64) {
        if lane.lane().is_some() {
            *self.died.entry(lane.generation()).or_default() += died;
        }
    }

    /// The letters that were noted of a replay, which are counted with this.
    pub(super) fn died(&mut self, lane: &Subscriber) -> u64 {
        self.died.remove(&lane.generation()).unwrap_or(0)
    }

    /// Ends those of which everything has ended, and forgets the oldest of them.
    pub(super) fn end_finished(&mut self, now: Timestamp) {
        for replay in self.all.values_mut() {
            if replay.status.state == ReplayState::Running && replay.lane.is_finished() {
                replay.end(ReplayState::Done, now);
            }
        }
        let ended = |replay: &Replay| replay.status.state != ReplayState::Running;
        let many = self.all.values().filter(|replay| ended(replay)).count();
        let oldest = self.all.iter().filter(|(_, replay)| ended(replay)).map(|(at, _)| *at);
        let gone: Vec<u64> = oldest.take(many.saturating_sub(REPLAYS_KEPT_MAX)).collect();
        gone.into_iter().for_each(|generation| drop(self.all.remove(&generation)));
    }
}

impl Replay {
    fn status(&self) -> ReplayStatus {
        let mut status = self.status.clone();
        if status.state == ReplayState::Running {
            status.add_running(&self.lane);
        }
        status
    }

    fn end(&mut self, state: ReplayState, now: Timestamp) {
        let ReplayStatus { settled, dead, .. } = self.status();
        let delivered = settled + dead;
        let (ended_at, progress) = (Some(now), 1.0);
        let status = self.status.clone();
        self.status =
            ReplayStatus { state, settled, dead, delivered, ended_at, progress, ..status };
        self.lane.held().gone = true;
    }
}
