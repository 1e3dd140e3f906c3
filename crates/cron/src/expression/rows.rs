//! What an expression means, as rows of plain numbers for the `cron` crate: a time is right when
//! any row has it, and a row has it when all seven fields do. Not for what the items of an
//! expression mean: no name, step or range reaches the crate.

use super::{
    clauses::{self, Clause, Lengths},
    field::Field,
    values::Values,
    written::Written,
};
use cron::Schedule;

/// The months with 31 days, and those with 30, as bits 1 to 12.
const LONG_MONTHS: u16 = 1 << 1 | 1 << 3 | 1 << 5 | 1 << 7 | 1 << 8 | 1 << 10 | 1 << 12;
const SHORT_MONTHS: u16 = 1 << 4 | 1 << 6 | 1 << 9 | 1 << 11;
const FEBRUARY: u16 = 1 << 2;

/// A row of plain numbers.
#[derive(Clone, Copy, Debug)]
struct Row {
    days: Values,
    months: Values,
    weekdays: Values,
    years: Values,
}

/// The rows of an expression, read by the crate. None when no day can ever be right.
pub(super) fn schedules(written: &Written<'_>, seed: u64) -> Vec<Schedule> {
    let [second, minute, hour] =
        [&written.second, &written.minute, &written.hour].map(|part| part.values(seed).list(0));
    rows(written, seed)
        .map(|row| {
            let Row { days, months, weekdays, years } = row;
            let (days, months, years) = (days.list(0), months.list(0), years.list(0));
            // The crate counts the days of the week from Sunday as 1.
            let weekdays = weekdays.list(1);
            read(&format!("{second} {minute} {hour} {days} {months} {weekdays} {years}"))
        })
        .collect()
}

#[expect(clippy::expect_used, reason = "plain numbers in the ranges that the crate takes")]
fn read(row: &str) -> Schedule {
    row.parse().expect("plain numbers in their ranges")
}

fn rows(written: &Written<'_>, seed: u64) -> impl Iterator<Item = Row> {
    let (months, years) = (written.month.values(seed), written.year.values(seed));
    clauses::clauses(written, seed)
        .into_iter()
        .flat_map(move |clause| {
            let row = move |(months, years)| Row {
                days: Values::of_bits(Field::DayOfMonth, u64::from(clause.days)),
                weekdays: Values::of_bits(Field::DayOfWeek, u64::from(clause.weekdays)),
                months,
                years,
            };
            when(clause, months, years).into_iter().map(row)
        })
        .filter(|row| !row.months.is_empty() && !row.years.is_empty())
}

/// The months and years of a clause: one pair, or two when February counts in some years only.
fn when(clause: Clause, months: Values, years: Values) -> Vec<(Values, Values)> {
    let lengths = clause.lengths;
    let rest = bits_of(lengths);
    let whole = |february: u16| months.filtered(|month| (rest | february) >> month & 1 == 1);
    match (lengths.has(28), lengths.has(29)) {
        (true, true) => vec![(whole(FEBRUARY), years)],
        (false, false) => vec![(whole(0), years)],
        (_, in_leap_years) => {
            let only = months.filtered(|month| FEBRUARY >> month & 1 == 1);
            let some = years.filtered(|year| is_leap(year) == in_leap_years);
            vec![(whole(0), years), (only, some)]
        }
    }
}

/// The months of 30 and 31 days among these lengths.
fn bits_of(lengths: Lengths) -> u16 {
    let long = if lengths.has(31) { LONG_MONTHS } else { 0 };
    let short = if lengths.has(30) { SHORT_MONTHS } else { 0 };
    long | short
}

/// Whether a year has a 29 February.
pub(super) fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}
