//! What is in hand: the protocol of a consumer, without socket and clock.
//!
//! A delivery is taken, waits for its turn, runs, and is concluded by a verdict. A verdict counts
//! as heard once a call answered it, or once so many later ones were sent on a stream that the
//! gateway must have read it; until then it is said again after the line broke. An event that comes
//! again while its handler runs is the same work under another delivery; one that was done comes to
//! nothing but its acknowledgement, whether that of before was heard or not.
//!
//! Moments are what has passed since any one beginning. The cases in `fixtures/clients/hand` hold
//! for this and for the Python package.

mod said;

use crate::{
    limits::{
        DONE_KEPT, DONE_MAX, ERRORS_LAG_MAX, RENEWED_AFTER_PART, SAID_AGAIN_AFTER, SAID_AT_ONCE_MAX,
    },
    verdict::{Batch, Verdict},
};
pub(crate) use said::Refused;
use said::{Acked, Done, Said, is_passing};
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// What makes two deliveries the same work: the event, and the replay that asked for it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Key<I> {
    pub(crate) event: I,
    pub(crate) replay: Option<String>,
}

/// The deliveries of one consumer, at most `concurrency` of them running.
#[derive(Debug)]
pub(crate) struct Hand<I, W> {
    concurrency: usize,
    lease: Duration,
    held: BTreeMap<Key<I>, Held>,
    by_delivery: BTreeMap<String, Key<I>>,
    waiting: VecDeque<(Key<I>, W)>,
    running: usize,
    pending: VecDeque<Said<I>>,
    sent: VecDeque<Said<I>>,
    /// The acknowledgements among `pending` and `sent`.
    acked: Acked<I>,
    done: Done<I>,
    /// No lease needs to be renewed before this moment.
    renewal_at: Duration,
}

#[derive(Debug)]
struct Held {
    /// None once its lease is known to be over.
    delivery: Option<String>,
    renew_at: Duration,
    is_running: bool,
}

impl<I: Clone + Ord, W> Hand<I, W> {
    pub(crate) fn new(concurrency: usize, lease: Duration) -> Self {
        Self {
            concurrency,
            lease,
            held: BTreeMap::new(),
            by_delivery: BTreeMap::new(),
            waiting: VecDeque::new(),
            running: 0,
            pending: VecDeque::new(),
            sent: VecDeque::new(),
            acked: Acked::default(),
            done: Done::new(DONE_KEPT, DONE_MAX),
            renewal_at: Duration::MAX,
        }
    }

    /// How many more may be taken.
    pub(crate) fn room(&self) -> usize {
        self.concurrency.saturating_sub(self.held.len())
    }

    /// How many handlers run.
    pub(crate) fn running(&self) -> usize {
        self.running
    }

    /// Whether every verdict was heard, as far as can be known.
    pub(crate) fn has_said_all(&self) -> bool {
        self.pending.is_empty() && self.sent.is_empty()
    }

    /// Takes a delivery; `work` is given back by [`start`](Self::start) when it is its turn.
    pub(crate) fn take(&mut self, key: Key<I>, delivery: String, work: W, now: Duration) {
        let renew_at = now + self.renew_after();
        if let Some(held) = self.held.get_mut(&key) {
            if let Some(before) = held.delivery.replace(delivery.clone()) {
                self.by_delivery.remove(&before);
            }
            held.renew_at = renew_at;
        } else if self.done.has(&key, now) || self.acked.has(&key) {
            self.pend(Said::new(delivery, Verdict::Ack, Some(key)));
            return;
        } else {
            let held = Held { delivery: Some(delivery.clone()), renew_at, is_running: false };
            self.held.insert(key.clone(), held);
            self.waiting.push_back((key.clone(), work));
        }
        self.by_delivery.insert(delivery, key);
        self.renewal_at = self.renewal_at.min(renew_at);
    }

    /// The next work to begin; none while there is none, or enough runs.
    pub(crate) fn start(&mut self) -> Option<W> {
        if self.running >= self.concurrency {
            return None;
        }
        let (key, work) = self.waiting.pop_front()?;
        self.held.get_mut(&key)?.is_running = true;
        self.running += 1;
        Some(work)
    }

    /// Notes what became of a piece of work; false when it was concluded before.
    pub(crate) fn conclude(&mut self, key: Key<I>, verdict: Verdict, now: Duration) -> bool {
        let Some(held) = self.held.remove(&key) else { return false };
        self.running -= 1;
        match held.delivery {
            Some(delivery) => {
                self.by_delivery.remove(&delivery);
                self.pend(Said::new(delivery, verdict, Some(key)));
            }
            None if verdict == Verdict::Ack => self.done.note(key, now),
            None => {}
        }
        true
    }

    /// Says of a delivery what nobody worked on.
    pub(crate) fn answer(&mut self, delivery: String, verdict: Verdict) {
        self.pend(Said::new(delivery, verdict, None));
    }

    fn pend(&mut self, said: Said<I>) {
        self.acked.note(&said);
        self.pending.push_back(said);
    }

