//! Leasing: which deliveries are ready, and taking them. Nothing here is written to disk.

use super::{Deliveries, Open};
use crate::{Seq, subscription::state::State};
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

    /// Up to `max` places that are ready for another attempt, the oldest first.
    pub(crate) fn ready_again(&self, max: usize) -> Vec<Seq> {
        self.ready.iter().take(max).copied().collect()
    }

    /// Leases one that is ready again; `None` when it is not any more.
    pub(crate) fn lease_again(&mut self, seq: Seq, until: Timestamp) -> Option<Leased> {
        let open = self.open.get(&seq).filter(|open| open.state.may_become(State::Leased))?.clone();
        let attempt = open.attempt;
        self.put(seq, Open { state: State::Leased, at: until, remembered: false, ..open });
        Some(Leased { seq, attempt })
    }

    /// Leases a wanted event for the first time, and passes those before it; `None` when it was
    /// settled or leased meanwhile.
    pub(crate) fn lease_first(&mut self, seq: Seq, until: Timestamp) -> Option<Leased> {
        if self.has(seq) {
            self.pass(seq);
            return None;
        }
        self.pass(seq);
        self.fresh.insert(seq);
        self.put(seq, Open::first(until));
        Some(Leased { seq, attempt: 1 })
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
    pub(super) fn first(until: Timestamp) -> Self {
        Self { attempt: 1, state: State::Leased, at: until, last_error: None, remembered: false }
    }
}
