//! A piece of an expression and its place. Not for what it means.

use super::{error::Problem, field::Field};
use std::ops::Range;

/// The most bytes of a piece that an error shows.
const SHOWN_BYTES_MAX: usize = 32;

/// Part of the text of an expression, in ASCII.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece<'a> {
    /// The part.
    pub(super) text: &'a str,
    /// Where it begins in the whole, in bytes.
    pub(super) at: usize,
}

impl<'a> Piece<'a> {
    /// From this many bytes on.
    pub(super) fn from(self, start: usize) -> Self {
        let start = start.min(self.text.len());
        Self { text: self.text.get(start..).unwrap_or_default(), at: self.at + start }
    }

    /// The first bytes, so many.
    pub(super) fn until(self, end: usize) -> Self {
        Self { text: self.text.get(..end).unwrap_or(self.text), at: self.at }
    }

    /// What is before and after the first `divider`; nothing is after it when there is none.
    pub(super) fn split(self, divider: char) -> (Self, Option<Self>) {
        match self.text.find(divider) {
            Some(at) => (self.until(at), Some(self.from(at + 1))),
            None => (self, None),
        }
    }

    /// The parts between all the `divider`s.
    pub(super) fn parts(self, divider: char) -> impl Iterator<Item = Self> + 'a {
        let mut rest = Some(self);
        std::iter::from_fn(move || {
            let (part, after) = rest?.split(divider);
            rest = after;
            Some(part)
        })
    }

    /// Where it is, in bytes of the whole.
    pub(super) fn place(self) -> Range<usize> {
        self.at..self.at + self.text.len()
    }

    /// As much of it as an error shows.
    pub(super) fn shown(self) -> String {
        shown(self.text)
    }

    /// Something is wrong with it.
    pub(super) fn problem(
        self,
        field: Field,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Problem {
        Problem::at(self.place(), what, hint).of(field)
    }
}

/// As much of a text as an error shows.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_BYTES_MAX) {
        Some((end, _)) => format!("{}..", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
