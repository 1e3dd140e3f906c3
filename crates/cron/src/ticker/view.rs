//! What can be seen of the schedules from outside.

use super::{Ticker, slot::Slot};
use crate::{Cursor, Occurrence, Schedule};
use headgate_event::{Timestamp, limits::NEXT_RUNS_MAX};
use std::sync::Arc;

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

impl Ticker {
    /// The schedules with up to `runs` next runs each, by channel and name.
    #[must_use]
    pub fn list(&self, runs: usize) -> Vec<ScheduleView> {
        let mut views: Vec<_> = self.slots.iter().map(|slot| slot.view(runs)).collect();
        let key = |view: &ScheduleView| {
            let schedule = &view.schedule;
            (schedule.channel().id.clone(), schedule.name().to_owned(), schedule.id())
        };
        views.sort_by_cached_key(key);
        views
    }

    /// The first `limit` schedules by channel and name, of one channel or of all, that come after
    /// this channel and name; with up to `runs` next runs each.
    #[must_use]
    pub fn page(
        &self,
        channel: Option<&str>,
        after: Option<(&str, &str)>,
        limit: usize,
        runs: usize,
    ) -> Vec<ScheduleView> {
        let place =
            |slot: &Slot| (slot.schedule.channel().id.clone(), slot.schedule.name().to_owned());
        let comes = |slot: &&Slot| {
            let (its, name) = (slot.schedule.channel().id.as_str(), slot.schedule.name());
            channel.is_none_or(|channel| channel == its)
                && after.is_none_or(|after| (its, name) > after)
        };
        let mut slots: Vec<&Slot> = self.slots.iter().filter(comes).collect();
        if slots.len() > limit {
            slots.select_nth_unstable_by_key(limit, |slot| place(slot));
            slots.truncate(limit);
        }
        slots.sort_by_cached_key(|slot| place(slot));
        slots.into_iter().map(|slot| slot.view(runs)).collect()
    }

    /// One schedule with up to `runs` next runs.
    #[must_use]
    pub fn view(&self, id: uuid::Uuid, runs: usize) -> Option<ScheduleView> {
        Some(self.slots.at(self.slots.index_of(id)?)?.view(runs))
    }
}

impl Slot {
    fn view(&self, runs: usize) -> ScheduleView {
        let rules = self.schedule.rules();
        let left = rules.max_fires.map_or(u64::MAX, |max| max.saturating_sub(self.fires));
        let left = usize::try_from(left).unwrap_or(usize::MAX).min(runs).min(NEXT_RUNS_MAX);
        let mut next = Vec::new();
        let mut coming = self.next().map(|next| next.occurrence);
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
