//! How far a schedule has come: what outlives the program.

use chrono::NaiveDateTime;
use headgate_event::{EventId, Timestamp};
use uuid::Uuid;

/// How far a schedule has come.
///
/// It says only where to look from. That nothing fires twice is the store's doing, by the dedupe
/// key of each event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The schedule.
    pub schedule_id: Uuid,
    /// What is due up to here is dealt with.
    pub until: Timestamp,
    /// The wall clock time of the occurrence at `until`, when it is one that has a time.
    pub last_nominal: Option<NaiveDateTime>,
    /// How often it fired.
    pub fires: u64,
    /// What it missed since it last fired; at least so much.
    pub missed: u64,
    /// Its last event, where the schedule looks whether that is settled.
    pub last_event: Option<EventId>,
    /// The [fingerprint](crate::Timing::fingerprint) of its timing: with another one it begins
    /// anew.
    pub timing: u64,
    /// Whether it is paused over the API.
    pub paused: bool,
    /// Whether it is switched off where it is configured.
    pub disabled: bool,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
}
