//! Putting other schedules in the place of those there are.
//!
//! The difference is by id: what is unchanged goes on as if nothing had happened, what is due at
//! other times begins anew, what is gone is remembered for a while. All or nothing.

use super::{
    GoesOn, Missed, Ticker,
    goes_on::{back, first, made_again, removed, replacing},
    looked::Looked,
    slot::Slot,
    slots::{Identified, hash},
};
use crate::{Cursor, Schedule, ScheduleOrigin};
use hashbrown::{HashTable, hash_table::Entry};
use headgate_event::{Timestamp, limits::SCHEDULE_TOMBSTONE_AGE};
use std::ops::Range;
use uuid::Uuid;

/// What a reload changed.
#[derive(Debug, Default)]
pub struct Reloaded {
    /// Schedules that were not there.
    pub added: usize,
    /// Schedules of which something is other than it was.
    pub changed: usize,
    /// Schedules that are gone.
    pub removed: usize,
    /// Schedules that are as they were.
    pub unchanged: usize,
    /// The schedules whose [cursors](Ticker::cursors) are to be stored.
    pub moved: Vec<Uuid>,
    /// What was due before, or was left out on purpose, and will not fire.
    pub missed: Vec<Missed>,
    /// New schedules that are never due: their times are past.
    pub past: Vec<Schedule>,
}

/// Why other schedules were not taken. Nothing has changed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// Two schedules have the same id.
    #[error(
        "schedules `{first}` and `{second}` have the same id `{id}`: expected another name or `id` \
         for one of them"
    )]
    Duplicate {
        /// The id.
        id: Uuid,
        /// The name of the one.
        first: String,
        /// The name of the other.
        second: String,
    },
}

/// How schedules differ from those that there are: by their ids, and what they mean.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    places: Vec<Place>,
    kept: Kept,
    /// Those that are not there, by their numbers.
    new: HashTable<u32>,
}

/// Where a schedule is to go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    New,
    /// In the place of the one in this slot.
    Changed(u32),
    Unchanged,
}

impl Ticker {
    /// Puts these in the place of all schedules from the configuration; those made over the API
    /// stay. The first call may bring both.
    pub fn reload(
        &mut self,
        schedules: Vec<Schedule>,
        now: Timestamp,
    ) -> Result<Reloaded, ReloadError> {
        let mut compared = Compared::default();
        let all = 0..u32::try_from(schedules.len()).unwrap_or(u32::MAX);
        self.compare(&schedules, all, &mut compared)?;
        let difference = compared.difference(schedules);
        Ok(self.apply_difference(difference, now))
    }

    /// Compares some of these schedules with those that there are. Afterwards only what differs has
    /// to be looked at, as long as no schedule comes, changes or goes.
    pub(crate) fn compare(
        &self,
        schedules: &[Schedule],
        piece: Range<u32>,
        compared: &mut Compared,
    ) -> Result<(), ReloadError> {
        let twice = |first: &Schedule, second: &Schedule| ReloadError::Duplicate {
            id: second.id(),
            first: first.name().to_owned(),
            second: second.name().to_owned(),
        };
        let id_of = |number: &u32| schedules.get(*number as usize).map(Schedule::id);
        let hash_of = |other: &u32| id_of(other).map_or(0, hash);
        if piece.start == 0 {
            // All at once: a table that grows looks at all again and again.
            compared.places.reserve_exact(schedules.len());
            compared.new.reserve(schedules.len().saturating_sub(self.slots.len()), hash_of);
        }
        for number in piece {
            let Some(schedule) = schedules.get(number as usize) else { break };
            let there = self.slots.index_of(schedule.id());
            let place = match there.and_then(|at| Some((at, &self.slots.at(at)?.schedule))) {
                Some((index, there)) => {
                    if compared.kept.has(index) || there.origin() != schedule.origin() {
                        let same = |other: &&Schedule| other.id() == schedule.id();
                        let before = schedules.iter().take(number as usize).find(same);
                        return Err(twice(before.unwrap_or(there), schedule));
                    }
                    compared.kept.note(index);
                    if there.same_as(schedule) { Place::Unchanged } else { Place::Changed(index) }
                }
                None => {
                    let same = |other: &u32| id_of(other) == Some(schedule.id());
                    match compared.new.entry(hash(schedule.id()), same, hash_of) {
                        Entry::Occupied(first) => {
                            let first = schedules.get(*first.get() as usize).unwrap_or(schedule);
                            return Err(twice(first, schedule));
                        }
                        Entry::Vacant(free) => drop(free.insert(number)),
                    }
                    Place::New
                }
            };
            compared.places.push(place);
        }
        Ok(())
    }

