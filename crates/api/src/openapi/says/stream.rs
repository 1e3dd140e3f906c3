//! The stream.

use super::events::{filters, format};
use crate::openapi::operation::{Content, Operation, Parameter};
use headgate_event::limits::{IN_FLIGHT_MAX, LEASE_MS_MAX, STREAM_IN_FLIGHT_DEFAULT};
use serde_json::json;

const ABOUT: &str = "\
Without `subscription` it is a live tail: events as they come, nothing of the past, nothing to \
settle (scope `read`). With it the stream is durable: each event comes until it is settled (scope \
`consume`).\n\n\
The first frame is `{\"type\": \"hello\", \"connection_id\", \"project_id\", \"server\"}`; every \
event frame is an Event itself. A client settles by frames `{\"type\": \"ack\" | \"retry\" | \
\"extend\" | \"bury\", \"id\"}`; what cannot be done is answered by a frame of type `error`, and \
a tail that is too slow is told by one of type `lagged` how many events it missed.\n\n\
The hello of a durable stream also says who settles (`ack`) and which frames it `takes`. A client \
that is about to stop says `{\"type\": \"drain\"}`: nothing more is leased for it, and the frame \
`{\"type\": \"drained\"}` comes after the last event. What it never began it gives back by \
`{\"type\": \"release\", \"id\"}`, which costs no attempt. What is unsettled when the stream ends \
is given back as a failed attempt, but for what was renewed over HTTP since.\n\n\
With `Accept: text/event-stream` the same comes as server-sent events. Their client cannot \
settle, so a durable stream then needs a subscription with `ack = \"on_send\"`. Filters are the \
tail's.";

/// `GET /v1/stream`.
pub(crate) fn open() -> Operation {
    let in_flight = json!({
        "type": "integer", "minimum": 1, "maximum": IN_FLIGHT_MAX,
        "default": STREAM_IN_FLIGHT_DEFAULT
    });
    let lease = json!({"type": "integer", "minimum": 1, "maximum": LEASE_MS_MAX});
    let name = json!({"type": "string"});
    let open = Operation::new("openStream", "deliveries", "Get events as they come")
        .about(ABOUT)
        .parameter(Parameter::query("subscription", "Durable: of this subscription.", name))
        .parameter(Parameter::query(
            "max_in_flight",
            "Durable: at most so many unsettled events at a time.",
            in_flight,
        ))
        .parameter(Parameter::query("lease_ms", "Durable: how long each is leased.", lease))
        .parameter(Parameter::query(
            "last_event_id",
            "Tail: the id of the event seen last, to go on after it; the header `Last-Event-ID` \
             says the same.",
            json!({"type": "string"}),
        ))
        .parameter(Parameter::header(
            "Headgate-Ack",
            "Durable: `explicit` of a client that settles; it is refused a subscription with \
             `ack = \"on_send\"`, where an event is lost when its handler fails.",
            json!({"type": "string", "enum": ["explicit"]}),
        ))
        .parameter(format());
    filters(open)
        .answer(101, "The connection is a WebSocket", Content::Nothing)
        .answer(
            200,
            "Server-sent events, for `Accept: text/event-stream`",
            Content::Other("text/event-stream", None),
        )
        .error(404, &["unknown_subscription"])
        .error(409, &["cannot_settle", "settled_by_sending"])
        .error(422, &["invalid_parameter", "unknown_parameter", "invalid_header"])
        .error(426, &["upgrade_required"])
        .uses_queue()
}
