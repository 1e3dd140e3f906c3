//! Leasing: which deliveries are ready, and taking them. Nothing here is written to disk.

use super::{Deliveries, Open};
use crate::{
    Seq,
    subscription::{Order, Thread, state::State},
};
use headgate_event::Timestamp;

/// A delivery that was leased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Leased {
    /// The place of the event.
    pub(crate) seq: Seq,
    /// Which attempt it is.
    pub(crate) attempt: u32,
}

impl Deliveries {
    /// Makes ready whose wait is over. That needs no commit: their record says when they are due.
    pub(crate) fn wake(&mut self, now: Timestamp) {
        let over = self.times.range(..=(now, Seq::MAX));
        let waits = |seq: &Seq| self.open.get(seq).is_some_and(Open::is_waiting);
        let woken: Vec<Seq> = over.map(|(_, seq)| *seq).filter(waits).collect();
        for seq in woken {
            if let Some(open) = self.open.get(&seq).cloned() {
                debug_assert!(open.state.may_become(State::Ready));
                self.put(seq, Open { state: State::Ready, ..open });
            }
        }
    }

    /// Whether a lease is over: that has to be staged and committed before it is leased again.
    pub(crate) fn overdue(&self, now: Timestamp) -> bool {
        self.times.range(..=(now, Seq::MAX)).any(|(_, seq)| self.lease_is_over(*seq, now))
    }

    /// Gives events in this order from here on.
    pub(crate) fn keep_order(&mut self, order: Order) {
        if self.lines.order() != order {
            let begun = self.open.iter().map(|(seq, open)| (*seq, open.thread));
            self.lines.reorder(order, begun);
        }
    }

    /// How many of `max` deliveries may be such as come again: where more than one is leased and
    /// there are events up to `last` that were not looked at, one is left to them, so that what is
    /// never taken does not stand before what would be.
    pub(crate) fn share_again(&self, max: usize, last: Seq) -> usize {
        if max > 1 && self.cursor < last { max - 1 } else { max }
    }

    /// Up to `max` places that may be leased without looking for more, the oldest first: those that
    /// are ready for another attempt, and those that were held back and have their turn.
    pub(crate) fn ready_again(&self, max: usize) -> Vec<Seq> {
        if self.lines.order() == Order::Strict {
            let ready = |seq: &Seq| self.ready.contains(seq) || self.lines.holds(*seq);
            let oldest = self.oldest_open().filter(|_| self.leased == 0).filter(ready);
            return oldest.into_iter().take(max).collect();
        }
        let again = self.ready.iter().copied().filter(|seq| self.leads(*seq)).take(max);
        let mut ready: Vec<Seq> = again.chain(self.lines.next().take(max)).collect();
        ready.sort_unstable();
        ready.truncate(max);
        ready
    }

    /// Leases one that is ready; `None` when it is not any more.
    pub(crate) fn lease_again(&mut self, seq: Seq, until: Timestamp) -> Option<Leased> {
        if let Some(thread) = self.lines.release(seq) {
            self.begin_delivery(seq, Open::first(until, thread));
            return Some(Leased { seq, attempt: 1 });
        }
        let open = self.open.get(&seq).filter(|open| open.state.may_become(State::Leased))?.clone();
        let attempt = open.attempt;
        self.put(seq, Open { state: State::Leased, at: until, remembered: false, ..open });
        Some(Leased { seq, attempt })
    }

    /// Leases a wanted event for the first time, and passes those before it; `None` when it was
    /// settled or leased meanwhile, or has to wait for an earlier one.
    pub(crate) fn lease_first(
        &mut self,
        seq: Seq,
        thread: Option<Thread>,
        until: Timestamp,
    ) -> Option<Leased> {
        if self.has(seq) {
            self.pass(seq);
            return None;
        }
        self.pass(seq);
        self.fresh.insert(seq);
        if !self.lines.is_free(thread, self.open.len()) {
            self.lines.hold(seq, thread);
            return None;
        }
        self.begin_delivery(seq, Open::first(until, thread));
        Some(Leased { seq, attempt: 1 })
    }

    /// Passes an event that was held back and turned out to be none to give.
    pub(crate) fn skip(&mut self, seq: Seq) {
        if let Some(thread) = self.lines.release(seq) {
            self.fresh.remove(&seq);
            thread.into_iter().for_each(|thread| self.lines.advance(thread));
        }
    }

    /// Whether an event is held back.
    pub(crate) fn is_held_back(&self, seq: Seq) -> bool {
        self.lines.holds(seq)
    }

    /// A delivery that was not there before.
    pub(super) fn begin_delivery(&mut self, seq: Seq, open: Open) {
        self.lines.begin(seq, open.thread);
        self.put(seq, open);
    }

    fn leads(&self, seq: Seq) -> bool {
        let thread = self.open.get(&seq).and_then(|open| open.thread);
        let leased = |seq| self.open.get(&seq).is_some_and(|open| open.state == State::Leased);
        self.lines.leads(seq, thread, leased)
    }

    /// Notes that every event up to `seq` was looked at.
    pub(crate) fn pass(&mut self, seq: Seq) {
        self.cursor = self.cursor.max(seq);
        self.ahead.remove_up_to(self.cursor);
        if let Some(end) = self.ahead.end_of(self.cursor.saturating_add(1)) {
            self.cursor = end;
            self.ahead.remove_up_to(end);
        }
    }
}

impl Open {
    fn is_waiting(&self) -> bool {
        self.state == State::Waiting
    }

    /// A first attempt, leased.
    pub(super) fn first(until: Timestamp, thread: Option<Thread>) -> Self {
        let state = State::Leased;
        Self { attempt: 1, state, at: until, last_error: None, thread, remembered: false }
    }
}
