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
    } else if !is_regular(Field::Minute, &minutes) {
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
    let of_minutes = within(Field::Minute, minutes);
    if seconds.iter().eq([0]) {
        return of_minutes;
    }
    let of_seconds = within(Field::Second, seconds);
    if minutes.is_full() && is_regular(Field::Second, seconds) {
        return of_seconds;
    }
    if minutes.is_full() {
        return format!("{of_seconds} of every minute");
    }
    format!("{of_seconds} of {}", lower(&of_minutes))
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
    let plural = if values.len() == 1 { "" } else { "s" };
    format!("At {name}{plural} {}{}", numbers(values), unevenness(field, values))
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
    if is_regular(Field::Hour, hours) {
        let every = format!("of every {} hours", step(hours).unwrap_or(1));
        return if first == 0 { every } else { format!("{every} from hour {first}") };
    }
    let plural = if hours.len() == 1 { "" } else { "s" };
    let uneven = unevenness(Field::Hour, hours);
    format!("of hour{plural} {}{uneven}", numbers(hours))
}

/// As the continuation of a sentence.
fn lower(text: &str) -> String {
    match text.split_at_checked(1) {
        Some((first, rest)) => format!("{}{rest}", first.to_ascii_lowercase()),
        None => text.to_owned(),
    }
}
