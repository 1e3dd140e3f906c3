//! A subscription in memory, as every backend holds it: what it asks for, its deliveries, and who
//! waits for them. It knows neither where events come from nor where changes go.

use super::{
    Asked, Deliveries, DeliveryId, Lane, Leased, Moment, Refusal, SettleError, Settlement, Share,
    SubscriptionSpec, SubscriptionStatus, Thread, Verb,
};
use crate::{QueueError, Seq};
use headgate_event::{Delivery, Event, Origin, Timestamp, limits::LEASE_MS_MAX};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// A subscription in memory.
#[derive(Debug)]
pub(crate) struct Subscriber {
    name: String,
    generation: u64,
    created_at: Timestamp,
    held: Mutex<Held>,
    /// The replay whose deliveries these are; none for those of the subscription itself.
    lane: Option<Lane>,
    changed: watch::Sender<u64>,
    /// Whose turn it is to lease: one call looks for events at a time.
    turn: tokio::sync::Mutex<()>,
    /// What replays may have of what is leased.
    share: Mutex<Share>,
}

/// What changes of it.
#[derive(Debug)]
pub(crate) struct Held {
    /// What is asked for.
    pub(crate) spec: SubscriptionSpec,
    /// What became of its events.
    pub(crate) deliveries: Deliveries,
    /// Which subscription of its name it is, so that each has a jitter of its own.
    generation: u64,
    /// Whether the subscription was deleted while someone still had it.
    pub(crate) gone: bool,
}

/// One settlement, read.
#[derive(Debug)]
pub(crate) struct Claim {
    /// The id as it was given.
    id: String,
    /// Place and attempt; none when the id is none of this subscription.
    delivery: Option<(Seq, u32)>,
    verb: Verb,
    /// Whether the subscription wants the event.
    wanted: bool,
    /// The thread of the event, where it was looked up.
    thread: Option<Thread>,
}

impl Subscriber {
    /// A subscription with its deliveries.
    pub(crate) fn new(
        generation: u64,
        created_at: Timestamp,
        spec: SubscriptionSpec,
        deliveries: Deliveries,
    ) -> Self {
        Self {
            name: spec.name.clone(),
            generation,
            created_at,
            held: Mutex::new(Held { spec, deliveries, generation, gone: false }),
            lane: None,
            share: Mutex::default(),
            changed: watch::Sender::new(0),
            turn: tokio::sync::Mutex::new(()),
        }
    }

    /// The deliveries of a replay to a subscription.
    pub(crate) fn replaying(
        generation: u64,
        lane: Lane,
        spec: SubscriptionSpec,
        deliveries: Deliveries,
    ) -> Self {
        let created_at = lane.begun_at;
        Self { lane: Some(lane), ..Self::new(generation, created_at, spec, deliveries) }
    }

    /// The replay, when these are the deliveries of one.
    pub(crate) fn lane(&self) -> Option<&Lane> {
        self.lane.as_ref()
    }

    /// What replays may have of what is leased.
    pub(crate) fn share(&self) -> MutexGuard<'_, Share> {
        self.share.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation that its dead letters are kept under: that of the subscription.
    pub(crate) fn letters(&self) -> u64 {
        self.lane.as_ref().map_or(self.generation, |lane| lane.of)
    }

    /// Whether it is a replay of which everything has ended.
    pub(crate) fn is_finished(&self) -> bool {
        let held = self.held();
        self.lane.as_ref().is_some_and(|lane| !held.gone && held.deliveries.has_ended(lane.last))
    }

    /// Its name.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Which subscription of its name it is.
    pub(crate) fn generation(&self) -> u64 {
        self.generation
    }

