//! Which schedule is due next.

use headgate_event::Timestamp;
use std::{
    cmp::Reverse,
    collections::{BinaryHeap, binary_heap::PeekMut},
};

/// A schedule's next due time. It counts as long as the slot has its generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Entry {
    pub(super) due: Timestamp,
    pub(super) slot: u32,
    pub(super) generation: u32,
}

/// Which schedule is due next; those due together come in the order of their slots.
#[derive(Debug, Default)]
pub(super) struct Heap(BinaryHeap<Reverse<Entry>>);

/// So many entries that do not count are no matter.
const STALE_FREE: usize = 1_024;

impl Heap {
    pub(super) fn push(&mut self, entry: Entry) {
        self.0.push(Reverse(entry));
    }

    pub(super) fn extend(&mut self, entry: Option<Entry>) {
        self.0.extend(entry.map(Reverse));
    }

    pub(super) fn reserve(&mut self, entries: usize) {
        self.0.reserve_exact(entries);
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.0.peek().map(|Reverse(entry)| entry.due)
    }

    pub(super) fn pop_due(&mut self, now: Timestamp) -> Option<Entry> {
        let first = self.0.peek_mut().filter(|first| first.0.due <= now)?;
        Some(PeekMut::pop(first).0)
    }

    /// Whether most of it is entries that do not count.
    pub(super) fn is_stale(&self, armed: usize) -> bool {
        self.0.len() > 2 * armed + STALE_FREE
    }

    pub(super) fn retain(&mut self, counts: impl Fn(&Entry) -> bool) {
        self.0.retain(|Reverse(entry)| counts(entry));
    }
}
