//! The bodies of calls to schedules.

use headgate_event::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// What a schedule shall be; the keys are those of `[[channel.schedule]]`. What is left out is the
/// default.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
pub struct ScheduleAsk {
    /// The id of the cron channel it fires into.
    pub channel: String,
    /// Its name, unique in its channel unless ids are given.
    pub name: String,
    /// Its id, a UUID; else it is made of channel and name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// When it is due: an expression of five fields. One of `cron`, `every` and `at` is needed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cron: Option<String>,
    /// A steady beat in elapsed time, such as `90s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub every: Option<String>,
    /// One moment: `2026-12-24T18:00` in its time zone, or with an offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<String>,
    /// What the beat of `every` is counted from; 1970 when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub anchor: Option<String>,
    /// Whether the expression has six or seven fields, the first for seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seconds: Option<bool>,
    /// An IANA name such as `America/New_York`; UTC when it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// Where the clock skips an hour: `cron`, `skip`, `after` or `shift`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_gap: Option<String>,
    /// Where the clock repeats an hour: `cron`, `first`, `second` or `both`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_fold: Option<String>,
    /// What its events carry: any JSON.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<serde_json::Value>")]
    pub payload: Option<Box<RawValue>>,
    /// Which missed runs fire: `skip`, `one` or `all`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catchup: Option<String>,
    /// How late a missed run may be and still fire, such as `24h`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catchup_window: Option<String>,
    /// How many missed runs fire at most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub catchup_limit: Option<u32>,
    /// Up to how much later it fires than it is due, such as `30s`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    /// Whether it fires while its event before is unsettled: `allow` or `skip`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap: Option<String>,
    /// With `overlap` = `skip`: the subscription that has to have settled it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub overlap_subscription: Option<String>,
    /// Nothing before this is due: a moment with an offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub start_at: Option<String>,
    /// Nothing after this is due: a moment with an offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end_at: Option<String>,
    /// How often it fires.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_fires: Option<u64>,
    /// Whether it fires at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,
}

/// The body of a call that lets a schedule go on.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct ResumeAsk {
    /// Whether what was due meanwhile is caught up, by the rules of the schedule.
    pub(crate) catch_up: bool,
}

/// The body of a call that runs a schedule.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct RunAsk {
    /// The same key again is the same run; without one every call is a run of its own.
    pub(crate) idempotency_key: Option<String>,
}

/// The body of a call that makes runs of the past.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct BackfillAsk {
    /// The first moment.
    pub(crate) from: Timestamp,
    /// The last moment, included.
    pub(crate) to: Timestamp,
}