    /// What changes of it, locked. Never held over an await or a disk access.
    pub(crate) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The same for its users, who get nothing of a subscription that was deleted.
    pub(crate) fn held_live(&self) -> Result<MutexGuard<'_, Held>, QueueError> {
        let held = self.held();
        if held.gone {
            return Err(QueueError::UnknownSubscription { name: self.name.clone() });
        }
        Ok(held)
    }

    /// Waits for the turn to lease.
    pub(crate) async fn turn(&self) -> tokio::sync::MutexGuard<'_, ()> {
        self.turn.lock().await
    }

    /// Changes whenever something may have become ready.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// Wakes who waits for a delivery.
    pub(crate) fn wake(&self) {
        self.changed.send_modify(|version| *version = version.wrapping_add(1));
    }

    /// Reads settlements, and takes it that the selection wants all their events.
    pub(crate) fn claims(&self, settlements: Vec<Settlement>) -> Vec<Claim> {
        let read = |Settlement { id, verb }: Settlement| {
            let delivery = id.parse::<DeliveryId>().ok().filter(|delivery| {
                delivery.subscription == self.name && delivery.generation == self.generation
            });
            let delivery = delivery.map(|delivery| (delivery.seq, delivery.attempt));
            Claim { id, delivery, verb, wanted: true, thread: None }
        };
        settlements.into_iter().map(read).collect()
    }

    /// The events of claims that nothing is open of: whether the selection wants them decides.
    pub(crate) fn not_open(&self, claims: &[Claim]) -> BTreeSet<Seq> {
        let held = self.held();
        let places = claims.iter().filter_map(|claim| claim.delivery).map(|(seq, _)| seq);
        places.filter(|seq| !held.deliveries.is_open(*seq)).collect()
    }

    /// The event as this delivery of it, which was leased until then and had so many attempts
    /// before that do not count.
    pub(crate) fn deliver(
        &self,
        event: &Event,
        leased: Leased,
        until: Timestamp,
        earlier: u32,
    ) -> Event {
        let Leased { seq, attempt } = leased;
        let (subscription, generation) = (self.name.clone(), self.generation);
        let id = DeliveryId { subscription, generation, seq, attempt }.to_string();
        let delivery = Delivery {
            id,
            subscription: self.name.clone(),
            attempt: attempt.saturating_sub(earlier).max(1),
            lease_expires_at: until,
            replay_id: self.lane.as_ref().map(|lane| lane.id.to_string()),
        };
        let origin = if self.lane.is_some() { Origin::Replay } else { Origin::Live };
        event.delivered(origin, delivery)
    }

    /// How far it is when the newest event is `head`, without its age; and the place of the event
    /// that its age is that of.
    pub(crate) fn status(&self, head: Seq) -> (SubscriptionStatus, Option<Seq>) {
        let held = self.held();
        let deliveries = &held.deliveries;
        let unseen = head.saturating_sub(deliveries.cursor());
        let next = (unseen > 0).then(|| deliveries.cursor() + 1);
        let oldest = deliveries.oldest_open().into_iter().chain(next).min();
        let (leased, waiting) = (deliveries.leased() as u64, deliveries.waiting() as u64);
        let held_back = deliveries.held_back() as u64;
        let status = SubscriptionStatus {
            spec: held.spec.clone(),
            created_at: self.created_at,
            lag: unseen + leased + waiting + held_back,
            in_flight: leased,
            waiting,
            held_back,
            dead: deliveries.dead(),
            expired: deliveries.expired(),
            oldest_unsettled_ms: None,
        };
        (status, oldest)
    }
}

impl SubscriptionStatus {
    /// With the age of the oldest unsettled event, which was received at this moment.
    pub(crate) fn aged(self, now: Timestamp, received: Option<Timestamp>) -> Self {
        let age = received.map(|received| now.since(received).as_millis());
        let oldest_unsettled_ms = age.map(|ms| u64::try_from(ms).unwrap_or(u64::MAX));
        Self { oldest_unsettled_ms, ..self }
    }
}

impl Claim {
    /// Notes that the selection does not want the event, when it is one of these.
    pub(crate) fn refuse(&mut self, unwanted: &BTreeSet<Seq>) {
        self.wanted = !self.delivery.is_some_and(|(seq, _)| unwanted.contains(&seq));
    }

    /// Notes the thread of the event, when it is one of these.
    pub(crate) fn tell_thread(&mut self, threads: &BTreeMap<Seq, Thread>) {
        self.thread = self.delivery.and_then(|(seq, _)| threads.get(&seq).copied());
    }
}

impl Held {
    /// Stages what consumers say, and answers for each in its order.
    pub(crate) fn settle(
        &mut self,
        claims: Vec<Claim>,
        now: Timestamp,
        head: Seq,
        seed: u64,
    ) -> Vec<Result<(), SettleError>> {
        let moment = self.moment(now, head, seed);
        self.deliveries.end_leases(moment);
        let say = |Claim { id, delivery, verb, wanted, thread }: Claim| {
            let Some((seq, attempt)) = delivery else { return Err(SettleError::Unknown { id }) };
            let asked = Asked { seq, attempt, verb: &verb, wanted, thread };
            self.deliveries.settle(asked, moment).map_err(|refusal| match refusal {
                Refusal::Unknown => SettleError::Unknown { id },
                Refusal::LeaseExpired => SettleError::LeaseExpired { id },
                Refusal::AlreadySettled => SettleError::AlreadySettled { id },
            })
        };
        claims.into_iter().map(say).collect()
    }

    /// Stages that leases which are over end.
    pub(crate) fn end_leases(&mut self, now: Timestamp, head: Seq, seed: u64) {
        let moment = self.moment(now, head, seed);
        self.deliveries.end_leases(moment);
    }

    fn moment(&self, now: Timestamp, head: Seq, seed: u64) -> Moment {
        Moment { now, head, policy: self.spec.retry, seed: seed ^ self.generation }
    }
}

/// When a lease as long as asked ends, or one as long as the subscription says; within what is
/// taken.
pub(crate) fn lease_end(
    spec: &SubscriptionSpec,
    now: Timestamp,
    asked: Option<Duration>,
) -> Timestamp {
    let lease = asked.unwrap_or(Duration::from_millis(spec.lease_ms));
    let longest = Duration::from_millis(LEASE_MS_MAX);
    now.plus(lease.clamp(Duration::from_millis(1), longest))
}
