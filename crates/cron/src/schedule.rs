//! A schedule: when it is due, what it says, and what becomes of what it misses.
//!
//! It is immutable and knows nothing of what has fired; that is its [`Cursor`](crate::Cursor).

mod error;
mod identity;
mod rules;

use crate::Timing;
use bytes::Bytes;
pub use error::ScheduleError;
use headgate_event::{
    Channel, ChannelType, Timestamp,
    json::Doc,
    limits::{SCHEDULE_NAME_BYTES_MAX, SCHEDULE_PAYLOAD_BYTES_MAX},
};
pub use rules::{Catchup, CatchupPolicy, Overlap, Rules};
use serde_json::value::RawValue;
use std::{sync::Arc, time::Duration};
use uuid::Uuid;

/// Who made a schedule, and may change it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ScheduleOrigin {
    /// The configuration: read-only over the API.
    Toml,
    /// A call to the API.
    Api,
}

/// What a schedule is made of, unchecked.
#[derive(Clone, Debug)]
pub struct ScheduleSpec {
    /// The channel it fires into.
    pub channel: Arc<Channel>,
    /// Its name. Without an id of its own it is unique in its channel, as the id is made of it.
    pub name: String,
    /// Its id, by [`Schedule::id_of`].
    pub id: Uuid,
    /// When it is due.
    pub timing: Arc<Timing>,
    /// What its events carry: any JSON.
    pub payload: Box<RawValue>,
    /// What becomes of what it misses, and within which bounds it fires. Schedules with the same
    /// rules share them.
    pub rules: Arc<Rules>,
    /// Whether it fires at all.
    pub enabled: bool,
    /// Who made it.
    pub origin: ScheduleOrigin,
}

/// A schedule whose parts fit together. Cheap to clone: a million of them are kept once.
#[derive(Clone, Debug)]
pub struct Schedule(Arc<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    id: Uuid,
    name: Box<str>,
    channel: Arc<Channel>,
    timing: Arc<Timing>,
    payload: Box<RawValue>,
    rules: Arc<Rules>,
    enabled: bool,
    origin: ScheduleOrigin,
}

impl Schedule {
    /// A schedule, when all its parts are what they should be.
    pub fn new(spec: ScheduleSpec) -> Result<Self, ScheduleError> {
        let name = spec.name.trim();
        let fits = (1..=SCHEDULE_NAME_BYTES_MAX).contains(&name.len());
        if !fits || name.chars().any(char::is_control) {
            return Err(ScheduleError::name(&spec.name));
        }
        if spec.channel.kind != ChannelType::Cron {
            let Channel { id, kind, .. } = Channel::clone(&spec.channel);
            return Err(ScheduleError::Channel { name: name.into(), id, kind });
        }
        let payload = checked_payload(name, spec.payload)?;
        spec.rules.check(name)?;
        Ok(Self(Arc::new(Parts {
            id: spec.id,
            name: name.into(),
            channel: spec.channel,
            timing: spec.timing,
            payload,
            rules: spec.rules,
            enabled: spec.enabled,
            origin: spec.origin,
        })))
    }

    /// The id that a schedule of this channel and name has, or the one that is given: before it is
    /// made, because each `H` of its expression is drawn from it.
    pub fn id_of(
        channel: &Channel,
        name: &str,
        given: Option<&str>,
    ) -> Result<Uuid, ScheduleError> {
        let name = name.trim();
        given.map_or_else(
            || Ok(identity::of(&channel.id, name)),
            |text| identity::explicit(name, text),
        )
    }

    /// Its id: the same as long as channel and name are, or as it is given.
    #[must_use]
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0.name
    }

    /// The channel it fires into.
    #[must_use]
    pub fn channel(&self) -> &Arc<Channel> {
        &self.0.channel
    }

    /// The same schedule in a channel that is the same by its id.
    pub(crate) fn in_channel(&self, channel: &Arc<Channel>) -> Self {
        Self(Arc::new(Parts { channel: Arc::clone(channel), ..(*self.0).clone() }))
    }

    /// When it is due.
    #[must_use]
    pub fn timing(&self) -> &Arc<Timing> {
        &self.0.timing
    }

    /// What its events carry, on one line.
    #[must_use]
    pub fn payload(&self) -> &RawValue {
        &self.0.payload
    }

    /// What becomes of what it misses, and within which bounds it fires.
    #[must_use]
    pub fn rules(&self) -> &Rules {
        &self.0.rules
    }

    /// Whether it fires at all.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.0.enabled
    }

    /// Who made it.
    #[must_use]
    pub fn origin(&self) -> ScheduleOrigin {
        self.0.origin
    }

    /// How long after its due time each occurrence fires, in milliseconds, where the next one is
    /// not sooner: from 0 to below its jitter, by its id.
    #[must_use]
    pub fn delay_ms(&self, gap_ms: Option<i64>) -> i64 {
        let jitter_ms = i64::try_from(self.0.rules.jitter.as_millis()).unwrap_or(i64::MAX);
        let room_ms = gap_ms.map_or(jitter_ms, |gap| gap.min(jitter_ms));
        if room_ms <= 0 { 0 } else { identity::spread(self.0.id).rem_euclid(room_ms) }
    }

    /// The cursor of a schedule that is made at `now`: nothing before that is due, unless its start
    /// is past.
    pub(crate) fn first_cursor(&self, now: Timestamp) -> Timestamp {
        self.start_floor().map_or(now, |floor| floor.min(now))
    }

    /// What is due is after this.
    pub(crate) fn start_floor(&self) -> Option<Timestamp> {
        self.0.rules.start_at.map(|start| start.minus(Duration::from_millis(1)))
    }

    /// Whether everything is the same; the timing by what it means.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        if Arc::ptr_eq(&self.0, &other.0) {
            return true;
        }
        let (a, b) = (&*self.0, &*other.0);
        let rules = Arc::ptr_eq(&a.rules, &b.rules) || a.rules == b.rules;
        self.same_timing_as(other)
            && rules
            && (a.id, a.enabled, a.origin) == (b.id, b.enabled, b.origin)
            && a.name == b.name
            && a.channel == b.channel
            && a.payload.get() == b.payload.get()
    }

    /// Whether both are due at the same times.
    pub(crate) fn same_timing_as(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0.timing, &other.0.timing) || self.0.timing.same_as(&other.0.timing)
    }
}

/// The payload on one line, when every consumer's parser takes it and it is not too large.
fn checked_payload(name: &str, payload: Box<RawValue>) -> Result<Box<RawValue>, ScheduleError> {
    let bytes = payload.get().len();
    if bytes > SCHEDULE_PAYLOAD_BYTES_MAX {
        return Err(ScheduleError::PayloadTooLarge { name: name.into(), bytes });
    }
    let text = Bytes::copy_from_slice(payload.get().as_bytes());
    let doc = Doc::parse(text);
    doc.map_err(|cause| ScheduleError::Payload { name: name.into(), cause })?;
    if payload.get().bytes().all(|byte| byte >= b' ') {
        return Ok(payload);
    }
    let line: String = payload.get().chars().filter(|char| *char >= ' ').collect();
    #[expect(clippy::expect_used, reason = "in JSON, raw controls are white space between tokens")]
    let line = RawValue::from_string(line).expect("still the same JSON");
    Ok(line)
}
