//! How many occurrences there are in a span of time: by whole stretches of one offset, so that a
//! long outage is counted as fast as a short one.

use super::{GapRule, Turned, next_occurrence};
use crate::{CivilTimes, DstPolicy, OffsetSpan, ZoneRules, zone::civil_of};
use headgate_event::{Timestamp, limits::OFFSET_SPANS_WALKED_MAX};

/// How many occurrences [`next_occurrence`] would find after `cursor` and up to `until`, one after
/// the other; none for civil times that have to be walked.
pub(crate) fn occurrence_count(
    times: &dyn CivilTimes,
    zone: &dyn ZoneRules,
    policy: DstPolicy,
    cursor: Timestamp,
    until: Timestamp,
) -> Option<u64> {
    let turned = Turned::of(policy, times.class());
    let [mut after, until] =
        [cursor, until].map(|at| at.unix_s().clamp(OffsetSpan::BEGINNING + 1, OffsetSpan::END - 1));
    let mut count = 0;
    for _ in 0..OFFSET_SPANS_WALKED_MAX {
        if after >= until {
            break;
        }
        let span = zone.span_at(after + 1);
        if let Some(edge) = moved_until(turned, &span).filter(|edge| after < *edge) {
            // What the clock left out is found one by one: in an hour, mostly.
            let edge = edge.min(until);
            let from = Timestamp::from_unix_s;
            while let Some(next) = next_occurrence(times, zone, policy, from(after))
                && next.at.unix_s() <= edge
            {
                count += 1;
                after = next.at.unix_s();
            }
            after = edge;
        } else {
            let last = until.min(span.ends - 1);
            let (from, admitted) = turned.admitted(&span, after);
            let to = (admitted - 1).min(last + span.offset_s());
            if from < to {
                count += times.count(civil_of(from), civil_of(to))?;
            }
            after = last;
        }
    }
    Some(count)
}

/// The last instant of a stretch to which the policy moves what the clock left out at its
/// beginning; none when it moves nothing.
fn moved_until(turned: Turned, span: &OffsetSpan) -> Option<i64> {
    let (opens, closes) = turned.gap_before(span)?;
    match turned.gap {
        GapRule::Skip => None,
        GapRule::After => Some(span.begins),
        GapRule::Shift => Some((span.begins + (closes - opens) - 1).min(span.ends - 1)),
    }
}
