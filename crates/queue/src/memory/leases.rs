//! Leasing and settling of the queue in memory: what is staged is committed at once.

use super::{Inner, Memory};
use crate::{
    DeliveryId, LeaseAsk, QueueError, Selection, Seq, SettleError, Settlement, Stored,
    patience::Patience,
    subscription::{Leased, Subscriber, lease_end, thread_of},
    weight,
};
use headgate_event::{
    Event, Timestamp,
    limits::{LEASE_DELIVERIES_MAX, LEASE_WAIT_MS_MAX},
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};

/// What jitter is made of: always the same, so that tests can be repeated.
const SEED: u64 = 0;

/// How many bytes of events a lease still takes.
struct Room {
    /// As many as there are without it.
    bytes_left: Option<usize>,
    is_empty: bool,
}

impl Room {
    /// Whether an event fits; an error when it is the first and does not.
    fn takes(&mut self, event: Option<&Event>) -> Result<bool, QueueError> {
        let (Some(left), Some(bytes)) = (self.bytes_left, event.map(weight)) else {
            return Ok(true);
        };
        match left.checked_sub(bytes) {
            None if self.is_empty => Err(QueueError::Larger { bytes }),
            None => Ok(false),
            left => {
                *self = Self { bytes_left: left, is_empty: false };
                Ok(true)
            }
        }
    }
}

impl Memory {
    pub(super) async fn lease_from(
        &self,
        known: &Subscriber,
        ask: LeaseAsk,
    ) -> Result<Vec<Event>, QueueError> {
        let wait = ask.wait.min(Duration::from_millis(LEASE_WAIT_MS_MAX));
        let mut patience = Patience::new(wait, self.head.subscribe(), known.changes());
        loop {
            patience.before_look();
            let now = self.clock.now();
            let events = self.lease_ready(known, ask, now)?;
            if !events.is_empty() {
                return Ok(events);
            }
            let lanes = self.open()?.replays.of(known.generation());
            let times = lanes.iter().map(|lane| &**lane).chain([known]).filter_map(|one| {
                let resumes = one.lane().and_then(|lane| lane.resumes(now));
                one.held().deliveries.next_time().into_iter().chain(resumes).min()
            });
            let next = times.min().map(|at| at.since(now));
            if !patience.rest(next).await {
                return Ok(events);
            }
        }
    }

    fn lease_ready(
        &self,
        known: &Subscriber,
        ask: LeaseAsk,
        now: Timestamp,
    ) -> Result<Vec<Event>, QueueError> {
        let mut inner = self.open()?;
        let max = ask.max.min(LEASE_DELIVERIES_MAX);
        let lanes = inner.replays.of(known.generation());
        let reserved = if lanes.is_empty() { 0 } else { known.share().reserved(max) };
        let mut room = Room { bytes_left: ask.bytes, is_empty: true };
        // Live events go first, so that what they leave of the bytes is what replays may have.
        let live = LeaseAsk { max: max - reserved, ..ask };
        let mut events = inner.take(known, live, now, &mut room)?;
        let rest = LeaseAsk { max: max - events.len(), ..ask };
        let replayed = inner.take_replayed(known, &lanes, rest, now, &mut room)?;
        let rest = LeaseAsk { max: max - events.len() - replayed.len(), ..ask };
        events.extend(inner.take(known, rest, now, &mut room)?);
        let live = events.len();
        events.extend(replayed);
        if !lanes.is_empty() {
            known.share().note(live, events.len() - live);
            inner.replays.end_finished(now);
        }
        Ok(events)
    }

    pub(super) fn settle_for(
        &self,
        known: &Subscriber,
        settlements: Vec<Settlement>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let (mut inner, now) = (self.open()?, self.clock.now());
        drop(known.held_live()?);
        let settled = settlements.into_iter().map(|one| inner.settle_one(known, one, now));
        let settled: Result<Vec<_>, _> = settled.collect();
        inner.replays.end_finished(now);
        known.wake();
        settled
    }
}

impl Inner {
    /// Leases what is ready of the replays to a subscription.
    fn take_replayed(
        &mut self,
        known: &Subscriber,
        lanes: &[Arc<Subscriber>],
        ask: LeaseAsk,
        now: Timestamp,
        room: &mut Room,
    ) -> Result<Vec<Event>, QueueError> {
        let mut events = Vec::new();
        for lane in lanes {
            let ask = LeaseAsk { max: ask.max - events.len(), ..ask };
            events.extend(self.take(lane, ask, now, room)?);
            known.held().deliveries.count_dead(self.replays.died(lane));
        }
        Ok(events)
    }

