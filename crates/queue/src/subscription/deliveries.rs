//! The deliveries of one subscription, as a state machine without clock, disk or socket.
//!
//! What must survive a restart is a [`Place`] (a floor and what is settled beyond it) and the
//! deferred deliveries; leases live in memory only. A first lease writes nothing: the events that
//! it took keep the floor where it is until they are settled. A move that must be durable is
//! *staged* first; the backend writes the [`Changes`](super::Changes) of all staged moves, and
//! then commits or abandons them, so that memory never knows more than the disk.

mod leasing;
mod lines;
mod redriving;
mod removing;
mod staging;

use super::{Deferred, Kept, Order, Place, Thread, ranges::Ranges, state::State};
use crate::Seq;
use headgate_event::{
    Timestamp,
    limits::{
        DEFERRED_MAX, FLOOR_NOTE_EVENTS, HELD_BACK_EVENTS_MAX, IN_FLIGHT_MAX, SETTLED_AHEAD_MAX,
    },
};
use lines::Lines;
use redriving::Redriven;
use removing::Expiring;
use staging::Staged;
use std::collections::{BTreeMap, BTreeSet};

pub(crate) use leasing::Leased;
pub(crate) use redriving::Died;
pub(crate) use removing::Expiry;
pub(crate) use staging::{Asked, Moment, Refusal};

/// The deliveries of one subscription.
#[derive(Debug)]
pub(crate) struct Deliveries {
    /// Events up to here were never for it.
    start: Seq,
    /// Every event up to here was looked at: it is open, settled, dead or not wanted.
    cursor: Seq,
    /// What is begun and not ended: leased, waiting, or ready again.
    open: BTreeMap<Seq, Open>,
    /// What has no record on disk and holds the floor: those of `open` that are leased for the
    /// first time, and what is held back.
    fresh: BTreeSet<Seq>,
    /// Those of `open` that are ready again.
    ready: BTreeSet<Seq>,
    /// What has to wait for an earlier event, and for which.
    lines: Lines,
    /// When leases end and waits are over.
    times: BTreeSet<(Timestamp, Seq)>,
    /// What is settled or dead beyond the cursor, known from before a restart.
    ahead: Ranges,
    /// How many are leased.
    leased: usize,
    /// How many are dead.
    dead: u64,
    /// How many of them expired.
    expired: u64,
    /// The floor as it is kept, at least.
    noted: Seq,
    /// Events up to here may have been leased by a process whose memory is gone.
    forgotten: Seq,
    /// Moves that wait for their commit.
    staged: BTreeMap<Seq, Staged>,
    /// Events that expire unseen, which waits for its commit too.
    expiring: Expiring,
    /// Deliveries that died and were brought back.
    redriven: Redriven,
    /// How many were settled, since this was loaded.
    acked: u64,
    /// The highest attempt that is kept of any of them.
    highest: u32,
}

/// A delivery that is begun and not ended.
#[derive(Clone, Debug)]
struct Open {
    /// The attempt that is leased, or comes next.
    attempt: u32,
    /// Ready, leased or waiting.
    state: State,
    /// When the lease ends or the wait is over.
    at: Timestamp,
    /// Why the last attempt failed.
    last_error: Option<String>,
    /// The thread of the event; none where it has none, or where it is not known.
    thread: Option<Thread>,
    /// Whether it was read from disk and not leased since, so that a lease may be forgotten.
    remembered: bool,
}

impl Deliveries {
    /// A subscription that begins after `start`.
    pub(crate) fn begin(start: Seq) -> Self {
        let place = Place { floor: start, settled: Ranges::default() };
        Self::load(Kept { start, place, ..Kept::default() }, 0)
    }

    /// What was kept, when the newest event is `head`: leases of events up to it may be forgotten.
    pub(crate) fn load(kept: Kept, head: Seq) -> Self {
        let mut this = Self {
            start: kept.start,
            cursor: kept.place.floor,
            open: BTreeMap::new(),
            fresh: BTreeSet::new(),
            ready: BTreeSet::new(),
            lines: Lines::default(),
            times: BTreeSet::new(),
            ahead: kept.place.settled,
            leased: 0,
            dead: kept.dead,
            expired: kept.expired,
            noted: kept.place.floor,
            forgotten: head,
            staged: BTreeMap::new(),
            expiring: Expiring::default(),
            redriven: Redriven::load(kept.earlier),
            acked: 0,
            highest: kept.highest,
        };
        for Deferred { seq, attempt, due, last_error, thread } in kept.deferred {
            let state = State::Waiting;
            let open = Open { attempt, state, at: due, last_error, thread, remembered: true };
            this.put(seq, open);
        }
        this.pass(this.cursor);
        this
    }

    /// All events up to here are done, deferred, dead or not wanted.
    pub(crate) fn floor(&self) -> Seq {
        self.fresh.first().map_or(self.cursor, |seq| self.cursor.min(seq - 1))
    }

