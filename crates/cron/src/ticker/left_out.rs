//! What was due and will not fire, because its schedule is paused, changed or gone.

use super::{Missed, MissedWhy, backlog::Look};
use crate::{Cursor, Schedule};
use headgate_event::{Timestamp, limits::CRON_MISSED_COUNTED_MAX};

/// What of a schedule was due after one moment and up to another; none when nothing was.
pub(super) fn left_out(
    schedule: &Schedule,
    cursor: &Cursor,
    (after, until): (Timestamp, Timestamp),
    why: MissedWhy,
) -> Option<Missed> {
    let rules = schedule.rules();
    if rules.max_fires.is_some_and(|max| cursor.fires >= max) {
        return None;
    }
    let after = schedule.start_floor().map_or(after, |floor| floor.max(after));
    let until = rules.end_at.map_or(until, |end| end.min(until));
    let mut look = Look::at(schedule.timing());
    let first = look.after(after).filter(|first| first.at <= until)?;
    let (count, at_least) = look.count(after, until, CRON_MISSED_COUNTED_MAX);
    let last = look.newest(&first, until).at;
    Some(Missed { schedule: schedule.clone(), why, count, at_least, first: first.at, last })
}

/// What of a schedule was due up to `now`, has not fired and will not; not what it left out on
/// purpose.
pub(super) fn unfired(
    schedule: &Schedule,
    cursor: &Cursor,
    now: Timestamp,
    why: MissedWhy,
) -> Vec<Missed> {
    let end = cursor.hold().since.map_or(now, |since| since.min(now));
    let open = cursor.open_until(end).into_iter();
    open.filter_map(|span| left_out(schedule, cursor, span, why)).collect()
}

/// Whether any of a schedule was due after one moment and up to another.
pub(super) fn was_due(schedule: &Schedule, after: Timestamp, until: Timestamp) -> bool {
    let after = schedule.start_floor().map_or(after, |floor| floor.max(after));
    schedule.timing().next_after(after).is_some_and(|next| next.at <= until)
}
