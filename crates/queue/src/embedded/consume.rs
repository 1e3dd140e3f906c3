//! Leasing and settling.
//!
//! A lease looks for events first and takes them last, in one step without a wait: a call that is
//! dropped before leaves nothing leased.

use super::{
    Embedded,
    committer::{Call, Move, What},
    lanes_lease::unless_ended,
    search::{Candidate, Catch, Wish},
};
use crate::{
    LeaseAsk, QueueError, Selection, Seq, SettleError, Settlement,
    attempt::NotedAttempt,
    patience::Patience,
    subscription::{Held, Subscriber, lease_end, thread_of},
};
use headgate_event::{
    Event, Timestamp,
    limits::{LEASE_DELIVERIES_MAX, LEASE_WAIT_MS_MAX},
};
use metrics::counter;
use std::{sync::Arc, time::Duration};

/// What was leased, and the places of what cannot be read, with the reason.
type Taken = (Vec<Event>, Vec<(Seq, String)>);

/// When a lease is made, and the newest event then.
#[derive(Clone, Copy)]
struct Instant {
    now: Timestamp,
    head: Seq,
}

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
            let lanes = self.lanes.of(known.generation());
            let found = self.look(&known, &lanes, ask, head).await?;
            drop(turn);
            match found {
                Some(events) if events.is_empty() => {}
                Some(events) => return Ok(events),
                None => {
                    let now = self.clock.now();
                    let next = lanes.iter().chain([&known]).filter_map(|one| next_time(one, now));
                    let next = next.min().map(|at| at.since(now));
                    if !patience.rest(next).await {
                        return Ok(Vec::new());
                    }
                }
            }
        }
    }

    /// Leases what is ready. `None` when nothing is; an empty list when events were passed that
    /// turned out to be none to lease, so that looking again is worth it.
    ///
    /// Everything is found first, live events and those of replays, and then taken in one step.
    async fn look(
        &self,
        known: &Arc<Subscriber>,
        lanes: &[Arc<Subscriber>],
        ask: LeaseAsk,
        head: Seq,
    ) -> Result<Option<Vec<Event>>, QueueError> {
        let now = self.clock.now();
        self.end_leases_of_replays(lanes, now, head).await?;
        let overdue = known.held_live()?.deliveries.overdue(now);
        if overdue {
            self.move_for(known, now, head, What::EndLeases).await?;
        }
        let live = self.found(known, ask, now, head).await?;
        let mut found = Vec::new();
        if !lanes.is_empty() {
            let reserved = known.share().reserved(ask.max);
            let free = ask.max.saturating_sub(live.as_ref().map_or(0, Catch::len));
            let taken = live.as_ref().map(Catch::bytes);
            let max = reserved.max(free);
            found = self.found_of_replays(lanes, LeaseAsk { max, ..ask }, taken, head).await?;
        }
        if live.is_none() && found.is_empty() {
            // The writer of the state says whether the queue is open.
            return if self.committer.is_running() {
                Ok(None)
            } else {
                Err(QueueError::unavailable("the queue is closed"))
            };
        }
        let replayed = found.iter().map(|(_, found)| found.len()).sum::<usize>();
        let mut live = live;
        if let Some(live) = &mut live {
            live.shorten(ask.max.saturating_sub(replayed));
        }
        let mut events = self.taken(known, live, ask, Instant { now, head })?;
        let live = events.len();
        for (lane, found) in found {
            let taken = self.taken(&lane, Some(found), ask, Instant { now, head });
            events.extend(unless_ended(taken)?.unwrap_or_default());
        }
        if !lanes.is_empty() {
            known.share().note(live, events.len() - live);
        }
        counter!("headgate_deliveries_leased_total").increment(events.len() as u64);
        Ok(Some(events))
    }

    /// What a lease may take of a subscription or a replay; none when there is nothing.
    pub(super) async fn found(
        &self,
        known: &Arc<Subscriber>,
        ask: LeaseAsk,
        now: Timestamp,
        head: Seq,
    ) -> Result<Option<Catch>, QueueError> {
        let Some(wish) = wish(known, ask, now, head)? else { return Ok(None) };
        self.catch(known, wish).await.map(Some)
    }

    /// Leases what was found, and has written what that brings about.
    fn taken(
        &self,
        known: &Arc<Subscriber>,
        found: Option<Catch>,
        ask: LeaseAsk,
        Instant { now, head }: Instant,
    ) -> Result<Vec<Event>, QueueError> {
        let Some(found) = found else { return Ok(Vec::new()) };
        let (events, unreadable) = take(known, found, ask, now)?;
        if !unreadable.is_empty() {
            self.committer.tell(Arc::clone(known), now, head, What::GiveUp(unreadable));
        } else if known.held().deliveries.is_far() || known.is_finished() {
            self.committer.tell(Arc::clone(known), now, head, What::Note);
        }
        Ok(events)
    }

    pub(super) async fn settle_for(
        &self,
        name: String,
        settlements: Vec<Settlement>,
        attempts: Vec<NotedAttempt>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        let known = self.known(&name)?;
        let lanes = self.lanes.of(known.generation());
        let verbs: Vec<_> = settlements.iter().map(|settlement| settlement.verb.name()).collect();
        let results = if lanes.is_empty() && !self.lanes.has_ended() {
            self.settle_of(&known, settlements, attempts).await?
        } else {
            self.settle_each(&known, &lanes, settlements, attempts).await?
        };
        for (verb, result) in verbs.into_iter().zip(&results) {
            if result.is_ok() {
                counter!("headgate_deliveries_settled_total", "verb" => verb).increment(1);
            }
        }
        Ok(results)
    }

    /// Settles deliveries of one subscription, or of one replay.
    pub(super) async fn settle_of(
        &self,
        known: &Arc<Subscriber>,
        settlements: Vec<Settlement>,
        attempts: Vec<NotedAttempt>,
    ) -> Result<Vec<Result<(), SettleError>>, QueueError> {
        // What came in time counts as in time, however long the commit before it takes.
        let (now, head) = (self.clock.now(), *self.log.head().borrow());
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
        let subscriber = Arc::clone(known);
        let call = |answer| Call::Move(Move { subscriber, now, head, what, attempts, answer });
        self.committer.call(call).await
    }

    pub(super) async fn move_for(
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
    let max = known.lane().map_or(max, |lane| lane.room(now, max));
    let end = known.lane().map_or(head, |lane| lane.last.min(head));
    let (cursor, last) = (held.deliveries.cursor(), end.min(held.deliveries.reach()));
    let again = held.deliveries.ready_again(held.deliveries.share_again(max, last));
    if held.spec.paused || max == 0 || (again.is_empty() && cursor >= last) {
        return Ok(None);
    }
    let (subscriber, selection) = (Arc::clone(known), held.spec.selection.clone());
    let window = known.lane().map(|lane| lane.window).unwrap_or_default();
    let bytes = ask.bytes;
    Ok(Some(Wish { subscriber, again, cursor, last, selection, window, max, bytes }))
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
    count_filtered(known, &held, &found);
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
            (Some(leased), Ok(event)) => {
                let earlier = held.deliveries.earlier(seq);
                events.push(known.deliver(&event, leased, until, earlier));
            }
            (Some(_), Err(why)) => unreadable.push((seq, why)),
            (None, _) => {}
        }
    }
    held.deliveries.pass(found.passed);
    if let Some(lane) = known.lane() {
        lane.spend(now, events.len());
        counter!("headgate_replay_deliveries_total").increment(events.len() as u64);
    }
    Ok((events, unreadable))
}

/// Counts what a subscription passes over because of its filters.
fn count_filtered(known: &Subscriber, held: &Held, found: &Catch) {
    let selects = held.spec.selection != Selection::default();
    let passed = found.passed.saturating_sub(held.deliveries.cursor());
    if selects && known.lane().is_none() && passed > 0 {
        let wanted = found.first.iter().filter(|one| one.seq <= found.passed).count() as u64;
        let done = held.deliveries.done_up_to(found.passed);
        let name = known.name().to_owned();
        counter!("headgate_events_filtered_total", "subscription" => name)
            .increment(passed.saturating_sub(wanted + done));
    }
}

/// When a subscription or a replay may have something to lease without a change of it.
fn next_time(known: &Subscriber, now: Timestamp) -> Option<Timestamp> {
    let resumes = known.lane().and_then(|lane| lane.resumes(now));
    known.held().deliveries.next_time().into_iter().chain(resumes).min()
}
