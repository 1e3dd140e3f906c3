//! Leasing and settling of the queue in memory: what is staged is committed at once.

use super::{Inner, Memory};
use crate::{
    LeaseAsk, QueueError, Selection, SettleError, Settlement, Stored,
    patience::Patience,
    subscription::{Leased, Subscriber, lease_end, thread_of},
};
use headgate_event::{
    Event, Timestamp,
    limits::{LEASE_DELIVERIES_MAX, LEASE_WAIT_MS_MAX},
};
use std::{collections::BTreeMap, time::Duration};

/// What jitter is made of: always the same, so that tests can be repeated.
const SEED: u64 = 0;

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
            let next = known.held().deliveries.next_time().map(|at| at.since(now));
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
        let Inner { events: kept, letters, .. } = &mut *inner;
        let mut held = known.held_live()?;
        let kept_last = kept.head();
        held.end_leases(now, kept_last, SEED);
        letters.commit(known, &mut held, kept);
        let order = held.spec.order;
        held.deliveries.keep_order(order);
        held.deliveries.wake(now);
        if held.spec.paused {
            return Ok(Vec::new());
        }
        let until = lease_end(&held.spec, now, ask.lease);
        let max = ask.max.min(LEASE_DELIVERIES_MAX).min(held.deliveries.room());
        let mut leased: Vec<Leased> = Vec::new();
        let last = kept_last.min(held.deliveries.reach());
        for seq in held.deliveries.ready_again(held.deliveries.share_again(max, last)) {
            leased.extend(held.deliveries.lease_again(seq, until));
        }
        for stored in inner.events.from(held.deliveries.cursor() + 1) {
            if leased.len() >= max || stored.seq > held.deliveries.reach() {
                break;
            }
            if wants(&held.spec.selection, &stored) {
                let thread = stored.event.thread_key().map(thread_of);
                leased.extend(held.deliveries.lease_first(stored.seq, thread, until));
            } else {
                held.deliveries.pass(stored.seq);
            }
        }
        let event = |leased: Leased| Some((inner.events.at(leased.seq)?.event, leased));
        let events = leased.into_iter().filter_map(event);
        Ok(events.map(|(event, leased)| known.deliver(&event, leased, until)).collect())
    }

    pub(super) fn settle_for(
        &self,
        known: &Subscriber,
        settlements: Vec<Settlement>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let mut inner = self.open()?;
        let mut claims = known.claims(settlements);
        let mut unwanted = known.not_open(&claims);
        let selection = known.held().spec.selection.clone();
        let thread = |seq| Some((seq, thread_of(inner.events.at(seq)?.event.thread_key()?)));
        let threads: BTreeMap<_, _> = unwanted.iter().copied().filter_map(thread).collect();
        claims.iter_mut().for_each(|claim| claim.tell_thread(&threads));
        let wanted = |seq| inner.events.at(seq).is_some_and(|stored| wants(&selection, &stored));
        unwanted.retain(|seq| !wanted(*seq));
        claims.iter_mut().for_each(|claim| claim.refuse(&unwanted));
        let mut held = known.held_live()?;
        let answers = held.settle(claims, self.clock.now(), inner.events.head(), SEED);
        let Inner { events, letters, .. } = &mut *inner;
        letters.commit(known, &mut held, events);
        drop(held);
        known.wake();
        Ok(answers)
    }
}

fn wants(selection: &Selection, stored: &Stored) -> bool {
    selection.wants(&stored.event)
}
