//! Leasing and settling.
//!
//! A lease looks for events first and takes them last, in one step without a wait: a call that is
//! dropped before leaves nothing leased.

use super::{
    Embedded,
    committer::{Call, Move, What},
    search::{Candidate, Catch, Wish},
};
use crate::{
    LeaseAsk, QueueError, Seq, SettleError, Settlement,
    attempt::NotedAttempt,
    patience::Patience,
    subscription::{Subscriber, lease_end, thread_of},
};
use headgate_event::{
    Event, Timestamp,
    limits::{LEASE_DELIVERIES_MAX, LEASE_WAIT_MS_MAX},
};
use metrics::counter;
use std::{sync::Arc, time::Duration};

/// What was leased, and the places of what cannot be read, with the reason.
type Taken = (Vec<Event>, Vec<(Seq, String)>);

impl Embedded {
    pub(super) async fn lease_for(
        &self,
        name: String,
        ask: LeaseAsk,
    ) -> Result<Vec<Event>, QueueError> {
        let known = self.known(&name)?;
        let wait = ask.wait.min(Duration::from_millis(LEASE_WAIT_MS_MAX));
        let mut patience = Patience::new(wait, self.log.head(), known.changes());
        loop {
            let head = patience.before_look();
            let turn = known.turn().await;
            let found = self.look(&known, ask, head).await?;
            drop(turn);
            match found {
                Some(events) if events.is_empty() => {}
                Some(events) => return Ok(events),
                None => {
                    let now = self.clock.now();
                    let next = known.held().deliveries.next_time().map(|at| at.since(now));
                    if !patience.rest(next).await {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    /// Leases what is ready. `None` when nothing is; an empty list when events were passed that
    /// turned out to be none to lease, so that looking again is worth it.
    async fn look(
        &self,
        known: &Arc<Subscriber>,
        ask: LeaseAsk,
        head: Seq,
    ) -> Result<Option<Vec<Event>>, QueueError> {
        let now = self.clock.now();
        let overdue = known.held_live()?.deliveries.overdue(now);
        if overdue {
            self.move_for(known, now, head, What::EndLeases).await?;
        }
        let Some(wish) = wish(known, ask, now, head)? else {
            // The writer of the state says whether the queue is open.
            return if self.committer.is_running() {
                Ok(None)
            } else {
                Err(QueueError::unavailable("the queue is closed"))
            };
        };
        let found = match self.parts().skim(&wish) {
            Some(passed) => Catch { again: Vec::new(), first: Vec::new(), passed },
            None => self.reading(move |reading| reading.find(&wish)).await?,
        };
        let (events, unreadable) = take(known, found, ask, now)?;
        counter!("headgate_deliveries_leased_total").increment(events.len() as u64);
        if !unreadable.is_empty() {
            self.committer.tell(Arc::clone(known), now, head, What::GiveUp(unreadable));
        } else if known.held().deliveries.is_far() {
            self.committer.tell(Arc::clone(known), now, head, What::Note);
        }
        Ok(Some(events))
    }

    pub(super) async fn settle_for(
        &self,
        name: String,
        settlements: Vec<Settlement>,
        attempts: Vec<NotedAttempt>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let known = self.known(&name)?;
        // What came in time counts as in time, however long the commit before it takes.
        let (now, head) = (self.clock.now(), *self.log.head().borrow());
        let verbs: Vec<_> = settlements.iter().map(|settlement| settlement.verb.name()).collect();
        let mut claims = known.claims(settlements);
        let not_open = known.not_open(&claims);
        if !not_open.is_empty() {
            let selection = known.held().spec.selection.clone();
            let found = self.reading(move |reading| {
                let threads = reading.threads(&not_open);
                Ok((reading.unwanted(&selection, not_open)?, threads))
            });
            let (unwanted, threads) = found.await?;
            for claim in &mut claims {
                claim.refuse(&unwanted);
                claim.tell_thread(&threads);
            }
        }
        let what = What::Settle(claims);
        let subscriber = Arc::clone(&known);
        let call = |answer| Call::Move(Move { subscriber, now, head, what, attempts, answer });
        let results = self.committer.call(call).await?;
        for (verb, result) in verbs.into_iter().zip(&results) {
            if result.is_ok() {
                counter!("headgate_deliveries_settled_total", "verb" => verb).increment(1);
            }
        }
        Ok(results)
    }

    async fn move_for(
        &self,
        known: &Arc<Subscriber>,
        now: Timestamp,
        head: Seq,
        what: What,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let subscriber = Arc::clone(known);
        let attempts = Vec::new();
        let call = |answer| Call::Move(Move { subscriber, now, head, what, attempts, answer });
        self.committer.call(call).await
    }
}

/// What a lease of this subscription may look for; `None` when there is nothing.
fn wish(
    known: &Arc<Subscriber>,
    ask: LeaseAsk,
    now: Timestamp,
    head: Seq,
) -> Result<Option<Wish>, QueueError> {
    let mut held = known.held_live()?;
    let order = held.spec.order;
    held.deliveries.keep_order(order);
    held.deliveries.wake(now);
    let max = ask.max.min(LEASE_DELIVERIES_MAX).min(held.deliveries.room());
    let (cursor, last) = (held.deliveries.cursor(), head.min(held.deliveries.reach()));
    let again = held.deliveries.ready_again(held.deliveries.share_again(max, last));
    if held.spec.paused || max == 0 || (again.is_empty() && cursor >= last) {
        return Ok(None);
    }
    let (subscriber, selection) = (Arc::clone(known), held.spec.selection.clone());
    Ok(Some(Wish { subscriber, again, cursor, last, selection, max }))
}

/// Leases what was found and is still to be leased; also says what cannot be read.
fn take(
    known: &Subscriber,
    found: Catch,
    ask: LeaseAsk,
    now: Timestamp,
) -> Result<Taken, QueueError> {
    let mut held = known.held_live()?;
    let until = lease_end(&held.spec, now, ask.lease);
    let (mut events, mut unreadable) = (Vec::new(), Vec::new());
    if held.spec.paused {
        return Ok((events, unreadable));
    }
    let again = found.again.into_iter().map(|candidate| (true, candidate));
    let first = found.first.into_iter().map(|candidate| (false, candidate));
    for (is_again, Candidate { seq, event }) in again.chain(first) {
        // It was held back before it was looked at closely.
        if held.deliveries.is_held_back(seq)
            && event.as_ref().is_ok_and(|event| !held.spec.selection.wants(event))
        {
            held.deliveries.skip(seq);
            continue;
        }
        let leased = if is_again {
            held.deliveries.lease_again(seq, until)
        } else {
            let thread = event.as_ref().ok().and_then(|event| event.thread_key()).map(thread_of);
            held.deliveries.lease_first(seq, thread, until)
        };
        match (leased, event) {
            (Some(leased), Ok(event)) => events.push(known.deliver(&event, leased, until)),
            (Some(_), Err(why)) => unreadable.push((seq, why)),
            (None, _) => {}
        }
    }
    held.deliveries.pass(found.passed);
    Ok((events, unreadable))
}
