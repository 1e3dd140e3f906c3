//! An expression as it is written: limits, nicknames, the division into fields. Not for which
//! days and times it names.

use super::{
    Fields,
    error::Problem,
    field::Field,
    item::{Item, ItemKind},
    part::Part,
    piece::{Piece, shown},
};
use crate::civil::FiringClass;
use headgate_event::limits::CRON_EXPRESSION_BYTES_MAX;

/// The nicknames and what they stand for.
const NICKNAMES: [(&str, &str); 7] = [
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// The order in which fields are written; five begin with the minute and end before the year.
const ORDER: [Field; 7] = [
    Field::Second,
    Field::Minute,
    Field::Hour,
    Field::DayOfMonth,
    Field::Month,
    Field::DayOfWeek,
    Field::Year,
];

/// The fields of an expression with what is written in each.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) second: Part<'a>,
    pub(super) minute: Part<'a>,
    pub(super) hour: Part<'a>,
    pub(super) day_of_month: Part<'a>,
    pub(super) month: Part<'a>,
    pub(super) day_of_week: Part<'a>,
    pub(super) year: Part<'a>,
}

impl<'a> Written<'a> {
    /// Reads a text, or says what is wrong first.
    pub(super) fn read(text: &'a str, fields: Fields) -> Result<Self, Problem> {
        within_limits(text)?;
        let words: Vec<Piece<'a>> = words(text).collect();
        match words.as_slice() {
            [first, rest @ ..] if first.text.starts_with('@') => nickname(*first, rest),
            [first, ..] if is_zone(first.text) => Err(zone(*first)),
            words => Self::of(words, fields),
        }
    }

    fn of(words: &[Piece<'a>], fields: Fields) -> Result<Self, Problem> {
        counted(words, fields)?;
        // Five begin at the minute; six and seven at the second.
        let skipped = usize::from(words.len() == 5);
        let mut read = ORDER.iter().enumerate().map(|(at, field)| {
            let word = at.checked_sub(skipped).and_then(|at| words.get(at)).copied();
            word.map_or_else(|| Part::absent(*field), |word| Part::read(word, *field))
        });
        let mut next = || {
            let none = Problem::at(0..0, "expected 5 fields", "write them");
            read.next().unwrap_or(Err(none))
        };
        Ok(Self {
            second: next()?,
            minute: next()?,
            hour: next()?,
            day_of_month: next()?,
            month: next()?,
            day_of_week: next()?,
            year: next()?,
        })
    }

    /// All fields, in the order in which they are written.
    pub(super) fn parts(&self) -> [&Part<'a>; 7] {
        [
            &self.second,
            &self.minute,
            &self.hour,
            &self.day_of_month,
            &self.month,
            &self.day_of_week,
            &self.year,
        ]
    }

    /// Whether a day must be right by both day fields, as in cron when one of them begins with
    /// `*`; else by either.
    pub(super) fn days_are_both(&self) -> bool {
        self.day_of_month.is_star() || self.day_of_week.is_star() || self.day_of_week.has_plus
    }

    /// Interval, when the text of seconds, minute or hour begins with `*`.
    pub(super) fn class(&self) -> FiringClass {
        if [&self.second, &self.minute, &self.hour].iter().any(|part| part.is_star()) {
            FiringClass::Interval
        } else {
            FiringClass::Fixed
        }
    }

    /// Whether any of its values is drawn from the key.
    pub(super) fn is_hashed(&self) -> bool {
        let hashed = |item: &Item| matches!(item.kind, ItemKind::Hashed { .. });
        self.parts().iter().any(|part| part.items.iter().any(hashed))
    }
}

/// The words between spaces and tabs.
fn words(text: &str) -> impl Iterator<Item = Piece<'_>> {
    let parts = Piece { text, at: 0 }.parts(' ').flat_map(|part| part.parts('\t'));
    parts.filter(|part| !part.text.is_empty())
}

fn within_limits(text: &str) -> Result<(), Problem> {
    if text.len() > CRON_EXPRESSION_BYTES_MAX {
        let what =
            format!("expected at most {CRON_EXPRESSION_BYTES_MAX} bytes, found {}", text.len());
        let hint = "write ranges and steps such as `0-59/5` for long lists";
        let within = |(at, _): &(usize, char)| *at < CRON_EXPRESSION_BYTES_MAX;
        let at = text.char_indices().take_while(within).count();
        return Err(Problem::at(at..at + 1, what, hint));
    }
    let foreign = |char: &char| !matches!(char, ' '..='~' | '\t');
    let Some((at, char)) = text.chars().enumerate().find(|(_, char)| foreign(char)) else {
        return Ok(());
    };
    let what = format!("expected printable ASCII, found U+{:04X}", u32::from(char));
    let hint = match char {
        '\u{2010}'..='\u{2015}' | '\u{2212}' => "write `-`",
        '\u{2217}' | '\u{ff0a}' => "write `*`",
        '\u{ff1f}' => "write `?`",
        '\u{ff0c}' => "write `,`",
        char if char.is_whitespace() => "write a space",
        _ => "remove it",
    };
    Err(Problem::at(at..at + 1, what, hint))
}

