//! What an expression says, in words. Not for warnings, nor for time zones.
//!
//! It is made from the sets that fire, so that it is true also where a step is uneven or a range
//! was written as a list; only for the joining of the day fields the text counts, as it does in
//! cron.

mod days;
mod times;

pub(super) use days::{day_of_length, day_of_week};

use super::{
    words::{months, numbers},
    written::Written,
};

/// A sentence without a dot: `At 14:00 on Thursday`.
pub(super) fn description(written: &Written<'_>, seed: u64) -> String {
    let times = times::times(written, seed);
    let mut text = times.text;
    let (in_months, years) = (written.month.values(seed), written.year.values(seed));
    let names = if in_months.is_full() { None } else { Some(months(&in_months)) };
    match days::days(written, seed, names.as_deref()) {
        days::Days::Every if times.is_through_the_day => {
            text.extend(names.iter().map(|names| format!(" in {names}")));
        }
        days::Days::Every => {
            text.push_str(" every day");
            text.extend(names.iter().map(|names| format!(" in {names}")));
        }
        days::Days::OfMonths(days) => text.push_str(&format!(" {days}")),
        days::Days::Some(days) => {
            text.push_str(&format!(" {days}"));
            text.extend(names.iter().map(|names| format!(", in {names}")));
        }
    }
    if !years.is_full() {
        text.push_str(&format!(", in {}", numbers(&years)));
    }
    text
}
