//! From where a schedule goes on when it is put in, changed, paused, resumed or taken away, and
//! what it leaves out by that.

use super::{
    Missed, MissedWhy, Ticker,
    left_out::{left_out, unfired, was_due},
};
use crate::{Cursor, Schedule};
use headgate_event::Timestamp;
use uuid::Uuid;

/// What becomes of what was due during a pause.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Backlog {
    /// Nothing: it was meant not to fire.
    #[default]
    Drop,
    /// It is caught up by the schedule's rules.
    CatchUp,
}

/// From where a schedule goes on, and what it leaves out.
#[derive(Clone, Debug)]
pub struct GoesOn {
    /// From where.
    pub cursor: Cursor,
    /// What was due and will not fire.
    pub missed: Vec<Missed>,
}

impl GoesOn {
    /// The next event tells of what was missed, but for what was meant not to fire.
    fn leaving(mut cursor: Cursor, missed: Vec<Missed>) -> Self {
        let meant = missed.iter().filter(|missed| missed.why != MissedWhy::Paused);
        let count = meant.fold(0, |sum: u64, missed| sum.saturating_add(missed.count));
        cursor.missed = cursor.missed.saturating_add(count);
        Self { cursor, missed }
    }
}

impl Ticker {
    /// How the schedule with this id is when it is paused: what is due from `now` on does not fire.
    #[must_use]
    pub fn paused(&self, id: Uuid, now: Timestamp) -> Option<Cursor> {
        let mut cursor = Cursor { paused: true, ..self.cursor(id)? };
        cursor.note_hold(now);
        Some(cursor)
    }

    /// How the schedule with this id is when its pause ends. What was due before the pause fires by
    /// the schedule's rules, however late.
    #[must_use]
    pub fn resumed(&self, id: Uuid, backlog: Backlog, now: Timestamp) -> Option<GoesOn> {
        let schedule = self.schedule(id)?;
        let mut cursor = self.cursor(id)?;
        let mut missed = Vec::new();
        if cursor.paused && backlog == Backlog::Drop {
            missed.extend(leave_out(schedule, &mut cursor, now));
        }
        cursor.paused = false;
        cursor.note_hold(now);
        Some(GoesOn::leaving(cursor, missed))
    }

    /// What is remembered of the schedule with this id when it is taken away.
    #[must_use]
    pub fn removed(&self, id: Uuid, now: Timestamp) -> Option<GoesOn> {
        Some(removed(self.schedule(id)?, self.cursor(id)?, now))
    }
}

/// What is remembered of a schedule that is taken away.
pub(super) fn removed(schedule: &Schedule, mut cursor: Cursor, now: Timestamp) -> GoesOn {
    let missed = unfired(schedule, &cursor, now, MissedWhy::Removed);
    if cursor.until < now {
        cursor.begin_at(now);
    }
    cursor.removed_at = Some(now);
    GoesOn::leaving(cursor, missed)
}

/// How a schedule goes on in the place of another with its id.
pub(super) fn replacing(
    before: &Schedule,
    known: &Cursor,
    schedule: &Schedule,
    now: Timestamp,
) -> GoesOn {
    if known.timing == schedule.timing().fingerprint() {
        return back(known, schedule, now);
    }
    let missed = unfired(before, known, now, MissedWhy::Changed);
    let GoesOn { cursor, .. } = back(known, schedule, now);
    GoesOn::leaving(cursor, missed)
}

/// How a schedule goes on from what is remembered of it: where it was, unless it is due at other
/// times, was not there, or did not fire on purpose since.
pub(super) fn back(known: &Cursor, schedule: &Schedule, now: Timestamp) -> GoesOn {
    let timing = schedule.timing().fingerprint();
    let disabled = !schedule.is_enabled();
    let mut cursor = Cursor { timing, disabled, removed_at: None, ..known.clone() };
    let mut missed = Vec::new();
    if known.timing != timing {
        cursor.begin_at(now);
    } else if let Some(removed_at) = known.removed_at {
        // It was taken out of the file while nothing ran that could have told.
        missed = unfired(schedule, known, removed_at, MissedWhy::Removed);
        if known.until < now {
            cursor.begin_at(now);
        }
    } else if known.disabled && !disabled {
        missed.extend(leave_out(schedule, &mut cursor, now));
        cursor.note_hold(now);
    }
    let was_off = known.paused || known.disabled;
    let since = if was_off { cursor.until } else { now };
    cursor.note_hold(since);
    GoesOn::leaving(cursor, missed)
}

/// How a schedule begins when one with its id was taken away before: as a new one, but what that
/// one had dealt with stays so.
pub(super) fn made_again(known: &Cursor, schedule: &Schedule, now: Timestamp) -> Cursor {
    let mut cursor = first(schedule, now);
    if known.timing == cursor.timing && known.until > cursor.until {
        (cursor.until, cursor.last_nominal) = (known.until, known.last_nominal);
    }
    cursor
}

/// The cursor of a schedule that was never there.
pub(super) fn first(schedule: &Schedule, now: Timestamp) -> Cursor {
    let mut cursor = Cursor {
        schedule_id: schedule.id(),
        until: schedule.first_cursor(now),
        last_nominal: None,
        fires: 0,
        missed: 0,
        last_event: None,
        timing: schedule.timing().fingerprint(),
        paused: false,
        disabled: !schedule.is_enabled(),
        removed_at: None,
        hold: None,
    };
    cursor.note_hold(now);
    cursor
}

/// Lets a schedule go on without what was due while it did not fire on purpose, and answers that.
fn leave_out(schedule: &Schedule, cursor: &mut Cursor, now: Timestamp) -> Option<Missed> {
    let span = cursor.leave_out(now, |after, until| was_due(schedule, after, until))?;
    left_out(schedule, cursor, span, MissedWhy::Paused)
}
