//! What a policy means for one schedule where the wall clock is turned.

use crate::{DstPolicy, FiringClass, Fold, Gap, OffsetSpan, zone::seconds};
use headgate_event::limits::DST_GAP_S_MAX;

/// A policy, with its `cron` rules settled by the class of a schedule.
#[derive(Clone, Copy)]
pub(super) struct Turned {
    pub(super) gap: GapRule,
    pub(super) first_pass: bool,
    pub(super) second_pass: bool,
}

/// What becomes of civil times that the clock leaves out.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum GapRule {
    Skip,
    After,
    Shift,
}

impl Turned {
    pub(super) const fn of(policy: DstPolicy, class: FiringClass) -> Self {
        let gap = match (policy.gap, class) {
            (Gap::Cron, FiringClass::Interval) | (Gap::Skip, _) => GapRule::Skip,
            (Gap::Cron, FiringClass::Fixed) | (Gap::After, _) => GapRule::After,
            (Gap::Shift, _) => GapRule::Shift,
        };
        let (first_pass, second_pass) = match (policy.fold, class) {
            (Fold::Cron, FiringClass::Fixed) | (Fold::First, _) => (true, false),
            (Fold::Second, _) => (false, true),
            (Fold::Cron, FiringClass::Interval) | (Fold::Both, _) => (true, true),
        };
        Self { gap, first_pass, second_pass }
    }

    /// The civil times of a stretch after an instant that the policy admits, in seconds: after the
    /// first of these two and before the second.
    pub(super) fn admitted(self, span: &OffsetSpan, after: i64) -> (i64, i64) {
        let mut from = after.max(span.begins - 1) + span.offset_s();
        if !self.second_pass {
            from = from.max(Self::second_pass_until(span) - 1);
        }
        let until = span.ends + span.offset_s();
        let first_pass_from = Self::first_pass_from(span);
        (from, if self.first_pass { until } else { until.min(first_pass_from) })
    }

    /// The civil times of a stretch before this one are shown for the second time.
    pub(super) const fn second_pass_until(span: &OffsetSpan) -> i64 {
        span.begins + seconds(span.before)
    }

    /// The civil times of a stretch from this one on will be shown again.
    pub(super) const fn first_pass_from(span: &OffsetSpan) -> i64 {
        span.ends + seconds(span.after)
    }

    /// The civil times that the clock left out when a stretch began, in seconds: from the first up
    /// to and without the last. None when it left out nothing, or more than summer time does.
    pub(super) fn gap_before(self, span: &OffsetSpan) -> Option<(i64, i64)> {
        let (opens, closes) = (span.begins + seconds(span.before), span.begins + span.offset_s());
        (1..=DST_GAP_S_MAX).contains(&(closes - opens)).then_some((opens, closes))
    }
}
