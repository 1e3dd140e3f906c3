//! What a caller is told when a call fails: a status, a stable code and one sentence.
//!
//! The id of the request is added on the way out, in [`answer`](crate::answer).

use axum::response::{IntoResponse, Response};
use headgate_http::{Reject, RequestId};
use headgate_queue::{QueueError, SubscriptionError};
use http::{HeaderName, HeaderValue, StatusCode, header};
use std::fmt;

/// Why a call fails.
#[derive(Clone, Debug)]
pub(crate) struct ApiError {
    status: StatusCode,
    code: &'static str,
    message: String,
    cause: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl ApiError {
    /// A failure with any status; the named ones below are preferred where they fit.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), cause: None, headers: Vec::new() }
    }

    /// 422: what was sent can be read, and is not what is taken here.
    pub(crate) fn invalid(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// 404: what the path names does not exist.
    pub(crate) fn not_found(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, code, message)
    }

    /// 404: there is no subscription of that name.
    pub(crate) fn unknown_subscription(name: &str) -> Self {
        let shown: String = name.chars().take(80).collect();
        let message = format!("there is no subscription `{shown}`");
        Self::not_found("unknown_subscription", message)
    }

    /// The same with a cause for the log.
    pub(crate) fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The same with a header in its answer.
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// The stable code: what a program may branch on.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for the caller.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What the log should say besides.
    pub(crate) fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer to the caller.
    pub(crate) fn answer(self, request_id: &RequestId) -> Response {
        let reject = Reject::new(self.status, self.code, self.message);
        let mut answer = reject.answer(request_id).map(axum::body::Body::new);
        answer.headers_mut().extend(self.headers);
        answer
    }
}

/// A bare status that carries the error to where the id of the request is known.
impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        response.extensions_mut().insert(self);
        response
    }
}

impl From<QueueError> for ApiError {
    fn from(error: QueueError) -> Self {
        match error {
            QueueError::Unavailable { reason, retry_after } => {
                let seconds = HeaderValue::from(retry_after.as_secs().max(1));
                let message = "the queue is not available, please try again";
                Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                    .with_header(header::RETRY_AFTER, seconds)
                    .with_cause(reason)
            }
            QueueError::UnknownSubscription { name } => Self::unknown_subscription(&name),
            QueueError::Subscription(error @ SubscriptionError::TooMany { .. }) => {
                Self::new(StatusCode::CONFLICT, "too_many_subscriptions", error.to_string())
            }
            QueueError::Subscription(error) => {
                Self::invalid("invalid_subscription", error.to_string())
            }
            erased @ QueueError::Erased { .. } => {
                Self::new(StatusCode::GONE, "erased", erased.to_string())
            }
            // Nothing that is asked over the API says how many bytes a lease has room for.
            larger @ QueueError::Larger { .. } => {
                let message = "an event is larger than there is room for";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).with_cause(larger)
            }
            damaged @ QueueError::Damaged { .. } => {
                let message = "a stored event cannot be read: the log says where, and \
                               `headgate repair` what can be mended";
                // Asking again is of no use, so it is no 503.
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "damaged", message).with_cause(damaged)
            }
        }
    }
}
