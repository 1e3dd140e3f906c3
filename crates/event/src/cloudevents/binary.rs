//! The binary mode: attributes are headers, and the data is the body.

use super::{
    Attribute, CloudData, CloudEvent, CloudEventError,
    attribute::{Attributes, is_json, is_text, wrong},
};
use crate::json::Doc;
use bytes::Bytes;
use serde_json::value::RawValue;
use std::fmt::Write;

/// What the names of the headers of attributes begin with.
pub const PREFIX: &str = "ce-";

/// Reads a CloudEvent in binary mode: headers by their lower-case names, and the body.
pub fn from_headers<'h>(
    headers: impl Iterator<Item = (&'h str, &'h [u8])>,
    body: Bytes,
) -> Result<CloudEvent, CloudEventError> {
    let mut attributes = Attributes::default();
    for (name, value) in headers {
        if name == "content-type" {
            attributes.add("datacontenttype", Attribute::Text(text(name, value)?))?;
        } else if let Some(attribute) = name.strip_prefix(PREFIX) {
            attributes.add(attribute, Attribute::Text(decoded(attribute, value)?))?;
        }
    }
    let mut event = attributes.event(CloudData::None)?;
    event.data = data(body, event.datacontenttype.as_deref())?;
    Ok(event)
}

/// The data that a body is. Without a media type it is what it can be read as.
fn data(body: Bytes, media_type: Option<&str>) -> Result<CloudData, CloudEventError> {
    if body.is_empty() {
        return Ok(CloudData::None);
    }
    if media_type.is_none_or(is_json) {
        match Doc::parse(body.clone()).map_err(|error| error.to_string()).and_then(|_| json(&body))
        {
            Ok(json) => return Ok(CloudData::Json(json)),
            Err(reason) if media_type.is_some() => {
                return Err(CloudEventError::NotJson { reason });
            }
            Err(_) => {}
        }
    }
    let text = media_type.is_none_or(is_text).then(|| std::str::from_utf8(&body).ok()).flatten();
    Ok(text
        .map_or_else(|| CloudData::Binary(body.clone()), |text| CloudData::Text(text.to_owned())))
}

fn json(body: &[u8]) -> Result<Box<RawValue>, String> {
    serde_json::from_slice(body).map_err(|error| error.to_string())
}

fn text(name: &str, value: &[u8]) -> Result<String, CloudEventError> {
    let text = std::str::from_utf8(value);
    let found = |_| "other bytes".to_owned();
    text.map(str::to_owned).map_err(|error| wrong(name, "UTF-8", found(error)))
}

/// HB 3.1.3.2: quotes and their escapes are undone first, then percent escapes.
fn decoded(name: &str, value: &[u8]) -> Result<String, CloudEventError> {
    let value = value.trim_ascii();
    let inner = value.strip_prefix(b"\"").and_then(|rest| rest.strip_suffix(b"\""));
    let value = inner.map_or_else(|| value.to_vec(), unquoted);
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value.as_slice();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = after.split_first_chunk().filter(|_| byte == b'%');
        match escape.and_then(|(digits, after)| Some((octet(*digits)?, after))) {
            Some((octet, after)) => {
                bytes.push(octet);
                rest = after;
            }
            None => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    text(name, &bytes)
}

fn unquoted(inner: &[u8]) -> Vec<u8> {
    let (mut bytes, mut escaped) = (Vec::with_capacity(inner.len()), false);
    for byte in inner {
        if *byte == b'\\' && !escaped {
            escaped = true;
        } else {
            escaped = false;
            bytes.push(*byte);
        }
    }
    bytes
}

fn octet(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

/// HB 3.1.3.2: blanks, quotes, percent signs, and all that is not visible ASCII are escaped.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_graphic() && byte != b'"' && byte != b'%' {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}
