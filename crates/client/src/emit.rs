//! Events of your own.

use crate::{client::Client, error::ClientError, http::Call};
use headgate_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use uuid::Uuid;

/// An event of your own, to be put on the bus.
#[derive(Clone, Debug, Serialize)]
pub struct AppEvent {
    /// Its type: `proposal.received`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// What happened.
    pub payload: Value,
    /// Your id of it. One that is made here lets an emit be tried again and stored once.
    pub event_id: String,
    /// When it happened; when it came, if it is left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<Timestamp>,
    /// The undertaking it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_id: Option<String>,
    /// What kind of undertaking that is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub flow_type: Option<String>,
    /// The proposal it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub proposal_id: Option<String>,
    /// The deal it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deal_id: Option<String>,
    /// The session it belongs to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session_id: Option<String>,
    /// What is kept beside the payload.
    #[serde(skip_serializing_if = "Map::is_empty")]
    pub metadata: Map<String, Value>,
    /// What belongs together.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thread_key: Option<String>,
    /// What makes a repeat known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dedupe_key: Option<String>,
}

/// An event of your own, stored.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Emitted {
    /// Its ULID.
    pub id: String,
    /// Your id of it.
    pub event_id: String,
    /// Whether it was stored before.
    pub duplicate: bool,
}

#[derive(Deserialize)]
struct EmittedMany {
    events: Vec<Emitted>,
}

impl AppEvent {
    /// An event with a type and what happened.
    #[must_use]
    pub fn new(event_type: impl Into<String>, payload: Value) -> Self {
        Self {
            event_type: event_type.into(),
            payload,
            event_id: random_id(),
            timestamp: None,
            flow_id: None,
            flow_type: None,
            proposal_id: None,
            deal_id: None,
            session_id: None,
            metadata: Map::new(),
            thread_key: None,
            dedupe_key: None,
        }
    }
}

impl Client {
    /// Puts an event of your own on the bus; returns when it is stored. It is tried again when the
    /// gateway is away for a moment, and stored once.
    pub async fn emit(&self, event: &AppEvent) -> Result<Emitted, ClientError> {
        self.http.call_again(&Call::post("/v1/events", event)).await
    }

    /// Puts all of these on the bus, or none.
    pub async fn emit_many(&self, events: &[AppEvent]) -> Result<Vec<Emitted>, ClientError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        let answer: EmittedMany = self.http.call_again(&Call::post("/v1/events", &events)).await?;
        Ok(answer.events)
    }
}

/// A UUID of version 4; one of the process's own making when the system has no randomness.
fn random_id() -> String {
    let mut bytes = [0; 16];
    match getrandom::fill(&mut bytes) {
        Ok(()) => uuid::Builder::from_random_bytes(bytes).into_uuid().to_string(),
        Err(_) => Uuid::nil().to_string(),
    }
}
