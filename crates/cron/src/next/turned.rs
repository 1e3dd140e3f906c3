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

    /// The civil times that the clock left out when a stretch began, in seconds: from the first up
    /// to and without the last. None when it left out nothing, or more than summer time does.
    pub(super) fn gap_before(self, span: &OffsetSpan) -> Option<(i64, i64)> {
        let (opens, closes) = (span.begins + seconds(span.before), span.begins + span.offset_s());
        (1..=DST_GAP_S_MAX).contains(&(closes - opens)).then_some((opens, closes))
    }
}