    /// Leases what is ready of a subscription or of a replay.
    fn take(
        &mut self,
        known: &Subscriber,
        ask: LeaseAsk,
        now: Timestamp,
        room: &mut Room,
    ) -> Result<Vec<Event>, QueueError> {
        let Self { events: kept, letters, replays, .. } = self;
        let mut held = known.held_live()?;
        held.end_leases(now, kept.head(), SEED);
        replays.note_died(known, letters.commit_of(known, &mut held, kept));
        let order = held.spec.order;
        held.deliveries.keep_order(order);
        held.deliveries.wake(now);
        if held.spec.paused {
            return Ok(Vec::new());
        }
        let until = lease_end(&held.spec, now, ask.lease);
        let max = ask.max.min(held.deliveries.room());
        let max = known.lane().map_or(max, |lane| lane.room(now, max));
        let last = known.lane().map_or(Seq::MAX, |lane| lane.last);
        let window = known.lane().map(|lane| lane.window).unwrap_or_default();
        let mut leased: Vec<Leased> = Vec::new();
        let end = kept.head().min(held.deliveries.reach()).min(last);
        let again = held.deliveries.share_again(max, end);
        for seq in held.deliveries.ready_again(again) {
            if !room.takes(kept.at(seq).map(|stored| stored.event).as_ref())? {
                break;
            }
            leased.extend(held.deliveries.lease_again(seq, until));
        }
        let mut is_full = false;
        for stored in kept.from(held.deliveries.cursor() + 1) {
            let reach = held.deliveries.reach().min(last);
            if leased.len() >= max || stored.seq > reach {
                break;
            }
            let created_at = stored.event.created_at();
            if window.has(created_at) && wants(&held.spec.selection, &stored) {
                is_full = !room.takes(Some(&stored.event))?;
                if is_full {
                    break;
                }
                let thread = stored.event.thread_key().map(thread_of);
                leased.extend(held.deliveries.lease_first(stored.seq, thread, until));
            } else {
                held.deliveries.pass(stored.seq);
            }
        }
        if leased.len() < max && last <= kept.head() && !is_full {
            let passed = last.min(held.deliveries.reach());
            held.deliveries.pass(passed);
        }
        if let Some(lane) = known.lane() {
            lane.spend(now, leased.len());
        }
        let deliver = |leased: Leased| {
            let event = kept.at(leased.seq)?.event;
            Some(known.deliver(&event, leased, until, held.deliveries.earlier(leased.seq)))
        };
        Ok(leased.into_iter().filter_map(deliver).collect())
    }

    /// Settles one delivery, of the subscription or of a replay to it.
    fn settle_one(
        &mut self,
        to: &Subscriber,
        settlement: Settlement,
        now: Timestamp,
    ) -> Result<Result<(), SettleError>, QueueError> {
        let generation = settlement.id.parse::<DeliveryId>().map_or(0, |id| id.generation);
        let lane = match self.replays.numbered(generation) {
            Some(Ok(lane)) => Some(lane),
            Some(Err(ended)) => return Ok(Err(ended.late(settlement.id))),
            None => None,
        };
        let known = lane.as_deref().unwrap_or(to);
        let mut claims = known.claims(vec![settlement]);
        let mut unwanted = known.not_open(&claims);
        let selection = known.held().spec.selection.clone();
        let thread = |seq| Some((seq, thread_of(self.events.at(seq)?.event.thread_key()?)));
        let threads: BTreeMap<_, _> = unwanted.iter().copied().filter_map(thread).collect();
        claims.iter_mut().for_each(|claim| claim.tell_thread(&threads));
        let wanted = |seq| self.events.at(seq).is_some_and(|stored| wants(&selection, &stored));
        unwanted.retain(|seq| !wanted(*seq));
        claims.iter_mut().for_each(|claim| claim.refuse(&unwanted));
        let mut held = known.held_live()?;
        let mut answers = held.settle(claims, now, self.events.head(), SEED);
        let died = self.letters.commit_of(known, &mut held, &self.events);
        drop(held);
        if lane.is_some() {
            to.held().deliveries.count_dead(died);
        }
        Ok(answers.pop().unwrap_or(Ok(())))
    }
}

fn wants(selection: &Selection, stored: &Stored) -> bool {
    selection.wants(&stored.event)
}
