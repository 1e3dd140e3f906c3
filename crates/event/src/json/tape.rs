//! The tape behind a document: every value in the order of the text, twelve bytes each.
//!
//! serde_json parses and judges; this file writes down where each token is. The spans are found by
//! following the text alongside, so that a number keeps the digits it was written with.

use super::{DocError, DocErrorKind};
use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};
use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// One value or key. Positions and sizes are `u32`: a text beyond that is refused.
#[derive(Clone, Copy, Debug)]
pub(super) enum Entry {
    Null,
    Bool(bool),
    /// Digits and signs in the text.
    Number(Span),
    /// A string without escapes, in the text.
    Plain(Span),
    /// A string that had escapes, in [`Tape::unescaped`].
    Unescaped(Span),
    /// Its items follow.
    Array(Extent),
    /// Its keys and values follow by turns.
    Object(Extent),
}

/// Where a string or a number is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    pub(super) at: u32,
    pub(super) len: u32,
}

/// How far an array or an object reaches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Extent {
    /// How many items, or pairs of key and value.
    pub(super) count: u32,
    /// The index after the last entry in it.
    pub(super) end: u32,
}

pub(super) struct Tape {
    entries: Vec<Entry>,
    pub(super) unescaped: String,
}

impl Tape {
    pub(super) fn entry(&self, index: u32) -> Option<Entry> {
        self.entries.get(index as usize).copied()
    }

    /// The index after the value at `index` and all that is in it.
    pub(super) fn after(&self, index: u32) -> u32 {
        match self.entry(index) {
            Some(Entry::Array(extent) | Entry::Object(extent)) => extent.end,
            _ => index + 1,
        }
    }
}

impl Span {
    /// What is there, in the text it belongs to.
    pub(super) fn of(self, text: &[u8]) -> &[u8] {
        let at = self.at as usize;
        text.get(at..at + self.len as usize).unwrap_or_default()
    }
}

pub(super) fn parse(text: &str) -> Result<Tape, DocError> {
    let mut writer = Writer {
        text: text.as_bytes(),
        cursor: 0,
        tape: Tape { entries: Vec::with_capacity(text.len() / 16 + 1), unescaped: String::new() },
        fault: None,
    };
    let mut deserializer = serde_json::Deserializer::from_str(text);
    // The limit of serde_json is 127; ours is counted below.
    deserializer.disable_recursion_limit();
    Value { writer: &mut writer, depth: 0 }
        .deserialize(&mut deserializer)
        .and_then(|()| deserializer.end())
        .map_err(|fault| DocError::new(writer.fault.unwrap_or(DocErrorKind::NotJson), &fault))?;
    Ok(writer.tape)
}

struct Writer<'t> {
    text: &'t [u8],
    /// The end of the last token that was written.
    cursor: usize,
    tape: Tape,
    fault: Option<DocErrorKind>,
}

impl Writer<'_> {
    fn push<E: de::Error>(&mut self, entry: Entry) -> Result<usize, E> {
        if self.tape.entries.len() >= JSON_VALUES_MAX {
            return Err(self.refuse(DocErrorKind::TooMany));
        }
        self.tape.entries.push(entry);
        Ok(self.tape.entries.len() - 1)
    }

    fn refuse<E: de::Error>(&mut self, kind: DocErrorKind) -> E {
        self.fault = Some(kind);
        E::custom("refused")
    }

    /// The start of the next scalar: between two of them are only brackets, commas and colons.
    fn token(&mut self) -> usize {
        let rest = self.text.get(self.cursor..).unwrap_or_default();
        self.cursor += rest.iter().take_while(|byte| b"[]{},: \t\r\n".contains(byte)).count();
        self.cursor
    }

    fn span<E: de::Error>(&mut self, at: usize, len: usize) -> Result<Span, E> {
        match (u32::try_from(at), u32::try_from(len)) {
            (Ok(at), Ok(len)) => Ok(Span { at, len }),
            _ => Err(self.refuse(DocErrorKind::TooMany)),
        }
    }

    fn literal<E: de::Error>(&mut self, entry: Entry, len: usize) -> Result<(), E> {
        self.cursor = self.token() + len;
        self.push(entry).map(drop)
    }

    fn number<E: de::Error>(&mut self) -> Result<(), E> {
        let at = self.token();
        let rest = self.text.get(at..).unwrap_or_default();
        let len = rest.iter().take_while(|byte| b"+-.0123456789eE".contains(byte)).count();
        self.cursor = at + len;
        let span = self.span(at, len)?;
        self.push(Entry::Number(span)).map(drop)
    }

    fn plain<E: de::Error>(&mut self, text: &str) -> Result<(), E> {
        let at = self.token() + 1;
        self.cursor = at + text.len() + 1;
        let span = self.span(at, text.len())?;
        self.push(Entry::Plain(span)).map(drop)
    }

    fn unescaped<E: de::Error>(&mut self, text: &str) -> Result<(), E> {
        let mut at = self.token() + 1;
        while let Some(byte) = self.text.get(at).filter(|byte| **byte != b'"') {
            at += if *byte == b'\\' { 2 } else { 1 };
        }
        self.cursor = at + 1;
        let span = self.span(self.tape.unescaped.len(), text.len())?;
        self.tape.unescaped.push_str(text);
        self.push(Entry::Unescaped(span)).map(drop)
    }

    fn close<E: de::Error>(
        &mut self,
        index: usize,
        count: usize,
        whole: fn(Extent) -> Entry,
    ) -> Result<(), E> {
        let span = self.span(self.tape.entries.len(), count)?;
        if let Some(entry) = self.tape.entries.get_mut(index) {
            *entry = whole(Extent { count: span.len, end: span.at });
        }
        Ok(())
    }
}

/// The value that is parsed next, inside `depth` arrays and objects.
struct Value<'w, 't> {
    writer: &'w mut Writer<'t>,
    depth: usize,
}

impl<'t> Value<'_, 't> {
    fn open<E: de::Error>(&mut self) -> Result<usize, E> {
        if self.depth >= JSON_DEPTH_MAX {
            return Err(self.writer.refuse(DocErrorKind::TooDeep));
        }
        self.writer.push(Entry::Null)
    }

    fn inside(&mut self) -> Value<'_, 't> {
        Value { writer: self.writer, depth: self.depth + 1 }
    }
}

impl<'de> DeserializeSeed<'de> for Value<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Value<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E: de::Error>(self) -> Result<(), E> {
        self.writer.literal(Entry::Null, 4)
    }

    fn visit_bool<E: de::Error>(self, truth: bool) -> Result<(), E> {
        self.writer.literal(Entry::Bool(truth), if truth { 4 } else { 5 })
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<(), E> {
        self.writer.number()
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<(), E> {
        self.writer.number()
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<(), E> {
        self.writer.number()
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<(), E> {
        self.writer.plain(text)
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        self.writer.unescaped(text)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        let index = self.open()?;
        let mut count = 0;
        while items.next_element_seed(self.inside())?.is_some() {
            count += 1;
        }
        self.writer.close(index, count, Entry::Array)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut pairs: A) -> Result<(), A::Error> {
        let index = self.open()?;
        let mut count = 0;
        while pairs.next_key_seed(self.inside())?.is_some() {
            pairs.next_value_seed(self.inside())?;
            count += 1;
        }
        self.writer.close(index, count, Entry::Object)
    }
}
