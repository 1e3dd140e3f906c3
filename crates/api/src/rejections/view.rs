//! A rejection with everything that came, as JSON.

use crate::error::ApiError;
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headgate_event::{BodyEncoding, DataText, Fill, json::Doc};
use headgate_quarantine::Kept;
use http::{HeaderName, HeaderValue, StatusCode};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

/// A header as it came.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "RejectedHeader")]
struct Header<'a> {
    /// Its name in lower case.
    name: &'a str,
    /// The value; null when it is not UTF-8.
    value: Option<&'a str>,
    /// The value in base64 when it is not UTF-8.
    #[serde(skip_serializing_if = "Option::is_none")]
    value_b64: Option<String>,
}

/// Everything but the body.
#[derive(Serialize, JsonSchema)]
struct Head<'a> {
    #[serde(flatten)]
    summary: &'a headgate_quarantine::Summary,
    /// The path and query as they came.
    target: &'a str,
    /// The headers, in their order.
    headers: Vec<Header<'a>>,
    /// How the body is shown; null when it is not kept.
    body_encoding: Option<BodyEncoding>,
}

/// All of it, for the document.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Rejection")]
pub(crate) struct Whole<'a> {
    #[serde(flatten)]
    head: Head<'a>,
    /// The body: JSON as it came, or a string; null when it is not kept or is neither.
    body: Value,
    /// The body in base64 when it is neither JSON nor text; empty otherwise.
    body_raw_b64: String,
}

/// The answer that shows all of it. The body is shown as an event would show it; it is null when
/// it is not kept.
pub(super) fn whole(kept: &Kept) -> Result<Response, ApiError> {
    let none = Bytes::new();
    let body = kept.body.as_ref();
    let encoding = body.map(encoding);
    let head = Head {
        summary: &kept.summary,
        target: &kept.target,
        headers: kept.headers.iter().map(|(name, value)| header(name, value)).collect(),
        body_encoding: encoding,
    };
    let text = DataText::from_object(&head);
    let text = match encoding {
        None => text.field("body", ()).field("body_raw_b64", ""),
        Some(BodyEncoding::Json) => text.hole("body", Fill::Json).field("body_raw_b64", ""),
        Some(BodyEncoding::Text) => text.hole("body", Fill::Text).field("body_raw_b64", ""),
        Some(BodyEncoding::Base64) => text.field("body", ()).hole("body_raw_b64", Fill::Base64),
    };
    let filled = text.filled(body.unwrap_or(&none)).map_err(|error| {
        let message = "the rejection cannot be shown";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message).with_cause(error)
    })?;
    Ok(Json(filled).into_response())
}

fn header<'a>(name: &'a HeaderName, value: &'a HeaderValue) -> Header<'a> {
    let text = std::str::from_utf8(value.as_bytes()).ok();
    let value_b64 = text.is_none().then(|| STANDARD.encode(value.as_bytes()));
    Header { name: name.as_str(), value: text, value_b64 }
}

/// How a body is shown: whatever type was claimed, it was not believed.
fn encoding(body: &Bytes) -> BodyEncoding {
    let first = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if matches!(first, Some(b'{' | b'[')) && Doc::parse(body.clone()).is_ok() {
        BodyEncoding::Json
    } else if std::str::from_utf8(body).is_ok() {
        BodyEncoding::Text
    } else {
        BodyEncoding::Base64
    }
}
