//! A message put together again from the parts that a provider gives: its fields, its texts, its
//! files. What reads messages then reads this one like any other.
//!
//! Everything is in base64, so that no content can pass for a boundary, and no bytes change.

use base64::{Engine, engine::general_purpose::STANDARD};
use bytes::Bytes;
use headgate_event::limits::{MAIL_ATTACHMENTS_MAX, MAIL_HEADERS_MAX};
use std::fmt::Write;

/// What stands between parts; `_` is in no line of base64 with padding.
const OUTER: &str = "=_headgate_parts";
const INNER: &str = "=_headgate_texts";
/// The longest line of base64 (RFC 2045, 6.8).
const LINE_BYTES: usize = 76;

/// The parts of a message.
#[derive(Debug, Default)]
pub(super) struct Parts {
    /// The fields in their order; those about the form of the body are left out.
    pub(super) fields: Vec<(String, String)>,
    pub(super) text: Option<String>,
    pub(super) html: Option<String>,
    pub(super) files: Vec<File>,
}

/// A file that hangs on a message.
#[derive(Debug)]
pub(super) struct File {
    pub(super) name: String,
    pub(super) content_type: String,
    /// With or without angle brackets; none or empty for a file that the text does not show.
    pub(super) content_id: Option<String>,
    pub(super) content: Content,
}

/// The bytes of a file.
#[derive(Debug)]
pub(super) enum Content {
    Bytes(Bytes),
    /// In base64, however it is broken into lines.
    Base64(String),
}

/// A field of addresses: `"name" <address>, ..`. Nothing where there is none.
pub(super) fn mailboxes<'a>(list: impl Iterator<Item = (&'a str, &'a str)>) -> Option<String> {
    let one = |(name, address): (&str, &str)| match name.trim() {
        "" => address.to_owned(),
        name => {
            format!("\"{}\" <{address}>", name.replace('\\', "\\\\").replace('"', "\\\""))
        }
    };
    let all: Vec<String> = list.filter(|(_, address)| !address.is_empty()).map(one).collect();
    (!all.is_empty()).then(|| all.join(", "))
}

impl Parts {
    /// Adds a field where there is a value.
    pub(super) fn field(&mut self, name: &str, value: Option<String>) {
        if let Some(value) = value.filter(|value| !value.trim().is_empty()) {
            self.fields.push((name.to_owned(), value));
        }
    }

    /// The message.
    pub(super) fn message(&self) -> Bytes {
        let mut out = String::new();
        for (name, value) in self.fields.iter().take(MAIL_HEADERS_MAX) {
            if is_name(name) && !describes_body(name) {
                let _ = write!(out, "{name}: {}\r\n", folded(value));
            }
        }
        out.push_str("MIME-Version: 1.0\r\n");
        if self.files.is_empty() {
            self.write_texts(&mut out);
        } else {
            let _ = write!(out, "Content-Type: multipart/mixed; boundary=\"{OUTER}\"\r\n\r\n");
            let _ = write!(out, "--{OUTER}\r\n");
            self.write_texts(&mut out);
            for file in self.files.iter().take(MAIL_ATTACHMENTS_MAX) {
                let _ = write!(out, "\r\n--{OUTER}\r\n");
                self.write_file(&mut out, file);
            }
            let _ = write!(out, "\r\n--{OUTER}--\r\n");
        }
        out.into()
    }

    fn write_texts(&self, out: &mut String) {
        let text = self.text.as_deref().filter(|text| !text.is_empty());
        let html = self.html.as_deref().filter(|html| !html.is_empty());
        match (text, html) {
            (Some(text), Some(html)) => {
                let _ = write!(
                    out,
                    "Content-Type: multipart/alternative; boundary=\"{INNER}\"\r\n\r\n\
                     --{INNER}\r\n"
                );
                write_text(out, "plain", text);
                let _ = write!(out, "\r\n--{INNER}\r\n");
                write_text(out, "html", html);
                let _ = write!(out, "\r\n--{INNER}--\r\n");
            }
            (None, Some(html)) => write_text(out, "html", html),
            (text, None) => write_text(out, "plain", text.unwrap_or_default()),
        }
    }

