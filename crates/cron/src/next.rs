//! From civil times to instants: the next occurrence of a schedule in its time zone.
//!
//! Time is walked by stretches of one offset. Within one, civil times and instants run in step, so
//! one question to the schedule finds the next of them; the civil times that the clock left out at
//! its beginning, and those that it shows a second time, are windows at its two ends. So nothing
//! found is ever at or before the cursor, whatever the zone does.

use crate::{
    CivilTimes, DstMark, DstPolicy, Occurrence, OffsetSpan, ZoneRules,
    zone::{civil_of, seconds},
};
use headgate_event::{
    Timestamp,
    limits::{NOMINAL_TIMES_MAX, OFFSET_SPANS_WALKED_MAX},
};

mod asked;
use asked::Asked;

mod count;
pub(crate) use count::occurrence_count;

mod turned;
use turned::{GapRule, Turned};

/// The first occurrence after the cursor, never at or before it; none when no later one exists.
///
/// Civil times that a gap moves to one instant are one occurrence, which lists the first
/// [`NOMINAL_TIMES_MAX`] of them. The cursor may stand anywhere, between the two passes of a
/// repeated hour too. A schedule that answers with the past is asked for later times a few times,
/// logged, and then taken to have ended.
#[must_use]
pub fn next_occurrence(
    times: &dyn CivilTimes,
    zone: &dyn ZoneRules,
    policy: DstPolicy,
    cursor: Timestamp,
) -> Option<Occurrence> {
    let times = Asked::new(times);
    let turned = Turned::of(policy, times.class());
    let mut after = cursor.unix_s().clamp(OffsetSpan::BEGINNING + 1, OffsetSpan::END - 1);
    let mut span = zone.span_at(after);
    for _ in 0..OFFSET_SPANS_WALKED_MAX {
        let search = Search { times: &times, turned, span, after };
        match search.run() {
            Step::Found(occurrence) => return Some(occurrence),
            Step::Ended => return None,
            Step::After(later) if later >= OffsetSpan::END - 1 => return None,
            Step::After(later) => {
                after = later;
                span = zone.span_at(later + 1);
            }
        }
    }
    None
}

/// The search for the first occurrence after an instant, within one stretch of one offset.
struct Search<'a> {
    times: &'a Asked<'a>,
    turned: Turned,
    span: OffsetSpan,
    /// Where it looks from, exclusive, in seconds since 1970: in the stretch or before it.
    after: i64,
}

/// What a search came to.
enum Step {
    Found(Occurrence),
    /// Nothing here; go on with what is after this instant.
    After(i64),
    /// The schedule has no later civil time, and the clock shows no earlier one again.
    Ended,
}

/// What the schedule's own civil times come to in a stretch.
enum Shown {
    /// At this instant, with this civil time in seconds.
    At { at: i64, civil: i64, mark: Option<DstMark> },
    /// Not in this stretch; no civil time from here up to this one is left, or none at all.
    NotBefore(Option<i64>),
}

/// The instant of civil times that the clock left out, and the first of them, in seconds.
#[derive(Clone, Copy)]
struct LeftOut {
    at: i64,
    civil: i64,
}

impl Search<'_> {
    fn run(&self) -> Step {
        let left_out = self.left_out();
        let shown = self.shown();
        match (left_out, shown) {
            (Some(gap), Shown::At { at, civil, .. }) if gap.at == at => {
                Step::Found(self.occurrence_of_gap(gap, Some(civil)))
            }
            (Some(gap), Shown::At { at, .. }) if gap.at < at => {
                Step::Found(self.occurrence_of_gap(gap, None))
            }
            (_, Shown::At { at, civil, mark }) => {
                Step::Found(self.occurrence(at, vec![civil_of(civil)], mark))
            }
            (Some(gap), Shown::NotBefore(_)) => Step::Found(self.occurrence_of_gap(gap, None)),
            (None, Shown::NotBefore(later)) => self.go_on(later),
        }
    }

    /// The first civil time that the clock shows in this stretch and that the policy admits.
    fn shown(&self) -> Shown {
        let (from, admitted) = self.turned.admitted(&self.span, self.after);
        if from + 1 >= admitted {
            return Shown::NotBefore(Some(from + 1));
        }
        match self.times.after(from) {
            Some(civil) if civil < admitted => {
                let mark = match civil {
                    _ if civil < Turned::second_pass_until(&self.span) => Some(DstMark::SecondPass),
                    _ if civil >= Turned::first_pass_from(&self.span) => Some(DstMark::FirstPass),
                    _ => None,
                };
                Shown::At { at: civil - self.span.offset_s(), civil, mark }
            }
            later => Shown::NotBefore(later),
        }
    }

    /// The first instant to which the policy moves civil times that the clock left out when this
    /// stretch began.
    fn left_out(&self) -> Option<LeftOut> {
        let (opens, closes) = self.turned.gap_before(&self.span)?;
        let begins = self.span.begins;
        match self.turned.gap {
            GapRule::Skip => None,
            GapRule::After if self.after >= begins => None,
            GapRule::After => {
                let civil = self.times.after(opens - 1).filter(|civil| *civil < closes)?;
                Some(LeftOut { at: begins, civil })
            }
            GapRule::Shift => {
                let from = self.after.max(begins - 1) + seconds(self.span.before);
                let civil = (from + 1 < closes).then(|| self.times.after(from)).flatten()?;
                let at = civil - seconds(self.span.before);
                (civil < closes && at < self.span.ends).then_some(LeftOut { at, civil })
            }
        }
    }

    /// Where to look next, when this stretch has nothing: the civil times left are all at or after
    /// `later`. Where the clock is put back at its end, earlier ones come again.
    fn go_on(&self, later: Option<i64>) -> Step {
        let put_back = seconds(self.span.after) < self.span.offset_s();
        let end = self.span.ends - 1;
        match later {
            _ if put_back && self.turned.second_pass => Step::After(end),
            None => Step::Ended,
            Some(civil) => Step::After(end.max(civil - Self::OFFSET_S_MAX - 1)),
        }
    }

    /// No clock shows a civil time earlier than this before its instant.
    const OFFSET_S_MAX: i64 = 24 * 3600;

    /// The occurrence of a gap, with the civil time that the clock itself shows at its instant.
    fn occurrence_of_gap(&self, gap: LeftOut, shown: Option<i64>) -> Occurrence {
        let closes = self.span.begins + self.span.offset_s();
        let mut nominal = vec![civil_of(gap.civil)];
        let mut last = gap.civil;
        while self.turned.gap == GapRule::After && nominal.len() < NOMINAL_TIMES_MAX {
            match self.times.after(last) {
                Some(civil) if civil < closes => {
                    nominal.push(civil_of(civil));
                    last = civil;
                }
                _ => break,
            }
        }
        nominal.extend(shown.map(civil_of));
        self.occurrence(gap.at, nominal, Some(DstMark::Gap))
    }

    fn occurrence(
        &self,
        at: i64,
        nominal: Vec<chrono::NaiveDateTime>,
        dst: Option<DstMark>,
    ) -> Occurrence {
        Occurrence { at: Timestamp::from_unix_s(at), nominal, offset: self.span.offset, dst }
    }
}
