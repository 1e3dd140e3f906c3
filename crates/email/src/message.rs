//! A message as it came, read once: what an event says of it, whatever channel it goes to.
//!
//! Reading never fails. What cannot be read is left out and named in `defects`; the bytes are the
//! event's raw bytes either way. How it was handed over and who is believed to have sent it is a
//! [`Receipt`](crate::Receipt)'s.

mod attachments;
pub(crate) mod automatic;
mod content;
mod fields;

use crate::{
    parser::{MailParser, MessageParser},
    structure::Structure,
};
pub use attachments::attachment_bytes;

use bytes::Bytes;
use content::Content;
use fields::Fields;
use headgate_event::data::{Attachment, AutoFlags};

/// A message and what it says.
#[derive(Clone, Debug)]
pub struct Message {
    pub(crate) raw: Bytes,
    pub(crate) fields: Fields,
    pub(crate) content: Content,
    pub(crate) attachments: Vec<Attachment>,
    pub(crate) auto: AutoFlags,
    /// What is wrong with it, one code each, in order.
    pub(crate) defects: Vec<String>,
    /// The digest of everything below the headers, by which a repeat is known.
    pub(crate) body_digest: String,
}

impl Message {
    /// Reads a message: RFC 5322 with MIME, or whatever the bytes are.
    ///
    /// Its work grows with the number of bytes alone; it needs no more stack than any other call.
    /// It may take tens of milliseconds for messages of many MiB: call it where nothing waits.
    #[must_use]
    pub fn read(raw: Bytes) -> Self {
        Self::read_by(raw, &MailParser)
    }

    fn read_by(raw: Bytes, parser: &dyn MessageParser) -> Self {
        let structure = Structure::of(&raw, parser);
        let mut defects: Vec<String> =
            structure.defects.iter().map(|code| (*code).to_owned()).collect();
        let mut defect = |code: &str| {
            if !defects.iter().any(|known| known == code) {
                defects.push(code.to_owned());
            }
        };
        let (fields, body) = match structure.parts.first() {
            Some(root) => (Fields::read(&root.head, parser, &mut defect), root.head.body),
            None => (Fields::default(), 0),
        };
        let body_digest = crate::digest(&[raw.get(body..).unwrap_or_default()]);
        let (content, rest) = content::read(&raw, &structure, parser, &mut defect);
        let attachments = attachments::list(&raw, &structure, &rest, parser, &mut defect);
        let auto = structure
            .parts
            .first()
            .map_or_else(AutoFlags::default, |root| automatic::flags(root, &fields));
        Self { fields, content, attachments, auto, defects, body_digest, raw }
    }

    /// The message with what else is wrong with it, one code each.
    pub(crate) fn with_defects(mut self, codes: &[&str]) -> Self {
        self.defects.extend(codes.iter().map(|code| (*code).to_owned()));
        self
    }

    /// The bytes as they came.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.raw
    }

    /// The author's address, when the message names exactly one.
    #[must_use]
    pub fn author(&self) -> Option<&str> {
        match self.fields.from.as_slice() {
            [one] if self.fields.from_count == 1 && !self.fields.from_guessed => Some(&one.address),
            _ => None,
        }
    }

    /// What is wrong with it, one code each.
    #[must_use]
    pub fn defects(&self) -> &[String] {
        &self.defects
    }
}
