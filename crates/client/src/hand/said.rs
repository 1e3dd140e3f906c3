//! What was said and may have to be said again, and what was done and may come again.

use super::Key;
use crate::verdict::Verdict;
use std::{
    collections::{BTreeMap, VecDeque},
    time::Duration,
};

/// A verdict on its way.
#[derive(Debug)]
pub(super) struct Said<I> {
    pub(super) delivery: String,
    pub(super) verdict: Verdict,
    /// None when nobody worked on it.
    pub(super) key: Option<Key<I>>,
    pub(super) not_before: Duration,
    /// Whether it was said before on a line that may have carried it.
    pub(super) is_repeated: bool,
}

/// What the gateway could not do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) verdict: Verdict,
    is_repeated: bool,
}

impl<I> From<&Said<I>> for Refused {
    fn from(said: &Said<I>) -> Self {
        Self { verdict: said.verdict.clone(), is_repeated: said.is_repeated }
    }
}

impl Refused {
    /// Whether the code only tells that it was done already: by what was said before, or, for an
    /// acknowledgement, by whoever else was given the event.
    pub(crate) fn is_done(&self, code: &str) -> bool {
        match self.verdict {
            Verdict::Ack => code == "already_settled",
            // One that came again is another attempt.
            Verdict::Retry { .. } => {
                self.is_repeated && matches!(code, "already_settled" | "lease_expired")
            }
            Verdict::Bury { .. } => self.is_repeated && code == "already_settled",
        }
    }
}

impl<I> Said<I> {
    pub(super) fn new(delivery: String, verdict: Verdict, key: Option<Key<I>>) -> Self {
        Self { delivery, verdict, key, not_before: Duration::ZERO, is_repeated: false }
    }
}

/// Work whose acknowledgement is not heard yet: it is done, whatever becomes of that. Each with how
/// many acknowledgements are on their way.
#[derive(Debug)]
pub(super) struct Acked<I>(BTreeMap<Key<I>, usize>);

impl<I> Default for Acked<I> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Clone + Ord> Acked<I> {
    pub(super) fn has(&self, key: &Key<I>) -> bool {
        self.0.contains_key(key)
    }

    /// This is to be said.
    pub(super) fn note(&mut self, said: &Said<I>) {
        if let (Verdict::Ack, Some(key)) = (&said.verdict, &said.key) {
            *self.0.entry(key.clone()).or_default() += 1;
        }
    }

    /// This is neither to be said any more nor on its way.
    pub(super) fn forget(&mut self, said: &Said<I>) {
        let (Verdict::Ack, Some(key)) = (&said.verdict, &said.key) else { return };
        let Some(count) = self.0.get_mut(key) else { return };
        *count -= 1;
        if *count == 0 {
            self.0.remove(key);
        }
    }
}

/// Codes of the gateway after which the same may be said again.
pub(super) fn is_passing(code: &str) -> bool {
    matches!(code, "unavailable" | "internal")
}

/// Work that was done and could not be settled, for a while.
#[derive(Debug)]
pub(super) struct Done<I> {
    kept: Duration,
    max: usize,
    until: BTreeMap<Key<I>, Duration>,
    order: VecDeque<Key<I>>,
}

impl<I: Clone + Ord> Done<I> {
    pub(super) fn new(kept: Duration, max: usize) -> Self {
        Self { kept, max, until: BTreeMap::new(), order: VecDeque::new() }
    }

    pub(super) fn has(&self, key: &Key<I>, now: Duration) -> bool {
        self.until.get(key).is_some_and(|until| *until > now)
    }

    pub(super) fn note(&mut self, key: Key<I>, now: Duration) {
        if self.until.insert(key.clone(), now + self.kept).is_none() {
            self.order.push_back(key);
        }
        while self.order.len() > self.max {
            if let Some(oldest) = self.order.pop_front() {
                self.until.remove(&oldest);
            }
        }
    }
}
