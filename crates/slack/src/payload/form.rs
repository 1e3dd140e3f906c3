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

/// The fields in their order, as far as they are read.
pub(super) fn fields(body: &[u8]) -> Vec<Field<'_>> {
    form_urlencoded::parse(body).take(SLACK_FORM_FIELDS_MAX).collect()
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
