//! What is wrong with an expression, where, and what to write instead. Not for warnings.

use super::field::Field;
use headgate_event::limits::CRON_EXPRESSION_BYTES_MAX;
use std::{fmt, ops::Range};

/// The most characters of an expression that an error shows.
const WINDOW_CHARS_MAX: usize = 72;

/// An expression that is refused.
///
/// Prints as one line: the field, what is wrong with which value, a suggestion, and the column.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}{}", self.place_in_words())]
pub struct ExpressionError {
    problem: Problem,
    /// The expression, every character that is not printable ASCII replaced.
    text: String,
}

/// What is wrong, before it is known in which text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Problem {
    field: Option<Field>,
    what: String,
    hint: String,
    /// In characters of the text.
    place: Range<usize>,
}

impl Problem {
    /// Something at a place, and what to write instead.
    pub(super) fn at(
        place: Range<usize>,
        what: impl Into<String>,
        hint: impl Into<String>,
    ) -> Self {
        Self { field: None, what: what.into(), hint: hint.into(), place }
    }

    /// The same, in a field.
    pub(super) fn of(self, field: Field) -> Self {
        Self { field: Some(field), ..self }
    }

    /// The error about this text.
    pub(super) fn in_text(self, text: &str) -> ExpressionError {
        let printable = |char: char| if matches!(char, ' '..='~') { char } else { '\u{fffd}' };
        ExpressionError {
            problem: self,
            text: text.chars().take(CRON_EXPRESSION_BYTES_MAX + 1).map(printable).collect(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(field) = self.field {
            write!(f, "{}: ", field.name())?;
        }
        write!(f, "{}; {}", self.what, self.hint)
    }
}

impl ExpressionError {
    /// The field that is wrong, where it is one.
    #[must_use]
    pub fn field(&self) -> Option<Field> {
        self.problem.field
    }

    /// Where what is wrong begins, in characters from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.problem.place.start + 1
    }

    /// The expression and, in a line below it, a caret under each character that is wrong. Of a
    /// long expression it is the part around them.
    #[must_use]
    pub fn caret(&self) -> String {
        let chars = self.text.chars().count();
        let start = self.problem.place.start.min(chars);
        let from = if chars > WINDOW_CHARS_MAX {
            start.saturating_sub(WINDOW_CHARS_MAX / 2).min(chars - WINDOW_CHARS_MAX)
        } else {
            0
        };
        let window: String = self.text.chars().skip(from).take(WINDOW_CHARS_MAX).collect();
        let end = self.problem.place.end.min(from + WINDOW_CHARS_MAX);
        let carets = "^".repeat(end.saturating_sub(start).max(1));
        let indent = " ".repeat(start - from);
        format!("{}\n  {indent}{carets}", format!("  {window}").trim_end())
    }

    /// What is wrong in one line and, below it, the lines of [`caret`](Self::caret).
    #[must_use]
    pub fn report(&self) -> String {
        format!("{}\n{}", self.problem, self.caret())
    }

    fn place_in_words(&self) -> String {
        let column = self.column();
        if self.text.is_empty() {
            String::new()
        } else if self.text.len() <= WINDOW_CHARS_MAX {
            format!(" (column {column} of `{}`)", self.text)
        } else {
            format!(" (column {column})")
        }
    }
}
