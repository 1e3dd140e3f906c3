//! What is due: the core of firing, without a clock, a socket or a file.
//!
//! Whoever drives it tells it the time, stores what it hands out, and says what became of that.
//! Its cursors move with [`Ticker::due`]; which of them are to be stored is said by
//! [`Ticker::settle`], after the events are stored.

mod backlog;
mod batch;
mod change;
mod firing;
mod heap;
mod missed;
mod reload;
mod slot;
mod slots;
mod view;

use crate::Cursor;
pub use batch::{Batch, Outcome, Settled};
pub use firing::Firing;
use headgate_event::{
    Timestamp,
    limits::{CRON_BACK_STEP_MAX, CRON_SLEEP_MAX},
};
use heap::{Entry, Heap};
pub use missed::{ClockReset, Missed, MissedWhy};
pub use reload::{ReloadError, Reloaded};
use slot::Slot;
use slots::Slots;
use uuid::Uuid;
pub use view::{NextRun, Place, ScheduleView};

/// The armed schedules and how far each has come.
#[derive(Debug, Default)]
pub struct Ticker {
    slots: Slots<Slot>,
    heap: Heap,
    /// Cursors of schedules that are not there: removed ones, and all before the first load.
    absent: Slots<Cursor>,
    /// No cursor is later.
    latest: Timestamp,
    /// Counts batches, so that a schedule that is in one already is seen.
    turn: u64,
}

impl Ticker {
    /// A core that goes on from these cursors. Load the schedules next, all in one
    /// [`reload`](Self::reload).
    #[must_use]
    pub fn resuming(cursors: Vec<Cursor>) -> Self {
        let mut absent = Slots::default();
        absent.reserve(cursors.len());
        for cursor in cursors {
            // Each id is there once: it is their key in the store.
            if absent.index_of(cursor.schedule_id).is_none() {
                absent.insert(cursor);
            }
        }
        Self { absent, ..Self::default() }
    }

    /// What is due at `now`, as much as one call of the sink takes. Store the events and then
    /// [`settle`](Self::settle) the batch, before anything else is asked of the core; while
    /// [`Batch::more`] says so there is more.
    pub fn due(&mut self, now: Timestamp) -> Batch {
        self.due_together(now, 1).pop().unwrap_or_default()
    }

    /// The same for up to `most` batches that may be stored side by side, in any order: none has
    /// events of a schedule that another has too. Settle them all before anything else is asked.
    pub fn due_together(&mut self, now: Timestamp, most: usize) -> Vec<Batch> {
        let first = self.turn + 1;
        let mut batches = Vec::new();
        while batches.len() < most {
            self.turn += 1;
            let batch = self.fill(now, first);
            let is_last = !batch.more || batch.is_empty();
            batches.push(batch);
            if is_last {
                break;
            }
        }
        batches
    }

    /// One batch; those of turns since `first` are on their way beside it.
    fn fill(&mut self, now: Timestamp, first: u64) -> Batch {
        let mut batch = Batch { now, reset: self.put_back(now), ..Batch::default() };
        let mut waiting = Vec::new();
        while batch.has_room()
            && let Some(entry) = self.heap.pop_due(now)
        {
            let Some(slot) = self.slots.at_mut(entry.slot).filter(|slot| slot.is_armed_by(&entry))
            else {
                continue;
            };
            if slot.waits_for(first, self.turn) {
                waiting.push(entry);
                continue;
            }
            slot.fire(entry.slot, now, self.turn, &mut batch);
            self.latest = self.latest.max(slot.cursor);
            if let Some(entry) = slot.arm(entry.slot) {
                self.heap.push(entry);
            }
        }
        waiting.into_iter().for_each(|entry| self.heap.push(entry));
        batch.more = self.heap.next_due().is_some_and(|due| due <= now);
        batch
    }

    /// Takes what became of each firing of a batch, in their order, and answers whose cursors are
    /// to be stored: those of everything that moved.
    pub fn settle(&mut self, batch: &Batch, outcomes: &[Outcome]) -> Settled {
        let mut missed = Vec::new();
        for (firing, outcome) in batch.firings.iter().zip(outcomes) {
            let Some(index) = self.slots.index_of(firing.schedule.id()) else { continue };
            let Some(slot) = self.slots.at_mut(index) else { continue };
            match outcome {
                Outcome::Stored(id) | Outcome::Known(id) => slot.stored(*id),
                Outcome::Overlapped => {
                    missed.push(slot.overlapped(firing));
                    // It may have been the last of `max_fires`.
                    self.arm(index);
                }
            }
        }
        let moved = batch.moved.iter().filter_map(|index| self.slots.at(*index));
        Settled { moved: moved.map(|slot| slot.schedule.id()).collect(), missed }
    }

    /// How far these schedules have come, removed ones too, as it is to be stored. It is not asked
    /// while a batch is under way.
    #[must_use]
    pub fn cursors(&self, ids: &[Uuid]) -> Vec<Cursor> {
        let absent = |id| self.absent.get(id).cloned();
        ids.iter().filter_map(|id| self.cursor(*id).or_else(|| absent(*id))).collect()
    }

    /// Until when there is nothing to do: the next due time, or sooner, because the wall clock may
    /// be set while one sleeps.
    #[must_use]
    pub fn sleep_until(&self, now: Timestamp) -> Timestamp {
        let longest = now.plus(CRON_SLEEP_MAX);
        self.heap.next_due().map_or(longest, |due| due.clamp(now, longest))
    }

    /// Looks anew when everything is due: the rules of a zone have changed.
    pub fn zones_changed(&mut self) {
        self.heap = Heap::default();
        for index in self.slots.indices() {
            self.arm(index);
        }
    }

    /// Puts an entry for the schedule's next occurrence into the heap; the one before it counts no
    /// more.
    fn arm(&mut self, index: u32) {
        let entry = self.slots.at_mut(index).and_then(|slot| slot.arm(index));
        self.heap.extend(entry);
        if self.heap.is_stale(self.slots.len()) {
            let slots = &self.slots;
            self.heap.retain(|entry| slots.at(entry.slot).is_some_and(|s| s.is_armed_by(entry)));
        }
    }

    /// A small step back of the clock waits until the cursors are past. After a large one, the
    /// clock was wrong before: who is too far ahead begins anew.
    fn put_back(&mut self, now: Timestamp) -> Option<ClockReset> {
        let latest = now.plus(CRON_BACK_STEP_MAX);
        if self.latest <= latest {
            return None;
        }
        let mut reset = ClockReset { furthest: self.latest, now, moved: Vec::new() };
        self.latest = now;
        for index in self.slots.indices() {
            let Some(slot) = self.slots.at_mut(index) else { continue };
            if slot.cursor > latest {
                slot.begin_at(now);
                reset.moved.push(slot.schedule.id());
                self.arm(index);
            } else {
                self.latest = self.latest.max(slot.cursor);
            }
        }
        (!reset.moved.is_empty()).then_some(reset)
    }
}
