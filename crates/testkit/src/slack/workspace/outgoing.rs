//! One envelope until it is acknowledged or given up.

use super::ConnectionId;
use serde_json::{Value, json};
use std::time::Duration;

/// One envelope. Every attempt has the same ids.
#[derive(Clone, Debug)]
pub(super) struct Outgoing {
    pub(super) event_id: String,
    /// The number of the next attempt, from 0.
    pub(super) attempt: u32,
    /// When the next attempt is due.
    pub(super) due: Duration,
    /// The connections that it went over.
    pub(super) sent_on: Vec<ConnectionId>,
    kind: String,
    payload: Value,
    /// Whether its acknowledgement may carry an answer.
    pub(super) takes_answer: bool,
}

impl Outgoing {
    pub(super) fn new(
        now: Duration,
        kind: &str,
        event_id: &str,
        payload: &Value,
        takes_answer: bool,
    ) -> Self {
        Self {
            event_id: event_id.to_owned(),
            attempt: 0,
            due: now,
            sent_on: Vec::new(),
            kind: kind.to_owned(),
            payload: payload.clone(),
            takes_answer,
        }
    }

    /// The text of the next attempt; the one after it is due at `due`.
    pub(super) fn send(&mut self, id: &str, connection: ConnectionId, due: Duration) -> String {
        let mut envelope = json!({
            "envelope_id": id,
            "payload": self.payload,
            "type": self.kind,
            "accepts_response_payload": self.takes_answer,
        });
        if self.kind == "events_api" {
            let reason = if self.attempt == 0 { "" } else { "timeout" };
            envelope["retry_attempt"] = self.attempt.into();
            envelope["retry_reason"] = reason.into();
        }
        self.attempt += 1;
        self.due = due;
        self.sent_on.push(connection);
        envelope.to_string()
    }
}
