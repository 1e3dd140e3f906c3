//! Taking events, settling them, and what became dead letters.

use super::{
    event,
    events::{cursor, format, limit},
    subscriptions::name,
};
use crate::{
    dead_letters::DeadLetters,
    lease::{self, Deliveries},
    openapi::operation::{Operation, Parameter},
    settle::{self, Settled},
};
use serde_json::{Value, json};

const DELIVERY: &str = "agent.1.1.1";

/// `POST /v1/subscriptions/{name}/lease`.
pub(crate) fn lease() -> Operation {
    let about = "A long poll: it answers as soon as there is an event, and with none after \
                 `wait_ms`. Without a body it answers at once.";
    Operation::new("leaseDeliveries", "deliveries", "Take deliveries of a subscription")
        .about(about)
        .parameter(name())
        .parameter(format())
        .body::<lease::Ask>(json!({"max": 10, "wait_ms": 30000, "lease_ms": 60000}))
        .json::<Deliveries>(200, "What was leased", json!({"deliveries": [delivered()]}))
        .error(404, &["unknown_subscription"])
        .error(422, &["unknown_parameter", "invalid_parameter"])
        .uses_queue()
}

/// `POST /v1/subscriptions/{name}/settle`.
pub(crate) fn settle() -> Operation {
    let about = "Each id is settled for itself: a lease that is over is an error for that id \
                 alone. The answer comes when it is durable.";
    let example = json!({
        "ack": [DELIVERY],
        "retry": [{"id": "agent.1.2.1", "after_ms": 60000, "reason": "the model is busy"}]
    });
    let error = json!({
        "id": "agent.1.2.1", "code": "lease_expired",
        "message": "the lease of delivery `agent.1.2.1` is over"
    });
    Operation::new("settleDeliveries", "deliveries", "Say what became of deliveries")
        .about(about)
        .parameter(name())
        .body::<settle::Ask>(example)
        .body_required()
        .json::<Settled>(200, "What was settled", json!({"settled": 1, "errors": [error]}))
        .error(404, &["unknown_subscription"])
        .error(422, &["too_many_ids", "unknown_parameter"])
        .uses_queue()
}

/// `GET /v1/dead-letters`.
pub(crate) fn dead() -> Operation {
    let about = "A delivery that was buried or ran out of attempts never comes again.";
    let of = json!({"type": "string"});
    let example = json!({
        "dead_letters": [{
            "delivery": DELIVERY, "event_id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "reason": "exhausted",
            "attempts": 8, "last_error": "exit code 1", "at": "2026-11-21T01:02:03.456Z"
        }],
        "next_cursor": null
    });
    Operation::new("listDeadLetters", "deliveries", "List the dead letters of a subscription")
        .about(about)
        .parameter(Parameter::query("subscription", "Its name.", of).required())
        .parameter(limit())
        .parameter(cursor())
        .json::<DeadLetters>(200, "A page of dead letters", example)
        .error(404, &["unknown_subscription"])
        .error(422, &["invalid_parameter", "unknown_parameter", "invalid_cursor"])
        .uses_queue()
}

fn delivered() -> Value {
    let mut event = event();
    event["delivery"] = json!({
        "id": DELIVERY, "subscription": "agent", "attempt": 1,
        "lease_expires_at": "2026-11-21T01:03:03.456Z", "replay_id": null
    });
    event
}
