//! The days in words. Not for times of the day.

use crate::expression::{
    item::ItemKind,
    part::Part,
    words::{list, numbers, weekday, weekdays},
    written::Written,
};

/// Days in words.
pub(super) enum Days {
    /// Every day.
    Every,
    /// Days of the month, the months with them.
    OfMonths(String),
    /// Other days, without the months.
    Some(String),
}

/// `on Thursday`, `on day 1 of the month or on Monday`.
pub(super) fn days(written: &Written<'_>, seed: u64, months: Option<&str>) -> Days {
    let (days, week) = (&written.day_of_month, &written.day_of_week);
    let (all_days, all_week) = (days.is_full(seed), week.is_full(seed));
    if written.days_are_both() {
        match (all_days, all_week) {
            (true, true) => Days::Every,
            (false, true) => Days::OfMonths(format!("on {}", of_month(days, seed, months))),
            (true, false) => Days::Some(format!("on {}", of_week(week, seed))),
            (false, false) => {
                let special = days.items.iter().filter(|item| day_of_length(item.kind).is_some());
                let is_one = days.values(seed).len() + special.count() == 1;
                let one_of = if is_one { "" } else { "one of " };
                let (week, days) = (of_week(week, seed), of_month(days, seed, None));
                Days::Some(format!("on {week} if it is also {one_of}{days}"))
            }
        }
    } else if all_days || all_week {
        Days::Every
    } else {
        let (days, week) = (of_month(days, seed, None), of_week(week, seed));
        Days::Some(format!("on {days} or on {week}"))
    }
}

fn of_month(part: &Part<'_>, seed: u64, months: Option<&str>) -> String {
    let values = part.values(seed);
    let mut days = Vec::new();
    if !values.is_empty() {
        let plural = if values.len() == 1 { "" } else { "s" };
        days.push(format!("day{plural} {}", numbers(&values)));
    }
    days.extend(part.items.iter().filter_map(|item| day_of_length(item.kind)));
    format!("{} of {}", list(days, "and"), months.unwrap_or("the month"))
}

/// A day that depends on the length of the month.
pub(in crate::expression) fn day_of_length(kind: ItemKind) -> Option<String> {
    match kind {
        ItemKind::LastDay => Some("the last day".to_owned()),
        ItemKind::LastWeekday => Some("the last weekday".to_owned()),
        ItemKind::NearestWeekday(day) => Some(format!("the weekday nearest to day {day}")),
        _ => None,
    }
}

fn of_week(part: &Part<'_>, seed: u64) -> String {
    let values = part.values(seed);
    let mut days = Vec::new();
    if !values.is_empty() {
        days.push(weekdays(&values));
    }
    days.extend(part.items.iter().filter_map(|item| day_of_week(item.kind)));
    list(days, "and")
}

/// A day of the week that comes once a month.
pub(in crate::expression) fn day_of_week(kind: ItemKind) -> Option<String> {
    match kind {
        ItemKind::LastOf(day) => Some(format!("the last {} of the month", weekday(day))),
        ItemKind::Nth { day, nth } => {
            Some(format!("the {} {} of the month", ordinal(nth), weekday(day)))
        }
        _ => None,
    }
}

fn ordinal(nth: u16) -> &'static str {
    match nth {
        1 => "first",
        2 => "second",
        3 => "third",
        4 => "fourth",
        _ => "fifth",
    }
}
