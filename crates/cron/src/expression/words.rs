//! Lists and ranges of values in words. Not for what they are values of.

use super::{
    field::{DAYS, Field, MONTHS},
    values::Values,
};

/// Lists of more values than this are shortened when they have one step.
const LIST_SHOWN_MAX: usize = 4;

/// `a`, `a and b`, `a, b and c`.
pub(super) fn list(words: impl IntoIterator<Item = String>, and: &str) -> String {
    let mut words: Vec<String> = words.into_iter().collect();
    match words.pop() {
        None => String::new(),
        Some(last) if words.is_empty() => last,
        Some(last) => format!("{} {and} {last}", words.join(", ")),
    }
}

/// How far each value is from the one before it, when it is equally far for all; 0 of less than
/// two values.
pub(super) fn step(values: &Values) -> Option<u16> {
    let mut gaps = values.iter().zip(values.iter().skip(1)).map(|(one, next)| next - one);
    let first = gaps.next().unwrap_or(0);
    gaps.all(|gap| gap == first).then_some(first)
}

/// Values as numbers: `0, 7, .. 56`, `9 to 17`, `1 and 15`.
pub(super) fn numbers(values: &Values) -> String {
    let (first, last) = ends(values);
    match step(values) {
        Some(1) if values.len() > 2 => format!("{first} to {last}"),
        Some(step) if values.len() > LIST_SHOWN_MAX => {
            format!("{first}, {}, .. {last}", first + step)
        }
        _ => list(values.iter().map(|value| value.to_string()), "and"),
    }
}

/// The first and the last value.
pub(super) fn ends(values: &Values) -> (u16, u16) {
    let last = values.iter().last().unwrap_or_default();
    (values.iter().next().unwrap_or_default(), last)
}

/// Months by their names: `January to March`, `May and July`.
pub(super) fn months(values: &Values) -> String {
    let name = |month: u16| name(&MONTHS, month - 1);
    let (first, last) = ends(values);
    match step(values) {
        Some(1) if values.len() > 2 => format!("{} to {}", name(first), name(last)),
        _ => list(values.iter().map(name), "and"),
    }
}

/// Days of the week by their names, over the weekend too: `Friday to Monday`.
pub(super) fn weekdays(values: &Values) -> String {
    let mut days: Vec<u16> = values.iter().collect();
    let has = |day: u16| days.contains(&(day % 7));
    // Where a run begins: the day before it is not in the set.
    let begins: Vec<usize> = (0..days.len()).filter(|at| !has(days[*at] + 6)).collect();
    if let [begin] = begins[..] {
        days.rotate_left(begin);
        if let [first, _, .., last] = days[..] {
            return format!("{} to {}", weekday(first), weekday(last));
        }
    }
    list(days.into_iter().map(weekday), "and")
}

/// The name of a day of the week, from Sunday as 0.
pub(super) fn weekday(day: u16) -> String {
    name(&DAYS, day % 7)
}

fn name(names: &[&str], at: u16) -> String {
    names.get(usize::from(at)).copied().unwrap_or_default().to_owned()
}

/// How often the whole of a field comes round, and what begins again then; none of the days of
/// the month, which are not always as many, and of years.
pub(super) fn round(field: Field) -> Option<(u16, &'static str, &'static str)> {
    match field {
        Field::Second => Some((60, "second", "minute")),
        Field::Minute => Some((60, "minute", "hour")),
        Field::Hour => Some((24, "hour", "day")),
        Field::Month => Some((12, "month", "year")),
        Field::DayOfWeek => Some((7, "day", "week")),
        Field::DayOfMonth | Field::Year => None,
    }
}

/// How far the first value is from the last of the round before.
pub(super) fn gap_around(field: Field, values: &Values) -> Option<u16> {
    let (first, last) = ends(values);
    round(field).map(|(length, ..)| length - (last - first))
}