    /// The last event it has looked at.
    pub(crate) fn cursor(&self) -> Seq {
        self.cursor
    }

    /// How many deliveries are leased.
    pub(crate) fn leased(&self) -> usize {
        self.leased
    }

    /// How many wait for their next attempt, or are ready for it.
    pub(crate) fn waiting(&self) -> usize {
        self.open.len() - self.leased
    }

    /// How many wait for an earlier event of their thread.
    pub(crate) fn held_back(&self) -> usize {
        self.lines.len()
    }

    /// How many are dead.
    pub(crate) fn dead(&self) -> u64 {
        self.dead
    }

    /// How many of the dead expired.
    pub(crate) fn expired(&self) -> u64 {
        self.expired
    }

    /// How many were settled since this was loaded.
    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    /// Whether every event up to `last` has ended, for good and durably.
    pub(crate) fn has_ended(&self, last: Seq) -> bool {
        self.cursor >= last && self.oldest_open().is_none() && !self.has_staged()
    }

    /// How many events after the cursor and up to `seq` are known to be done.
    pub(crate) fn done_up_to(&self, seq: Seq) -> u64 {
        self.ahead.count_up_to(seq)
    }

    /// The last event in a row from `seq` on that is known to be done.
    pub(crate) fn done_from(&self, seq: Seq) -> Option<Seq> {
        self.ahead.end_of(seq)
    }

    /// The oldest event that is begun and not ended.
    pub(crate) fn oldest_open(&self) -> Option<Seq> {
        self.open.keys().next().copied().into_iter().chain(self.lines.oldest()).min()
    }

    /// Whether an event that is wanted is still to be settled, or to be given at all.
    pub(crate) fn awaits(&self, seq: Seq) -> bool {
        let ahead = seq > self.cursor && !self.ahead.contains(seq);
        seq > self.start && (ahead || self.is_open(seq) || self.lines.holds(seq))
    }

    /// Where an event stands that is begun, its attempt, and when its lease ends or its wait does.
    pub(crate) fn open_at(&self, seq: Seq) -> Option<(State, u32, Timestamp)> {
        self.open.get(&seq).map(|open| (open.state, open.attempt, open.at))
    }

    /// Whether an event was never for it, because it came before its start.
    pub(crate) fn is_before_start(&self, seq: Seq) -> bool {
        seq <= self.start
    }

    /// Whether it is begun and not ended.
    pub(crate) fn is_open(&self, seq: Seq) -> bool {
        self.open.contains_key(&seq)
    }

    /// How many more deliveries may be leased.
    pub(crate) fn room(&self) -> usize {
        let most = if self.lines.order() == Order::Strict { 1 } else { IN_FLIGHT_MAX };
        most.saturating_sub(self.leased)
    }

    /// The last event that may be leased for the first time: leasing stops so far ahead of the
    /// oldest unsettled one, and while too many are deferred or held back.
    pub(crate) fn reach(&self) -> Seq {
        let held_back = self.lines.len();
        let deferred = self.open.len() + held_back - self.fresh.len();
        let begun = !self.open.is_empty() || held_back > 0;
        let waits = self.lines.order() == Order::Strict && begun;
        if waits || deferred >= DEFERRED_MAX || held_back >= HELD_BACK_EVENTS_MAX {
            return self.cursor;
        }
        self.floor().saturating_add(SETTLED_AHEAD_MAX)
    }

    /// Whether the floor has moved far since it was kept.
    pub(crate) fn is_far(&self) -> bool {
        self.floor().saturating_sub(self.noted) >= FLOOR_NOTE_EVENTS
    }

    /// The next moment at which a lease ends or a wait is over.
    pub(crate) fn next_time(&self) -> Option<Timestamp> {
        self.times.iter().find(|(_, seq)| !self.staged.contains_key(seq)).map(|(at, _)| *at)
    }

    /// Whether it has the event already, done or not, so that a scan passes over it.
    pub(crate) fn has(&self, seq: Seq) -> bool {
        seq <= self.cursor
            || self.open.contains_key(&seq)
            || self.ahead.contains(seq)
            || self.staged.contains_key(&seq)
    }

    /// Puts an open delivery where it belongs, instead of the one that is there.
    fn put(&mut self, seq: Seq, open: Open) {
        self.take(seq);
        match open.state {
            State::Ready => {
                self.ready.insert(seq);
            }
            State::Leased | State::Waiting => {
                self.times.insert((open.at, seq));
            }
            State::Settled | State::Dead => debug_assert!(false, "what has ended is not open"),
        }
        self.leased += usize::from(open.state == State::Leased);
        self.open.insert(seq, open);
    }

    /// Takes an open delivery out, but leaves what holds the floor.
    fn take(&mut self, seq: Seq) -> Option<Open> {
        let open = self.open.remove(&seq)?;
        self.ready.remove(&seq);
        self.times.remove(&(open.at, seq));
        self.leased -= usize::from(open.state == State::Leased);
        Some(open)
    }
}

#[cfg(test)]
mod tests;
