//! What the two sides of a stream say, besides events.

use crate::{
    body::worded,
    error::ApiError,
    settle::{BuryAsk, ExtendAsk, RetryAsk},
};
use headgate_queue::{SettleError, Settlement, Verb};
use serde::{Deserialize, Serialize};

/// A frame of ours that is not an event.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerFrame<'a> {
    /// The first frame.
    Hello { connection_id: &'a str, project_id: &'static str, server: String },
    /// A live tail left so many events out, those of other filters included; null when it cannot
    /// be known how many.
    Lagged { missed: Option<u64> },
    /// Something the client said could not be done; or the last word before a close.
    Error(&'a ErrorFrame),
}

/// What could not be done, and for which delivery.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(super) struct ErrorFrame {
    pub(super) code: &'static str,
    pub(super) message: String,
    pub(super) id: Option<String>,
}

/// A frame of the client.
#[derive(Debug, Deserialize)]
#[serde(tag = "type", rename_all = "snake_case", expecting = "a JSON object")]
enum ClientFrame {
    Ack(AckAsk),
    Retry(RetryAsk),
    Extend(ExtendAsk),
    Bury(BuryAsk),
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct AckAsk {
    id: String,
}

/// What the client says of a delivery, or why it says nothing that is understood.
pub(super) fn read(text: &str) -> Result<Settlement, ErrorFrame> {
    // An array could be read as a frame by the places of its items, which nobody means.
    if text.trim_start().starts_with('[') {
        let message = "expected a JSON object, found an array".to_owned();
        return Err(ErrorFrame { code: "invalid_frame", message, id: None });
    }
    let frame = serde_json::from_str(text).map_err(|error: serde_json::Error| {
        let code = if error.is_data() { "invalid_frame" } else { "invalid_json" };
        let message = format!("the frame is not one that is taken here: {}", worded(&error));
        ErrorFrame { code, message, id: id_in(text) }
    })?;
    let settled = match frame {
        ClientFrame::Ack(ack) => return Ok(Settlement { id: ack.id, verb: Verb::Ack }),
        ClientFrame::Retry(retry) => retry.settlement("after_ms"),
        ClientFrame::Extend(extend) => extend.settlement("lease_ms"),
        ClientFrame::Bury(bury) => return Ok(bury.settlement()),
    };
    settled.map_err(|error| ErrorFrame {
        code: "invalid_frame",
        message: error.message().to_owned(),
        id: id_in(text),
    })
}

/// The id in a frame that is otherwise wrong, so that its sender knows which one it was.
fn id_in(text: &str) -> Option<String> {
    let frame: serde_json::Value = serde_json::from_str(text).ok()?;
    frame.get("id")?.as_str().map(str::to_owned)
}

impl ErrorFrame {
    /// The frame that says what an answer would have said.
    pub(super) fn of(error: &ApiError, id: Option<String>) -> Self {
        Self { code: error.code(), message: error.message().to_owned(), id }
    }

    /// Why this delivery was not settled.
    pub(super) fn unsettled(error: &SettleError, id: String) -> Self {
        Self { code: error.code(), message: error.to_string(), id: Some(id) }
    }
}
