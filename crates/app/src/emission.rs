//! One event that an application wants stored: checked, and not yet a draft.

use bytes::Bytes;
use headgate_event::{
    Correlation, EventType, Fill, Timestamp,
    json::{Doc, DocErrorKind},
    limits::{APP_ID_BYTES_MAX, APP_TIME_AHEAD_MAX, DEDUPE_KEY_BYTES_MAX, THREAD_KEY_BYTES_MAX},
};
use serde_json::Value;
use std::collections::BTreeMap;

/// One event that an application wants stored.
#[derive(Clone, Debug)]
pub struct Emission {
    /// What happened.
    pub event_type: EventType,
    /// The shape in which it came.
    pub form: Form,
    /// The application's id of it; one is made where it gives none.
    pub event_id: Option<String>,
    /// When it happened; when it was received where the application does not say.
    pub timestamp: Option<Timestamp>,
    /// What it belongs to.
    pub correlation: Correlation,
    /// The payload.
    pub payload: Payload,
    /// What is kept beside the payload.
    pub metadata: BTreeMap<String, Value>,
    /// What belongs together.
    pub thread_key: Option<String>,
    /// What makes a repeat of it known.
    pub dedupe_key: Option<String>,
    /// The attributes of a CloudEvent that have no place of their own.
    pub context: Option<Value>,
}

/// The shape in which an event came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Headgate's own.
    Own,
    /// `{id, kind, payload, timestamp}`.
    Envelope,
    /// A CloudEvent, in any of its formats.
    CloudEvent,
}

/// The payload of an event: its bytes, and how they are shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// The bytes as they came.
    pub raw: Bytes,
    /// How `data` shows them.
    pub fill: Fill,
}

/// Why an event is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct EmissionError {
    /// What a program may branch on.
    pub code: &'static str,
    /// What was expected, what was found, and where.
    pub message: String,
}

impl EmissionError {
    /// An event whose field is not what it has to be.
    #[must_use]
    pub fn field(
        name: &str,
        expected: impl std::fmt::Display,
        found: impl std::fmt::Display,
    ) -> Self {
        let message = format!("`{name}`: expected {expected}, found {found}");
        Self { code: "invalid_event", message }
    }
}

impl Payload {
    /// A payload that is JSON, when every parser can read it.
    pub fn json(text: Bytes) -> Result<Self, EmissionError> {
        match Doc::parse(text.clone()) {
            Ok(_) => {}
            // It is only too much for its outline.
            Err(error) if error.kind == DocErrorKind::TooMany => {}
            Err(error) => {
                return Err(EmissionError::field("payload", "JSON that every parser takes", error));
            }
        }
        Ok(Self { raw: text, fill: Fill::Json })
    }
}

impl Emission {
    /// Says what is wrong with what every shape has, at this moment.
    pub fn check(&self, now: Timestamp) -> Result<(), EmissionError> {
        let Correlation { flow_id, flow_type, proposal_id, deal_id, session_id } =
            &self.correlation;
        let id_name = if self.form == Form::Own { "event_id" } else { "id" };
        for (name, text, most) in [
            (id_name, &self.event_id, APP_ID_BYTES_MAX),
            ("flow_id", flow_id, APP_ID_BYTES_MAX),
            ("flow_type", flow_type, APP_ID_BYTES_MAX),
            ("proposal_id", proposal_id, APP_ID_BYTES_MAX),
            ("deal_id", deal_id, APP_ID_BYTES_MAX),
            ("session_id", session_id, APP_ID_BYTES_MAX),
            ("thread_key", &self.thread_key, THREAD_KEY_BYTES_MAX),
            ("dedupe_key", &self.dedupe_key, DEDUPE_KEY_BYTES_MAX),
        ] {
            text.as_deref().map_or(Ok(()), |text| check_id(name, text, most))?;
        }
        self.timestamp.map_or(Ok(()), |time| check_time(time, now))
    }
}

/// Ids come back in URLs, headers and prompts.
pub(crate) fn check_id(name: &str, text: &str, most: usize) -> Result<(), EmissionError> {
    let expected = || format!("1 to {most} bytes without control characters");
    if !(1..=most).contains(&text.len()) {
        return Err(EmissionError::field(name, expected(), format!("{} bytes", text.len())));
    }
    match text.chars().find(|c| c.is_control()) {
        None => Ok(()),
        Some(c) => {
            let found = format!("U+{:04X} in it", u32::from(c));
            Err(EmissionError::field(name, expected(), found))
        }
    }
}

fn check_time(time: Timestamp, now: Timestamp) -> Result<(), EmissionError> {
    let expected = "a time since 1970 that is at most a day ahead";
    if time < Timestamp::default() || time > now.plus(APP_TIME_AHEAD_MAX) {
        return Err(EmissionError::field("timestamp", expected, format!("`{time}`")));
    }
    Ok(())
}