    fn write_file(&self, out: &mut String, file: &File) {
        let id = file.content_id.as_deref().unwrap_or_default();
        let id: String = id.chars().filter(|c| !c.is_control() && !"<> ".contains(*c)).collect();
        let shown = !id.is_empty()
            && self.html.as_deref().is_some_and(|html| html.contains(&format!("cid:{id}")));
        let disposition = if shown { "inline" } else { "attachment" };
        let _ = write!(out, "Content-Type: {}\r\n", media_type(&file.content_type));
        if !id.is_empty() {
            let _ = write!(out, "Content-ID: <{id}>\r\n");
        }
        // RFC 2231: a name in any characters.
        let _ = write!(out, "Content-Disposition: {disposition}");
        if !file.name.is_empty() {
            let _ = write!(out, "; filename*=utf-8''{}", percent_encoded(&file.name));
        }
        out.push_str("\r\nContent-Transfer-Encoding: base64\r\n\r\n");
        match &file.content {
            Content::Bytes(bytes) => write_lines(out, STANDARD.encode(bytes).bytes()),
            Content::Base64(text) => write_lines(out, text.bytes().filter(|b| is_base64(*b))),
        }
    }
}

fn write_text(out: &mut String, subtype: &str, text: &str) {
    let _ = write!(
        out,
        "Content-Type: text/{subtype}; charset=utf-8\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n"
    );
    write_lines(out, STANDARD.encode(text).bytes());
}

fn write_lines(out: &mut String, bytes: impl Iterator<Item = u8>) {
    for (at, byte) in bytes.enumerate() {
        if at > 0 && at % LINE_BYTES == 0 {
            out.push_str("\r\n");
        }
        out.push(char::from(byte));
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}

/// RFC 5322, 3.6.8: printable ASCII without a colon.
fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| matches!(byte, 33..=57 | 59..=126))
}

/// Whether a field says how the body is written: ours says so itself.
fn describes_body(name: &str) -> bool {
    name.eq_ignore_ascii_case("mime-version")
        || name.get(..8).is_some_and(|start| start.eq_ignore_ascii_case("content-"))
}

/// A value whose lines cannot end the field.
fn folded(value: &str) -> String {
    let lines: Vec<&str> = value.split(['\r', '\n', '\0']).collect();
    let lines = lines.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\r\n ")
}

/// The type without what could end its line. A file is no multipart: what it says it holds is not
/// there.
fn media_type(text: &str) -> &str {
    let essence = text.split(';').next().unwrap_or_default().trim();
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$&-^_.+".contains(&byte);
    let whole = |part: &str| !part.is_empty() && part.bytes().all(token);
    match essence.split_once('/') {
        Some((kind, subkind)) if whole(kind) && whole(subkind) => {
            if kind.eq_ignore_ascii_case("multipart") {
                "application/octet-stream"
            } else {
                essence
            }
        }
        _ => "application/octet-stream",
    }
}

fn percent_encoded(text: &str) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Message;

    #[test]
    fn no_value_can_end_its_field_or_begin_a_part() {
        let evil = "x\r\n\r\n--=_headgate_parts\r\nContent-Type: text/html\r\n\r\nevil";
        let parts = Parts {
            fields: vec![
                ("Subject".into(), evil.into()),
                ("Bad: name".into(), "x".into()),
                ("Content-Type".into(), "text/html".into()),
            ],
            text: Some(evil.into()),
            html: None,
            files: vec![File {
                name: evil.into(),
                content_type: format!("text/plain{evil}"),
                content_id: Some(evil.into()),
                content: Content::Base64(format!("aGk=\r\n\r\n{}", "--=_headgate_parts--")),
            }],
        };
        let text = String::from_utf8(parts.message().to_vec()).expect("ASCII");
        let boundaries = text.lines().filter(|line| *line == format!("--{OUTER}")).count();
        assert_eq!(boundaries, 2, "{text}");
        assert!(!text.contains("text/html") || text.contains(" Content-Type: text/html"), "{text}");
        let message = Message::read(parts.message());
        assert_eq!(message.attachments.len(), 1);
    }

    #[test]
    fn a_name_with_quotes_is_one_name() {
        let list = [("Gruber, \"Anna\" \\", "anna@orchard.example"), ("", "b@orchard.example")];
        let text = mailboxes(list.into_iter()).expect("a list");
        assert_eq!(text, r#""Gruber, \"Anna\" \\" <anna@orchard.example>, b@orchard.example"#);
        assert_eq!(mailboxes([("Nobody", "")].into_iter()), None);
    }
}
