//! What an expression may say and its author may not have meant. Not for what is refused, nor for
//! what depends on a time zone.

use super::{
    field::Field,
    item::{Item, ItemKind},
    never,
    part::Part,
    values::Values,
    words::{ends, gap_around, round},
    written::Written,
};
use std::fmt;

/// A warning about an expression. Prints as one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lint {
    /// Both day fields are set: either is enough.
    EitherDay {
        /// The day-of-month field.
        day_of_month: String,
        /// The day-of-week field.
        day_of_week: String,
        /// The expression for which both must be right.
        both: String,
    },
    /// Both day fields are set and one begins with `*`: both must be right.
    BothDays {
        /// The field that begins with `*`.
        field: Field,
        /// What is written in it.
        item: String,
        /// The expression for which either is enough.
        either: String,
    },
    /// A day field names every day without `*`, so that the other makes no difference.
    EveryDay {
        /// The field that names every day.
        field: Field,
        /// What is written in it.
        item: String,
    },
    /// The step does not divide the range: the last gap is another one than the rest.
    UnevenStep {
        /// The field.
        field: Field,
        /// What is written.
        item: String,
        /// The step.
        step: u16,
        /// The gap where the range begins again; none where it is not always the same.
        last_gap: Option<u16>,
    },
    /// The step is larger than the range: only the first value is left.
    StepBeyondRange {
        /// The field.
        field: Field,
        /// What is written.
        item: String,
        /// The value that is left.
        value: u16,
    },
    /// `a/n` goes on to the end of the range; cronie refuses it.
    OpenStep {
        /// The field.
        field: Field,
        /// What is written.
        item: String,
        /// The same as a range.
        range: String,
    },
    /// The days of the month that are named are in no month that is named: only days of the week
    /// are left.
    NeverDay {
        /// What never occurs, and where: `day 31 never occurs in February`.
        what: String,
        /// The day-of-week field, which is all that counts.
        day_of_week: String,
    },
    /// It fires every second.
    EverySecond,
}

impl fmt::Display for Lint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EitherDay { day_of_month, day_of_week, both } => write!(
                f,
                "day-of-month `{day_of_month}` and day-of-week `{day_of_week}` are both set: \
                 either is enough (OR); for days that are both write `{both}`"
            ),
            Self::BothDays { field, item, either } => write!(
                f,
                "{}: `{item}` begins with `*`, so a day must be right by both day fields (AND); \
                 for days that are either write `{either}`",
                field.name()
            ),
            Self::EveryDay { field, item } => {
                let other = other_day(*field).name();
                let field = field.name();
                write!(
                    f,
                    "{field}: `{item}` is every day, so {other} makes no difference (OR); \
                     write `*` for days by {other} alone"
                )
            }
            Self::UnevenStep { field, item, step, last_gap } => {
                uneven(f, *field, item, *step, *last_gap)
            }
            Self::StepBeyondRange { field, item, value } => write!(
                f,
                "{}: the step of `{item}` is larger than the range: only {value} is left; \
                 write `{value}`",
                field.name()
            ),
            Self::OpenStep { field, item, range } => write!(
                f,
                "{}: `{item}` stands for `{range}`; cronie refuses it, so write the range",
                field.name()
            ),
            Self::NeverDay { what, day_of_week } => write!(
                f,
                "day-of-month: {what}, so only day-of-week `{day_of_week}` counts; write `*` for \
                 days by it alone"
            ),
            Self::EverySecond => f.write_str("second: it fires every second"),
        }
    }
}

fn uneven(
    f: &mut fmt::Formatter<'_>,
    field: Field,
    item: &str,
    step: u16,
    last_gap: Option<u16>,
) -> fmt::Result {
    let name = field.name();
    match (last_gap, round(field)) {
        (Some(gap), Some((length, unit, whole))) => {
            let units = |count: u16| if count == 1 { "" } else { "s" };
            write!(
                f,
                "{name}: {step} does not divide {length}: `{item}` waits {gap} {unit}{} instead \
                 of {step} where the {whole} begins again",
                units(gap)
            )
        }
        _ => write!(
            f,
            "{name}: `{item}` begins again on day 1 of every month: the gap before it may be \
             shorter"
        ),
    }
}

/// What is doubtful about an expression.
pub(super) fn lints(written: &Written<'_>, seed: u64) -> Vec<Lint> {
    let mut lints: Vec<Lint> = written
        .parts()
        .into_iter()
        .flat_map(|part| part.items.iter().flat_map(move |item| of_item(part, item, seed)))
        .collect();
    lints.extend(never_day(written, seed).or_else(|| of_days(written, seed)));
    if written.second.is_full(seed) {
        lints.insert(0, Lint::EverySecond);
    }
    lints
}

