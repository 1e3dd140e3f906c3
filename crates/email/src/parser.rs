//! What a header's value means, behind one seam: another parser, or another version of this one, is
//! one file.
//!
//! A parser gets one value at a time, of a bounded length. It never sees a whole message, so that
//! nothing in it can recurse over nested parts, and a value that it gets wrong spoils no other.
//! Where parts begin and end is [`structure`](crate::structure)'s.

mod mail_parser;

pub(crate) use mail_parser::MailParser;

use headgate_event::Timestamp;

/// An address with the name beside it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mailbox {
    pub(crate) name: Option<String>,
    pub(crate) address: String,
}

/// The value of Content-Type or Content-Disposition, in lower case but for the parameters' values.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Media {
    /// `text`; of a disposition `attachment`.
    pub(crate) kind: String,
    /// `plain`; empty of a disposition.
    pub(crate) subkind: String,
    /// In their order, decoded (RFC 2231, RFC 2047).
    pub(crate) parameters: Vec<(String, String)>,
}

/// Reads values of headers and texts in any charset. Whatever the bytes, it gives something back.
pub(crate) trait MessageParser {
    /// An unstructured value: unfolded, encoded words decoded (RFC 2047).
    fn text(&self, value: &[u8]) -> String;
    /// A list of addresses; those of groups among them.
    fn addresses(&self, value: &[u8]) -> Vec<Mailbox>;
    /// A date (RFC 5322, 3.3 and 4.3).
    fn date(&self, value: &[u8]) -> Option<Timestamp>;
    /// A media type or a disposition with its parameters.
    fn media(&self, value: &[u8]) -> Option<Media>;
    /// A text of a charset; none when nobody knows the charset.
    fn decode(&self, bytes: &[u8], charset: &str) -> Option<String>;
}

impl Media {
    /// The media type: `text/plain`.
    pub(crate) fn full(&self) -> String {
        format!("{}/{}", self.kind, self.subkind)
    }

    /// The value of a parameter.
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// Whether it is this type.
    pub(crate) fn is(&self, kind: &str, subkind: &str) -> bool {
        self.kind == kind && self.subkind == subkind
    }
}
