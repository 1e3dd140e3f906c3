//! The replays that run, as the calls of the embedded queue share them.

use super::state::ReplayRow;
use crate::{
    QueueError, ReplayState, ReplayStatus, Seq,
    subscription::{Budget, Deliveries, Kept, Lane, Subscriber, Window},
};
use headgate_event::{EventId, limits::REPLAYS_KEPT_MAX};
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicUsize, Ordering},
    },
};

/// The replays by the generation in their delivery ids. Only the writer of the state changes which
/// there are.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    held: RwLock<Held>,
    turn: AtomicUsize,
}

#[derive(Debug, Default)]
struct Held {
    running: BTreeMap<u64, Arc<Subscriber>>,
    ended: BTreeMap<u64, ReplayState>,
}

impl Lanes {
    fn read(&self) -> RwLockReadGuard<'_, Held> {
        self.held.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Held> {
        self.held.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// A number that is another one each time: whose turn it is.
    pub(super) fn turn(&self) -> usize {
        self.turn.fetch_add(1, Ordering::Relaxed)
    }

    /// All that run.
    pub(super) fn all(&self) -> Vec<Arc<Subscriber>> {
        self.read().running.values().cloned().collect()
    }

    /// Those that run to a subscription, the oldest first.
    pub(super) fn of(&self, generation: u64) -> Vec<Arc<Subscriber>> {
        let held = self.read();
        let to = |lane: &&Arc<Subscriber>| lane.letters() == generation;
        held.running.values().filter(to).cloned().collect()
    }

    /// The one that runs and has this id.
    pub(super) fn with_id(&self, id: EventId) -> Option<Arc<Subscriber>> {
        let held = self.read();
        let mut lanes = held.running.values();
        lanes.find(|known| known.lane().is_some_and(|lane| lane.id == id)).cloned()
    }

    /// The one with this generation.
    pub(super) fn numbered(&self, generation: u64) -> Option<Arc<Subscriber>> {
        self.read().running.get(&generation).cloned()
    }

    /// How the one with this generation ended.
    pub(super) fn ended(&self, generation: u64) -> Option<ReplayState> {
        self.read().ended.get(&generation).copied()
    }

    /// Whether any that ended is kept.
    pub(super) fn has_ended(&self) -> bool {
        !self.read().ended.is_empty()
    }

    /// Adds one that was begun, or was running when the process ended.
    pub(super) fn begin(&self, lane: Arc<Subscriber>) {
        self.write().running.insert(lane.generation(), lane);
    }

    /// Notes how one ended.
    pub(super) fn end(&self, generation: u64, state: ReplayState) {
        let mut held = self.write();
        let lane = held.running.remove(&generation);
        held.ended.insert(generation, state);
        while held.ended.len() > REPLAYS_KEPT_MAX {
            held.ended.pop_first();
        }
        drop(held);
        if let Some(lane) = lane {
            lane.held().gone = true;
        }
    }

    /// Forgets those of a subscription that was deleted.
    pub(super) fn forget(&self, of: u64) {
        for lane in self.of(of) {
            self.write().running.remove(&lane.generation());
            lane.held().gone = true;
        }
    }
}

/// The deliveries of a replay to this subscription, as they were kept when the newest event was
/// `head`.
pub(super) fn subscriber(
    to: &Subscriber,
    row: &ReplayRow,
    kept: Kept,
    head: Seq,
) -> Arc<Subscriber> {
    let spec = row.spec.clone();
    let lane = Lane {
        id: row.id,
        of: row.of,
        first: row.first,
        last: row.last,
        window: Window { since: spec.since, until: spec.until },
        pace: spec.rate,
        begun_at: row.created_at,
        acked_before: row.acked,
        budget: Mutex::new(Budget::default()),
    };
    let mut subscription = to.held().spec.clone();
    subscription.selection = spec.selection;
    let deliveries = Deliveries::load(kept, head);
    Arc::new(Subscriber::replaying(row.generation, lane, subscription, deliveries))
}

impl ReplayRow {
    /// The replay as it is shown; `running` has its deliveries while it runs.
    pub(super) fn status(&self, name: &str, running: Option<&Subscriber>) -> ReplayStatus {
        let mut status = ReplayStatus {
            id: self.id,
            subscription: name.to_owned(),
            state: self.state,
            spec: self.spec.clone(),
            matched: self.matched,
            delivered: self.acked + self.dead,
            settled: self.acked,
            dead: self.dead,
            in_flight: 0,
            waiting: 0,
            progress: 1.0,
            created_at: self.created_at,
            ended_at: self.ended_at,
        };
        match running {
            Some(running) => status.add_running(running),
            None => status.matched = status.matched_when_ended(),
        }
        status
    }
}

/// A fault of the state that a reader found.
pub(super) fn unreadable(error: rusqlite::Error) -> QueueError {
    QueueError::unavailable(format!("the state cannot be read: {error}"))
}
