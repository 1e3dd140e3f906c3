//! What can be seen of the schedules from outside.

use super::{Ticker, slot::Slot};
use crate::{Cursor, Occurrence, Schedule, ScheduleOrigin};
use headgate_event::{Timestamp, limits::NEXT_RUNS_MAX};
use std::sync::Arc;
use uuid::Uuid;

/// A schedule, how far it has come, and when it is due next.
#[derive(Clone, Debug)]
pub struct ScheduleView {
    /// The schedule.
    pub schedule: Arc<Schedule>,
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
    /// All schedules with up to `runs` next runs each, in the order of [`Ticker::page`].
    #[must_use]
    pub fn list(&self, runs: usize) -> Vec<ScheduleView> {
        self.page(None, None, usize::MAX, runs)
    }

    /// The first `limit` schedules by channel, name and id, of one channel or of all, that come
    /// after this place; with up to `runs` next runs each.
    #[must_use]
    pub fn page(
        &self,
        channel: Option<&str>,
        after: Option<Place<'_>>,
        limit: usize,
        runs: usize,
    ) -> Vec<ScheduleView> {
        let comes = |slot: &&Slot| {
            channel.is_none_or(|channel| channel == slot.schedule.channel().id)
                && after.is_none_or(|after| slot.place() > after)
        };
        let mut slots: Vec<&Slot> = self.slots.iter().filter(comes).collect();
        if slots.len() > limit {
            slots.select_nth_unstable_by(limit, |a, b| a.place().cmp(&b.place()));
            slots.truncate(limit);
        }
        slots.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        slots.into_iter().map(|slot| slot.view(runs)).collect()
    }

    /// The schedules made over the API that fire into channels which this says are gone.
    #[must_use]
    pub fn made_for(&self, is_gone: impl Fn(&str) -> bool) -> Vec<Arc<Schedule>> {
        let made = |slot: &&Slot| slot.schedule.origin() == ScheduleOrigin::Api;
        let slots = self.slots.iter().filter(made);
        let orphans = slots.filter(|slot| is_gone(&slot.schedule.channel().id));
        orphans.map(|slot| Arc::clone(&slot.schedule)).collect()
    }

    /// One schedule with up to `runs` next runs.
    #[must_use]
    pub fn view(&self, id: Uuid, runs: usize) -> Option<ScheduleView> {
        Some(self.slots.at(self.slots.index_of(id)?)?.view(runs))
    }
}

impl Slot {
    fn place(&self) -> Place<'_> {
        let schedule = &self.schedule;
        (&schedule.channel().id, schedule.name(), schedule.id())
    }

    fn view(&self, runs: usize) -> ScheduleView {
        let rules = self.schedule.rules();
        let left = rules.max_fires.map_or(u64::MAX, |max| max.saturating_sub(self.fires));
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
            coming = coming.filter(|next| rules.end_at.is_none_or(|end| next.at <= end));
            let due_at = self.due_of(&occurrence);
            next.push(NextRun { occurrence, due_at });
        }
        ScheduleView { schedule: Arc::clone(&self.schedule), cursor: self.cursor(), next }
    }
}