    /// Takes over what is different, all at once.
    pub(crate) fn apply_difference(&mut self, difference: Difference, now: Timestamp) -> Reloaded {
        let Difference { schedules, places, mut kept, unchanged } = difference;
        let mut reloaded = Reloaded { unchanged, ..Reloaded::default() };
        let more = places.iter().filter(|place| **place == Place::New).count();
        self.slots.reserve(more.saturating_sub(self.slots.free_count()));
        self.heap.reserve(more);
        reloaded.moved.reserve_exact(more);
        let mut looked = Looked::default();
        for (schedule, place) in schedules.into_iter().zip(places) {
            let index = match place {
                Place::Changed(index) => self.replace(index, schedule, now, &mut reloaded),
                Place::New | Place::Unchanged => {
                    reloaded.added += 1;
                    self.add(schedule, now, &mut looked, &mut reloaded)
                }
            };
            kept.note(index);
        }
        for index in self.slots.indices() {
            let from_file = |slot: &Slot| slot.schedule.origin() == ScheduleOrigin::Toml;
            if !kept.has(index) && self.slots.at(index).is_some_and(from_file) {
                reloaded.removed += 1;
                let Some(GoesOn { cursor, missed }) = self.bury(index, now) else { continue };
                reloaded.moved.push(cursor.schedule_id);
                reloaded.missed.extend(missed);
            }
        }
        self.bury_absent(now, &mut reloaded);
        reloaded
    }

    /// Puts a schedule in the place of the one with its id.
    pub(super) fn replace(
        &mut self,
        index: u32,
        schedule: Schedule,
        now: Timestamp,
        reloaded: &mut Reloaded,
    ) -> u32 {
        let Some(slot) = self.slots.at_mut(index) else { return index };
        if slot.schedule.same_as(&schedule) {
            reloaded.unchanged += 1;
            return index;
        }
        let GoesOn { cursor, missed } = replacing(&slot.schedule, &slot.cursor(), &schedule, now);
        slot.schedule = schedule;
        slot.go_on_from(cursor);
        reloaded.missed.extend(missed);
        reloaded.changed += 1;
        reloaded.moved.push(slot.schedule.id());
        self.latest = self.latest.max(slot.reach());
        self.arm(index);
        index
    }

    /// Takes in a schedule that was not there, with the cursor that is remembered of it.
    pub(super) fn add(
        &mut self,
        schedule: Schedule,
        now: Timestamp,
        looked: &mut Looked,
        reloaded: &mut Reloaded,
    ) -> u32 {
        let Some(known) = self.absent.take(schedule.id()) else {
            return self.add_new(schedule, now, looked, reloaded);
        };
        let GoesOn { cursor, missed } = back(&known, &schedule, now);
        if known != cursor {
            reloaded.moved.push(schedule.id());
        }
        reloaded.missed.extend(missed);
        self.insert(Slot::resuming(schedule, cursor), looked)
    }

