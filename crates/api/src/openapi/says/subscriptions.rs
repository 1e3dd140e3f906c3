//! Subscriptions.

use crate::{
    openapi::operation::{Content, Operation, Parameter},
    subscriptions::{Ask, Subscriptions},
};
use headgate_queue::SubscriptionStatus;
use serde_json::{Value, json};

/// `GET /v1/subscriptions`.
pub(crate) fn list() -> Operation {
    let example = json!({"subscriptions": [status()]});
    Operation::new("listSubscriptions", "subscriptions", "List all subscriptions")
        .json::<Subscriptions>(200, "All of them, by name", example)
        .error(422, &["unknown_parameter"])
        .uses_queue()
}

/// `GET /v1/subscriptions/{name}`.
pub(crate) fn show() -> Operation {
    of_one("getSubscription", "Show one subscription")
        .json::<SubscriptionStatus>(200, "The subscription", status())
        .error(404, &["unknown_subscription"])
}

/// `PUT /v1/subscriptions/{name}`.
pub(crate) fn make() -> Operation {
    let about = "What the body leaves out is the default, also when a subscription is changed; its \
                 place and its pause stay, and the secrets of its push. Without a body it takes \
                 everything from this moment on.";
    let example = json!({
        "channels": ["hub"], "start": "earliest", "retry": {"attempts": 8, "first": "5s"},
        "lease": "60s"
    });
    of_one("putSubscription", "Make or change a subscription")
        .about(about)
        .body::<Ask>(example)
        .json::<SubscriptionStatus>(200, "It is changed", status())
        .json::<SubscriptionStatus>(201, "It is made", status())
        .error(409, &["configured", "too_many_subscriptions"])
        .error(422, &["invalid_subscription"])
}

/// `DELETE /v1/subscriptions/{name}`.
pub(crate) fn end() -> Operation {
    of_one("deleteSubscription", "End a subscription and forget what it settled")
        .answer(204, "It is gone", Content::Nothing)
        .error(404, &["unknown_subscription"])
        .error(409, &["configured"])
}

/// `POST /v1/subscriptions/{name}/pause`.
pub(crate) fn pause() -> Operation {
    switched("pauseSubscription", "Give nothing until it is resumed")
}

/// `POST /v1/subscriptions/{name}/resume`.
pub(crate) fn resume() -> Operation {
    switched("resumeSubscription", "Give events again")
}

fn switched(id: &'static str, summary: &'static str) -> Operation {
    of_one(id, summary)
        .json::<SubscriptionStatus>(200, "The subscription", status())
        .error(400, &["incomplete_body"])
        .error(404, &["unknown_subscription"])
        .error(413, &["body_too_large"])
        .error(422, &["invalid_body"])
}

fn of_one(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "subscriptions", summary)
        .parameter(name())
        .error(422, &["unknown_parameter"])
        .uses_queue()
}

/// The subscription that a path names.
pub(super) fn name() -> Parameter {
    Parameter::path("name", "The name of the subscription.", "agent")
}

fn status() -> Value {
    json!({
        "name": "agent", "channels": ["hub"], "start": "earliest",
        "retry": {"attempts": 8, "first_ms": 5000, "longest_ms": 3_600_000},
        "lease_ms": 60000, "ack": "explicit", "order": "none", "paused": false, "configured": false,
        "created_at": "2026-11-21T01:02:03.456Z", "lag": 3, "in_flight": 1, "waiting": 1, "held_back": 0,
        "dead": 0, "expired": 0,
        "oldest_unsettled_ms": 4200
    })
}
