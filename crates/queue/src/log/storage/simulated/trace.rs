//! What a disk was asked and what it answered: a digest of all of it, and the last lines.

use super::Ask;
use std::{collections::VecDeque, io};

/// How many lines are kept.
const LINES: usize = 40;

/// What a disk was asked and what it answered.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trace {
    calls: u64,
    digest: u32,
    lines: VecDeque<String>,
}

impl Trace {
    pub(super) fn note(&mut self, ask: Ask, about: &str, outcome: Result<(), &io::Error>) {
        let outcome = outcome.map_or_else(|error| error.kind().to_string(), |()| "ok".to_owned());
        self.say(format!("{ask:?} {about}: {outcome}"));
    }

    /// Notes what happened to the disk.
    pub(super) fn say(&mut self, line: String) {
        self.calls += 1;
        self.digest = crc32c::crc32c_append(self.digest, line.as_bytes());
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// How many lines there were, and their digest.
    pub(crate) fn digest(&self) -> (u64, u32) {
        (self.calls, self.digest)
    }

    /// The last lines.
    pub(crate) fn lines(&self) -> impl Iterator<Item = &str> {
        self.lines.iter().map(String::as_str)
    }
}
