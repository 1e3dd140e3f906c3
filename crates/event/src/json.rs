//! JSON to look into: a parsed body that outlives its request without being copied.
//!
//! A [`Doc`] is a flat tape of [`Node`]s over the bytes they were parsed from. It is what prompts
//! and provider files read of a body; it is not how bodies are stored or delivered, which is token
//! for token (see [`DataText`](crate::DataText)).
//!
//! It refuses what would break the parser of a consumer: nesting deeper than
//! [`JSON_DEPTH_MAX`], lone surrogates, numbers out of the range of an `f64`. Such a body is text.

mod node;
mod tape;

use crate::limits::{JSON_DEPTH_MAX, JSON_VALUES_MAX};
use bytes::Bytes;
pub use node::{Kind, Node};
use std::fmt;
use tape::Tape;

/// A parsed JSON text. It is immutable, and `Arc<Doc>` with the index of a node is a whole value.
pub struct Doc {
    text: Bytes,
    tape: Tape,
}

/// Why a text is not taken as JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DocErrorKind {
    /// It nests deeper than [`JSON_DEPTH_MAX`].
    TooDeep,
    /// It has more values than [`JSON_VALUES_MAX`].
    TooMany,
    /// It is not JSON, or not JSON that every parser takes.
    NotJson,
}

/// A text that is not taken as JSON, and where it stops being so.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason} at line {line} column {column}")]
pub struct DocError {
    /// What is the matter.
    pub kind: DocErrorKind,
    reason: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in bytes, from 1.
    pub column: usize,
}

impl Doc {
    /// Parses the whole of `text` as one JSON value.
    pub fn parse(text: Bytes) -> Result<Self, DocError> {
        let tape = match std::str::from_utf8(&text) {
            Ok(text) => tape::parse(text)?,
            Err(fault) => return Err(DocError::not_utf8(&text, fault.valid_up_to())),
        };
        Ok(Self { text, tape })
    }

    /// The value itself.
    #[must_use]
    pub fn root(&self) -> Node<'_> {
        Node::new(self, 0)
    }

    /// The node with this [index](Node::index); none when this document has no such node.
    #[must_use]
    pub fn node(&self, index: usize) -> Option<Node<'_>> {
        let index = u32::try_from(index).ok()?;
        self.tape.entry(index).map(|_| Node::new(self, index))
    }

    /// The bytes it was parsed from.
    #[must_use]
    pub fn text(&self) -> &Bytes {
        &self.text
    }
}

impl fmt::Debug for Doc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Doc").field("bytes", &self.text.len()).finish_non_exhaustive()
    }
}

impl DocError {
    fn new(kind: DocErrorKind, fault: &serde_json::Error) -> Self {
        let (line, column) = (fault.line(), fault.column());
        let reason = match kind {
            DocErrorKind::TooDeep => format!("nesting deeper than {JSON_DEPTH_MAX} levels"),
            DocErrorKind::TooMany => format!("more than {JSON_VALUES_MAX} values"),
            DocErrorKind::NotJson => {
                let text = fault.to_string();
                let place = format!(" at line {line} column {column}");
                text.strip_suffix(&place).unwrap_or(&text).to_owned()
            }
        };
        Self { kind, reason, line, column }
    }

    fn not_utf8(text: &[u8], valid: usize) -> Self {
        let before = text.get(..valid).unwrap_or_default();
        let line = before.split(|byte| *byte == b'\n').count();
        let column = before.rsplit(|byte| *byte == b'\n').next().map_or(0, <[u8]>::len) + 1;
        Self {
            kind: DocErrorKind::NotJson,
            reason: "bytes that are not UTF-8".into(),
            line,
            column,
        }
    }
}
