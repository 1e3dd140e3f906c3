//! What can be seen of the schedules from outside.

use super::{Ticker, slot::Slot};
use crate::{Cursor, Occurrence, Schedule};
use headgate_event::{Timestamp, limits::NEXT_RUNS_MAX};
use std::ops::Range;
use uuid::Uuid;

/// A schedule, how far it has come, and when it is due next.
#[derive(Clone, Debug)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Schedule,
    /// How far it has come.
    pub cursor: Cursor,
    /// When it is due next, the soonest first; none while it is paused or switched off.
    pub next: Vec<NextRun>,
}

/// One run to come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextRun {
    /// What is due.
    pub occurrence: Occurrence,
    /// When it fires, its jitter included.
    pub due_at: Timestamp,
}

/// Where a schedule stands in a list: channel, name and id.
pub type Place<'a> = (&'a str, &'a str, Uuid);

impl Ticker {
    /// How far a look through all schedules has to go.
    pub(crate) fn slot_count(&self) -> u32 {
        self.slots.indices().end
    }

    /// The schedules of some slots that fit. One that stays where it is from the first look at
    /// slots to the last is in exactly one of them.
    pub(crate) fn some(
        &self,
        slots: Range<u32>,
        fits: impl Fn(&Schedule) -> bool,
    ) -> impl Iterator<Item = &Schedule> {
        let slots = slots.filter_map(|index| self.slots.at(index));
        slots.map(|slot| &slot.schedule).filter(move |schedule| fits(schedule))
    }

    /// One schedule with up to `runs` next runs.
    #[must_use]
    pub fn view(&self, id: Uuid, runs: usize) -> Option<ScheduleView> {
        Some(self.slots.at(self.slots.index_of(id)?)?.view(runs))
    }
}

impl Schedule {
    /// Where it stands in a list.
    pub(crate) fn place(&self) -> Place<'_> {
        (&self.channel().id, self.name(), self.id())
    }
}

impl Slot {
    fn view(&self, runs: usize) -> ScheduleView {
        let rules = self.schedule.rules();
        let left = rules.max_fires.map_or(u64::MAX, |max| max.saturating_sub(self.fires()));
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(runs).min(NEXT_RUNS_MAX);
        let mut next = Vec::new();
        let mut coming = match left {
            0 => None,
            _ => self.next().map(|next| next.occurrence),
        };
        while next.len() < left
            && let Some(occurrence) = coming
        {
            coming = self.schedule.timing().next_after(occurrence.at);
            coming = coming.and_then(|next| self.not_left_out(next));
            coming = coming.filter(|next| rules.end_at.is_none_or(|end| next.at <= end));
            let due_at = self.due_of(&occurrence);
            next.push(NextRun { occurrence, due_at });
        }
        ScheduleView { schedule: self.schedule.clone(), cursor: self.cursor(), next }
    }
}
