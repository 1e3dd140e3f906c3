//! Where providers send. The source of webhooks answers there, not the API; it is in the document
//! because who sets up a provider or a test of one looks here.

use crate::openapi::operation::{Content, Operation, Parameter};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

/// The path of a webhook channel. Whatever follows it belongs to the same channel.
pub(crate) const PATH: &str = "/v1/webhook/{channel}";

/// Why a request does not prove itself.
const PROOF: &[&str] = &[
    "missing_signature",
    "malformed_signature",
    "no_known_signature",
    "signature_mismatch",
    "missing_timestamp",
    "timestamp_too_old",
    "timestamp_in_future",
    "missing_id",
    "malformed_id",
    "missing_token",
    "malformed_token",
    "token_mismatch",
    "missing_credentials",
    "malformed_credentials",
    "credentials_mismatch",
];

const TOO_LARGE: [&str; 4] =
    ["body_too_large", "event_too_large", "decoded_body_too_large", "body_expands_too_much"];

/// The answer to a stored webhook.
#[derive(Serialize, JsonSchema)]
struct StoredWebhook {
    /// The id of the event; of the first one when this is a repeat.
    id: String,
    /// Whether it was stored before.
    duplicate: bool,
}

/// `POST /v1/webhook/{channel}`.
pub(crate) fn receive() -> Operation {
    let about = "The request proves itself as its provider signs: `headgate providers show` says \
                 how. A 2xx means that the event is on disk. Some providers want another 2xx than \
                 200 or an empty body; repeats carry the header `headgate-duplicate: true`.";
    let stored = json!({"id": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "duplicate": false});
    Operation::new("receiveWebhook", "senders", "Where a provider sends its webhooks")
        .about(about)
        .parameter(Parameter::path("channel", "The id of the channel.", "hub"))
        .json::<StoredWebhook>(200, "The event is stored", stored)
        .answer(204, "The event is stored", Content::Nothing)
        .error(400, &["body_incomplete", "body_malformed", "repeated_header"])
        .error(401, PROOF)
        .error(403, &["address_not_allowed"])
        .error(404, &["unknown_channel"])
        .error(405, &["method_not_allowed"])
        .error(408, &["body_too_slow"])
        .error(413, &TOO_LARGE)
        .error(429, &["rate_limited"])
        .error(503, &["unavailable"])
}
