//! What the two sides of a stream say, besides events.

use crate::{
    body::worded,
    error::ApiError,
    settle::{BuryAsk, ExtendAsk, RetryAsk},
};
use headgate_queue::{AckMode, SettleError, Settlement, Verb};
use serde::{Deserialize, Serialize};

/// A frame of ours that is not an event.
#[derive(Debug, Serialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub(super) enum ServerFrame<'a> {
    /// The first frame. A durable stream says who settles, and which frames it takes.
    Hello {
        connection_id: &'a str,
        project_id: &'static str,
        server: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        ack: Option<AckMode>,
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        takes: &'static [&'static str],
    },
    /// The client asked for no more: no event comes after this.
    Drained,
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
    Ack(NamedAsk),
    Retry(RetryAsk),
    Extend(ExtendAsk),
    Bury(BuryAsk),
    Release(NamedAsk),
    Drain(NothingAsk),
}

/// The types of frames that a durable stream takes.
pub(super) const TAKEN: [&str; 6] = ["ack", "retry", "extend", "bury", "release", "drain"];

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct NamedAsk {
    id: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
struct NothingAsk {}

/// What a client says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// What became of a delivery.
    Settled(Settlement),
    /// It never began with this delivery.
    Released(String),
    /// It wants no more.
    Drain,
}

/// What the client says, or why it says nothing that is understood.
pub(super) fn read(text: &str) -> Result<Said, ErrorFrame> {
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
        ClientFrame::Ack(ack) => Ok(Settlement { id: ack.id, verb: Verb::Ack }),
        ClientFrame::Retry(retry) => retry.settlement("after_ms"),
        ClientFrame::Extend(extend) => extend.settlement("lease_ms"),
        ClientFrame::Bury(bury) => Ok(bury.settlement()),
        ClientFrame::Release(release) => return Ok(Said::Released(release.id)),
        ClientFrame::Drain(NothingAsk {}) => return Ok(Said::Drain),
    };
    settled.map(Said::Settled).map_err(|error| ErrorFrame {
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
