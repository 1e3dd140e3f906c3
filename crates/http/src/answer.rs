//! Answers as they are made in one line. What is wrong with a request is [`Reject`](crate::Reject).

use bytes::Bytes;
use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use serde::Serialize;

/// The answer to a request.
pub type Answer = Response<Full<Bytes>>;

/// An answer whose body is the JSON of `value`.
///
/// A value that has no JSON (a map with keys that are no strings) is a fault of ours: 500.
#[must_use]
pub fn json_answer(status: StatusCode, value: &impl Serialize) -> Answer {
    match serde_json::to_vec(value) {
        Ok(body) => with_type(status, "application/json", body.into()),
        Err(error) => {
            tracing::error!(%error, "an answer has no JSON");
            empty_answer(StatusCode::INTERNAL_SERVER_ERROR)
        }
    }
}

/// An answer of plain text, which no browser takes for anything else.
#[must_use]
pub fn text_answer(status: StatusCode, text: impl Into<Bytes>) -> Answer {
    let mut answer = with_type(status, "text/plain; charset=utf-8", text.into());
    let nosniff = HeaderValue::from_static("nosniff");
    answer.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, nosniff);
    answer
}

/// An answer without a body.
#[must_use]
pub fn empty_answer(status: StatusCode) -> Answer {
    let mut answer = Response::new(Full::default());
    *answer.status_mut() = status;
    answer
}

fn with_type(status: StatusCode, content_type: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    answer.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    answer
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    #[test]
    fn a_value_without_json_is_a_fault_of_ours() {
        let odd = BTreeMap::from([((1, 2), "a pair is no key of an object")]);
        assert_eq!(json_answer(StatusCode::OK, &odd).status(), 500);
    }

    #[test]
    fn text_is_not_to_be_sniffed() {
        let answer = text_answer(StatusCode::OK, "<script>");
        assert_eq!(answer.headers()["x-content-type-options"], "nosniff");
        assert_eq!(answer.headers()["content-type"], "text/plain; charset=utf-8");
    }
}
