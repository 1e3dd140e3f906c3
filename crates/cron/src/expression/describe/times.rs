//! The times of the day in words. Not for days.

use crate::expression::{
    field::Field,
    values::Values,
    words::{ends, gap_around, list, numbers, round, step},
    written::Written,
};

/// The most times of the day that are listed one by one.
const TIMES_LISTED_MAX: usize = 6;

/// Times of the day in words.
pub(super) struct Times {
    pub(super) text: String,
    /// Whether they go on through the whole day, so that `every day` need not be said.
    pub(super) is_through_the_day: bool,
}

/// `At 14:00`, `Every 5 minutes from 09:00 to 17:55`.
pub(super) fn times(written: &Written<'_>, seed: u64) -> Times {
    let [seconds, minutes, hours] =
        [&written.second, &written.minute, &written.hour].map(|part| part.values(seed));
    if seconds.len() * minutes.len() * hours.len() <= TIMES_LISTED_MAX {
        let text = format!("At {}", clock(&seconds, &minutes, &hours));
        return Times { text, is_through_the_day: false };
    }
    let mut text = within_hour(&seconds, &minutes);
    if !hours.is_full() {
        text.push_str(&format!(" {}", in_hours(&seconds, &minutes, &hours)));
    } else if !is_regular(Field::Minute, &minutes) && !text.ends_with(')') {
        text.push_str(" of every hour");
    }
    Times { text, is_through_the_day: hours.is_full() }
}

/// Every time of the day by the clock.
fn clock(seconds: &Values, minutes: &Values, hours: &Values) -> String {
    let exact = !seconds.iter().eq([0]);
    let times = hours.iter().flat_map(|hour| {
        minutes.iter().flat_map(move |minute| {
            seconds.iter().map(move |second| time(hour, minute, exact.then_some(second)))
        })
    });
    list(times, "and")
}

fn time(hour: u16, minute: u16, second: Option<u16>) -> String {
    match second {
        Some(second) => format!("{hour:02}:{minute:02}:{second:02}"),
        None => format!("{hour:02}:{minute:02}"),
    }
}

/// The times within an hour.
fn within_hour(seconds: &Values, minutes: &Values) -> String {
    if seconds.iter().eq([0]) {
        return within(Field::Minute, minutes);
    }
    let of_seconds = within(Field::Second, seconds);
    if minutes.is_full() && (is_regular(Field::Second, seconds) || of_seconds.ends_with(')')) {
        return of_seconds;
    }
    format!("{of_seconds} of {}", part_of(Field::Minute, minutes))
}

/// The hours, or the minutes, that something is of.
fn part_of(field: Field, values: &Values) -> String {
    let name = field.name();
    let first = ends(values).0;
    if values.is_full() {
        return format!("every {name}");
    }
    if is_regular(field, values) {
        let every = format!("every {} {name}", nth(step(values).unwrap_or(1)));
        return if first == 0 { every } else { format!("{every} from {name} {first}") };
    }
    let plural = if values.len() == 1 { "" } else { "s" };
    format!("{name}{plural} {}{}", numbers(values), unevenness(field, values))
}

/// `2nd`, `3rd`, `15th`.
fn nth(count: u16) -> String {
    let ending = match (count % 10, count % 100) {
        (1, tens) if tens != 11 => "st",
        (2, tens) if tens != 12 => "nd",
        (3, tens) if tens != 13 => "rd",
        _ => "th",
    };
    format!("{count}{ending}")
}

/// The values of minutes in the hour, or of seconds in the minute.
fn within(field: Field, values: &Values) -> String {
    let name = field.name();
    if values.is_full() {
        return format!("Every {name}");
    }
    let first = ends(values).0;
    if is_regular(field, values) {
        let every = format!("Every {} {name}s", step(values).unwrap_or(1));
        return if first == 0 { every } else { format!("{every} from {name} {first}") };
    }
    format!("At {}", part_of(field, values))
}

/// Whether the values come round in equal steps for ever, and are so many that the step says more
/// than the list.
fn is_regular(field: Field, values: &Values) -> bool {
    let step = step(values);
    values.is_full() || values.len() > 2 && step.is_some() && step == gap_around(field, values)
}

/// What to say of steps through the whole range that do not come out even.
fn unevenness(field: Field, values: &Values) -> String {
    let ((first, _), Some(step)) = (ends(values), step(values)) else { return String::new() };
    let Some((gap, (_, unit, whole))) = gap_around(field, values).zip(round(field)) else {
        return String::new();
    };
    // With a gap above the step the values end early: a range, and no slip.
    if values.len() < 3 || step == 1 || gap >= step || first >= step {
        return String::new();
    }
    let plural = if gap == 1 { "" } else { "s" };
    format!(" (uneven: {gap} {unit}{plural} at the {whole})")
}

/// The hours of times that go on within the hour.
fn in_hours(seconds: &Values, minutes: &Values, hours: &Values) -> String {
    let (first, last) = ends(hours);
    let exact = !seconds.iter().eq([0]);
    let bound = |hour, minute, second| time(hour, minute, exact.then_some(second));
    let from = bound(first, ends(minutes).0, ends(seconds).0);
    let to = bound(last, ends(minutes).1, ends(seconds).1);
    let is_listed = minutes.len() <= 2 && !minutes.is_full();
    if step(hours).is_some_and(|step| step <= 1) && !is_listed {
        return format!("from {from} to {to}");
    }
    format!("of {}", part_of(Field::Hour, hours))
}
