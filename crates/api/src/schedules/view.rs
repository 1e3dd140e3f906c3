//! A schedule as the API shows it.

use headgate_event::{EventId, Timestamp, data::CronDst};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

/// A schedule, how far it has come, and when it is due next.
#[derive(Clone, Debug, Serialize, JsonSchema)]
#[schemars(rename = "Schedule")]
pub struct ScheduleView {
    /// Its id, a UUID: the same as long as channel and name are, or as it is given.
    pub id: String,
    /// Its name, unique in its channel unless ids were given.
    pub name: String,
    /// The id of the channel it fires into.
    pub channel: String,
    /// Who made it: `config`, where it is changed, or `api`.
    pub origin: ScheduleSource,
    /// The expression as configured; `every 90s` or `at 2026-12-24T18:00` for the other kinds.
    pub cron_expr: String,
    /// The IANA name of its time zone.
    pub timezone: String,
    /// When it is due, in words.
    pub description: String,
    /// What its events carry.
    #[schemars(with = "serde_json::Value")]
    pub payload: Box<RawValue>,
    /// Whether it is switched on where it is defined.
    pub enabled: bool,
    /// Whether it was paused by a call.
    pub paused: bool,
    /// How often it fired.
    pub fires: u64,
    /// How many runs it missed since it last fired, at least.
    pub missed_count: u64,
    /// What is due up to here is dealt with.
    pub dealt_with_until: Timestamp,
    /// Its last event, where `overlap` = `skip` makes it look for it.
    #[schemars(with = "Option<String>")]
    pub last_event_id: Option<EventId>,
    /// When it is due next, the soonest first; empty while it is paused or switched off.
    pub next: Vec<ScheduledRun>,
    /// Why it cannot fire: its channel or its time zone is missing. It goes on where it was when
    /// that is back; null when nothing is the matter.
    pub problem: Option<String>,
    /// What is allowed in it and may not be meant: both day fields, an abbreviation for a time
    /// zone, zone data that is not the system's; after it was made or changed, also that it never
    /// fires.
    pub warnings: Vec<String>,
}

/// Who made a schedule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ScheduleSource {
    /// The configuration file.
    Config,
    /// A call to the API.
    Api,
}

/// One run to come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScheduledRun {
    /// When it is due.
    pub scheduled_at: Timestamp,
    /// When it fires: later than it is due by the schedule's jitter.
    pub fires_at: Timestamp,
    /// What a clock in its time zone shows, with its offset: `2026-11-26T14:00:00-05:00`.
    pub local: String,
    /// What the turning of the clock does to it: `gap`, `fold1` or `fold2`.
    pub dst: Option<CronDst>,
}