    /// What is to be said at this moment, as much as may be said at one go. It counts as sent.
    pub(crate) fn flush(&mut self, now: Duration) -> Batch {
        let lease_ms = u64::try_from(self.lease.as_millis()).unwrap_or(u64::MAX);
        let mut batch = Batch { lease_ms, ..Batch::default() };
        for _ in 0..self.pending.len() {
            let Some(said) = self.pending.pop_front() else { break };
            if said.not_before > now || batch.verdicts.len() >= SAID_AT_ONCE_MAX {
                self.pending.push_back(said);
            } else {
                batch.verdicts.push((said.delivery.clone(), said.verdict.clone()));
                self.sent.push_back(said);
            }
        }
        if self.renewal_at <= now {
            self.renew(&mut batch, now);
        }
        batch
    }

    fn renew(&mut self, batch: &mut Batch, now: Duration) {
        let next = now + self.renew_after();
        self.renewal_at = Duration::MAX;
        for held in self.held.values_mut() {
            let Some(delivery) = &held.delivery else { continue };
            if held.renew_at <= now {
                held.renew_at = next;
                batch.extensions.push(delivery.clone());
            }
            self.renewal_at = self.renewal_at.min(held.renew_at);
        }
    }

    /// When [`flush`](Self::flush) may have something to say; none while it has nothing.
    pub(crate) fn next_at(&self) -> Option<Duration> {
        let renewal = (!self.held.is_empty()).then_some(self.renewal_at);
        let said = self.pending.iter().map(|said| said.not_before).min();
        renewal.into_iter().chain(said).min().filter(|at| *at < Duration::MAX)
    }

    /// What was flushed went out on a stream, which answers nothing but errors.
    ///
    /// The gateway has no more than `concurrency` deliveries unsettled on one stream, so what was
    /// said before the last so many was read. Errors may lag behind a little.
    pub(crate) fn streamed(&mut self) {
        let kept = 2 * self.concurrency + ERRORS_LAG_MAX;
        for said in self.sent.drain(..self.sent.len().saturating_sub(kept)) {
            self.acked.forget(&said);
        }
    }

    /// A call that carried this was answered, and its refusals were told before.
    pub(crate) fn heard(&mut self, batch: &Batch) {
        let heard: std::collections::BTreeSet<&str> =
            batch.verdicts.iter().map(|(id, _)| id.as_str()).collect();
        let acked = &mut self.acked;
        self.sent.retain(|said| {
            let is_left = !heard.contains(said.delivery.as_str());
            if !is_left {
                acked.forget(said);
            }
            is_left
        });
    }

    /// The gateway could not do what was said of a delivery; answers what that was.
    pub(crate) fn refused(&mut self, delivery: &str, code: &str, now: Duration) -> Option<Refused> {
        let at = self.sent.iter().position(|said| said.delivery == delivery);
        let Some(said) = at.and_then(|at| self.sent.remove(at)) else {
            self.extension_refused(delivery, code, now);
            return None;
        };
        self.acked.forget(&said);
        let refused = Refused::from(&said);
        if is_passing(code) {
            self.pend(Said { not_before: now + SAID_AGAIN_AFTER, ..said });
        } else if let (Verdict::Ack, Some(key)) = (&said.verdict, said.key)
            && code != "already_settled"
        {
            self.done.note(key, now);
        }
        Some(refused)
    }

    fn extension_refused(&mut self, delivery: &str, code: &str, now: Duration) {
        let Some(key) = self.by_delivery.get(delivery).cloned() else { return };
        let Some(held) = self.held.get_mut(&key) else { return };
        if is_passing(code) {
            held.renew_at = now + SAID_AGAIN_AFTER;
            self.renewal_at = self.renewal_at.min(held.renew_at);
            return;
        }
        self.by_delivery.remove(delivery);
        held.delivery = None;
        if !held.is_running {
            // Whoever gets it next begins it.
            self.held.remove(&key);
            self.waiting.retain(|(waiting, _)| *waiting != key);
        }
    }

    /// The line is gone: what waits goes back, what was said is said again, what runs runs.
    pub(crate) fn lost(&mut self, now: Duration) {
        self.let_go();
        self.say_again(now);
    }

    /// What was said and not heard is said again, and every lease is renewed.
    pub(crate) fn say_again(&mut self, now: Duration) {
        while let Some(said) = self.sent.pop_back() {
            self.pending.push_front(Said { is_repeated: true, ..said });
        }
        self.held.values_mut().for_each(|held| held.renew_at = now);
        self.renewal_at = now;
    }

    /// Lets go of what waits, in words: it comes at once to whoever asks.
    pub(crate) fn give_back(&mut self, reason: &str) {
        for delivery in self.let_go() {
            let (after, reason) = (Some(Duration::ZERO), Some(reason.to_owned()));
            self.answer(delivery, Verdict::Retry { after, reason });
        }
    }

    /// Lets go of what waits; answers its deliveries.
    pub(crate) fn let_go(&mut self) -> Vec<String> {
        let mut deliveries = Vec::new();
        for (key, _) in self.waiting.drain(..) {
            let delivery = self.held.remove(&key).and_then(|held| held.delivery);
            if let Some(delivery) = delivery {
                self.by_delivery.remove(&delivery);
                deliveries.push(delivery);
            }
        }
        deliveries
    }

    fn renew_after(&self) -> Duration {
        self.lease / RENEWED_AFTER_PART
    }
}

#[cfg(test)]
mod tests;
