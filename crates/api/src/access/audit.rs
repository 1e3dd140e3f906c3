//! A line in the log for every call that takes an admin: who, what, when, and what became of it.
//!
//! It has a target of its own, so that it can be sent where nobody edits it. No body is in it.

use axum::extract::Request;
use headgate_http::{Arrival, RequestId};
use http::{Method, StatusCode};

/// What is known of a call before it is answered.
pub(super) struct Noted {
    method: Method,
    path: String,
    remote: Option<String>,
    request_id: Option<String>,
}

impl Noted {
    /// What is noted of a request; no query, which may have what somebody looks for.
    pub(super) fn of(request: &Request) -> Self {
        let path = request.uri().path().chars().take(200).collect();
        let extensions = request.extensions();
        let remote = extensions.get::<Arrival>().map(|arrival| arrival.remote.to_string());
        let request_id = extensions.get::<RequestId>().map(|id| id.as_str().to_owned());
        Self { method: request.method().clone(), path, remote, request_id }
    }

    /// Writes the line.
    pub(super) fn log(self, key: Option<&str>, status: StatusCode) {
        let Self { method, path, remote, request_id } = self;
        tracing::info!(
            target: "headgate::audit",
            key,
            %method,
            path,
            status = status.as_u16(),
            remote,
            request_id,
            "an admin call"
        );
    }
}
