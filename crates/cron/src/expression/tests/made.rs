//! Expressions made by chance, as text and as what each item means by itself.

use super::seeds::Dice;
use std::fmt::Write;

const MONTHS: [&str; 12] =
    ["JAN", "feb", "March", "APR", "MAY", "jun", "JULY", "AUG", "September", "OCT", "NOV", "dec"];
const DAYS: [&str; 7] = ["SUN", "mon", "Tuesday", "WED", "THURSDAY", "fri", "Sat"];

/// The fields in the order of seven.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Second,
    Minute,
    Hour,
    Day,
    Month,
    Week,
    Year,
}

/// An item of a list.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Any,
    All,
    AllStep(u16),
    One(u16),
    Range(u16, u16),
    RangeStep(u16, u16, u16),
    Open(u16, u16),
    Last,
    LastWeekday,
    Nearest(u16),
    LastOf(u16),
    Nth(u16, u16),
}

/// A field with its items.
#[derive(Clone, Debug)]
pub(super) struct MadeField {
    pub(super) kind: Kind,
    pub(super) parts: Vec<Part>,
    pub(super) has_plus: bool,
}

/// An expression of five to seven fields; the fields are always seven.
#[derive(Clone, Debug)]
pub(super) struct Made {
    pub(super) text: String,
    pub(super) fields: [MadeField; 7],
}

impl Kind {
    pub(super) fn range(self) -> (u16, u16) {
        match self {
            Self::Second | Self::Minute => (0, 59),
            Self::Hour => (0, 23),
            Self::Day => (1, 31),
            Self::Month => (1, 12),
            Self::Week => (0, 7),
            Self::Year => (1970, 2100),
        }
    }
}

pub(super) fn made(dice: &mut Dice) -> Made {
    let count = match dice.within(0, 9) {
        0..=6 => 5,
        7 | 8 => 6,
        _ => 7,
    };
    let kinds =
        [Kind::Second, Kind::Minute, Kind::Hour, Kind::Day, Kind::Month, Kind::Week, Kind::Year];
    let mut words = Vec::new();
    let fields = kinds.map(|kind| {
        let is_absent = kind == Kind::Second && count == 5 || kind == Kind::Year && count < 7;
        if is_absent {
            let part = if kind == Kind::Second { Part::One(0) } else { Part::All };
            return MadeField { kind, parts: vec![part], has_plus: false };
        }
        let field = field(kind, dice);
        words.push(written(&field, dice));
        field
    });
    let space = if dice.once_in(8) { " \t" } else { " " };
    Made { text: words.join(space), fields }
}

fn field(kind: Kind, dice: &mut Dice) -> MadeField {
    // Most fields of real expressions are `*`; days are often set by one field only.
    let is_star =
        dice.once_in(if matches!(kind, Kind::Day | Kind::Month | Kind::Week) { 2 } else { 4 });
    if is_star {
        let is_day = matches!(kind, Kind::Day | Kind::Week);
        let part = if is_day && dice.once_in(6) { Part::Any } else { Part::All };
        return MadeField { kind, parts: vec![part], has_plus: false };
    }
    let items = if dice.once_in(3) { dice.within(2, 4) } else { 1 };
    let parts: Vec<_> = (0..items).map(|_| part(kind, dice)).collect();
    let begins_with_star = matches!(parts[0], Part::All | Part::AllStep(_));
    let has_plus = kind == Kind::Week && !begins_with_star && dice.once_in(8);
    MadeField { kind, parts, has_plus }
}

fn part(kind: Kind, dice: &mut Dice) -> Part {
    let (first, last) = kind.range();
    let value = dice.within(first, last);
    let largest = if dice.once_in(10) { 400 } else { (last - first) / 2 + 1 };
    let step = dice.within(1, largest);
    match dice.within(0, 11) {
        0 => Part::All,
        1 | 2 => Part::AllStep(step),
        3 | 4 => {
            let (from, to) = range(kind, dice);
            Part::Range(from, to)
        }
        5 | 6 => {
            let (from, to) = range(kind, dice);
            Part::RangeStep(from, to, step)
        }
        7 => Part::Open(value, step),
        8 if kind == Kind::Day => Part::Last,
        9 if kind == Kind::Day => Part::Nearest(value),
        10 if kind == Kind::Day => Part::LastWeekday,
        8 | 9 if kind == Kind::Week => Part::Nth(value, dice.within(1, 5)),
        10 if kind == Kind::Week => Part::LastOf(value),
        _ => Part::One(value),
    }
}

/// A range; of days of the week also over the weekend.
fn range(kind: Kind, dice: &mut Dice) -> (u16, u16) {
    let (first, last) = kind.range();
    let (from, to) = (dice.within(first, last), dice.within(first, last));
    if kind == Kind::Week { (from, to) } else { (from.min(to), from.max(to)) }
}

fn written(field: &MadeField, dice: &mut Dice) -> String {
    let mut text = if field.has_plus { "+".to_owned() } else { String::new() };
    for (at, part) in field.parts.iter().enumerate() {
        if at > 0 {
            text.push(',');
        }
        let mut name = |value: u16| name(field.kind, value, dice);
        let _ = match *part {
            Part::Any => write!(text, "?"),
            Part::All => write!(text, "*"),
            Part::AllStep(step) => write!(text, "*/{step}"),
            Part::One(value) => write!(text, "{}", name(value)),
            Part::Range(from, to) => write!(text, "{}-{}", name(from), name(to)),
            Part::RangeStep(from, to, step) => write!(text, "{}-{}/{step}", name(from), name(to)),
            Part::Open(from, step) => write!(text, "{}/{step}", name(from)),
            Part::Last => write!(text, "L"),
            Part::LastWeekday => write!(text, "LW"),
            Part::Nearest(day) => write!(text, "{day}w"),
            Part::LastOf(day) => write!(text, "{}L", name(day)),
            Part::Nth(day, nth) => write!(text, "{}#{nth}", name(day)),
        };
    }
    text
}

/// A value as a number, with zeros before it, or as a name.
fn name(kind: Kind, value: u16, dice: &mut Dice) -> String {
    match kind {
        Kind::Month if dice.once_in(2) => MONTHS[usize::from(value) - 1].to_owned(),
        // By its name Sunday is 0: `SUN-SUN` is one day, `0-7` is the week.
        Kind::Week if value < 7 && dice.once_in(2) => DAYS[usize::from(value)].to_owned(),
        _ if dice.once_in(10) => format!("{value:03}"),
        _ => value.to_string(),
    }
}
