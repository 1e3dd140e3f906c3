//! Events of applications: emitting them, and the bus.

use super::events::{cursor, limit};
use crate::{
    bus::Listed,
    emit::{Emitted, EmittedBatch},
    openapi::operation::{Operation, Parameter},
};
use headgate_app::{EmitAsk, EnvelopeAsk};
use headgate_event::{
    cloudevents::{BATCH_MEDIA_TYPE, MEDIA_TYPE},
    data::AppData,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// One event or several, in Headgate's own shape or, with `format=envelope`, in envelopes.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum EmitBody {
    One(EmitAsk),
    Several(Vec<EmitAsk>),
    Envelope(EnvelopeAsk),
    Envelopes(Vec<EnvelopeAsk>),
}

/// What is stored: of one event, or of an array.
#[derive(Serialize, JsonSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
enum EmitAnswer {
    One(Emitted),
    Several(EmittedBatch),
}

/// A CloudEvent in JSON. Any other member whose name has `a-z` and `0-9` alone is an attribute.
#[derive(Deserialize, JsonSchema)]
#[expect(dead_code, reason = "only its schema is used")]
struct CloudEventAsk {
    /// `1.0`.
    #[schemars(regex(pattern = "^1\\.0$"))]
    specversion: String,
    /// The id of the event, unique in its source.
    #[schemars(length(min = 1))]
    id: String,
    /// Where it happened, a URI reference.
    #[schemars(length(min = 1))]
    source: String,
    /// What happened.
    #[serde(rename = "type")]
    #[schemars(length(min = 1))]
    event_type: String,
    /// To what of the source.
    subject: Option<String>,
    /// When it happened, with an offset.
    #[schemars(with = "Option<headgate_event::Timestamp>")]
    time: Option<String>,
    /// The media type of the data.
    datacontenttype: Option<String>,
    /// The schema of the data, a URI.
    dataschema: Option<String>,
    /// The data: any JSON.
    #[schemars(with = "Option<Value>")]
    data: Option<Value>,
    /// The data in base64, where it is no JSON and no text.
    data_base64: Option<String>,
    /// Any other attribute.
    #[serde(flatten)]
    #[schemars(with = "BTreeMap<String, Value>")]
    extensions: BTreeMap<String, Value>,
}

/// `POST /v1/events`.
pub(crate) fn emit() -> Operation {
    let about = "One event or an array of them; all are stored or none. With `format=envelope` \
                 they are envelopes `{id, kind, payload, timestamp}`. A CloudEvent is taken in \
                 each of its formats: `application/cloudevents+json`, \
                 `application/cloudevents-batch+json`, and binary with `ce-` headers. An event \
                 whose `event_id` is stored is not stored again; with other content it is refused.";
    let schema = json!({"type": "string", "enum": ["envelope", "cloudevents"]});
    let key = Parameter {
        name: "idempotency-key",
        place: "header",
        about: "The same key with the same events again stores nothing; with others it is \
                refused."
            .to_owned(),
        schema: json!({"type": "string", "minLength": 1, "maxLength": 255}),
        example: Some(json!("2026-11-21-a")),
        required: false,
    };
    let example = json!({
        "id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "event_id": "evt-7", "duplicate": false
    });
    Operation::new("emitEvent", "events", "Emit events of an application")
        .about(about)
        .parameter(Parameter::query("format", "Another shape than Headgate's own.", schema))
        .parameter(key)
        .body::<EmitBody>(ask())
        .body_as::<CloudEventAsk>(MEDIA_TYPE, cloud_event())
        .body_as::<Vec<CloudEventAsk>>(BATCH_MEDIA_TYPE, json!([cloud_event()]))
        .body_required()
        .json::<EmitAnswer>(200, "They are stored; of an array `{\"events\": [..]}`", example)
        .error(409, &["event_conflict"])
        .error(413, &["event_too_large"])
        .error(422, &["invalid_event", "unknown_type", "reserved_type", "invalid_cloud_event"])
        .error(422, &["invalid_batch", "invalid_header", "invalid_parameter", "unknown_parameter"])
        .error(503, &["unavailable"])
}

/// `GET /events`.
pub(crate) fn list() -> Operation {
    let text = |name, about| Parameter::query(name, about, json!({"type": "string"}));
    Operation::new("listBusEvents", "events", "List what applications emitted, newest first")
        .about("Filters are ANDed before the limit.")
        .parameter(text("flow_id", "The run of a flow."))
        .parameter(text("event_type", "The type, such as `proposal.received`."))
        .parameter(text("session_id", "The session."))
        .parameter(limit())
        .parameter(cursor())
        .json::<Listed<'_>>(200, "A page", json!({"events": [event()], "next_cursor": null}))
        .error(422, &["invalid_parameter", "unknown_parameter", "invalid_cursor"])
        .uses_queue()
}

/// `GET /events/{event_id}`.
pub(crate) fn show() -> Operation {
    let about = "The id that the application gave, or that was made for it.";
    Operation::new("getBusEvent", "events", "Show what an application emitted, by its own id")
        .parameter(Parameter::path("event_id", about, "evt-7"))
        .json::<AppData>(200, "The event", event())
        .error(404, &["unknown_event"])
        .error(422, &["unknown_parameter"])
        .uses_queue()
}

fn ask() -> Value {
    json!({
        "type": "proposal.received", "event_id": "evt-7", "payload": {"price": 12.5},
        "flow_id": "flow-1", "session_id": "session-1"
    })
}

fn event() -> Value {
    json!({
        "event_id": "evt-7", "event_type": "proposal.received",
        "timestamp": "2026-11-21T01:02:03.456Z", "flow_id": "flow-1", "flow_type": null,
        "proposal_id": null, "deal_id": null, "session_id": "session-1",
        "payload": {"price": 12.5}, "metadata": {}
    })
}

fn cloud_event() -> Value {
    json!({
        "specversion": "1.0", "id": "A234-1234", "source": "/orders", "type": "com.example.ordered",
        "time": "2026-11-21T01:02:03Z", "datacontenttype": "application/json", "data": {"n": 1}
    })
}
