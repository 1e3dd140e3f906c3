//! The stream.

use crate::openapi::operation::{Content, Operation, Parameter};
use headgate_event::limits::{IN_FLIGHT_MAX, LEASE_MS_MAX, STREAM_IN_FLIGHT_DEFAULT};
use serde_json::json;

const ABOUT: &str = "\
Without `subscription` it is a live tail: events as they come, nothing of the past, nothing to settle \
(scope `read`). With it the stream is durable: each event comes until it is settled (scope \
`consume`).\n\n\
The first frame is `{\"type\": \"hello\", \"connection_id\", \"project_id\", \"server\"}`; every event \
frame is an Event itself. A client settles by frames `{\"type\": \"ack\" | \"retry\" | \"extend\" | \
\"bury\", \"id\"}`; what cannot be done is answered by a frame of type `error`, and a tail that is too \
slow is told by one of type `lagged` how many events it missed.";

/// `GET /v1/stream`.
pub(crate) fn open() -> Operation {
    let in_flight = json!({
        "type": "integer", "minimum": 1, "maximum": IN_FLIGHT_MAX,
        "default": STREAM_IN_FLIGHT_DEFAULT
    });
    let lease = json!({"type": "integer", "minimum": 1, "maximum": LEASE_MS_MAX});
    let name = json!({"type": "string"});
    Operation::new("openStream", "deliveries", "Get events as they come, over a WebSocket")
        .about(ABOUT)
        .parameter(Parameter::query("subscription", "Durable: of this subscription.", name))
        .parameter(Parameter::query(
            "max_in_flight",
            "Durable: at most so many unsettled events at a time.",
            in_flight,
        ))
        .parameter(Parameter::query("lease_ms", "Durable: how long each is leased.", lease))
        .parameter(Parameter::repeated("type", "Tail: only events of this type"))
        .parameter(Parameter::repeated("channel", "Tail: only events of this channel"))
        .parameter(Parameter::repeated("provider", "Tail: only events of this provider"))
        .answer(101, "The connection is a WebSocket", Content::Nothing)
        .error(404, &["unknown_subscription"])
        .error(422, &["invalid_parameter", "unknown_parameter"])
        .error(426, &["upgrade_required"])
        .uses_queue()
}
