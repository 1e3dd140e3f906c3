//! Copies of what is stored.

use super::events::{filter, time};
use crate::openapi::operation::{Content, Operation, Parameter};
use headgate_queue::BackupReport;
use serde_json::json;

/// `GET /v1/export`.
pub(crate) fn export() -> Operation {
    let about = "Oldest first, written while it is read. What fails on the way breaks the answer \
                 off before its last line, which has a checksum: a part cannot be taken for the \
                 whole.";
    Operation::new("exportEvents", "operation", "Get events with their exact bytes as JSON lines")
        .about(about)
        .parameter(Parameter::repeated("type", "The event's type"))
        .parameter(Parameter::repeated("channel", "The id of the channel"))
        .parameter(Parameter::repeated("provider", "Who sent it"))
        .parameter(filter())
        .parameter(time("since", "Received at or after this moment."))
        .parameter(time("until", "Received before this moment."))
        .answer(200, "The lines", Content::Other("application/x-ndjson", None))
        .error(422, &["invalid_parameter", "unknown_parameter"])
        .uses_queue()
        .error(503, &["too_many_exports"])
}

/// `POST /v1/backups`.
pub(crate) fn back_up() -> Operation {
    let example = json!({
        "folder": "/var/backups/headgate/2026-11-21T01-02-03Z",
        "newest_event": "01KAJ3V3W2N9E6W0V8R3M5T7QZ", "segments": 2, "bytes": 4_198_400
    });
    Operation::new("makeBackup", "operation", "Copy the running queue")
        .about(
            "It goes to the folder that `[queue] backup_dir` names, and is durable when this \
            answers.",
        )
        .json::<BackupReport>(201, "The backup is made", example)
        .error(409, &["no_backup_dir", "backup_running"])
        .error(422, &["unknown_parameter"])
        .error(503, &["backup_failed"])
}
