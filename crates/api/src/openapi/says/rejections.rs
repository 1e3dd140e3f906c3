//! The quarantine.

use super::events::{cursor, limit, time};
use crate::{
    openapi::operation::{Content, Operation, Parameter},
    rejections::{BulkAsk, Counts, Deleted, Listed, ReleaseAsk, Released, Whole},
};
use serde_json::{Map, Value, json};

const ID: &str = "01KAJ3V3W2N9E6W0V8R3M5T7QZ";

/// `GET /v1/rejections`.
pub(crate) fn list() -> Operation {
    let example = json!({"rejections": [summary()], "next_cursor": null});
    filtered(of("listRejections", "List refused requests, newest first"))
        .parameter(limit())
        .parameter(cursor())
        .json::<Listed>(200, "A page of rejections", example)
        .error(422, &["invalid_cursor"])
}

/// `DELETE /v1/rejections`.
pub(crate) fn delete_all() -> Operation {
    let all = json!({"type": "string", "enum": ["true"]});
    filtered(of("deleteRejections", "Delete the refused requests of a filter"))
        .about("Their bytes are overwritten.")
        .parameter(Parameter::query("all", "All of them, instead of a filter.", all))
        .json::<Deleted>(200, "What was deleted", json!({"deleted": 3}))
}

/// `POST /v1/rejections/release`.
pub(crate) fn release_all() -> Operation {
    let about = "Each is verified again with the secrets of its channel as they are, oldest first; \
                 what proves itself becomes an event and leaves the quarantine.";
    let counts = json!({
        "dry_run": false, "released": 2, "duplicates": 0, "refused": 1,
        "still_refused": [{
            "id": ID, "code": "signature_mismatch", "message": "the signature does not match"
        }],
        "next_cursor": null
    });
    of("releaseRejections", "Release the refused requests of a filter")
        .about(about)
        .body::<BulkAsk>(json!({"channel": "hub", "limit": 100, "dry_run": true}))
        .json::<Counts>(200, "What became of them", counts)
        .error(422, &["invalid_cursor", "unknown_parameter"])
}

/// `GET /v1/rejections/{id}`.
pub(crate) fn show() -> Operation {
    let mut example = summary();
    let whole = json!({
        "target": "/v1/webhook/hub", "headers": [{"name": "x-github-event", "value": "push"}],
        "body_encoding": "json", "body": {"ref": "refs/heads/main"}, "body_raw_b64": ""
    });
    if let (Value::Object(example), Value::Object(whole)) = (&mut example, whole) {
        example.extend(whole);
    }
    one(of("getRejection", "Show a refused request with its headers and its body"))
        .json::<Whole<'static>>(200, "The request as it came", example)
}

/// `DELETE /v1/rejections/{id}`.
pub(crate) fn delete() -> Operation {
    one(of("deleteRejection", "Delete a refused request"))
        .about("Its bytes are overwritten.")
        .answer(204, "It is gone", Content::Nothing)
}

/// `GET /v1/rejections/{id}/raw`.
pub(crate) fn raw() -> Operation {
    one(of("getRawRejection", "Get a refused request as a file that `headgate verify` reads"))
        .answer(200, "The request", Content::Other("application/octet-stream", None))
        .error(422, &["body_not_kept"])
}

/// `POST /v1/rejections/{id}/verify`.
pub(crate) fn verify() -> Operation {
    let example = json!({"verified": false, "code": "signature_mismatch"});
    one(of("verifyRejection", "Say step by step why it is refused, or that it no longer is"))
        .about("Nothing is changed. The answer is that of `headgate verify --json`.")
        .json::<Map<String, Value>>(200, "The explanation", example)
        .error(400, &["incomplete_body"])
        .error(409, &["nothing_to_verify"])
        .error(413, &["body_too_large"])
        .error(422, &["invalid_body", "body_not_kept"])
}

/// `POST /v1/rejections/{id}/release`.
pub(crate) fn release() -> Operation {
    one(of("releaseRejection", "Verify a refused request again and make it an event"))
        .body::<ReleaseAsk>(json!({"ignore_age": true}))
        .json::<Released>(200, "It is an event", json!({"id": ID, "duplicate": false}))
        .error(409, &["still_refused", "unknown_channel", "no_event"])
        .error(422, &["body_not_kept"])
}

fn of(id: &'static str, summary: &'static str) -> Operation {
    Operation::new(id, "quarantine", summary)
        .error(404, &["quarantine_off"])
        .error(503, &["unavailable"])
}

fn one(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::path("id", "The id of the rejection.", ID))
        .error(404, &["unknown_rejection"])
        .error(422, &["invalid_id", "unknown_parameter"])
}

fn filtered(operation: Operation) -> Operation {
    operation
        .parameter(Parameter::repeated("channel", "The id of the channel"))
        .parameter(Parameter::repeated("code", "The code that the sender was told"))
        .parameter(time("since", "Received at or after this moment."))
        .parameter(time("until", "Received before this moment."))
        .error(422, &["invalid_parameter", "unknown_parameter"])
}

fn summary() -> Value {
    json!({
        "id": ID, "channel": "hub", "source": "webhook", "received_at": "2026-11-21T01:02:03.456Z",
        "remote_ip": "192.0.2.1", "method": "POST", "path": "/v1/webhook/hub",
        "code": "signature_mismatch", "cause": "the signature does not match",
        "body_size_bytes": 25, "body_kept": true
    })
}
