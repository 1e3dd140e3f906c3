//! What becomes of occurrences that were missed.
//!
//! Memory does not grow with an outage, and time hardly: the newest occurrences are found by
//! halving, not by walking, and how many there are is computed.

use super::{Batch, Missed, MissedWhy, slot::Next, slot::Slot};
use crate::{CatchupPolicy, Occurrence, Timing};
use headgate_event::{
    Timestamp,
    limits::{CRON_LATE_MAX, CRON_MISSED_COUNTED_MAX},
};
use std::{sync::Arc, time::Duration};

const SECOND: Duration = Duration::from_secs(1);
/// A computed count takes as long as so many steps.
const COUNT_STEPS: u64 = 2;

/// Decides over a backlog that begins with `head`: answers what fires of it first, if anything,
/// and notes what does not.
pub(super) fn judge(
    slot: &mut Slot,
    head: Next,
    now: Timestamp,
    batch: &mut Batch,
) -> Option<Occurrence> {
    let rules = slot.schedule.rules();
    let (policy, window, limit) = (rules.catchup.policy, rules.catchup.window, rules.catchup.limit);
    let end = rules.end_at.map_or(now, |end| end.min(now));
    let timing = Arc::clone(slot.schedule.timing());
    let mut look = Look::at(&timing);
    let end = slot.kept_until(&head.occurrence).map_or(end, |kept| kept.min(end));
    let newest = look.newest_due(slot, &head.occurrence, end, now);
    let oldest = now.minus(window);
    let fires = match policy {
        CatchupPolicy::Skip => {
            let delay = head.due.since(head.occurrence.at);
            let late = now.minus(CRON_LATE_MAX).minus(delay);
            let last = look.newest(&head.occurrence, late.min(newest.at));
            slot.drop_until(&head.occurrence, &last, MissedWhy::Policy, &mut look, batch);
            None
        }
        _ if newest.at < oldest => {
            slot.drop_until(&head.occurrence, &newest, MissedWhy::Window, &mut look, batch);
            None
        }
        CatchupPolicy::One => {
            if head.occurrence.at < newest.at {
                let before = newest.at.minus(Duration::from_millis(1));
                let last = look.newest(&head.occurrence, before);
                slot.drop_until(&head.occurrence, &last, MissedWhy::Policy, &mut look, batch);
            }
            Some(newest)
        }
        CatchupPolicy::All => {
            let from = slot.cursor.max(before(&head.occurrence));
            let parts = look.too_much(from, oldest, newest.at, u64::from(limit));
            for (until, why) in parts.into_iter().flatten() {
                let first = look.after(slot.cursor.max(from));
                if let Some(first) = first.filter(|first| first.at <= until) {
                    let last = look.newest(&first, until);
                    slot.drop_until(&first, &last, why, &mut look, batch);
                }
            }
            slot.catch_up(newest.at);
            look.after(slot.cursor.max(from))
        }
    };
    batch.steps += look.steps;
    fires
}

/// The moment before an occurrence.
fn before(occurrence: &Occurrence) -> Timestamp {
    occurrence.at.minus(Duration::from_millis(1))
}

impl Slot {
    /// Passes over the occurrences from `first` to `last`.
    fn drop_until(
        &mut self,
        first: &Occurrence,
        last: &Occurrence,
        why: MissedWhy,
        look: &mut Look<'_>,
        batch: &mut Batch,
    ) {
        let (count, at_least) = look.count(before(first), last.at, CRON_MISSED_COUNTED_MAX);
        let schedule = self.schedule.clone();
        let missed = Missed { schedule, why, count, at_least, first: first.at, last: last.at };
        self.miss(missed, batch);
        self.pass(last);
    }
}

/// Looks at the occurrences of a timing and counts how many it has computed.
pub(super) struct Look<'a> {
    timing: &'a Timing,
    steps: u64,
}

impl<'a> Look<'a> {
    pub(super) fn at(timing: &'a Timing) -> Self {
        Self { timing, steps: 0 }
    }

    pub(super) fn after(&mut self, cursor: Timestamp) -> Option<Occurrence> {
        self.steps += 1;
        self.timing.next_after(cursor)
    }

    /// The newest occurrence from `head` on that has its due time, jitter included, at `now` or
    /// before, and is not after `end`.
    fn newest_due(
        &mut self,
        slot: &Slot,
        head: &Occurrence,
        end: Timestamp,
        now: Timestamp,
    ) -> Occurrence {
        let newest = self.newest(head, end);
        if slot.due_of(&newest) <= now {
            return newest;
        }
        // The jitter of the one before it ended before this one.
        self.newest(head, before(&newest))
    }

    /// The newest occurrence that is not after `until`; `head`, when there is none after it.
    pub(super) fn newest(&mut self, head: &Occurrence, until: Timestamp) -> Occurrence {
        let (mut found, mut edge, mut back) = (head.clone(), until, SECOND);
        // Between `edge` and `until` there is none.
        while found.at < edge {
            let from = until.minus(back).max(found.at);
            match self.after(from).filter(|next| next.at <= until) {
                Some(next) => {
                    found = next;
                    break;
                }
                None => (edge, back) = (from, back.saturating_mul(2)),
            }
        }
        while found.at < edge {
            let half = (edge.unix_ms() - found.at.unix_ms()) / 2;
            let middle = Timestamp::from_unix_ms(found.at.unix_ms() + half);
            match self.after(middle).filter(|next| next.at <= until) {
                Some(next) => found = next,
                None => edge = middle,
            }
        }
        found
    }

    /// How many occurrences there are after `cursor` up to `until`, and whether there may be more.
    /// They are computed; what cannot be is counted one by one up to `most`.
    pub(super) fn count(&mut self, cursor: Timestamp, until: Timestamp, most: u64) -> (u64, bool) {
        if let Some(count) = self.timing.count(cursor, until) {
            self.steps += COUNT_STEPS;
            return (count, false);
        }
        let (mut cursor, mut count) = (cursor, 0);
        while let Some(next) = self.after(cursor).filter(|next| next.at <= until) {
            if count == most {
                return (count, true);
            }
            (cursor, count) = (next.at, count + 1);
        }
        (count, false)
    }

    /// Up to when to pass over what was due after `cursor`, and why, so that nothing is older than
    /// `oldest` and no more than `limit` fire; none of both when all of it does.
    fn too_much(
        &mut self,
        cursor: Timestamp,
        oldest: Timestamp,
        until: Timestamp,
        limit: u64,
    ) -> [Option<(Timestamp, MissedWhy)>; 2] {
        let oldest = oldest.minus(Duration::from_millis(1));
        let too_old = (cursor < oldest).then_some((oldest, MissedWhy::Window));
        let start = cursor.max(oldest);
        if !self.is_over(start, until, limit) {
            return [too_old, None];
        }
        let (mut many, mut few) = (start.unix_s(), until.unix_s());
        while few - many > 1 {
            let middle = many + (few - many) / 2;
            match self.is_over(Timestamp::from_unix_s(middle), until, limit) {
                true => many = middle,
                false => few = middle,
            }
        }
        [too_old, Some((Timestamp::from_unix_s(few), MissedWhy::Limit))]
    }

    /// Whether more than `limit` occurrences are after `cursor` up to `until`.
    fn is_over(&mut self, cursor: Timestamp, until: Timestamp, limit: u64) -> bool {
        let (count, more) = self.count(cursor, until, limit);
        more || count > limit
    }
}
