//! What an operator asks of the gateway.

use crate::{
    channels::Channels,
    health::{Alive, Readiness},
    keys::Keys,
    openapi::operation::{Content, Operation, Parameter},
};
use serde_json::{Map, Value, json};

/// `GET /v1/channels`.
pub(crate) fn channels() -> Operation {
    let channel = json!({
        "id": "hub", "label": "hub", "type": "webhook", "provider": "github",
        "verification": "github", "path": "/v1/webhook/hub"
    });
    of("listChannels", "List the configured ways in")
        .about("Nothing in it is secret.")
        .json::<Channels<'static>>(200, "The channels", json!({"channels": [channel]}))
        .error(422, &["unknown_parameter"])
}

/// `GET /metrics`.
pub(crate) fn metrics() -> Operation {
    let text = "# HELP headgate_queue_events_total Events stored\n\
                # TYPE headgate_queue_events_total counter\nheadgate_queue_events_total 3\n";
    of("getMetrics", "Get the metrics, in the text format of Prometheus")
        .about("`docs/metrics.md` lists them.")
        .answer(200, "The metrics", Content::Other("text/plain", Some(text)))
        .error(422, &["unknown_parameter"])
        .uses_queue()
}

/// `GET /openapi.json`.
pub(crate) fn document() -> Operation {
    of("getOpenApi", "Get this document")
        .json::<Map<String, Value>>(200, "The document", json!({"openapi": "3.1.0"}))
        .error(422, &["unknown_parameter"])
}

/// `GET /healthz`.
pub(crate) fn alive() -> Operation {
    of("getHealth", "Whether the process lives").json::<Alive>(
        200,
        "It lives",
        json!({"status": "ok"}),
    )
}

/// `GET /readyz`.
pub(crate) fn ready() -> Operation {
    let about = "It is ready when it can receive. With `of=consuming` it is when consumers can be \
                 served. A channel without its connection to Slack is named in `channels`, and \
                 decides only where no other one receives.";
    let which =
        json!({"type": "string", "enum": ["receiving", "consuming"], "default": "receiving"});
    let part = |reasons: &[&str]| json!({"ok": reasons.is_empty(), "reasons": reasons});
    let readiness = |reasons: &[&str]| {
        json!({
            "ready": reasons.is_empty(), "receiving": part(reasons), "consuming": part(&[]),
            "channels": [{"id": "team", "ready": true, "reason": null}], "version": "0.1.0"
        })
    };
    of("getReadiness", "What of its work the gateway can do")
        .about(about)
        .parameter(Parameter::query("of", "Which part of the work decides.", which))
        .json::<Readiness>(200, "It can", readiness(&[]))
        .json::<Readiness>(
            503,
            "It cannot; every reason is named",
            readiness(&["queue: the log is closed"]),
        )
        .error(422, &["invalid_parameter", "unknown_parameter"])
}

fn of(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "operation", summary)
}

/// `GET /v1/keys`.
pub(crate) fn keys() -> Operation {
    let example = json!({"keys": [{
        "name": "agent", "scopes": ["read", "consume"], "subscriptions": ["agent"],
        "channels": [], "rate": "50/s", "secrets": [{"last_used_at": "2026-11-21T01:02:03.456Z"}]
    }]});
    Operation::new("listKeys", "operation", "List the API keys, without their secrets")
        .about("When each secret was used last, since the program started.")
        .json::<Keys>(200, "The keys", example)
        .error(422, &["unknown_parameter"])
}
