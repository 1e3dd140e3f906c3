//! What did not fire, for the log and the metric.

use crate::Schedule;
use headgate_event::Timestamp;
use uuid::Uuid;

/// Occurrences of one schedule that did not fire and will not.
#[derive(Clone, Debug)]
pub struct Missed {
    /// The schedule.
    pub schedule: Schedule,
    /// Why.
    pub why: MissedWhy,
    /// How many.
    pub count: u64,
    /// Whether there may be more than were counted.
    pub at_least: bool,
    /// When the first one was due.
    pub first: Timestamp,
    /// When the last one was due.
    pub last: Timestamp,
}

/// Why occurrences did not fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MissedWhy {
    /// They came too late, and the schedule catches up none, or the newest one only.
    Policy,
    /// They came later than the schedule's catch-up window.
    Window,
    /// They were more than the schedule's catch-up limit.
    Limit,
    /// The event before was unsettled.
    Overlap,
    /// The schedule was paused, or switched off where it is configured.
    Paused,
    /// The schedule is due at other times since.
    Changed,
    /// The schedule was taken away.
    Removed,
}

/// The wall clock was set back by more than a step that is waited out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClockReset {
    /// The furthest that a cursor was ahead.
    pub furthest: Timestamp,
    /// Where they begin.
    pub now: Timestamp,
    /// Who they are, as many as were looked at: their cursors are to be stored with the batch.
    pub moved: Vec<Uuid>,
    /// How many they are, with those of batches before, when these are the last.
    pub all: Option<usize>,
}

impl MissedWhy {
    /// The word in logs and metrics.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Policy => "policy",
            Self::Window => "window",
            Self::Limit => "limit",
            Self::Overlap => "overlap",
            Self::Paused => "paused",
            Self::Changed => "changed",
            Self::Removed => "removed",
        }
    }
}
