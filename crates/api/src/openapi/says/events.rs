//! Reading what is stored.

use super::event;
use crate::{
    event_deliveries::EventDeliveries,
    events::Events,
    openapi::{
        operation::{Content, Operation, Parameter},
        schemas::Schemas,
    },
    shown::Shown,
};
use headgate_event::{
    cloudevents::MEDIA_TYPE,
    limits::{FILTER_BYTES_MAX, LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX},
};
use headgate_queue::Erased;
use serde_json::{Value, json};

/// `GET /v1/events`.
pub(crate) fn list() -> Operation {
    let about = "Filters are ANDed. `next_cursor` is good for the same filters only, and stays \
                 where it is while events arrive.";
    filters(Operation::new("listEvents", "events", "List events, newest first"))
        .about(about)
        .parameter(time("since", "Received at or after this moment."))
        .parameter(time("until", "Received before this moment."))
        .parameter(limit())
        .parameter(cursor())
        .parameter(format())
        .json::<Events>(200, "A page of events", json!({"events": [event()], "next_cursor": null}))
        .error(422, &["invalid_parameter", "unknown_parameter", "invalid_cursor"])
        .uses_queue()
}

/// The filters of lists of events and of the live tail.
pub(super) fn filters(operation: Operation) -> Operation {
    let filters = [
        ("type", "The event's type, such as `webhook.received`"),
        ("channel", "The id of the channel"),
        ("provider", "Who sent it, such as `github`"),
        ("provider_event", "The provider's name of what happened, such as `push`"),
        ("thread_key", "What belongs together"),
        ("flow_id", "The run of a flow"),
        ("flow_type", "The kind of flow"),
        ("proposal_id", "The proposal"),
        ("deal_id", "The deal"),
        ("session_id", "The session"),
        ("event_id", "The id that an application gave its event"),
    ];
    let all = filters.into_iter().fold(operation, |operation, (name, about)| {
        operation.parameter(Parameter::repeated(name, about))
    });
    all.parameter(filter())
}

/// The filter expression.
pub(super) fn filter() -> Parameter {
    let about = "What holds of the event besides. A page looks into a bounded number of events, so \
                 that it may be short, or empty, with a `next_cursor`.";
    Parameter::query("filter", about, json!({"type": "string", "maxLength": FILTER_BYTES_MAX}))
        .example(r#"provider == "github" && data.body.action in ["opened", "reopened"]"#.into())
}

/// `GET /v1/events/{id}`.
pub(crate) fn show() -> Operation {
    let cloud_event = Content::JsonAs(MEDIA_TYPE, Schemas::answer::<Shown>, event());
    one(Operation::new("getEvent", "events", "Show one event"))
        .parameter(format())
        .json::<Shown>(200, "The event", event())
        .answer(200, "The event", cloud_event)
        .error(422, &["invalid_parameter"])
}

/// `DELETE /v1/events/{id}`.
pub(crate) fn erase() -> Operation {
    let about = "Its bytes are overwritten wherever they are; its id and times stay as long as it \
                 would have been kept. Deliveries of it come no more. Again gives the same answer.";
    let erased = json!({
        "id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "created_at": "2026-11-21T01:02:03.456Z",
        "erased_at": "2026-11-22T08:00:00.000Z"
    });
    addressed(Operation::new("eraseEvent", "events", "Erase the content of one event"))
        .about(about)
        .json::<Erased>(200, "It is erased", erased)
}

/// `GET /v1/events/{id}/raw`.
pub(crate) fn raw() -> Operation {
    let about = "Byte for byte what the sender sent as body, whatever its type was. The `raw_url` \
                 of a message is this call, signed.";
    linked(one(Operation::new("getRawEvent", "events", "Get the exact bytes that came")))
        .about(about)
        .answer(200, "The bytes", Content::Other("application/octet-stream", None))
}

/// `GET /v1/events/{id}/attachments/{number}`.
pub(crate) fn attachment() -> Operation {
    let about = "Decoded, out of the stored message. The `url` of an attachment is this call, \
                 signed. Whatever it is, it comes as a file to save: its media type is in the event.";
    linked(one(Operation::new("getAttachment", "events", "Get what hangs on a message")))
        .about(about)
        .parameter(Parameter::path("number", "Its place in `attachments`, from 0 on.", "0"))
        .error(404, &["unknown_attachment"])
        .answer(200, "The bytes", Content::Other("application/octet-stream", None))
}

/// A call for which a signed URL is as good as a key.
fn linked(operation: Operation) -> Operation {
    let expires = json!({"type": "integer"});
    let about = "Until when a signed URL is good, in Unix seconds.";
    operation
        .parameter(Parameter::query("expires", about, expires))
        .parameter(Parameter::query(
            "signature",
            "What proves a signed URL. With it no key is needed.",
            json!({"type": "string"}),
        ))
        .error(403, &["wrong_signature", "expired"])
        .error(422, &["invalid_parameter"])
}

/// `GET /v1/events/{id}/deliveries`.
pub(crate) fn deliveries() -> Operation {
    let about = "Every subscription that wants the event is named. What came of attempts is kept \
                 of pushes, the newest of all of them: status, time, and the first 1024 bytes of \
                 the answer.";
    let attempt = json!({
        "attempt": 1, "at": "2026-11-21T01:02:03.456Z", "took_ms": 12, "outcome": "refused",
        "status": 503, "answer": "busy", "error": "answered 503"
    });
    let example = json!({"deliveries": [{
        "subscription": "agent", "standing": "waiting", "attempt": 2,
        "due": "2026-11-21T01:02:08.456Z", "attempts": [attempt]
    }]});
    let operation =
        Operation::new("listEventDeliveries", "events", "Show what became of one event");
    addressed(operation).about(about).json::<EventDeliveries>(200, "Its deliveries", example)
}

fn one(operation: Operation) -> Operation {
    addressed(operation).error(410, &["erased"])
}

fn addressed(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::path("id", "The id of the event.", "01KAJ3V3W2N9E6W0V8R3M5T7QZ"))
        .error(404, &["unknown_event"])
        .error(422, &["invalid_id", "unknown_parameter"])
        .uses_queue()
}

/// A moment.
pub(super) fn time(name: &'static str, about: &str) -> Parameter {
    let schema = json!({"type": "string", "format": "date-time"});
    Parameter::query(name, about, schema).example("2026-11-21T01:02:03Z".into())
}

/// The shape in which events are given.
pub(super) fn format() -> Parameter {
    let schema = json!({"type": "string", "enum": ["envelope", "cloudevents"]});
    Parameter::query("format", "Another shape than Headgate's own.", schema)
}

/// How long a page is.
pub(super) fn limit() -> Parameter {
    let schema = json!({
        "type": "integer", "minimum": 1, "maximum": LIST_EVENTS_MAX, "default": LIST_EVENTS_DEFAULT
    });
    Parameter::query("limit", "At most so many.", schema)
}

/// Where a page begins.
pub(super) fn cursor() -> Parameter {
    let schema: Value = json!({"type": "string"});
    Parameter::query("cursor", "The `next_cursor` of the page before.", schema)
}
