//! The body of a request inside the `data` of its event, kept once.
//!
//! A stored event holds the exact bytes that came. Its `data` repeats them, as JSON, as a string
//! or in base64; so the text that is stored has a hole in their place, and who reads the event
//! fills it from the bytes. A body that came compressed is stored as it came, and decoded by who
//! fills the hole.

use crate::Coded;
use base64::{Engine, engine::general_purpose::STANDARD};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::borrow::Cow;

/// How `data` shows the body of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BodyEncoding {
    /// As the JSON it is.
    Json,
    /// As a string.
    Text,
    /// In base64.
    Base64,
}

/// What fills a hole: how the raw bytes are shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fill {
    /// The bytes are JSON: token for token, without white space between tokens.
    Json,
    /// The bytes are UTF-8: a JSON string.
    Text,
    /// A JSON string of their base64.
    Base64,
}

/// The JSON text of an event's `data`, with at most one hole for the raw bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataText {
    text: String,
    hole: Option<(usize, Fill)>,
    coded: Option<Coded>,
}

impl DataText {
    /// The whole of `data`, without a hole.
    #[must_use]
    pub fn whole(data: &impl Serialize) -> Self {
        Self { text: json(data), hole: None, coded: None }
    }

    /// The fields of a struct, to which more can be added.
    #[must_use]
    pub fn from_object(object: &impl Serialize) -> Self {
        Self::whole(object)
    }

    /// With one more field at the end.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl Serialize) -> Self {
        self.reopen();
        self.text.push_str(&json(&name));
        self.text.push(':');
        self.text.push_str(&json(&value));
        self.text.push('}');
        self
    }

    /// With the fields of a struct at the end.
    #[must_use]
    pub fn object(mut self, object: &impl Serialize) -> Self {
        let fields = json(object);
        if let Some(inner) = fields.strip_prefix('{').filter(|inner| *inner != "}") {
            self.reopen();
            self.text.push_str(inner);
        }
        self
    }

    /// With a field at the end whose value is the raw bytes. A second hole is refused in tests.
    #[must_use]
    pub fn hole(mut self, name: &str, fill: Fill) -> Self {
        debug_assert!(self.hole.is_none(), "`data` has one hole at most");
        self.reopen();
        self.text.push_str(&json(&name));
        self.text.push(':');
        self.hole = Some((self.text.len(), fill));
        self.text.push('}');
        self
    }

    /// The same for raw bytes that have to be decoded before they fill the hole.
    #[must_use]
    pub fn coded(mut self, coded: Option<Coded>) -> Self {
        self.coded = coded;
        self
    }

    /// How the raw bytes are decoded before they fill the hole, for storing.
    #[must_use]
    pub fn coding(&self) -> Option<&Coded> {
        self.coded.as_ref()
    }

    /// The text and where its hole is, for storing.
    #[must_use]
    pub fn parts(&self) -> (&str, Option<(usize, Fill)>) {
        (&self.text, self.hole)
    }

    /// A text that was stored, with its hole; `None` when the hole is not inside the text.
    #[must_use]
    pub fn from_parts(text: String, hole: Option<(usize, Fill)>) -> Option<Self> {
        let fits = hole.is_none_or(|(at, _)| at > 0 && text.is_char_boundary(at));
        fits.then_some(Self { text, hole, coded: None })
    }

    /// The raw bytes as a fill shows them; `None` when they cannot be shown so.
    #[must_use]
    pub fn shown(fill: Fill, raw: &[u8]) -> Option<Box<RawValue>> {
        // Without the space that stands for what is before a hole.
        Self { text: " ".to_owned(), hole: Some((1, fill)), coded: None }.filled(raw).ok()
    }

    /// The `data` with its hole filled from the raw bytes.
    ///
    /// Fails only when text or bytes are not what they were when the event was made.
    pub fn filled(self, raw: &[u8]) -> Result<Box<RawValue>, serde_json::Error> {
        let Some((at, fill)) = self.hole else { return RawValue::from_string(self.text) };
        let raw = match &self.coded {
            Some(coded) => Cow::Owned(coded.undo(raw).map_err(serde::de::Error::custom)?),
            None => Cow::Borrowed(raw),
        };
        let mut whole = String::with_capacity(self.text.len() + raw.len() + raw.len() / 2);
        let (before, after) = self.text.split_at(at);
        whole.push_str(before);
        match fill {
            Fill::Json => compact(text_of(&raw)?, &mut whole),
            Fill::Text => whole.push_str(&json(&text_of(&raw)?)),
            Fill::Base64 => {
                whole.push('"');
                STANDARD.encode_string(&raw, &mut whole);
                whole.push('"');
            }
        }
        whole.push_str(after);
        RawValue::from_string(whole)
    }

    fn reopen(&mut self) {
        let closed = self.text.pop();
        debug_assert_eq!(closed, Some('}'), "`data` is an object");
        if !self.text.ends_with('{') {
            self.text.push(',');
        }
    }
}