fn nickname<'a>(word: Piece<'a>, rest: &[Piece<'a>]) -> Result<Written<'a>, Problem> {
    let is = |name: &str| name.eq_ignore_ascii_case(word.text);
    if is("@reboot") {
        let hint = "use `at` for one time, or emit an app event from what starts";
        return Err(Problem::at(word.place(), "`@reboot` names no time", hint));
    }
    if is("@every") {
        let span = rest.first().map_or_else(|| "90s".to_owned(), |span| span.shown());
        let what = "`@every` is not part of an expression";
        return Err(Problem::at(word.place(), what, format!("use `every = \"{span}\"`")));
    }
    let Some((_, meaning)) = NICKNAMES.iter().find(|(name, _)| is(name)) else {
        return Err(unknown_nickname(word));
    };
    if let Some(more) = rest.first() {
        let what = format!("expected nothing after `{}`, found `{}`", word.shown(), more.shown());
        let hint = format!("write `{}` alone, or five fields", word.shown());
        return Err(Problem::at(more.place(), what, hint));
    }
    let words: Vec<_> = words(meaning).collect();
    Written::of(&words, Fields::Five)
}

fn unknown_nickname(word: Piece<'_>) -> Problem {
    let lower = shown(&word.text.to_ascii_lowercase());
    let nearest = NICKNAMES.iter().map(|(name, _)| (strsim::osa_distance(&lower, name), *name));
    let hint = match nearest.min() {
        Some((distance, name)) if distance <= 3 => format!("did you mean `{name}`?"),
        _ => {
            "the nicknames are `@yearly`, `@monthly`, `@weekly`, `@daily` and `@hourly`".to_owned()
        }
    };
    Problem::at(word.place(), format!("`{}` is not a nickname", word.shown()), hint)
}

fn is_zone(word: &str) -> bool {
    let name = word.split('=').next().unwrap_or_default();
    word.contains('=') && ["TZ", "CRON_TZ"].iter().any(|known| name.eq_ignore_ascii_case(known))
}

fn zone(word: Piece<'_>) -> Problem {
    let (name, value) = word.split('=');
    let hint = match value.map(Piece::shown) {
        Some(zone) if !zone.is_empty() => format!("use `timezone = \"{zone}\"`"),
        _ => "use the key `timezone`".to_owned(),
    };
    let what = format!("`{}=` is not part of an expression", name.shown());
    Problem::at(word.place(), what, hint)
}

/// Whether there are as many words as fields.
fn counted(words: &[Piece<'_>], fields: Fields) -> Result<(), Problem> {
    let (found, with_seconds) = (words.len(), fields == Fields::WithSeconds);
    if found == 5 || with_seconds && (found == 6 || found == 7) {
        return Ok(());
    }
    let whole = match words {
        [first, .., last] => first.at..last.place().end,
        [word] => word.place(),
        [] => 0..0,
    };
    let expected = if with_seconds { "5, 6 or 7 fields" } else { "5 fields" };
    let count = if found == 0 { "nothing".to_owned() } else { found.to_string() };
    let what = format!("expected {expected}, found {count}");
    Err(match words {
        [_, _, _, _, _, sixth, ..] if !is_like_a_field(sixth.text) => {
            let hint =
                format!("remove `{}` and what follows: only times belong here", sixth.shown());
            Problem::at(sixth.at..whole.end, what, hint)
        }
        [first, _, _, _, _, _] => Problem::at(
            first.place(),
            "6 fields",
            "the first would be seconds: set `seconds = true` or remove it",
        ),
        [first, _, _, _, _, _, _] => Problem::at(
            first.place(),
            "7 fields",
            "the first would be seconds and the last a year: set `seconds = true` or remove both",
        ),
        _ => {
            let hint = if with_seconds {
                "write [second] minute hour day-of-month month day-of-week [year]"
            } else {
                "write minute hour day-of-month month day-of-week"
            };
            Problem::at(whole, what, hint)
        }
    })
}

/// Whether a word may be meant as a field: a command after the times is not.
fn is_like_a_field(word: &str) -> bool {
    let is_name = |word: &str| {
        let name = word.get(..3).unwrap_or_default();
        Field::Month.knows(name) || Field::DayOfWeek.knows(name)
    };
    word.starts_with(|char: char| char.is_ascii_digit() || "*?LHlh+".contains(char))
        || is_name(word)
}
