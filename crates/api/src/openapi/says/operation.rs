//! What an operator asks of the gateway.

use crate::{
    channels::Channels,
    health::Health,
    openapi::operation::{Content, Operation},
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
    of("getHealth", "Whether the process lives").json::<Health>(
        200,
        "It lives",
        json!({"status": "ok"}),
    )
}

/// `GET /readyz`.
pub(crate) fn ready() -> Operation {
    let reasons = ["queue: the log is closed"];
    of("getReadiness", "Whether events can be taken")
        .json::<Health>(200, "They can", json!({"status": "ready"}))
        .json::<Health>(
            503,
            "They cannot; every reason is named",
            json!({"status": "not_ready", "reasons": reasons}),
        )
}

fn of(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "operation", summary)
}
