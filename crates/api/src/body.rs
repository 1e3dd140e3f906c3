//! The JSON body of a call: read within its limit, and refused with the place of the mistake.

mod objects;

use crate::{api::Shared, error::ApiError};
use axum::{
    body::Body,
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use headgate_event::limits::{API_BODY_BYTES_MAX, BODY_RETRY_AFTER};
use headgate_http::{Exhausted, Pace, PaceLimits, Slow};
use http::{HeaderValue, StatusCode, header};
use http_body_util::BodyExt;
use objects::Objects;
use serde::de::DeserializeOwned;
use std::error::Error;
use tokio::time::Instant;

/// Reads a body that is a JSON object.
pub(crate) async fn object<T: DeserializeOwned>(body: Body) -> Result<T, ApiError> {
    parse(&whole(body).await?)
}

/// Reads a body that is a JSON object or empty.
pub(crate) async fn object_or_empty<T>(body: Body) -> Result<T, ApiError>
where
    T: DeserializeOwned + Default,
{
    let bytes = whole(body).await?;
    if bytes.trim_ascii().is_empty() { Ok(T::default()) } else { parse(&bytes) }
}

/// Reads a body that has to be empty.
pub(crate) async fn nothing(body: Body) -> Result<(), ApiError> {
    let bytes = whole(body).await?;
    // An empty object says nothing either, and some clients always send one.
    if matches!(bytes.trim_ascii(), b"" | b"{}") {
        return Ok(());
    }
    Err(ApiError::invalid("invalid_body", "expected no body, found one"))
}

/// Counts the body of a call against the memory for bodies until the call is answered.
pub(crate) async fn counted(State(api): State<Shared>, request: Request, next: Next) -> Response {
    let (parts, body) = request.into_parts();
    let (body, hold) = api.bodies.count(body);
    let answer = next.run(Request::from_parts(parts, Body::new(body))).await;
    drop(hold);
    answer
}

/// The whole body, within its limit and as fast as a body has to come.
pub(crate) async fn whole(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut pace = Pace::new(PaceLimits::default(), Instant::now());
    let mut whole = Vec::new();
    while let Some(frame) = pace.within(body.frame()).await.map_err(too_slow)? {
        let frame = frame.map_err(|error| broken(error.into_inner()))?;
        let Ok(data) = frame.into_data() else { continue }; // trailers say nothing here
        if data.len() > API_BODY_BYTES_MAX - whole.len() {
            return Err(too_large());
        }
        pace.count(data.len());
        whole.extend_from_slice(&data);
    }
    Ok(whole)
}

/// Reads the bytes of a body that is a JSON object.
pub(crate) fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.trim_ascii_start().starts_with(b"[") {
        return Err(ApiError::invalid("invalid_body", "expected a JSON object, found an array"));
    }
    value(bytes)
}

/// Reads the bytes of a body that is a JSON array.
pub(crate) fn array<T: DeserializeOwned>(bytes: &[u8]) -> Result<Vec<T>, ApiError> {
    value(bytes)
}

fn value<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ApiError> {
    if bytes.trim_ascii().is_empty() {
        return Err(ApiError::invalid("invalid_json", "expected a JSON object, found no body"));
    }
    let mut json = serde_json::Deserializer::from_slice(bytes);
    let read = serde_path_to_error::deserialize(Objects(&mut json)).map_err(|error| {
        let place = error.path().to_string();
        // The path of what could not be read at all is no name that a caller knows.
        let named = !place.contains('?') && place != ".";
        let place = if named { format!("`{place}`") } else { "the body".to_owned() };
        let error = error.into_inner();
        let code = if error.is_data() { "invalid_body" } else { "invalid_json" };
        ApiError::invalid(code, format!("{place} is not what is taken here: {}", worded(&error)))
    })?;
    json.end().map_err(|error| {
        let message = format!("expected one JSON value, found more after it: {error}");
        ApiError::invalid("invalid_json", message)
    })?;
    Ok(read)
}

/// What is wrong with JSON, in words that do not tell of our types.
pub(crate) fn worded(error: &serde_json::Error) -> String {
    error.to_string().replace("expected u64", "expected a whole number")
}

fn broken(error: Box<dyn Error + Send + Sync>) -> ApiError {
    if error.is::<Exhausted>() {
        let message = "no memory is left for the body, please try again";
        let seconds = HeaderValue::from(BODY_RETRY_AFTER.as_secs());
        return closing(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message.to_owned())
            .with_header(header::RETRY_AFTER, seconds)
            .with_cause(error);
    }
    let message = "the body ended before it was whole";
    ApiError::new(StatusCode::BAD_REQUEST, "incomplete_body", message).with_cause(error)
}

fn too_large() -> ApiError {
    let message = format!("the body has more than the {API_BODY_BYTES_MAX} bytes taken here");
    closing(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
}

fn too_slow(slow: Slow) -> ApiError {
    closing(StatusCode::REQUEST_TIMEOUT, Slow::CODE, slow.to_string())
}

/// A refusal of a body that is not read to its end, so that nothing can follow it.
fn closing(status: StatusCode, code: &'static str, message: String) -> ApiError {
    ApiError::new(status, code, message)
        .with_header(header::CONNECTION, HeaderValue::from_static("close"))
}
