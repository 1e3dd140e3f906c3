//! Settling: what consumers say of their deliveries, and leases that end.
//!
//! Every move is staged first. The next lease sees nothing of it until it is committed, the next
//! settlement does.

use super::{Deliveries, Expiring, Open};
use crate::{
    Seq,
    subscription::{
        Changes, DeadLetter, DeadReason, Deferred, Place, RetryPolicy, Thread, Verb, backoff,
        state::State,
    },
};
use headgate_event::{
    Timestamp,
    limits::{LEASE_MS_MAX, REASON_BYTES_MAX, RETRY_AFTER_MS_MAX, SETTLED_AHEAD_MAX},
};
use std::time::Duration;

/// Why a lease that ended without an answer counts as a failed attempt.
const LEASE_ENDED: &str = "the lease ended before the delivery was settled";

/// What a consumer says of one delivery.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// The attempt that the consumer had.
    pub(crate) attempt: u32,
    /// What becomes of it.
    pub(crate) verb: &'a Verb,
    /// Whether the subscription wants the event; only asked for those that it has no lease of.
    pub(crate) wanted: bool,
    /// The thread of the event; only told of those that it has no lease of.
    pub(crate) thread: Option<Thread>,
}

/// What a move depends on beside the deliveries themselves.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Moment {
    /// The time.
    pub(crate) now: Timestamp,
    /// The newest event.
    pub(crate) head: Seq,
    /// When and how often a delivery comes again.
    pub(crate) policy: RetryPolicy,
    /// What jitter is made of.
    pub(crate) seed: u64,
}

/// Why a delivery cannot be settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It was never given.
    Unknown,
    /// Its lease is over.
    LeaseExpired,
    /// It was settled, or is dead.
    AlreadySettled,
}

/// A move that waits for its commit.
#[derive(Clone, Debug)]
pub(super) enum Staged {
    Settled,
    Dead(DeadLetter),
    Again(Deferred),
}

impl Deliveries {
    /// Stages what a consumer says. An extension is no durable move and holds at once, and so does
    /// a release.
    pub(crate) fn settle(&mut self, asked: Asked<'_>, moment: Moment) -> Result<(), Refusal> {
        let open = self.leased_as(asked, moment)?;
        let (seq, now) = (asked.seq, moment.now);
        if asked.verb.lease_known().is_some_and(|known| open.at > known) {
            return Err(Refusal::LeaseExpired);
        }
        let staged = match asked.verb {
            Verb::Ack => Staged::Settled,
            Verb::Extend { lease } => {
                let at = now.plus((*lease).min(Duration::from_millis(LEASE_MS_MAX)));
                self.put(seq, Open { at, ..open });
                return Ok(());
            }
            // The record that there may be of it says what it said before the lease.
            Verb::Release { .. } => {
                self.put(seq, Open { state: State::Ready, ..open });
                return Ok(());
            }
            Verb::Retry { after, reason } | Verb::GiveBack { after, reason, .. } => {
                let wait = after.map_or_else(
                    || {
                        let attempt = open.attempt - self.redriven.earlier(seq);
                        backoff::wait(moment.policy, moment.seed, seq, attempt)
                    },
                    |after| after.min(Duration::from_millis(RETRY_AFTER_MS_MAX)),
                );
                let moment = self.redriven.allowing(seq, moment);
                failed(seq, &open, moment, now.plus(wait), reason.as_deref())
            }
            Verb::Bury { reason } => {
                Staged::Dead(dead_letter(seq, &open, DeadReason::Buried, now, reason.as_deref()))
            }
        };
        self.stage(seq, staged);
        Ok(())
    }

    /// Stages that every lease that is over ends: its delivery is ready for the next attempt, or
    /// dead after the last.
    pub(crate) fn end_leases(&mut self, moment: Moment) {
        let over = self.times.range(..=(moment.now, Seq::MAX)).map(|(_, seq)| *seq);
        let ended: Vec<Seq> = over.filter(|seq| self.lease_is_over(*seq, moment.now)).collect();
        for seq in ended {
            if let Some(open) = self.open.get(&seq) {
                let moment = self.redriven.allowing(seq, moment);
                let staged = failed(seq, open, moment, open.at, Some(LEASE_ENDED));
                self.stage(seq, staged);
            }
        }
    }