fn text_of(raw: &[u8]) -> Result<&str, serde_json::Error> {
    std::str::from_utf8(raw).map_err(serde::de::Error::custom)
}

/// Appends JSON without the white space between its tokens, so that it is one line.
fn compact(text: &str, out: &mut String) {
    let bytes = text.as_bytes();
    let (mut from, mut inside, mut escaped) = (0, false, false);
    for (at, byte) in bytes.iter().enumerate() {
        if inside {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => inside = false,
                _ => {}
            }
        } else if *byte == b'"' {
            inside = true;
        } else if matches!(byte, b' ' | b'\t' | b'\n' | b'\r') {
            out.push_str(text.get(from..at).unwrap_or_default());
            from = at + 1;
        }
    }
    out.push_str(text.get(from..).unwrap_or_default());
}

#[expect(
    clippy::expect_used,
    reason = "strings and structs of strings and numbers always serialize"
)]
fn json(value: &(impl Serialize + ?Sized)) -> String {
    serde_json::to_string(value).expect("plain data serializes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(fill: Fill, raw: &[u8]) -> String {
        let text = DataText::whole(&serde_json::json!({"a": 1})).hole("body", fill).field("b", 2);
        text.filled(raw).expect("fills").get().to_owned()
    }

    #[test]
    fn json_is_kept_token_for_token_in_one_line() {
        let raw = b" {\"n\" : 1.10,\r\n \"n\": 12345678901234567890123, \"s\":\"a \\\" b\\\\\" , \"e\": 1E5 }\n";
        assert_eq!(
            with(Fill::Json, raw),
            r#"{"a":1,"body":{"n":1.10,"n":12345678901234567890123,"s":"a \" b\\","e":1E5},"b":2}"#
        );
    }

    #[test]
    fn text_becomes_a_string() {
        assert_eq!(with(Fill::Text, b"a\n\"b\""), r#"{"a":1,"body":"a\n\"b\"","b":2}"#);
        assert_eq!(with(Fill::Text, b""), r#"{"a":1,"body":"","b":2}"#);
    }

    #[test]
    fn other_bytes_become_base64() {
        assert_eq!(with(Fill::Base64, &[0xff, 0]), r#"{"a":1,"body":"/wA=","b":2}"#);
    }

    #[test]
    fn bytes_that_are_not_what_they_were_do_not_fill() {
        let text = DataText::whole(&serde_json::json!({})).hole("body", Fill::Json);
        assert!(text.clone().filled(b"{").is_err());
        assert!(text.filled(&[0xff]).is_err());
    }

    #[test]
    fn a_hole_outside_its_text_is_no_data() {
        assert!(DataText::from_parts("{}".into(), Some((3, Fill::Json))).is_none());
        assert!(DataText::from_parts("{\"ü\"}".into(), Some((3, Fill::Json))).is_none());
    }
}
