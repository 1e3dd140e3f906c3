//! Changes to one schedule: by a call to the API.

use super::{GoesOn, ReloadError, Reloaded, Ticker, looked::Looked};
use crate::{Cursor, Schedule, ScheduleOrigin};
use headgate_event::{Channel, Timestamp};
use std::{ops::Range, sync::Arc};
use uuid::Uuid;

impl Ticker {
    /// The schedule with this id.
    #[must_use]
    pub fn schedule(&self, id: Uuid) -> Option<&Schedule> {
        Some(&self.slots.at(self.slots.index_of(id)?)?.schedule)
    }

    /// How far the schedule with this id has come.
    #[must_use]
    pub fn cursor(&self, id: Uuid) -> Option<Cursor> {
        Some(self.slots.at(self.slots.index_of(id)?)?.cursor())
    }

    /// How many schedules there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.slots.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    /// Puts a schedule in as a new one, or in the place of the one of its origin that has its id.
    pub fn put(&mut self, schedule: Schedule, now: Timestamp) -> Result<Reloaded, ReloadError> {
        let mut reloaded = Reloaded::default();
        match self.slots.index_of(schedule.id()) {
            Some(index) => {
                self.refuse_other_origin(index, &schedule)?;
                self.replace(index, schedule, now, &mut reloaded);
            }
            None => {
                reloaded.added += 1;
                self.add_new(schedule, now, &mut Looked::default(), &mut reloaded);
            }
        }
        Ok(reloaded)
    }

    fn refuse_other_origin(&self, index: u32, schedule: &Schedule) -> Result<(), ReloadError> {
        let there = self.slots.at(index).map(|slot| &slot.schedule);
        let other = there.filter(|there| there.origin() != schedule.origin());
        other.map_or(Ok(()), |there| {
            let (first, second) = (there.name().to_owned(), schedule.name().to_owned());
            Err(ReloadError::Duplicate { id: schedule.id(), first, second })
        })
    }

    /// Takes the schedule out; the cursor that remembers it is to be stored, what it leaves out to
    /// be told.
    pub fn remove(&mut self, id: Uuid, now: Timestamp) -> Option<GoesOn> {
        let index = self.slots.index_of(id)?;
        self.bury(index, now)
    }

    /// Lets those of these slots that were made over the API fire into these channels, where they
    /// are other ones of the same id. When they are due stays as it is.
    pub(crate) fn adopt_channels(&mut self, slots: Range<u32>, channels: &[Arc<Channel>]) {
        for index in slots {
            let Some(slot) = self.slots.at_mut(index) else { continue };
            if slot.schedule.origin() != ScheduleOrigin::Api {
                continue;
            }
            let there = slot.schedule.channel();
            let of_id = channels.iter().find(|channel| channel.id == there.id);
            if let Some(channel) = of_id.filter(|channel| **channel != *there) {
                slot.schedule = slot.schedule.in_channel(channel);
            }
        }
    }

    /// Lets a schedule go on from this cursor, which is stored already: after a pause, or paused.
    pub fn apply(&mut self, cursor: Cursor) {
        let Some(index) = self.slots.index_of(cursor.schedule_id) else { return };
        let Some(slot) = self.slots.at_mut(index) else { return };
        slot.go_on_from(cursor);
        self.latest = self.latest.max(slot.reach());
        self.arm(index);
    }
}