    /// Takes in a schedule that is new, also when one with its id was there before.
    pub(super) fn add_new(
        &mut self,
        schedule: Schedule,
        now: Timestamp,
        looked: &mut Looked,
        reloaded: &mut Reloaded,
    ) -> u32 {
        let known = self.absent.take(schedule.id());
        let again = known.map(|known| made_again(&known, &schedule, now));
        let is_again = again.is_some();
        let cursor = again.unwrap_or_else(|| first(&schedule, now));
        reloaded.moved.push(schedule.id());
        let slot = match is_again {
            true => Slot::resuming(schedule, cursor),
            false => Slot::new(schedule, cursor),
        };
        if slot.is_past() {
            reloaded.past.push(slot.schedule.clone());
        }
        self.insert(slot, looked)
    }

    fn insert(&mut self, slot: Slot, looked: &mut Looked) -> u32 {
        self.latest = self.latest.max(slot.reach());
        let index = self.slots.insert(slot);
        self.arm_among(index, looked);
        index
    }

    /// From where a schedule goes on when it is made, or put in the place of the one with its id,
    /// at `now`.
    #[must_use]
    pub fn cursor_for(&self, schedule: &Schedule, now: Timestamp) -> Cursor {
        let id = schedule.id();
        if let Some((there, cursor)) = self.schedule(id).zip(self.cursor(id)) {
            return replacing(there, &cursor, schedule, now).cursor;
        }
        let known = self.absent.get(id);
        known.map_or_else(|| first(schedule, now), |known| made_again(known, schedule, now))
    }

    /// Takes a schedule out and remembers its cursor.
    pub(super) fn bury(&mut self, index: u32, now: Timestamp) -> Option<GoesOn> {
        let slot = self.slots.remove(index)?;
        let gone = removed(&slot.schedule, slot.cursor(), now);
        self.absent.insert(gone.cursor.clone());
        Some(gone)
    }

    /// Notes which of the remembered ones are gone since now.
    fn bury_absent(&mut self, now: Timestamp, reloaded: &mut Reloaded) {
        for cursor in self.absent.iter_mut().filter(|cursor| cursor.removed_at.is_none()) {
            cursor.removed_at = Some(now);
            reloaded.removed += 1;
            reloaded.moved.push(cursor.schedule_id);
        }
        self.absent.shrink();
    }

    /// Forgets what was removed long ago, and answers what it forgot.
    pub fn forget_removed(&mut self, now: Timestamp) -> Vec<Uuid> {
        let old = |cursor: &Cursor| {
            cursor.removed_at.is_some_and(|at| now.since(at) > SCHEDULE_TOMBSTONE_AGE)
        };
        let gone: Vec<Uuid> = self.absent.iter().filter(|it| old(it)).map(Cursor::id).collect();
        for id in &gone {
            self.absent.take(*id);
        }
        gone
    }
}

/// What a reload has to do.
#[derive(Debug)]
pub(crate) struct Difference {
    schedules: Vec<Schedule>,
    places: Vec<Place>,
    kept: Kept,
    unchanged: usize,
}

impl Compared {
    /// What is left of all the schedules that were compared. The others are let go of here.
    pub(crate) fn difference(self, mut schedules: Vec<Schedule>) -> Difference {
        let Self { mut places, kept, .. } = self;
        let all = places.len();
        let mut of = places.iter();
        schedules.retain(|_| of.next().is_some_and(|place| *place != Place::Unchanged));
        places.retain(|place| *place != Place::Unchanged);
        let unchanged = all - places.len();
        Difference { schedules, places, kept, unchanged }
    }
}

/// Which slots a reload keeps.
#[derive(Debug, Default)]
struct Kept(Vec<bool>);

impl Kept {
    fn note(&mut self, index: u32) {
        let index = index as usize;
        if index >= self.0.len() {
            self.0.resize(index + 1, false);
        }
        if let Some(kept) = self.0.get_mut(index) {
            *kept = true;
        }
    }

    fn has(&self, index: u32) -> bool {
        self.0.get(index as usize).copied().unwrap_or_default()
    }
}
