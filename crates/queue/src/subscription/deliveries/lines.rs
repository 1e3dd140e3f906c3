//! Who has to wait for whom: the lines of threads, and the one line of a strict subscription.
//!
//! An event that comes while an earlier one of its thread is begun is *held back*: it was looked
//! at, is not leased, and holds the floor. What is held back is kept by its place alone, and no
//! more than [`HELD_BACK_EVENTS_MAX`](headgate_event::limits::HELD_BACK_EVENTS_MAX) at a time:
//! beyond it the subscription looks no further. Each step is made in a time that does not grow
//! with what waits.

use crate::{
    Seq,
    subscription::{Order, Thread},
};
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};

/// The lines of one subscription.
#[derive(Debug, Default)]
pub(super) struct Lines {
    order: Order,
    /// The threads that have something begun or held back, while each is a line.
    lines: HashMap<Thread, Line>,
    /// What is held back, with its thread.
    behind: BTreeMap<Seq, Option<Thread>>,
    /// Those of `behind` whose turn it is.
    next: BTreeSet<Seq>,
}

/// One thread.
#[derive(Debug, Default)]
struct Line {
    /// What is begun and not ended: one, unless the order was another one before.
    begun: Vec<Seq>,
    /// What is held back, the oldest first.
    behind: VecDeque<Seq>,
}

impl Lines {
    pub(super) fn order(&self) -> Order {
        self.order
    }

    /// How many events are held back, those whose turn it is included.
    pub(super) fn len(&self) -> usize {
        self.behind.len()
    }

    /// Whether an event is held back.
    pub(super) fn holds(&self, seq: Seq) -> bool {
        self.behind.contains_key(&seq)
    }

    /// The oldest event that is held back.
    pub(super) fn oldest(&self) -> Option<Seq> {
        self.behind.keys().next().copied()
    }

    /// What is held back up to a place.
    pub(super) fn up_to(&self, seq: Seq) -> impl Iterator<Item = Seq> {
        self.behind.range(..=seq).map(|(seq, _)| *seq)
    }

    /// What is held back and whose turn it is, the oldest first.
    pub(super) fn next(&self) -> impl Iterator<Item = Seq> {
        self.next.iter().copied()
    }

    /// Whether an event of this thread has nothing to wait for when `begun` deliveries are begun.
    pub(super) fn is_free(&self, thread: Option<Thread>, begun: usize) -> bool {
        match self.order {
            Order::None => true,
            Order::Thread => thread.is_none_or(|thread| !self.lines.contains_key(&thread)),
            Order::Strict => begun == 0 && self.behind.is_empty(),
        }
    }

    /// Whether a delivery that is begun may be leased again: it is the oldest of its thread, and
    /// none of the others is leased.
    pub(super) fn leads(
        &self,
        seq: Seq,
        thread: Option<Thread>,
        is_leased: impl Fn(Seq) -> bool,
    ) -> bool {
        let Some(line) = thread.and_then(|thread| self.lines.get(&thread)) else { return true };
        line.begun.iter().all(|other| *other == seq || (*other > seq && !is_leased(*other)))
    }

    /// A delivery is begun.
    pub(super) fn begin(&mut self, seq: Seq, thread: Option<Thread>) {
        if self.order == Order::Thread
            && let Some(thread) = thread
        {
            let line = self.lines.entry(thread).or_default();
            line.begun.push(seq);
            if let Some(first) = line.behind.front() {
                self.next.remove(first);
            }
        }
    }

    /// A delivery has ended: the next of its thread has its turn.
    pub(super) fn end(&mut self, seq: Seq, thread: Option<Thread>) {
        let Some(thread) = thread else { return };
        if let Some(line) = self.lines.get_mut(&thread) {
            line.begun.retain(|begun| *begun != seq);
        }
        self.advance(thread);
    }

    /// Holds an event back.
    pub(super) fn hold(&mut self, seq: Seq, thread: Option<Thread>) {
        self.behind.insert(seq, thread);
        match (self.order, thread) {
            (Order::Thread, Some(thread)) => {
                self.lines.entry(thread).or_default().behind.push_back(seq);
                self.advance(thread);
            }
            (Order::None | Order::Thread, _) => {
                self.next.insert(seq);
            }
            (Order::Strict, _) => {}
        }
    }

    /// Takes out an event that is held back, to begin it or because it is gone; its thread, and
    /// nothing when it is not held back.
    pub(super) fn release(&mut self, seq: Seq) -> Option<Option<Thread>> {
        let thread = self.behind.remove(&seq)?;
        self.next.remove(&seq);
        if let Some(line) = thread.and_then(|thread| self.lines.get_mut(&thread))
            && let Ok(at) = line.behind.binary_search(&seq)
        {
            line.behind.remove(at);
        }
        Some(thread)
    }

    /// Gives the turn of a thread of which nothing is begun to its oldest, and forgets a thread
    /// that has nothing.
    pub(super) fn advance(&mut self, thread: Thread) {
        let Some(line) = self.lines.get(&thread) else { return };
        match line.behind.front() {
            Some(first) if line.begun.is_empty() => {
                self.next.insert(*first);
            }
            None if line.begun.is_empty() => {
                self.lines.remove(&thread);
            }
            _ => {}
        }
    }

    /// The same events in another order; `begun` are the deliveries that are begun.
    pub(super) fn reorder(
        &mut self,
        order: Order,
        begun: impl Iterator<Item = (Seq, Option<Thread>)>,
    ) {
        let behind = std::mem::take(&mut self.behind);
        *self = Self { order, ..Self::default() };
        for (seq, thread) in begun {
            self.begin(seq, thread);
        }
        for (seq, thread) in behind {
            self.hold(seq, thread);
        }
    }
}
