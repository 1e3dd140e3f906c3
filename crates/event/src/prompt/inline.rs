//! A short value from outside, made fit for a line of our own.

use super::{
    clean::{clean_some, is_plain_line},
    fence::without_fences,
    redact::secrets,
};
use crate::limits::PROMPT_VALUE_BYTES_MAX;

/// How much of a value is looked at: enough to see a secret whole that begins where the cut is.
const LOOKED_AT_BYTES: usize = 8 * PROMPT_VALUE_BYTES_MAX;

/// A value from outside as one short piece of a line: of the headline, a fact's label or value.
///
/// A value of letters, digits and `_ . / @ : # + - ~ %` stays as it is. Every other one is put in
/// double quotes that it cannot end, on one line, without hidden characters and secrets. What is
/// longer than [`PROMPT_VALUE_BYTES_MAX`] ends in `…`. Nothing stays nothing.
///
/// ```
/// # use headgate_event::prompt::inline;
/// assert_eq!(inline("feat/retries"), "feat/retries");
/// assert_eq!(inline("Say \"hi\"\nnow"), r#""Say \"hi\" now""#);
/// assert_eq!(inline(" "), "");
/// ```
#[must_use]
pub fn inline(value: &str) -> String {
    Value::read(value)
        .map_or_else(String::new, |value| value.bare().unwrap_or_else(|value| value.quoted()))
}

/// The same, quoted even where it is one word. Nothing is `""`.
pub(super) fn quoted(value: &str) -> String {
    Value::read(value).map_or_else(|| "\"\"".to_owned(), |value| value.quoted())
}

/// What can be shown of a value: one line, clean, without secrets and fences.
struct Value {
    line: String,
    /// Says how many hidden characters it had.
    note: String,
    /// Whether there is more of it than was looked at.
    more: bool,
}

impl Value {
    fn read(value: &str) -> Option<Self> {
        if value.len() <= LOOKED_AT_BYTES && is_plain_line(value) {
            let (note, more) = (String::new(), false);
            return Some(Self { line: secrets(value).into_owned(), note, more });
        }
        let (cleaned, unread) = clean_some(value.trim_start(), LOOKED_AT_BYTES);
        let line = cleaned.text.split_whitespace().collect::<Vec<_>>().join(" ");
        let (removed, more) = (cleaned.removed, unread > 0);
        if line.is_empty() && removed == 0 && !more {
            return None;
        }
        let note = match removed {
            0 => String::new(),
            1 => " (1 hidden character removed)".to_owned(),
            _ => format!(" ({removed} hidden characters removed)"),
        };
        Some(Self { line: without_fences(&secrets(&line)).into_owned(), note, more })
    }

    /// The value as it is, when nothing in it needs quotes; else itself again.
    fn bare(self) -> Result<String, Self> {
        let plain = !self.line.is_empty() && self.line.bytes().all(is_bare);
        if !plain || !self.note.is_empty() {
            return Err(self);
        }
        if self.line.len() <= PROMPT_VALUE_BYTES_MAX && !self.more {
            return Ok(self.line);
        }
        let end = PROMPT_VALUE_BYTES_MAX - '…'.len_utf8();
        let end = self.line.floor_char_boundary(end);
        Ok(format!("{}…", self.line.get(..end).unwrap_or_default()))
    }

    fn quoted(&self) -> String {
        let around = 2 + self.note.len();
        let room = PROMPT_VALUE_BYTES_MAX.saturating_sub(around);
        let (mut inside, whole) = escaped(&self.line, room);
        if !whole || self.more {
            inside = escaped(&self.line, room.saturating_sub('…'.len_utf8())).0;
            inside.push('…');
        }
        format!("\"{inside}\"{}", self.note)
    }
}

fn is_bare(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_./@:#+-~%".contains(&byte)
}

/// The text with quotes and backslashes escaped, as far as there is room, and whether it is whole.
fn escaped(text: &str, room: usize) -> (String, bool) {
    let mut out = String::with_capacity(text.len().min(room));
    for char in text.chars() {
        let len = out.len();
        match char {
            '"' | '\\' => out.extend(['\\', char]),
            _ if looks_like_a_quote(char) => out.push_str("\\\""),
            _ => out.push(char),
        }
        if out.len() > room {
            out.truncate(len);
            return (out, false);
        }
    }
    (out, true)
}

/// A reader may take these for the end of the quotes: they are written as what they look like.
fn looks_like_a_quote(char: char) -> bool {
    matches!(
        char,
        '“' | '”'
            | '„'
            | '‟'
            | '″'
            | '‶'
            | '〃'
            | '＂'
            | '❝'
            | '❞'
            | 'ˮ'
            | 'ʺ'
            | '״'
            | '〝'
            | '〞'
    )
}
