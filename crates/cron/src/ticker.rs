//! What is due: the core of firing, without a clock, a socket or a file.
//!
//! Whoever drives it tells it the time, stores what it hands out, and says what became of that.
//! Its cursors move with [`Ticker::due`]; which of them are to be stored is said by
//! [`Ticker::settle`], after the events are stored.

mod backlog;
mod batch;
mod change;
mod firing;
mod goes_on;
mod heap;
mod left_out;
mod looked;
mod missed;
mod put_back;
mod reload;
mod slot;
mod slots;
mod view;

use crate::Cursor;
pub use batch::{Batch, Outcome, Settled};
pub use firing::Firing;
pub use goes_on::{Backlog, GoesOn};
use headgate_event::{
    Timestamp,
    limits::{CRON_BACKLOG_BATCHES_MAX, CRON_BATCH_STEPS_MAX, CRON_LATE_MAX, CRON_SLEEP_MAX},
};
use heap::{Entry, Heap};
use looked::Looked;
pub use missed::{ClockReset, Missed, MissedWhy};
use put_back::PuttingBack;
pub(crate) use reload::Compared;
pub use reload::{ReloadError, Reloaded};
use slot::{Fired, Slot};
use slots::Slots;
use std::{
    collections::{HashMap, VecDeque},
    ops::Range,
};
use uuid::Uuid;
pub use view::{NextRun, Place, ScheduleView};

/// The armed schedules and how far each has come.
#[derive(Debug, Default)]
pub struct Ticker {
    slots: Slots<Slot>,
    heap: Heap,
    /// Schedules of which something is late. Who is here is not in the heap.
    backlog: VecDeque<Entry>,
    /// Cursors of schedules that are not there: removed ones, and all before the first load.
    absent: Slots<Cursor>,
    /// No cursor is later.
    latest: Timestamp,
    /// Up to here the clock had come before it was last put back by hours.
    shown_until: Timestamp,
    /// How far the schedules have followed it, while they do.
    putting_back: Option<PuttingBack>,
}

