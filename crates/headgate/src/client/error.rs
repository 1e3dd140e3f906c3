//! Why a call did not succeed, and whether calling again makes sense.

use super::Reply;
use http::{HeaderMap, StatusCode, header};
use hyper_util::client::legacy;
use serde_json::Value;
use std::{error::Error, time::Duration};

/// Why a call did not succeed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is no URL that can be called.
    #[error("`{url}` is not an `http://` or `https://` URL of a host, without user and password")]
    Url {
        /// The text.
        url: String,
    },
    /// The key cannot be a header.
    #[error("the API key has characters that cannot be sent in a header")]
    Key,
    /// The system's certificates cannot be read.
    #[error("no certificates to check `https` with: {reason}")]
    Certificates {
        /// Why.
        reason: String,
    },
    /// Nobody answered, or the line broke.
    #[error("cannot reach `{url}`: {reason}")]
    Unreachable {
        /// The URL.
        url: String,
        /// Every cause, joined with `: `.
        reason: String,
        /// Whether it was so before anything was sent.
        unsent: bool,
    },
    /// No answer in time.
    #[error("no answer of `{url}` within {after:?}")]
    TimedOut {
        /// The URL.
        url: String,
        /// How long was waited.
        after: Duration,
    },
    /// The answer is a refusal.
    #[error("{status} {code}: {message}")]
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
    /// The answer is not what it should be.
    #[error("unexpected answer: {reason}")]
    Unexpected {
        /// What is wrong with it.
        reason: String,
    },
}

impl ClientError {
    pub(super) fn unreachable(url: &str, error: Box<dyn Error + Send + Sync>) -> Self {
        let unsent = error.downcast_ref::<legacy::Error>().is_some_and(legacy::Error::is_connect);
        let mut reason = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !reason.ends_with(&text) {
                reason = format!("{reason}: {text}");
            }
            cause = error.source();
        }
        Self::Unreachable { url: url.to_owned(), reason, unsent }
    }

    pub(super) fn refused(reply: &Reply) -> Self {
        Self::of_status(reply.status, &reply.headers, &reply.body)
    }

    pub(super) fn of_status(status: StatusCode, headers: &HeaderMap, body: &[u8]) -> Self {
        let json: Value = serde_json::from_slice(body).unwrap_or_default();
        let part = |name: &str| {
            let text = json.pointer(&format!("/error/{name}")).and_then(Value::as_str);
            text.unwrap_or_default().to_owned()
        };
        let (code, mut message) = (part("code"), part("message"));
        if message.is_empty() {
            message = "the answer does not say why".to_owned();
        }
        Self::Refused { status, code, message, retry_after: retry_after(headers) }
    }

    /// Whether the same call will fail again until someone changes something.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Url { .. } | Self::Key | Self::Certificates { .. } => true,
            Self::Unreachable { .. } | Self::TimedOut { .. } | Self::Unexpected { .. } => false,
            Self::Refused { status, .. } => {
                let passes = [StatusCode::REQUEST_TIMEOUT, StatusCode::TOO_MANY_REQUESTS];
                status.is_client_error() && !passes.contains(status)
            }
        }
    }

    /// When the other side said to call again.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Refused { retry_after, .. } = self { *retry_after } else { None }
    }
}

/// The seconds of a `Retry-After` header (RFC 9110, section 10.2.3); its other form, a date, is
/// left to the caller's own back-off.
pub(crate) fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use bytes::Bytes;

    fn refused(status: u16, body: &'static str) -> ClientError {
        ClientError::refused(&Reply {
            status: StatusCode::from_u16(status).expect("a status"),
            headers: HeaderMap::new(),
            body: Bytes::from_static(body.as_bytes()),
        })
    }

    #[test]
    fn a_refusal_is_told_in_the_words_of_the_gateway() {
        let error = refused(401, r#"{"error":{"code":"no_key","message":"a key is needed"}}"#);
        assert_eq!(error.to_string(), "401 Unauthorized no_key: a key is needed");
        assert!(error.is_final());
    }

    #[test]
    fn what_may_pass_is_not_final() {
        for status in [408, 429, 500, 502, 503] {
            assert!(!refused(status, "<html>").is_final(), "{status}");
        }
        for status in [400, 401, 403, 404, 422] {
            assert!(refused(status, "").is_final(), "{status}");
        }
    }
}
