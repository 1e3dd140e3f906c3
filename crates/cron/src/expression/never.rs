//! Why an expression would never fire. Not for whether it would.

use super::{
    clauses::{self, ALL_DAYS, Clause},
    error::Problem,
    field::{Field, MONTHS},
    item::ItemKind,
    part::Part,
    words::list,
    written::Written,
};

/// What to say of every one of them.
const NEVER: &str = "this schedule would never fire";

/// The reason, of an expression without any time.
pub(super) fn reason(written: &Written<'_>, seed: u64) -> Problem {
    let (days, years) = (&written.day_of_month, &written.year);
    let months = written.month.values(seed);
    let longest = months.iter().map(longest).max().unwrap_or(31);
    let named = days_named(days, seed);
    let first = named.first().copied().unwrap_or(1);
    let in_months = list(months.iter().map(month), "or");
    if first > longest {
        let days = if named.len() == 1 {
            format!("day {first} never occurs")
        } else {
            format!("days {} never occur", list(named.iter().map(u16::to_string), "and"))
        };
        let hint = "write `L` for the last day of a month";
        return days_problem(days_and(days, &in_months), days_piece(written), hint);
    }
    let needs_leap = named == [29] && months.iter().eq([2]);
    if needs_leap && !written.day_of_week.piece.text.contains(['L', 'l', '#']) {
        let what = format!("day 29 never occurs in February of {}", years.piece.shown());
        return days_problem(what, days_piece(written), "write `L` or a leap year");
    }
    if clash(days, &written.day_of_week, seed) {
        let (one, other) = (days.piece.shown(), written.day_of_week.piece.shown());
        let what = format!("day-of-month `{one}` and day-of-week `{other}` never fall on one day");
        return days_problem(what, days_piece(written), "write `*` in one of them");
    }
    let what = format!("no such day in {in_months} of {}", years.piece.shown());
    days_problem(what, days_piece(written), "write `*` as the year")
}

fn days_and(days: String, months: &str) -> String {
    format!("{days} in {months}")
}

fn days_piece<'a>(written: &Written<'a>) -> super::piece::Piece<'a> {
    written.day_of_month.piece
}

fn days_problem(what: String, piece: super::piece::Piece<'_>, hint: &str) -> Problem {
    piece.problem(Field::DayOfMonth, format!("{what}: {NEVER}"), hint)
}

/// The days that the day-of-month field names, by their numbers alone.
fn days_named(part: &Part<'_>, seed: u64) -> Vec<u16> {
    let mut values = part.values(seed);
    for item in &part.items {
        match item.kind {
            ItemKind::NearestWeekday(day) => values.add(day, day, 1),
            // Every month has one; it is not earlier than this.
            ItemKind::LastDay | ItemKind::LastWeekday => values.add(1, 1, 1),
            _ => {}
        }
    }
    values.iter().collect()
}

/// Whether the day fields have no day in common, of any month.
fn clash(days: &Part<'_>, weekdays: &Part<'_>, seed: u64) -> bool {
    let all = |clauses: Vec<Clause>| clauses.iter().fold(0, |days, clause| days | clause.days);
    let (one, other) = (all(clauses::by_month(days, seed)), all(clauses::by_week(weekdays, seed)));
    one & other & ALL_DAYS == 0
}

fn longest(month: u16) -> u16 {
    match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn month(month: u16) -> String {
    MONTHS.get(usize::from(month).saturating_sub(1)).copied().unwrap_or_default().to_owned()
}
