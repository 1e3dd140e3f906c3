//! One due time of a schedule, as an instant and as the wall clock showed it.

use chrono::{FixedOffset, NaiveDateTime};
use headgate_event::Timestamp;

/// One due time of a schedule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Occurrence {
    /// The instant, in whole seconds.
    pub at: Timestamp,
    /// The civil times it stands for: one, or several that a gap pushed to the same instant.
    /// None for what has no civil time (`every`).
    pub nominal: Vec<NaiveDateTime>,
    /// The zone's offset at the instant.
    pub offset: FixedOffset,
    /// What the clock's turning did to it.
    pub dst: Option<DstMark>,
}

/// What the turning of the wall clock did to an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DstMark {
    /// Its civil time did not exist that day.
    Gap,
    /// Its civil time came twice that day; this is the first.
    FirstPass,
    /// Its civil time came twice that day; this is the second.
    SecondPass,
}