    /// Stages that a leased delivery is dead because what is stored of it cannot be read.
    pub(crate) fn give_up(&mut self, seq: Seq, now: Timestamp, why: &str) {
        if let Some(open) = self.open.get(&seq).filter(|open| open.state == State::Leased) {
            let letter = dead_letter(seq, open, DeadReason::Damaged, now, Some(why));
            self.stage(seq, Staged::Dead(letter));
        }
    }

    /// Whether anything is staged.
    pub(crate) fn has_staged(&self) -> bool {
        !self.staged.is_empty() || !self.expiring.is_nothing()
    }

    /// What is to be written so that all staged moves are durable.
    pub(crate) fn changes(&self) -> Changes {
        let mut changes = Changes { place: self.place(), ..Changes::default() };
        for (seq, staged) in &self.staged {
            let recorded = !self.fresh.contains(seq);
            match staged {
                Staged::Again(deferred) => changes.deferred.push(deferred.clone()),
                Staged::Dead(letter) => changes.dead.push(letter.clone()),
                Staged::Settled => changes.acked += 1,
            }
            if recorded && !matches!(staged, Staged::Again(_)) {
                changes.ended.push(*seq);
            }
        }
        (changes.died, changes.expired) = self.dying();
        changes.highest = self.highest_staged();
        self.redriven.tell(&mut changes);
        changes
    }

    /// Makes the staged moves, which are durable, and takes the place as kept.
    pub(crate) fn commit(&mut self) {
        let (died, expired) = self.dying();
        self.highest = self.highest_staged();
        self.dead = (self.dead + died).saturating_sub(self.redriven.commit(&self.staged));
        self.expired += expired;
        for (seq, staged) in std::mem::take(&mut self.staged) {
            let open = self.take(seq);
            self.fresh.remove(&seq);
            if let Staged::Again(Deferred { attempt, due, last_error, thread, .. }) = staged {
                let (state, at, remembered) = (State::Waiting, due, false);
                let again = Open { attempt, state, at, last_error, thread, remembered };
                match open {
                    Some(_) => self.put(seq, again),
                    // It was dead.
                    None => self.begin_delivery(seq, again),
                }
                continue;
            }
            self.acked += u64::from(matches!(staged, Staged::Settled));
            let held_back = self.lines.release(seq).flatten();
            self.lines.end(seq, open.and_then(|open| open.thread).or(held_back));
            if seq > self.cursor {
                self.ahead.insert(seq, seq);
            }
        }
        let expiring = std::mem::take(&mut self.expiring);
        self.pass(self.cursor.max(expiring.upto));
        self.noted = self.floor();
    }

    /// Forgets the staged moves, which could not be written.
    pub(crate) fn abandon(&mut self) {
        self.staged.clear();
        self.expiring = Expiring::default();
        self.redriven.abandon();
    }

    /// The highest attempt once the staged moves are made. A first one is not staged: nothing comes
    /// after it that is not.
    fn highest_staged(&self) -> u32 {
        let again = |staged: &Staged| match staged {
            Staged::Again(deferred) => Some(deferred.attempt),
            Staged::Settled | Staged::Dead(_) => None,
        };
        self.staged.values().filter_map(again).max().unwrap_or(0).max(self.highest)
    }

    /// The place as it is once the staged moves are made.
    fn place(&self) -> Place {
        let holds = |seq: &&Seq| !self.staged.contains_key(*seq);
        let first = self.fresh.iter().find(holds);
        let cursor = self.cursor.max(self.expiring.upto);
        let floor = first.map_or(cursor, |seq| cursor.min(seq - 1));
        let mut settled = self.ahead.clone();
        let mut at = floor;
        for seq in self.fresh.range(..=cursor).filter(holds) {
            settled.insert(at + 1, seq - 1);
            at = *seq;
        }
        settled.insert(at + 1, cursor);
        for (seq, _) in self.staged.range(cursor + 1..) {
            // A deferred one may count as passed: it has its record.
            settled.insert(*seq, *seq);
        }
        settled.remove_up_to(floor);
        Place { floor, settled }
    }