fn of_item(part: &Part<'_>, item: &Item<'_>, seed: u64) -> Vec<Lint> {
    let field = part.field;
    let (first, last, step) = match item.kind {
        ItemKind::Every { step: Some(step) } => {
            let (first, last) = field.values().into_inner();
            (first, last, step)
        }
        ItemKind::Span { first, last, step: Some(step), .. }
        | ItemKind::Hashed { first, last, step: Some(step) } => (first, last, step),
        _ => return Vec::new(),
    };
    let text = item.piece.text.to_owned();
    let mut lints = Vec::new();
    if let ItemKind::Span { is_open: true, .. } = item.kind {
        let count = item.piece.split('/').1.map(|count| count.text).unwrap_or_default();
        let range = format!("{first}-{last}/{count}");
        lints.push(Lint::OpenStep { field, item: text.clone(), range });
    }
    let mut values = Values::none(field);
    item.add_to(&mut values, field, seed);
    if step > last - first && !matches!(item.kind, ItemKind::Hashed { .. }) {
        lints.push(Lint::StepBeyondRange { field, item: text, value: ends(&values).0 });
    } else if step > 1 && values.len() > 1 && (first, last) == field.values().into_inner() {
        lints.extend(uneven_step(field, text, step, &values));
    }
    lints
}

/// A step over the whole range that does not come out even.
fn uneven_step(field: Field, item: String, step: u16, values: &Values) -> Option<Lint> {
    let last_gap = match round(field) {
        Some((length, ..)) if length % step == 0 => return None,
        Some(_) => gap_around(field, values),
        None if field == Field::DayOfMonth => None,
        None => return None,
    };
    Some(Lint::UnevenStep { field, item, step, last_gap })
}

/// About the two day fields together.
fn of_days(written: &Written<'_>, seed: u64) -> Option<Lint> {
    let (days, weekdays) = (&written.day_of_month, &written.day_of_week);
    let (all_days, all_weekdays) = (days.is_full(seed), weekdays.is_full(seed));
    let are_stars = (days.is_star(), weekdays.is_star());
    let full = |part: &Part<'_>| {
        Some(Lint::EveryDay { field: part.field, item: part.piece.text.to_owned() })
    };
    match (written.days_are_both(), all_days, all_weekdays) {
        (false, true, false) => full(days),
        (false, false, true) => full(weekdays),
        (false, false, false) => Some(Lint::EitherDay {
            day_of_month: days.piece.text.to_owned(),
            day_of_week: weekdays.piece.text.to_owned(),
            both: rewritten(written, with_plus),
        }),
        (true, false, false) if are_stars != (false, false) => {
            let star = if are_stars.0 { days } else { weekdays };
            Some(Lint::BothDays {
                field: star.field,
                item: star.piece.text.to_owned(),
                either: rewritten(written, without_star),
            })
        }
        _ => None,
    }
}

/// Days of the month that never occur, beside days of the week that do.
fn never_day(written: &Written<'_>, seed: u64) -> Option<Lint> {
    let what = never::too_late(written, seed).filter(|_| !written.days_are_both())?;
    Some(Lint::NeverDay { what, day_of_week: written.day_of_week.piece.text.to_owned() })
}

/// The expression with its day fields written in another way.
fn rewritten(written: &Written<'_>, day: fn(&Part<'_>) -> String) -> String {
    let fields = written.parts().into_iter().filter(|part| part.is_written);
    let text = |part: &Part<'_>| match part.field {
        Field::DayOfMonth | Field::DayOfWeek => day(part),
        _ => part.piece.text.to_owned(),
    };
    fields.map(text).collect::<Vec<_>>().join(" ")
}

/// The day of the week with a `+` before it, the day of the month as it is.
fn with_plus(part: &Part<'_>) -> String {
    let plus = if part.field == Field::DayOfWeek { "+" } else { "" };
    format!("{plus}{}", part.piece.text)
}

/// A day field that begins with `*` as one that does not.
fn without_star(part: &Part<'_>) -> String {
    let (first, last) = part.field.values().into_inner();
    let text = |item: &Item<'_>| match item.kind {
        ItemKind::Every { step: None } => format!("{first}-{last}"),
        ItemKind::Every { step: Some(step) } => format!("{first}-{last}/{step}"),
        _ => item.piece.text.to_owned(),
    };
    part.items.iter().map(text).collect::<Vec<_>>().join(",")
}

fn other_day(field: Field) -> Field {
    if field == Field::DayOfMonth { Field::DayOfWeek } else { Field::DayOfMonth }
}
