//! `data` of `cron.fired`.

use crate::{Open, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// Which schedule fired, when it was due and when it did.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct CronData {
    /// The schedule's id, a UUID.
    pub schedule_id: String,
    /// The expression as configured.
    pub cron_expr: String,
    /// The IANA name of the schedule's time zone.
    pub timezone: String,
    /// When it was due.
    pub scheduled_at: Timestamp,
    /// When it fired.
    pub fired_at: Timestamp,
    /// The configured payload.
    #[schemars(with = "serde_json::Value")]
    pub payload: Box<RawValue>,
    /// The schedule's name.
    #[serde(default)]
    pub schedule_name: Option<String>,
    /// How many runs before this one were missed and are not caught up; at least so many when they
    /// are more than are counted.
    #[serde(default)]
    pub missed_count: u64,
    /// How long after it was due (the schedule's jitter included) it fired, in milliseconds.
    #[serde(default)]
    pub late_by_ms: u64,
    /// The wall clock time that the expression names, without a zone: `2026-03-08T02:30:00`. None
    /// for what has none (`every`, runs by hand).
    #[serde(default)]
    pub nominal_local: Option<String>,
    /// The zone's offset when it was due: `-04:00`.
    #[serde(default)]
    pub utc_offset: Option<String>,
    /// What the turning of the wall clock did to it, when it did anything.
    #[serde(default)]
    pub dst: Option<Open<CronDst>>,
    /// Why it fired.
    #[serde(default)]
    pub trigger: Open<CronTrigger>,
}

/// What the turning of the wall clock did to an occurrence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CronDst {
    /// Its wall clock time did not exist that day.
    Gap,
    /// Its wall clock time came twice that day; this is the first.
    Fold1,
    /// Its wall clock time came twice that day; this is the second.
    Fold2,
}

/// Why a schedule fired.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CronTrigger {
    /// It was due.
    #[default]
    Schedule,
    /// It had been due before, and was missed.
    Catchup,
    /// Somebody ran it by hand.
    Manual,
    /// Somebody asked for the runs of a time that is past.
    Backfill,
}
