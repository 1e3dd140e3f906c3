//! Why something did not work, and whether it is worth trying again.

use http::{HeaderMap, StatusCode, header};
use serde_json::Value;
use std::time::Duration;

/// Why something did not work.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClientError {
    /// A client was made of what cannot be.
    #[error("`{field}`: expected {expected}, found `{found}`")]
    Configuration {
        /// The part that is wrong.
        field: &'static str,
        /// What it may be.
        expected: String,
        /// What it is; never a secret.
        found: String,
    },
    /// The system's certificates cannot be read.
    #[error("no certificates to check `https` with: {reason}")]
    Certificates {
        /// Why.
        reason: String,
    },
    /// Nobody answered, or the line broke.
    #[error("cannot reach `{url}`: {reason}")]
    Unreachable {
        /// The gateway.
        url: String,
        /// Every cause, joined with `: `.
        reason: String,
    },
    /// What answers speaks another version of the protocol, or is no gateway.
    #[error("what answers at `{url}` is no gateway that this client knows: {reason}")]
    Incompatible {
        /// The gateway.
        url: String,
        /// What was expected and found.
        reason: String,
    },
    /// The gateway answered with a refusal.
    #[error("{}", refusal(*status, code, message))]
    Refused {
        /// The status.
        status: StatusCode,
        /// The stable code; empty when the answer is none of a gateway.
        code: String,
        /// The sentence.
        message: String,
        /// When the answer says to ask again.
        retry_after: Option<Duration>,
    },
}

fn refusal(status: StatusCode, code: &str, message: &str) -> String {
    let code = if code.is_empty() { String::new() } else { format!(" {code}") };
    format!("{}{code}: {message}", status.as_u16())
}

impl ClientError {
    /// Whether the same may succeed after a while. What is false here fails again until someone
    /// changes something.
    #[must_use]
    pub fn try_again(&self) -> bool {
        match self {
            Self::Configuration { .. } | Self::Certificates { .. } | Self::Incompatible { .. } => {
                false
            }
            Self::Unreachable { .. } => true,
            Self::Refused { status, .. } => {
                let passes = [
                    StatusCode::REQUEST_TIMEOUT,
                    StatusCode::TOO_EARLY,
                    StatusCode::TOO_MANY_REQUESTS,
                ];
                status.is_server_error() || passes.contains(status)
            }
        }
    }

    /// The stable code of a refusal.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        if let Self::Refused { code, .. } = self { Some(code) } else { None }
    }

    /// When the gateway said to ask again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { *retry_after } else { None }
    }

    pub(crate) fn configuration(
        field: &'static str,
        expected: impl Into<String>,
        found: impl std::fmt::Display,
    ) -> Self {
        let found = found.to_string().chars().take(120).collect();
        Self::Configuration { field, expected: expected.into(), found }
    }

    pub(crate) fn unreachable(url: &str, error: &dyn std::error::Error) -> Self {
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.ends_with(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        Self::Unreachable { url: url.to_owned(), reason }
    }

    pub(crate) fn timed_out(url: &str, after: Duration) -> Self {
        Self::Unreachable { url: url.to_owned(), reason: format!("no answer within {after:?}") }
    }

    pub(crate) fn incompatible(url: &str, reason: impl std::fmt::Display) -> Self {
        Self::Incompatible { url: url.to_owned(), reason: reason.to_string() }
    }

    pub(crate) fn of_answer(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let part = |name: &str| {
            let text = json.pointer(&format!("/error/{name}")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (code, mut message) = (part("code"), part("message"));
        if message.is_empty() {
            message = "the answer is none of a gateway; is the URL right?".to_owned();
        }
        Self::Refused { status, code, message, retry_after: retry_after(headers) }
    }
}

/// The seconds of a `Retry-After` header (RFC 9110, section 10.2.3); its other form, a date, is
/// left to our own waits.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}