    /// The delivery that the consumer has leased, also when only the consumer knows: after a
    /// restart a lease is taken up again when it is the one that would be given next.
    fn leased_as(&mut self, asked: Asked<'_>, moment: Moment) -> Result<Open, Refusal> {
        let Asked { seq, attempt, .. } = asked;
        if attempt == 0 {
            return Err(Refusal::Unknown);
        }
        match self.staged.get(&seq) {
            Some(Staged::Again(next)) if attempt < next.attempt => {
                return Err(Refusal::LeaseExpired);
            }
            Some(Staged::Again(_)) => return Err(Refusal::Unknown),
            Some(Staged::Settled | Staged::Dead(_)) => return Err(Refusal::AlreadySettled),
            None => {}
        }
        let Some(open) = self.open.get(&seq) else { return self.first_leased_as(asked, moment) };
        if attempt < open.attempt {
            return Err(Refusal::LeaseExpired);
        }
        let taken_up = open.remembered && open.at <= moment.now;
        if attempt > open.attempt || !(taken_up || open.state == State::Leased) {
            return Err(Refusal::Unknown);
        }
        if taken_up {
            let (state, at) = (State::Leased, moment.now);
            let leased = Open { state, at, remembered: false, ..open.clone() };
            self.put(seq, leased);
        }
        self.open.get(&seq).cloned().ok_or(Refusal::Unknown)
    }

    /// The same for an event of which nothing is open.
    fn first_leased_as(&mut self, asked: Asked<'_>, moment: Moment) -> Result<Open, Refusal> {
        let Asked { seq, attempt, wanted, thread, .. } = asked;
        if seq <= self.start || seq > moment.head || !wanted {
            return Err(Refusal::Unknown);
        }
        let held_back = self.lines.holds(seq);
        if self.has(seq) && !held_back {
            return Err(Refusal::AlreadySettled);
        }
        let given = attempt == 1
            && seq <= self.forgotten
            && seq <= self.floor().saturating_add(SETTLED_AHEAD_MAX);
        if !given {
            return Err(Refusal::Unknown);
        }
        let thread = self.lines.release(seq).unwrap_or(thread);
        let open = Open::first(moment.now, thread);
        self.fresh.insert(seq);
        self.begin_delivery(seq, open.clone());
        Ok(open)
    }

    pub(super) fn stage(&mut self, seq: Seq, staged: Staged) {
        let from = self.open.get(&seq).map_or(State::Ready, |open| open.state);
        let to = match &staged {
            Staged::Settled => State::Settled,
            Staged::Dead(_) => State::Dead,
            Staged::Again(_) => State::Waiting,
        };
        debug_assert!(from.may_become(to), "{from:?} -> {to:?}");
        self.staged.insert(seq, staged);
    }

    pub(super) fn lease_is_over(&self, seq: Seq, now: Timestamp) -> bool {
        let over = |open: &Open| open.state == State::Leased && open.at <= now;
        self.open.get(&seq).is_some_and(over) && !self.staged.contains_key(&seq)
    }
}

/// What becomes of a delivery whose attempt failed.
fn failed(seq: Seq, open: &Open, moment: Moment, due: Timestamp, why: Option<&str>) -> Staged {
    if open.attempt >= moment.policy.attempts {
        return Staged::Dead(dead_letter(seq, open, DeadReason::Exhausted, moment.now, why));
    }
    let last_error = why.map(shortened).or_else(|| open.last_error.clone());
    let (attempt, thread) = (open.attempt + 1, open.thread);
    Staged::Again(Deferred { seq, attempt, due, last_error, thread })
}

pub(super) fn dead_letter(
    seq: Seq,
    open: &Open,
    reason: DeadReason,
    at: Timestamp,
    why: Option<&str>,
) -> DeadLetter {
    let last_error = why.map(shortened).or_else(|| open.last_error.clone());
    DeadLetter { seq, reason, attempts: open.attempt, last_error, at }
}

fn shortened(reason: &str) -> String {
    reason[..reason.floor_char_boundary(REASON_BYTES_MAX)].to_owned()
}
