//! One event to be made: which schedule, for which occurrence, and why.

use crate::{Occurrence, Schedule};
use headgate_event::{EventId, Timestamp, data::CronTrigger};

/// One event to be made.
#[derive(Clone, Debug)]
pub struct Firing {
    /// The schedule.
    pub schedule: Schedule,
    /// What was due.
    pub occurrence: Occurrence,
    /// When it was to fire: the occurrence, later by the schedule's share of its jitter.
    pub due_at: Timestamp,
    /// When it fires.
    pub fired_at: Timestamp,
    /// Why.
    pub trigger: CronTrigger,
    /// What the schedule missed since it last fired; at least so much.
    pub missed: u64,
    /// The schedule's event before this, where it is not to fire while that is unsettled.
    pub previous: Option<EventId>,
    /// What tells a run by hand from another one at the same time.
    pub run_key: Option<Box<str>>,
}
