//! Why an expression would never fire. Not for whether it would.

use super::{
    clauses::clauses,
    error::Problem,
    field::{Field, MONTHS},
    item::ItemKind,
    part::Part,
    rows::is_leap,
    values::Values,
    words::list,
    written::Written,
};

/// The reason, of an expression without any time.
pub(super) fn reason(written: &Written<'_>, seed: u64) -> Problem {
    let (what, hint) = if let Some(what) = too_late(written, seed) {
        (what, "write `L` for the last day of a month")
    } else if clauses(written, seed).is_empty() {
        let (one, other) = (&written.day_of_month.piece, &written.day_of_week.piece);
        let (one, other) = (one.shown(), other.shown());
        let what = format!("`{one}` and day-of-week `{other}` never fall on one day");
        (what, "write `*` in one of them")
    } else {
        (format!("there is no such day in {}", when(written, seed)), "name another day or month")
    };
    let what = format!("{what}: this schedule would never fire");
    written.day_of_month.piece.problem(Field::DayOfMonth, what, hint)
}

/// The days of the month, when every month that is named ends before the first of them.
pub(super) fn too_late(written: &Written<'_>, seed: u64) -> Option<String> {
    let days = days_named(&written.day_of_month, seed);
    let has_leap_year = written.year.values(seed).iter().any(is_leap);
    let longest = written.month.values(seed).iter().map(|month| length(month, has_leap_year));
    let first = days.iter().next()?;
    if first <= longest.max()? {
        return None;
    }
    let never = match days.len() {
        1 => format!("day {first} never occurs"),
        _ => format!("days {} never occur", list(days.iter().map(|day| day.to_string()), "and")),
    };
    let in_months = if first == 29 { when(written, seed) } else { months(written, seed) };
    Some(format!("{never} in {in_months}"))
}

/// The days that the day-of-month field names, by their numbers alone.
fn days_named(part: &Part<'_>, seed: u64) -> Values {
    let mut days = part.values(seed);
    for item in &part.items {
        match item.kind {
            ItemKind::NearestWeekday(day) => days.add(day, day, 1),
            // Every month has one.
            ItemKind::LastDay | ItemKind::LastWeekday => days.add(1, 1, 1),
            _ => {}
        }
    }
    days
}

/// The months and years that are named.
fn when(written: &Written<'_>, seed: u64) -> String {
    let months = months(written, seed);
    if written.year.is_full(seed) {
        months
    } else {
        format!("{months} of {}", written.year.piece.shown())
    }
}

fn months(written: &Written<'_>, seed: u64) -> String {
    let named = written.month.values(seed);
    if named.is_full() {
        return "any month".to_owned();
    }
    let names = (1..).zip(MONTHS).filter(|(month, _)| named.iter().any(|named| named == *month));
    list(names.map(|(_, name)| name.to_owned()), "or")
}

fn length(month: u16, has_leap_year: bool) -> u16 {
    match month {
        2 if has_leap_year => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
