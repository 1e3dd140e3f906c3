//! A form body: decoded once, looked at by key.

use bytes::Bytes;
use headgate_event::{json::Doc, limits::SLACK_FORM_FIELDS_MAX};
use headgate_http::RawRequest;
use http::header::CONTENT_TYPE;
use serde::ser::{SerializeMap, Serializer};
use serde_json::value::RawValue;
use std::borrow::Cow;

const FORM: &str = "application/x-www-form-urlencoded";

/// A name and its value.
pub(super) type Field<'a> = (Cow<'a, str>, Cow<'a, str>);

/// The fields in their order, as far as they are read. Bytes that are no text are replaced.
pub(super) fn fields(body: &[u8]) -> Vec<Field<'_>> {
    form_urlencoded::parse(body).take(SLACK_FORM_FIELDS_MAX).collect()
}

/// The first value of this name, decoded once: its bytes, text or not.
pub(super) fn value(body: &[u8], wanted: &str) -> Option<Vec<u8>> {
    let fields = body.split(|byte| *byte == b'&').filter(|field| !field.is_empty());
    fields.take(SLACK_FORM_FIELDS_MAX).find_map(|field| {
        let end = field.iter().position(|byte| *byte == b'=').unwrap_or(field.len());
        let (name, value) = field.split_at(end);
        (decoded(name) == wanted.as_bytes()).then(|| decoded(value.get(1..).unwrap_or_default()))
    })
}

/// Whether all of a form is text once it is decoded.
pub(super) fn is_text(body: &[u8]) -> bool {
    std::str::from_utf8(&decoded(body)).is_ok()
}

/// `+` is a space and `%2B` a byte; a `%` without two hex digits stands for itself (WHATWG URL,
/// application/x-www-form-urlencoded parsing).
fn decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, after)) = rest.split_first() {
        let mut two = [0; 1];
        let escaped = (*byte == b'%').then(|| after.split_at_checked(2)).flatten();
        rest = match escaped {
            Some((digits, left)) if hex::decode_to_slice(digits, &mut two).is_ok() => {
                out.extend(two);
                left
            }
            _ => {
                out.push(if *byte == b'+' { b' ' } else { *byte });
                after
            }
        };
    }
    out
}

/// The fields as a JSON object in their order, repeated ones too.
pub(super) fn object(fields: &[Field<'_>]) -> Option<(Doc, Box<RawValue>)> {
    let mut text = Vec::new();
    let mut serializer = serde_json::Serializer::new(&mut text);
    let mut map = serializer.serialize_map(Some(fields.len())).ok()?;
    for (name, value) in fields {
        map.serialize_entry(name, value).ok()?;
    }
    map.end().ok()?;
    let text = String::from_utf8(text).ok()?;
    let doc = Doc::parse(Bytes::from(text.clone())).ok()?;
    Some((doc, RawValue::from_string(text).ok()?))
}

/// Whether a request only asks if our certificate is good: one field `ssl_check` that is `1`, in a
/// form or in the query. Nothing else in it counts, because anyone can send it.
pub(crate) fn is_ssl_check(request: &RawRequest) -> bool {
    let kind = request.headers.get(CONTENT_TYPE).map(|value| value.as_bytes());
    let essence = kind.and_then(|kind| kind.split(|byte| *byte == b';').next());
    let form = essence.is_some_and(|kind| kind.trim_ascii().eq_ignore_ascii_case(FORM.as_bytes()));
    form && asks_ssl_check(&request.body)
}

/// Whether a form or a query asks it.
pub(crate) fn asks_ssl_check(form: &[u8]) -> bool {
    let fields = form_urlencoded::parse(form).take(SLACK_FORM_FIELDS_MAX);
    let mut checks = fields.filter(|(name, _)| name == "ssl_check");
    checks.next().is_some_and(|(_, value)| value == "1") && checks.next().is_none()
}
