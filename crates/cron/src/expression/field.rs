//! The seven fields of an expression: names, ranges, and what stands for their values in text.
//! Not for what is made of the values.

use super::{error::Problem, piece::Piece};
use std::ops::RangeInclusive;

/// A field of an expression.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Field {
    /// 0..=59; only with seconds.
    Second,
    /// 0..=59.
    Minute,
    /// 0..=23.
    Hour,
    /// 1..=31.
    DayOfMonth,
    /// 1..=12 or names.
    Month,
    /// 0..=7 or names; 0 and 7 are Sunday.
    DayOfWeek,
    /// 1970..=2100; only with seconds.
    Year,
}

/// The months by their full names, from January.
pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week by their full names, from Sunday.
pub(crate) const DAYS: [&str; 7] =
    ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

/// The first year that schedules know; the last is the end of [`Field::Year`]'s range.
pub(crate) const YEAR_FIRST: u16 = 1970;

impl Field {
    /// The word for it in texts.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::DayOfMonth => "day-of-month",
            Self::Month => "month",
            Self::DayOfWeek => "day-of-week",
            Self::Year => "year",
        }
    }

    /// The numbers that it takes.
    #[must_use]
    pub const fn range(self) -> RangeInclusive<u16> {
        match self {
            Self::Second | Self::Minute => 0..=59,
            Self::Hour => 0..=23,
            Self::DayOfMonth => 1..=31,
            Self::Month => 1..=12,
            Self::DayOfWeek => 0..=7,
            Self::Year => YEAR_FIRST..=2100,
        }
    }

    /// The numbers of its values, each once: Sunday is 0 here.
    pub(crate) fn values(self) -> RangeInclusive<u16> {
        if self == Self::DayOfWeek { 0..=6 } else { self.range() }
    }

    /// What it takes, in words.
    fn allowed(self) -> String {
        let (first, last) = self.range().into_inner();
        let names = match self {
            Self::Month => " or JAN..=DEC",
            Self::DayOfWeek => " or SUN..=SAT",
            _ => "",
        };
        format!("{first}..={last}{names}")
    }

    /// A word for one of its values.
    fn noun(self) -> &'static str {
        match self {
            Self::DayOfMonth => "day of the month",
            Self::DayOfWeek => "day",
            _ => self.name(),
        }
    }

    /// The names of its values, and the value of the first of them.
    fn names(self) -> (&'static [&'static str], u16) {
        match self {
            Self::Month => (&MONTHS, 1),
            Self::DayOfWeek => (&DAYS, 0),
            _ => (&[], 0),
        }
    }

    /// The value that a number or a name stands for.
    pub(super) fn value(self, piece: Piece<'_>) -> Result<u16, Problem> {
        let text = piece.text;
        if text.is_empty() {
            let hint = format!("write a value of {}", self.allowed());
            return Err(piece.problem(self, "expected a value, found nothing", hint));
        }
        if text.bytes().all(|byte| byte.is_ascii_digit()) {
            let number = number(text);
            return number
                .filter(|number| self.range().contains(number))
                .ok_or_else(|| self.outside(piece, number));
        }
        self.named(text).ok_or_else(|| self.unknown(piece))
    }

    /// The value of a name: its first three letters or all of them, in any case.
    fn named(self, text: &str) -> Option<u16> {
        let (names, first) = self.names();
        let is = |name: &&str| {
            name.eq_ignore_ascii_case(text)
                || name.get(..3).is_some_and(|short| short.eq_ignore_ascii_case(text))
        };
        (first..).zip(names).find(|(_, name)| is(name)).map(|(value, _)| value)
    }

    /// Whether this is the name of one of its values.
    pub(super) fn knows(self, name: &str) -> bool {
        self.named(name).is_some()
    }

    fn outside(self, piece: Piece<'_>, number: Option<u16>) -> Problem {
        let (first, last) = self.range().into_inner();
        let hint = match (self, number) {
            (Self::Hour, Some(24)) => "midnight is `0`".to_owned(),
            (Self::DayOfWeek, _) => "Sunday is `0` or `7`, Saturday `6`".to_owned(),
            (Self::Second | Self::Minute, Some(60)) => "the full minute or hour is `0`".to_owned(),
            (_, Some(low)) if low < first => format!("the first is `{first}`"),
            _ => format!("the last is `{last}`"),
        };
        let what = format!("`{}` is not in {}", piece.shown(), self.allowed());
        piece.problem(self, what, hint)
    }

    fn unknown(self, piece: Piece<'_>) -> Problem {
        let what = format!("`{}` is not a {} ({})", piece.shown(), self.noun(), self.allowed());
        piece.problem(self, what, self.meant(piece.text))
    }

    /// What was most likely meant by a word that is none of this field's.
    fn meant(self, word: &str) -> String {
        let other = [Self::Month, Self::DayOfWeek]
            .into_iter()
            .find(|field| *field != self && field.named(word).is_some());
        if let Some(other) = other {
            return format!("it belongs to {}, the {}", other.name(), other.position());
        }
        let (names, _) = self.names();
        let word = word.to_ascii_uppercase();
        let near = |name: &&str| {
            let full = name.to_ascii_uppercase();
            let letters = word.get(..2).is_some_and(|start| full.starts_with(start));
            let whole = strsim::osa_distance(&word, &full);
            let short = full.get(..3).map_or(whole, |short| strsim::osa_distance(&word, short));
            let distance = whole.min(short);
            (letters || distance == 1).then_some((distance, full))
        };
        // A name may be as long as the expression; the distance is only worth its time for words.
        let nearest = if word.len() <= 16 { names.iter().filter_map(near).min() } else { None };
        match nearest {
            Some((_, full)) => format!("did you mean `{}`?", full.get(..3).unwrap_or(&full)),
            None => format!("write a value of {}", self.allowed()),
        }
    }

    /// Where its place in an expression of five fields is.
    fn position(self) -> &'static str {
        if self == Self::Month { "fourth of five fields" } else { "last of five fields" }
    }
}

/// A number of digits only; none when it is larger than any that a field takes.
pub(super) fn number(digits: &str) -> Option<u16> {
    digits.parse().ok()
}
