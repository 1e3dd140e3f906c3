//! What a body is: JSON, text or neither.
//!
//! JSON is UTF-8, whatever charset a sender names. A byte order mark is part of a text, not of
//! JSON: such a body is delivered as the text it is, and read past the mark. Text in another
//! charset is not guessed at: beyond ASCII it is delivered in base64, beside its Content-Type, and
//! the event says so.

use crate::identity::Form;
use bytes::Bytes;
use headgate_event::{
    BodyEncoding,
    json::{Doc, Kind},
};
use std::sync::Arc;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";
const FORM: &str = "application/x-www-form-urlencoded";

/// What a body is.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    /// How the event shows it.
    pub(crate) encoding: BodyEncoding,
    /// The JSON in it, for identity and prompt.
    pub(crate) doc: Option<Arc<Doc>>,
    /// Whether it is a text in a charset that is not read here.
    pub(crate) foreign_charset: bool,
}

impl Content {
    /// Reads a body. `form` says what there is to read in a form of its sender.
    pub(crate) fn read(content_type: Option<&str>, body: &Bytes, form: &Form) -> Self {
        let kind = content_type.map(essence).unwrap_or_default();
        // What a field of a form holds may be all that is proved: the rest is not read for it.
        if let Form::Field(field) = form
            && kind == FORM
            && let Some(doc) = in_form(body, field)
        {
            let (encoding, doc) = (BodyEncoding::Text, Some(Arc::new(doc)));
            return Self { encoding, doc, foreign_charset: false };
        }
        if let Some(doc) = json(&kind, body) {
            let marked = body.starts_with(BYTE_ORDER_MARK);
            let encoding = if marked { BodyEncoding::Text } else { BodyEncoding::Json };
            return Self { encoding, doc: Some(Arc::new(doc)), foreign_charset: false };
        }
        let foreign_charset = content_type.is_some_and(has_foreign_charset);
        if std::str::from_utf8(body).is_err() || (foreign_charset && !body.is_ascii()) {
            return Self { encoding: BodyEncoding::Base64, doc: None, foreign_charset };
        }
        let doc = match form {
            Form::Fields if kind == FORM => as_object(body),
            _ => None,
        };
        let doc = doc.map(Arc::new);
        Self { encoding: BodyEncoding::Text, doc, foreign_charset }
    }
}

/// The media type without parameters, in lower case.
fn essence(content_type: &str) -> String {
    content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
}

