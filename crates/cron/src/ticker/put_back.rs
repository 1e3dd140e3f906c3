//! A wall clock that is put back by hours: who is too far ahead of it begins anew.
//!
//! There may be a million of them, so it is done in pieces, and what is due fires between. Until its
//! turn comes a schedule is ahead of the clock, and so not due.

use super::{ClockReset, Ticker, looked::Looked};
use headgate_event::{
    Timestamp,
    limits::{CRON_BACK_STEP_MAX, SCHEDULES_PER_LOOK_MAX},
};

/// How far the schedules have followed a clock that was put back.
#[derive(Clone, Copy, Debug)]
pub(super) struct PuttingBack {
    /// The first slot that has not been looked at.
    next: u32,
    /// The furthest that a cursor was ahead.
    furthest: Timestamp,
    /// How many have begun anew.
    begun: usize,
}

impl Ticker {
    /// A small step back of the clock waits until the cursors are past. After a large one, the
    /// clock was wrong before: who is too far ahead begins anew, some with each call.
    pub(super) fn put_back(&mut self, now: Timestamp) -> Option<ClockReset> {
        let latest = now.plus(CRON_BACK_STEP_MAX);
        if self.latest > latest {
            let before = self.putting_back;
            let furthest = before.map_or(self.latest, |before| before.furthest.max(self.latest));
            let begun = before.map_or(0, |before| before.begun);
            self.putting_back = Some(PuttingBack { next: 0, furthest, begun });
            self.shown_until = self.shown_until.max(self.latest);
            self.latest = now;
        }
        let PuttingBack { next, furthest, mut begun } = self.putting_back.take()?;
        let end = self.slots.indices().end;
        let upto = end.min(next.saturating_add(SCHEDULES_PER_LOOK_MAX as u32));
        let (mut moved, mut looked) = (Vec::new(), Looked::default());
        for index in next..upto {
            let Some(slot) = self.slots.at_mut(index) else { continue };
            if slot.reach() > latest {
                slot.begin_at(now);
                moved.push(slot.schedule.id());
                self.arm_among(index, &mut looked);
            } else {
                self.latest = self.latest.max(slot.reach());
            }
        }
        begun += moved.len();
        if upto < end {
            self.putting_back = Some(PuttingBack { next: upto, furthest, begun });
        }
        let all = (upto == end && begun > 0).then_some(begun);
        (all.is_some() || !moved.is_empty()).then_some(ClockReset { furthest, now, moved, all })
    }
}
