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
}

impl<I> Said<I> {
    pub(super) fn new(delivery: String, verdict: Verdict, key: Option<Key<I>>) -> Self {
        Self { delivery, verdict, key, not_before: Duration::ZERO }
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
