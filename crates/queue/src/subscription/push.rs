//! What a subscription asks for whose events are posted to a URL.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Where the events of a subscription are posted to. What it is signed with, and the values of its
/// headers, are secret and not here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct PushSpec {
    /// An `http` or `https` URL.
    pub url: String,
    /// The names of the headers that are sent beside our own.
    #[serde(default)]
    pub headers: Vec<String>,
    /// How long one attempt may take, in milliseconds.
    pub timeout_ms: u64,
    /// How many events may be on their way at one time.
    pub max_in_flight: u32,
    /// At most so many attempts a second; as many as there are unless it says so.
    #[serde(default)]
    pub rate: Option<u32>,
    /// The certificates, in PEM, of which one must have signed the endpoint's; those that the
    /// system trusts unless it says so.
    #[serde(default)]
    pub ca: Option<String>,
    /// As what an event is sent.
    pub format: PushFormat,
}

/// As what an event is sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum PushFormat {
    /// As the API gives it, with its delivery.
    #[default]
    Event,
    /// As the envelope `{id, kind, payload, timestamp}`.
    Envelope,
    /// As a structured CloudEvent, version 1.0.
    Cloudevents,
    /// As a CloudEvent in binary mode: attributes as headers, the data as the body.
    CloudeventsBinary,
}
