//! What an application sends: Headgate's own shape of an event, and the envelope.

use crate::{Catalog, Emission, EmissionError, Form, Payload, emission::check_id};
use bytes::Bytes;
use headgate_event::{Correlation, EventKind, Timestamp, limits::APP_ID_BYTES_MAX};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use std::collections::BTreeMap;

/// An event that an application emits.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub struct EmitAsk {
    /// What happened: a dotted name in lower case, one of the catalog where there is one.
    #[serde(rename = "type")]
    event_type: String,
    /// Any JSON; it is kept token for token.
    #[schemars(with = "Value")]
    payload: Box<RawValue>,
    /// The application's id of the event; a UUID is made where it is left out.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    event_id: Option<String>,
    /// When it happened, with an offset; when it is received where it is left out.
    timestamp: Option<Timestamp>,
    /// The run of a flow.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    flow_id: Option<String>,
    /// The kind of flow.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    flow_type: Option<String>,
    /// The proposal.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    proposal_id: Option<String>,
    /// The deal.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    deal_id: Option<String>,
    /// The session.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    session_id: Option<String>,
    /// What is kept beside the payload.
    #[schemars(with = "Option<BTreeMap<String, Value>>")]
    metadata: Option<BTreeMap<String, Value>>,
    /// What belongs together.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    thread_key: Option<String>,
    /// What makes a repeat of it known for seven days, whatever its id is.
    #[schemars(length(min = 1, max = APP_ID_BYTES_MAX))]
    dedupe_key: Option<String>,
}

/// An event in the envelope.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub struct EnvelopeAsk {
    /// The application's id of the event; a UUID is made where it is left out or empty.
    #[serde(default)]
    id: Option<String>,
    /// What became of the thing: `created`, `updated` or `deleted`.
    #[schemars(with = "EventKind")]
    kind: String,
    /// The thing: any JSON but null.
    #[schemars(with = "Value")]
    payload: Box<RawValue>,
    /// When it happened, with an offset; when it is received where it is left out.
    #[serde(default)]
    timestamp: Option<Timestamp>,
}

impl EmitAsk {
    /// The emission that is asked for.
    pub fn emission(self, catalog: &Catalog) -> Result<Emission, EmissionError> {
        Ok(Emission {
            event_type: catalog.admit(&self.event_type, Form::Own)?,
            form: Form::Own,
            event_id: self.event_id,
            timestamp: self.timestamp,
            correlation: Correlation {
                flow_id: self.flow_id,
                flow_type: self.flow_type,
                proposal_id: self.proposal_id,
                deal_id: self.deal_id,
                session_id: self.session_id,
            },
            payload: payload(&self.payload)?,
            metadata: self.metadata.unwrap_or_default(),
            thread_key: self.thread_key,
            dedupe_key: self.dedupe_key,
            context: None,
        })
    }
}

impl EnvelopeAsk {
    /// The emission that is asked for.
    pub fn emission(self, catalog: &Catalog) -> Result<Emission, EmissionError> {
        let wrong = |error: headgate_event::EnvelopeError| EmissionError {
            code: "invalid_event",
            message: error.to_string(),
        };
        let kind: EventKind = self.kind.parse().map_err(wrong)?;
        if self.payload.get() == "null" {
            return Err(wrong(headgate_event::EnvelopeError::NullPayload));
        }
        let event_id = self.id.filter(|id| !id.is_empty());
        event_id.as_deref().map_or(Ok(()), |id| check_id("id", id, APP_ID_BYTES_MAX))?;
        Ok(Emission {
            event_type: catalog.admit(&kind.event_type(), Form::Envelope)?,
            form: Form::Envelope,
            event_id,
            timestamp: self.timestamp,
            correlation: Correlation::default(),
            payload: payload(&self.payload)?,
            metadata: BTreeMap::new(),
            thread_key: None,
            dedupe_key: None,
            context: None,
        })
    }
}

fn payload(value: &RawValue) -> Result<Payload, EmissionError> {
    Payload::json(Bytes::copy_from_slice(value.get().as_bytes()))
}