/// Whether a Content-Type names a charset other than UTF-8 and the ASCII in it.
fn has_foreign_charset(content_type: &str) -> bool {
    let parameters = content_type.split(';').skip(1).filter_map(|pair| pair.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    charsets.next().is_some_and(|(_, charset)| {
        let charset = charset.trim().trim_matches('"').to_ascii_lowercase();
        !matches!(charset.as_str(), "" | "utf-8" | "utf8" | "us-ascii" | "ascii")
    })
}

/// The body as JSON. Under a type that does not promise it, only an array or object counts: a page
/// of digits is no number.
fn json(kind: &str, body: &Bytes) -> Option<Doc> {
    let text = body.strip_prefix(BYTE_ORDER_MARK).map_or(body.clone(), |rest| body.slice_ref(rest));
    let promised = kind == "application/json" || kind == "text/json" || kind.ends_with("+json");
    let first = text.iter().find(|byte| !byte.is_ascii_whitespace())?;
    if !promised && !matches!(first, b'{' | b'[') {
        return None;
    }
    let doc = Doc::parse(text).ok()?;
    let nested = matches!(doc.root().kind(), Kind::Object | Kind::Array);
    (promised || nested).then_some(doc)
}

/// The JSON object in a field of a form.
fn in_form(body: &Bytes, field: &str) -> Option<Doc> {
    let (_, value) = form_urlencoded::parse(body).find(|(name, _)| name == field)?;
    let doc = Doc::parse(Bytes::from(value.into_owned())).ok()?;
    (doc.root().kind() == Kind::Object).then_some(doc)
}

/// The fields of a form as the members of an object, in their order.
fn as_object(body: &Bytes) -> Option<Doc> {
    let text = |text: &str| serde_json::to_string(text).unwrap_or_default();
    let pairs = form_urlencoded::parse(body);
    let members: Vec<_> =
        pairs.map(|(name, value)| format!("{}:{}", text(&name), text(&value))).collect();
    Doc::parse(Bytes::from(format!("{{{}}}", members.join(",")))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn payload() -> Form {
        Form::Field("payload".to_owned())
    }

    fn encoding(content_type: &str, body: &'static [u8]) -> (BodyEncoding, bool) {
        let content = Content::read(Some(content_type), &Bytes::from_static(body), &payload());
        (content.encoding, content.doc.is_some())
    }

    #[test]
    fn json_is_found_under_its_types_and_under_wrong_ones() {
        use BodyEncoding::{Json, Text};
        assert_eq!(encoding("application/json", b"{\"a\":1}"), (Json, true));
        assert_eq!(encoding("Application/CloudEvents+JSON; charset=utf-8", b" 3 "), (Json, true));
        assert_eq!(encoding("text/plain", b"\n[1]"), (Json, true));
        assert_eq!(encoding("", b"{}"), (Json, true));
        assert_eq!(encoding("text/plain", b"3"), (Text, false));
        assert_eq!(encoding("", b"\"a\""), (Text, false));
        assert_eq!(encoding("application/json", b"{\"a\":"), (Text, false));
    }

    #[test]
    fn what_breaks_the_parsers_of_consumers_is_text() {
        for body in [&br#"{"a":"\ud800"}"#[..], br#"{"a":1e999}"#] {
            assert_eq!(encoding("application/json", body), (BodyEncoding::Text, false));
        }
        let deep = Bytes::from("[".repeat(100_000) + &"]".repeat(100_000));
        let content = Content::read(Some("application/json"), &deep, &Form::Text);
        assert_eq!(content.encoding, BodyEncoding::Text);
    }

    #[test]
    fn an_empty_body_is_an_empty_text() {
        assert_eq!(encoding("application/json", b""), (BodyEncoding::Text, false));
        assert_eq!(encoding("application/json", b" \n"), (BodyEncoding::Text, false));
    }

    #[test]
    fn bytes_that_are_not_utf8_are_neither() {
        assert_eq!(
            encoding("text/plain; charset=iso-8859-1", b"\xfc"),
            (BodyEncoding::Base64, false)
        );
        assert_eq!(
            encoding("application/json", b"{\"a\":\"\xfc\"}"),
            (BodyEncoding::Base64, false)
        );
    }

    #[test]
    fn text_in_another_charset_is_not_guessed_at() {
        let read = |kind, body: &'static [u8]| {
            let content = Content::read(Some(kind), &Bytes::from_static(body), &Form::Text);
            (content.encoding, content.foreign_charset)
        };
        // These bytes are `Ã¼` in Latin-1, and by chance `ü` in UTF-8.
        let chance = b"a=\xc3\xbc";
        assert_eq!(read("text/plain; charset=ISO-8859-1", chance), (BodyEncoding::Base64, true));
        assert_eq!(read("text/plain;charset=\"windows-1252\"", b"a"), (BodyEncoding::Text, true));
        for kind in ["text/plain; charset=UTF-8", "text/plain; q=1;Charset=\"utf8\"", "text/plain"]
        {
            assert_eq!(read(kind, chance), (BodyEncoding::Text, false), "{kind}");
        }
        assert_eq!(read("application/json; charset=latin1", b"[1]"), (BodyEncoding::Json, false));
    }

    #[test]
    fn a_byte_order_mark_makes_a_text_that_is_still_read() {
        let marked = b"\xef\xbb\xbf{\"a\":1}";
        assert_eq!(encoding("application/json", marked), (BodyEncoding::Text, true));
    }

    #[test]
    fn the_json_in_a_form_is_read_and_the_form_stays_text() {
        let form = b"x=1&payload=%7B%22action%22%3A+%22opened%22%7D";
        assert_eq!(encoding(FORM, form), (BodyEncoding::Text, true));
        assert_eq!(encoding(FORM, b"payload=3"), (BodyEncoding::Text, false));
        assert_eq!(encoding("text/plain", form), (BodyEncoding::Text, false));
        let content = Content::read(Some(FORM), &Bytes::from_static(form), &Form::Text);
        assert!(content.doc.is_none());
    }

    /// The proof covers what the field holds; the whole of this body is an object, too.
    #[test]
    fn a_form_whose_field_is_proved_is_never_read_as_the_json_that_it_may_be() {
        let body = br#"{"action":"evil","z":"&payload=%7B%22action%22%3A%22opened%22%7D&y="}"#;
        let form = Form::Field("payload".to_owned());
        let content = Content::read(Some(FORM), &Bytes::from_static(body), &form);
        let doc = content.doc.expect("what the field holds");
        let action = doc.root().get("action").and_then(headgate_event::json::Node::as_str);
        assert_eq!((content.encoding, action), (BodyEncoding::Text, Some("opened")));
    }
}
