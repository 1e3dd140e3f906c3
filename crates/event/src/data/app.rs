//! `data` of an event that an application emitted.

use crate::{Correlation, DataText, Fill, Timestamp};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::collections::BTreeMap;

/// What an application said of its own event.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct AppData {
    /// The application's id of the event, unique as long as the event is stored.
    pub event_id: String,
    /// The application's name of what happened, the same as the event's `type`.
    pub event_type: String,
    /// When it happened, as the application says.
    pub timestamp: Timestamp,
    /// The run of a flow.
    pub flow_id: Option<String>,
    /// The kind of flow.
    pub flow_type: Option<String>,
    /// The proposal.
    pub proposal_id: Option<String>,
    /// The deal.
    pub deal_id: Option<String>,
    /// The session.
    pub session_id: Option<String>,
    /// The payload, token for token.
    #[schemars(with = "serde_json::Value")]
    pub payload: Box<RawValue>,
    /// What the application wants kept beside it.
    #[serde(default)]
    #[schemars(with = "BTreeMap<String, serde_json::Value>")]
    pub metadata: BTreeMap<String, serde_json::Value>,
}

/// The `data` of an app event in the making: all of it but the payload, which is the raw bytes.
#[derive(Debug, Serialize)]
pub struct AppParts<'a> {
    /// The application's id of the event.
    pub event_id: &'a str,
    /// The application's name of what happened.
    pub event_type: &'a str,
    /// When it happened.
    pub timestamp: Timestamp,
    /// What it belongs to.
    #[serde(flatten)]
    pub correlation: &'a Correlation,
    /// What the application wants kept beside it.
    #[serde(skip)]
    pub metadata: &'a BTreeMap<String, serde_json::Value>,
    /// How the raw bytes are shown as payload.
    #[serde(skip)]
    pub fill: Fill,
}

impl AppParts<'_> {
    /// The `data` of the event, with a hole where the payload belongs.
    #[must_use]
    pub fn data(&self) -> DataText {
        DataText::from_object(self).hole("payload", self.fill).field("metadata", self.metadata)
    }
}
