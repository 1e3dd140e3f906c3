//! `data` of `cron.fired`.

use crate::Timestamp;
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
    /// How many runs before this one were missed and are not caught up.
    #[serde(default)]
    pub missed_count: u64,
}
