//! What there is, looked through piece by piece: while a piece is looked at nothing fires, and there
//! may be a million.

use super::{CronSource, Inner};
use crate::{Place, ReloadError, Schedule, ScheduleOrigin, ScheduleView, ticker::Compared};
use headgate_event::limits::{
    SCHEDULES_LOOK_PAUSE, SCHEDULES_PER_LOOK_MAX, SCHEDULES_SHOWN_AT_ONCE_MAX,
};
use std::{ops::Range, thread};

impl CronSource {
    /// All schedules with up to `runs` next runs each, in the order of [`page`](Self::page).
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
        let comes = |schedule: &Schedule| {
            channel.is_none_or(|channel| channel == schedule.channel().id)
                && after.is_none_or(|after| schedule.place() > after)
        };
        let mut first = Vec::new();
        for slots in self.inner.looks() {
            first.extend(self.inner.core().some(slots, comes).cloned());
            if first.len() > limit.saturating_mul(2).saturating_add(SCHEDULES_PER_LOOK_MAX) {
                keep_first(&mut first, limit);
            }
        }
        keep_first(&mut first, limit);
        first.sort_unstable_by(|a, b| a.place().cmp(&b.place()));
        let mut views = Vec::with_capacity(first.len());
        for some in first.chunks(SCHEDULES_SHOWN_AT_ONCE_MAX) {
            let core = self.inner.core();
            views.extend(some.iter().filter_map(|schedule| core.view(schedule.id(), runs)));
        }
        views
    }

    /// The schedules made over the API that fire into channels which this says are gone.
    #[must_use]
    pub fn made_for(&self, is_gone: impl Fn(&str) -> bool) -> Vec<Schedule> {
        let fits = |schedule: &Schedule| {
            schedule.origin() == ScheduleOrigin::Api
                && schedule.timing().parked().is_none()
                && is_gone(&schedule.channel().id)
        };
        let mut found = Vec::new();
        for slots in self.inner.looks() {
            found.extend(self.inner.core().some(slots, fits).cloned());
        }
        found
    }

    /// Whether these could take the place of all schedules from the configuration.
    pub fn check(&self, schedules: &[Schedule]) -> Result<(), ReloadError> {
        self.inner.compare(schedules).map(drop)
    }
}

impl Inner {
    /// All slots, in pieces.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        pieces(self.core().slot_count())
    }

    fn looks(&self) -> impl Iterator<Item = Range<u32>> + use<> {
        looks(self.core().slot_count())
    }

    /// What is different of these schedules from those that there are.
    pub(super) fn compare(&self, schedules: &[Schedule]) -> Result<Compared, ReloadError> {
        let mut compared = Compared::default();
        for piece in looks(u32::try_from(schedules.len()).unwrap_or(u32::MAX)) {
            self.core().compare(schedules, piece, &mut compared)?;
        }
        Ok(compared)
    }
}

fn pieces(count: u32) -> impl Iterator<Item = Range<u32>> {
    let step = SCHEDULES_PER_LOOK_MAX as u32;
    (0..count).step_by(SCHEDULES_PER_LOOK_MAX).map(move |at| at..(at + step).min(count))
}

/// The same with a pause before each but the first: a lock that is taken again at once is given to
/// nobody else.
fn looks(count: u32) -> impl Iterator<Item = Range<u32>> {
    pieces(count).inspect(|piece| {
        if piece.start > 0 {
            thread::sleep(SCHEDULES_LOOK_PAUSE);
        }
    })
}

fn keep_first(schedules: &mut Vec<Schedule>, limit: usize) {
    if schedules.len() > limit {
        schedules.select_nth_unstable_by(limit, |a, b| a.place().cmp(&b.place()));
        schedules.truncate(limit);
    }
}
