//! The deliveries of a replay stand beside those of its subscription, in a lane of their own.
//!
//! A lane is a subscriber like any other (leases, attempts, waits, order), but it ends: it looks at
//! the events from its first to its last, and what it dies of is a dead letter of the subscription.

use super::{Budget, Kept, Place, Ranges, ReplayPace, Subscriber};
use crate::{ReplayState, ReplayStatus, Seq};
use headgate_event::{EventId, Timestamp};
use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
};

/// What makes a subscriber a replay.
#[derive(Debug)]
pub(crate) struct Lane {
    /// The id of the replay.
    pub(crate) id: EventId,
    /// The generation of the subscription.
    pub(crate) of: u64,
    /// The first event it looks at.
    pub(crate) first: Seq,
    /// The last event it looks at.
    pub(crate) last: Seq,
    /// Only events received in this window.
    pub(crate) window: Window,
    /// How fast it may be.
    pub(crate) pace: Option<ReplayPace>,
    /// When it was begun.
    pub(crate) begun_at: Timestamp,
    /// How many were settled before this process began.
    pub(crate) acked_before: u64,
    /// What it may give.
    pub(crate) budget: Mutex<Budget>,
}

/// From when on, and before when events were received.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Window {
    /// Not before this moment.
    pub(crate) since: Option<Timestamp>,
    /// Before this moment.
    pub(crate) until: Option<Timestamp>,
}

impl Window {
    /// Whether a moment is in it.
    pub(crate) fn has(self, at: Timestamp) -> bool {
        self.since.is_none_or(|since| at >= since) && self.until.is_none_or(|until| at < until)
    }
}

impl Lane {
    /// How many it may give now, at most `max`.
    pub(crate) fn room(&self, now: Timestamp, max: usize) -> usize {
        let budget = *self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        self.pace.map_or(max, |pace| budget.room(pace, now).min(max))
    }

    /// Notes what it gave.
    pub(crate) fn spend(&self, now: Timestamp, given: usize) {
        if let Some(pace) = self.pace {
            self.budget.lock().unwrap_or_else(PoisonError::into_inner).spend(pace, now, given);
        }
    }

    /// When it may give again, when its pace holds it up.
    pub(crate) fn resumes(&self, now: Timestamp) -> Option<Timestamp> {
        let budget = *self.budget.lock().unwrap_or_else(PoisonError::into_inner);
        let pace = self.pace.filter(|pace| budget.room(*pace, now) == 0)?;
        Some(budget.next(pace, now))
    }
}

/// What is kept of the deliveries of a replay before its first: it looks at the events from `first`
/// to `last`, or at these places alone.
pub(crate) fn begun(first: Seq, last: Seq, places: Option<&BTreeSet<Seq>>) -> Kept {
    let start = first.saturating_sub(1);
    let mut settled = Ranges::default();
    let mut at = start;
    for place in places.into_iter().flatten() {
        settled.insert(at + 1, place.saturating_sub(1));
        at = *place;
    }
    if places.is_some() {
        settled.insert(at + 1, last);
    }
    let place = Place { floor: start, settled };
    Kept { start, place, ..Kept::default() }
}

impl ReplayStatus {
    /// Adds what the deliveries of a replay that runs say.
    pub(crate) fn add_running(&mut self, running: &Subscriber) {
        let held = running.held();
        let deliveries = &held.deliveries;
        let Some(lane) = running.lane() else { return };
        self.settled = lane.acked_before + deliveries.acked();
        self.dead = deliveries.dead();
        self.in_flight = deliveries.leased() as u64;
        self.waiting = deliveries.waiting() as u64;
        let ended = self.settled + self.dead;
        self.delivered = ended + self.in_flight + self.waiting;
        let (behind, whole) = match self.matched {
            Some(matched) => (ended, matched),
            None => (deliveries.floor() + 1 - lane.first, lane.last + 1 - lane.first),
        };
        self.progress = (behind as f64 / whole.max(1) as f64).clamp(0.0, 1.0);
    }

    /// How many matched, when all that did were given.
    pub(crate) fn matched_when_ended(&self) -> Option<u64> {
        let given = (self.state == ReplayState::Done).then_some(self.delivered);
        self.matched.or(given)
    }
}
