//! Cron expressions as Unix people mean them: what is written, what it means in civil time, what
//! is wrong or doubtful about it, and what it says in words. Not for time zones or instants.
//!
//! The text is taken apart here; what is left of it goes as plain numbers to the `cron` crate, in
//! rows of which each is right when all its fields are. Its days of the week, its joining of the
//! day fields, and its time zones are never met.
//!
//! Beyond the five fields of cronie: ranges over the weekend (`FRI-MON`), full names, `a/n`, `?`,
//! `L`, `LW`, `15W`, `FRIL`, `FRI#2`, `H` drawn from a key, and `+` before the day of the week for
//! days that are right by both day fields.

mod calendar;
mod clauses;
mod describe;
mod error;
mod field;
mod hashed;
mod item;
mod lint;
mod never;
mod part;
mod piece;
mod rows;
mod spelled;
#[cfg(test)]
mod tests;
mod values;
mod words;
mod written;

pub use error::ExpressionError;
pub use field::Field;
pub use lint::Lint;
pub use spelled::SpelledField;

use crate::civil::{CivilTimes, FiringClass};
use calendar::Calendar;
use chrono::NaiveDateTime;
use error::Problem;
use std::{fmt, sync::Arc};
use written::Written;

/// How many fields an expression may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fields {
    /// Minute, hour, day of month, month, day of week.
    Five,
    /// The same; or six, with seconds first; or seven, with the year last.
    WithSeconds,
}

/// A cron expression that fires at some time between 1970 and 2100. Cheap to clone.
#[derive(Clone)]
pub struct Expression(Arc<Inner>);

struct Inner {
    text: Box<str>,
    calendar: Calendar,
    /// What `H` is drawn from; 0 without any `H`.
    seed: u64,
    fields: Fields,
    class: FiringClass,
    is_hashed: bool,
}

impl Expression {
    /// Reads an expression. Each `H` in it is drawn from `key`, the same for ever.
    ///
    /// # Errors
    ///
    /// What is wrong first, with its place; or why the expression would never fire.
    pub fn parse(text: &str, fields: Fields, key: &[u8]) -> Result<Self, ExpressionError> {
        Self::read(text, fields, key).map_err(|problem| problem.in_text(text))
    }

    fn read(text: &str, fields: Fields, key: &[u8]) -> Result<Self, Problem> {
        let written = Written::read(text, fields)?;
        let is_hashed = written.is_hashed();
        let seed = if is_hashed { hashed::seed(key) } else { 0 };
        let calendar = Calendar::of(&rows::schedules(&written, seed))
            .filter(|calendar| calendar.next_after(NaiveDateTime::MIN).is_some())
            .ok_or_else(|| never::reason(&written, seed))?;
        let class = written.class();
        let text = text.trim_matches([' ', '\t']).into();
        Ok(Self(Arc::new(Inner { text, calendar, seed, fields, class, is_hashed })))
    }

    /// As it was written, without space around it.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0.text
    }

    /// Whether another key would give other times: it has an `H`.
    #[must_use]
    pub fn depends_on_key(&self) -> bool {
        self.0.is_hashed
    }

    /// What it says in words, such as `At 14:00 on Thursday`. No zone is in it.
    #[must_use]
    pub fn describe(&self) -> String {
        describe::description(&self.written(), self.0.seed)
    }

    /// What is allowed but may not be meant: by field, then of the two day fields together.
    #[must_use]
    pub fn lints(&self) -> Vec<Lint> {
        lint::lints(&self.written(), self.0.seed)
    }

    /// Its fields one by one, in the order in which they are written.
    #[must_use]
    pub fn spelled(&self) -> Vec<SpelledField> {
        spelled::spelled(&self.written(), self.0.seed)
    }

    #[expect(clippy::expect_used, reason = "the same text was read when this was made")]
    fn written(&self) -> Written<'_> {
        Written::read(&self.0.text, self.0.fields).expect("a text that was read before")
    }
}

impl CivilTimes for Expression {
    fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        self.0.calendar.next_after(civil)
    }

    fn class(&self) -> FiringClass {
        self.0.class
    }

    fn count(&self, after: NaiveDateTime, until: NaiveDateTime) -> Option<u64> {
        Some(self.0.calendar.count(after, until))
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.text()).finish()
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}
