//! Command lines out of bytes: a line ends with CR LF and nothing else.
//!
//! A lone LF is an error that ends the connection: what two programs part differently must not be
//! read on (SMTP smuggling). A lone CR stays in its line, where the parser refuses it.

use headgate_event::limits::{SMTP_COMMAND_BYTES_MAX, SMTP_COMMAND_BYTES_SKIPPED_MAX};

/// What comes next in the input.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line {
    /// No whole line yet.
    Partial,
    /// A whole line of so many bytes, with its end.
    Whole(usize),
    /// The end of a line that was too long; so many bytes are to be dropped.
    TooLong(usize),
    /// Part of a line that is too long; so many bytes are to be dropped.
    Skipped(usize),
    /// A line that is too long to be read to its end.
    Endless,
    /// An LF without a CR before it.
    BareNewline,
}

/// Where the reader is in a line.
#[derive(Debug, Default)]
pub(super) struct LineReader {
    /// Bytes of the line that were dropped because it is too long.
    skipped: usize,
    /// Whether the last of them was a CR.
    after_return: bool,
    /// Bytes that were looked at and hold no LF.
    searched: usize,
}

impl LineReader {
    /// Looks for a line at the start of `input`.
    pub(super) fn next(&mut self, input: &[u8]) -> Line {
        let fresh = input.get(self.searched..).unwrap_or_default();
        let Some(found) = memchr::memchr(b'\n', fresh) else { return self.without_end(input) };
        let at = self.searched + found;
        let before = input.get(..at).and_then(<[u8]>::last);
        let returned = before.map_or(self.after_return, |byte| *byte == b'\r');
        let length = at + 1;
        let too_long = self.skipped + length > SMTP_COMMAND_BYTES_MAX;
        *self = Self::default();
        match (returned, too_long) {
            (false, _) => Line::BareNewline,
            (true, true) => Line::TooLong(length),
            (true, false) => Line::Whole(length),
        }
    }

    fn without_end(&mut self, input: &[u8]) -> Line {
        self.searched = input.len();
        if self.skipped + input.len() < SMTP_COMMAND_BYTES_MAX || input.is_empty() {
            return Line::Partial;
        }
        self.skipped += input.len();
        self.after_return = input.last() == Some(&b'\r');
        self.searched = 0;
        if self.skipped > SMTP_COMMAND_BYTES_SKIPPED_MAX {
            return Line::Endless;
        }
        Line::Skipped(input.len())
    }
}