/// Which schedules are in which of the batches that are stored side by side, by their slots and the
/// number of the batch.
type Taken = HashMap<u32, usize>;

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

    /// What is due at `now`, as much as one call of the sink takes. Store the events, find out what
    /// it [asks](Batch::questions), and then [`settle`](Self::settle) the batch, before anything
    /// else is asked of the core; while [`Batch::more`] says so there is more.
    pub fn due(&mut self, now: Timestamp) -> Batch {
        self.due_together(now, 1).pop().unwrap_or_default()
    }

    /// The same for up to `most` batches that may be stored side by side, in any order: none has
    /// events of a schedule that another has too. Settle them all before anything else is asked.
    ///
    /// What is due goes first. Backlogs go beside it: in the batches that are left, no more than
    /// [`CRON_BACKLOG_BATCHES_MAX`], and one of them is theirs however much is due.
    pub fn due_together(&mut self, now: Timestamp, most: usize) -> Vec<Batch> {
        let (mut batches, mut taken) = (Vec::new(), Taken::new());
        let (mut backlogs, mut steps) = (CRON_BACKLOG_BATCHES_MAX, 0);
        let mut reset = self.put_back(now);
        while batches.len() < most && steps < CRON_BATCH_STEPS_MAX {
            let number = batches.len();
            let mut batch = Batch { now, number, reset: reset.take(), steps, ..Batch::default() };
            let is_last = most > 1 && batches.len() + 1 == most;
            if !is_last || self.backlog.is_empty() {
                self.fill_with_due(&mut taken, &mut batch);
            }
            if backlogs > 0 && batch.has_room() && !self.backlog.is_empty() {
                backlogs -= 1;
                self.fill_with_backlog(&mut taken, &mut batch);
            }
            steps = batch.steps;
            if batch.is_empty() && !batches.is_empty() {
                break;
            }
            batches.push(batch);
        }
        // Who asked goes on when it has its answer.
        let asks = batches.iter().any(|batch| !batch.questions.is_empty());
        let more = asks || self.has_due(now);
        if let Some(last) = batches.last_mut() {
            last.more = more;
        }
        batches
    }

    /// Puts what is due into a batch; those that are taken are on their way beside it, or in it.
    /// What is late goes to the backlog.
    fn fill_with_due(&mut self, taken: &mut Taken, batch: &mut Batch) {
        let now = batch.now;
        let mut waiting = Vec::new();
        while batch.has_room()
            && let Some(entry) = self.heap.pop_due(now)
        {
            let Some(slot) = self.slots.at_mut(entry.slot).filter(|slot| slot.is_armed_by(&entry))
            else {
                continue;
            };
            if is_late(entry, now) {
                batch.steps += 1;
                self.backlog.push_back(entry);
            } else if waits(slot, entry, taken, batch) {
                waiting.push(entry);
            } else {
                fire(slot, entry, taken, batch);
                self.latest = self.latest.max(slot.cursor);
                self.heap.extend(slot.arm(entry.slot));
            }
        }
        waiting.into_iter().for_each(|entry| self.heap.push(entry));
    }

    /// Puts what is late into a batch: of each schedule some in turn, so that none waits until
    /// another one's backlog is worked off.
    fn fill_with_backlog(&mut self, taken: &mut Taken, batch: &mut Batch) {
        let now = batch.now;
        let mut waiting = Vec::new();
        while batch.has_room()
            && let Some(entry) = self.backlog.pop_front()
        {
            let Some(slot) = self.slots.at_mut(entry.slot).filter(|slot| slot.is_armed_by(&entry))
            else {
                continue;
            };
            if waits(slot, entry, taken, batch) {
                waiting.push(entry);
                continue;
            }
            if fire(slot, entry, taken, batch) == Fired::Asked {
                continue;
            }
            self.latest = self.latest.max(slot.cursor);
            match slot.arm(entry.slot) {
                Some(next) if is_late(next, now) => self.backlog.push_back(next),
                next => self.heap.extend(next),
            }
        }
        waiting.into_iter().rev().for_each(|entry| self.backlog.push_front(entry));
    }

    fn has_due(&self, now: Timestamp) -> bool {
        !self.backlog.is_empty()
            || self.putting_back.is_some()
            || self.heap.next_due().is_some_and(|due| due <= now)
    }

    /// Takes what became of each firing of a batch, in their order, and then of each question;
    /// what was not found out is not known. Answers whose cursors are to be stored: those of
    /// everything that moved.
    pub fn settle(&mut self, batch: &Batch, outcomes: &[Outcome]) -> Settled {
        let mut missed = Vec::new();
        let (fired, found) = outcomes.split_at(outcomes.len().min(batch.firings.len()));
        for (firing, outcome) in batch.firings.iter().zip(fired) {
            let Some(index) = self.slots.index_of(firing.schedule.id()) else { continue };
            let Some(slot) = self.slots.at_mut(index) else { continue };
            match outcome {
                // The clock was put back, and shows again what it had shown.
                Outcome::Known(id) if firing.occurrence.at <= self.shown_until => {
                    slot.counted_before(firing, *id);
                    self.arm(index);
                }
                Outcome::Known(id) => slot.stored(*id),
                Outcome::Stored(id) => {
                    slot.is_sure = true;
                    slot.stored(*id);
                }
                Outcome::Overlapped => {
                    missed.push(slot.overlapped(firing));
                    // It may have been the last of `max_fires`.
                    self.arm(index);
                }
                Outcome::Unknown => {}
            }
        }
        let mut moved: Vec<u32> = batch.moved.clone();
        let mut found = found.iter();
        for asked in batch.questions.chunk_by(|one, next| one.schedule.id() == next.schedule.id()) {
            let answers: Vec<_> = asked.iter().zip(found.by_ref().take(asked.len())).collect();
            moved.extend(self.answer(asked, &answers, &mut missed));
        }
        let moved = moved.into_iter().filter_map(|index| self.slots.at(index));
        Settled { moved: moved.map(|slot| slot.schedule.id()).collect(), missed }
    }

    /// Takes what is known of the runs that a schedule asked for; answers its slot when it has moved
    /// over some that fired. It asks again then: others may have fired after them. Those before them
    /// that did not fire are told, perhaps once more.
    fn answer(
        &mut self,
        asked: &[Firing],
        answers: &[(&Firing, &Outcome)],
        missed: &mut Vec<Missed>,
    ) -> Option<u32> {
        let index = self.slots.index_of(asked.first()?.schedule.id())?;
        let slot = self.slots.at_mut(index)?;
        let (before, mut left_out) = (slot.cursor, Vec::new());
        for (question, answer) in answers {
            match answer {
                Outcome::Known(id) | Outcome::Stored(id) => {
                    slot.fired_before(&question.occurrence, *id);
                    missed.append(&mut left_out);
                }
                Outcome::Overlapped | Outcome::Unknown => {
                    left_out.push(slot.left_out(&question.occurrence));
                }
            }
        }
        let has_moved = slot.cursor != before;
        slot.is_sure |= !has_moved;
        self.latest = self.latest.max(slot.cursor);
        self.arm(index);
        has_moved.then_some(index)
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
        if !self.backlog.is_empty() || self.putting_back.is_some() {
            return now;
        }
        self.heap.next_due().map_or(longest, |due| due.clamp(now, longest))
    }

    /// Looks anew when everything is due: the rules of a zone have changed.
    pub fn zones_changed(&mut self) {
        self.arm_again(self.slots.indices());
    }

    /// The same for some slots. Until it was done for all, the others are due by the old rules at
    /// most: what fires looks at the rules that hold.
    pub(crate) fn arm_again(&mut self, slots: Range<u32>) {
        let mut looked = Looked::default();
        slots.for_each(|index| self.arm_among(index, &mut looked));
    }

    /// Puts an entry for the schedule's next occurrence into the heap; the one before it counts no
    /// more.
    fn arm(&mut self, index: u32) {
        let entry = self.slots.at_mut(index).and_then(|slot| slot.arm(index));
        self.put_in(entry);
    }

    /// The same where many are armed.
    fn arm_among(&mut self, index: u32, looked: &mut Looked) {
        let entry = self.slots.at_mut(index).and_then(|slot| slot.arm_among(index, looked));
        self.put_in(entry);
    }

    fn put_in(&mut self, entry: Option<Entry>) {
        self.heap.extend(entry);
        if self.heap.is_stale(self.slots.len()) {
            let slots = &self.slots;
            self.heap.retain(|entry| slots.at(entry.slot).is_some_and(|s| s.is_armed_by(entry)));
        }
    }
}

/// Whether its event has to be stored before the next: one in another batch, which is stored beside
/// this one, or one that is to be asked about.
fn waits(slot: &Slot, entry: Entry, taken: &Taken, batch: &Batch) -> bool {
    let by = taken.get(&entry.slot);
    by.is_some_and(|number| *number != batch.number || slot.minds_overlap())
}

/// Lets a schedule fire, and notes in which batch it is.
fn fire(slot: &mut Slot, entry: Entry, taken: &mut Taken, batch: &mut Batch) -> Fired {
    let fired = slot.fire(batch);
    if fired != Fired::Nothing
        && taken.insert(entry.slot, batch.number) != Some(batch.number)
        && fired == Fired::Moved
    {
        batch.moved.push(entry.slot);
    }
    fired
}

/// Whether it is missed rather than due: what becomes of it is the schedule's to say.
fn is_late(entry: Entry, now: Timestamp) -> bool {
    now.since(entry.due) > CRON_LATE_MAX
}
