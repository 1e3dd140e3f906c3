//! Whether the program lives, and whether it can work.

use crate::api::{Parts, Shared};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use schemars::JsonSchema;
use serde::Serialize;

/// How the program is.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Health {
    /// `ok`, `ready` or `not_ready`.
    status: &'static str,
    /// Every reason why it is not ready.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    reasons: Vec<String>,
}

/// `GET /healthz`: answers as long as the process lives.
pub(crate) async fn alive() -> Response {
    Json(Health { status: "ok", reasons: Vec::new() }).into_response()
}

/// `GET /readyz`: whether events can be taken, and every reason why not.
pub(crate) async fn ready(State(api): State<Shared>) -> Response {
    let reasons = api.unready();
    if reasons.is_empty() {
        return Json(Health { status: "ready", reasons }).into_response();
    }
    (StatusCode::SERVICE_UNAVAILABLE, Json(Health { status: "not_ready", reasons })).into_response()
}

impl Parts {
    /// Whether events can be taken.
    pub(crate) fn receives(&self) -> bool {
        self.unready().is_empty()
    }

    /// Every reason why events cannot be taken.
    fn unready(&self) -> Vec<String> {
        let mut reasons = Vec::new();
        if self.stopping() {
            reasons.push("the program is about to stop".to_owned());
        }
        if let Err(reason) = self.queue.health() {
            reasons.push(format!("queue: {reason}"));
        }
        reasons.extend((self.readiness)());
        reasons
    }
}
