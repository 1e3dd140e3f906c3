//! A request that is not taken: what its sender is told, and what the log is told.

use crate::{Answer, RequestId, json_answer};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use std::{borrow::Cow, fmt, time::Duration};

/// A refusal with its status, a stable code and one sentence for the sender, and a cause for the
/// log. Neither holds a secret, a body or an expected signature.
#[derive(Clone, Debug)]
pub struct Reject {
    status: StatusCode,
    code: &'static str,
    message: Cow<'static, str>,
    cause: Option<String>,
    retry_after: Option<Duration>,
    allow: Option<&'static str>,
    challenge: Option<&'static str>,
    closes: bool,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: ErrorFields<'a>,
}

#[derive(Serialize)]
struct ErrorFields<'a> {
    code: &'a str,
    message: &'a str,
    request_id: &'a str,
}

impl Reject {
    /// A refusal with any status; the named ones below are preferred where they fit.
    #[must_use]
    pub fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            cause: None,
            retry_after: None,
            allow: None,
            challenge: None,
            closes: false,
        }
    }

    /// 401: the proof is missing, malformed or does not hold.
    #[must_use]
    pub fn unauthorized(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, code, message)
    }

    /// 401: a header that carries proof came more than once.
    #[must_use]
    pub fn repeated_header(name: &str) -> Self {
        let message = format!("header `{name}` is sent more than once");
        Self::unauthorized("repeated_header", message)
    }

    /// 413: the body is over its limit. The rest of it is not read.
    #[must_use]
    pub fn body_too_large(bytes_max: usize) -> Self {
        let message = format!("the body has more than the {bytes_max} bytes that are taken here");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message).closing()
    }

    /// 400: the bytes are not the HTTP request that they claim to be. Nothing after them can be
    /// trusted to be where it seems, so the connection is closed.
    #[must_use]
    pub fn bad_request(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message).closing()
    }

    /// 408: the head or the body came too slowly, and the connection is closed.
    #[must_use]
    pub fn too_slow(code: &'static str, message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::REQUEST_TIMEOUT, code, message).closing()
    }

    /// 503: our fault or our limit; the sender should try again.
    #[must_use]
    pub fn unavailable(cause: impl fmt::Display, retry_after: Duration) -> Self {
        let message = "the event could not be stored, please send it again";
        let mut reject = Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message);
        reject.cause = Some(cause.to_string());
        reject.retry_after = Some(retry_after);
        reject
    }

    /// 429: more requests than the channel takes in a time; this one may come again later.
    #[must_use]
    pub fn too_many(retry_after: Duration) -> Self {
        let message = "more requests than this channel takes in a time, please send it again later";
        let mut reject = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limited", message);
        reject.retry_after = Some(retry_after);
        reject
    }

    /// 405, with the methods that are taken.
    #[must_use]
    pub fn method_not_allowed(allow: &'static str) -> Self {
        let message = format!("expected method {allow}");
        let mut reject = Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message);
        reject.allow = Some(allow);
        reject
    }

    /// The same with a cause for the log.
    #[must_use]
    pub fn with_cause(mut self, cause: impl fmt::Display) -> Self {
        self.cause = Some(cause.to_string());
        self
    }

    /// The same, and the answer says in `WWW-Authenticate` what proof is asked for.
    #[must_use]
    pub fn with_challenge(mut self, challenge: &'static str) -> Self {
        self.challenge = Some(challenge);
        self
    }

    /// The same, and the connection is closed after the answer.
    #[must_use]
    pub fn closing(mut self) -> Self {
        self.closes = true;
        self
    }

    /// The status of the answer.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The stable code: what a program may branch on.
    #[must_use]
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// The sentence for the sender.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What the log should say besides.
    #[must_use]
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The answer to the sender.
    #[must_use]
    pub fn answer(&self, request_id: &RequestId) -> Answer {
        let body = ErrorBody {
            error: ErrorFields {
                code: self.code,
                message: &self.message,
                request_id: request_id.as_str(),
            },
        };
        let mut answer = json_answer(self.status, &body);
        let headers = answer.headers_mut();
        if let Some(wait) = self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(wait.as_secs().max(1)));
        }
        if let Some(allow) = self.allow {
            headers.insert(header::ALLOW, HeaderValue::from_static(allow));
        }
        if let Some(challenge) = self.challenge {
            headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
        }
        if self.closes {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        answer
    }
}

impl fmt::Display for Reject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        self.cause.as_ref().map_or(Ok(()), |cause| write!(f, ": {cause}"))
    }
}
