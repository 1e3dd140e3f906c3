//! A walk over every day, hour, minute and second, by what each item means by itself.

use super::{
    made::{Kind, Made, MadeField, Part, made},
    seeds::{Dice, for_seeds},
};
use crate::{CivilTimes, Expression, Fields, FiringClass};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta};

/// How far the walk looks for times.
const DAYS_WALKED: u64 = 9 * 366;
/// How many times are compared.
const TIMES: usize = 4;

#[test]
fn expressions_agree_with_a_walk_over_every_minute() {
    for_seeds("expressions_agree_with_a_walk_over_every_minute", 2_000, |dice| {
        let made = made(dice);
        let start = start(dice);
        match Expression::parse(&made.text, Fields::WithSeconds, b"") {
            Ok(expression) => agrees(&made, &expression, start),
            Err(error) => {
                assert!(error.to_string().contains("would never fire"), "{error}");
                let first = NaiveDate::from_ymd_opt(1970, 1, 1).expect("a day");
                let mut all = first.iter_days().take_while(|day| day.year() <= 2100);
                assert_eq!(all.find(|day| made.has_day(*day)), None, "{error}");
            }
        }
    });
}

fn agrees(made: &Made, expression: &Expression, start: NaiveDateTime) {
    let found: Vec<_> = std::iter::successors(Some(start), |time| expression.next_after(*time))
        .skip(1)
        .take(TIMES)
        .collect();
    let walked = made.walk(start);
    let end = start + TimeDelta::days(DAYS_WALKED as i64);
    let common = found.len().min(walked.len());
    assert_eq!(found[..common], walked[..common], "`{}` after {start}", made.text);
    assert!(walked.len() <= found.len(), "`{}` after {start}: {walked:?}", made.text);
    if let Some(beyond) = found.get(walked.len()) {
        assert!(*beyond >= end - TimeDelta::days(1), "`{}` after {start}: {beyond}", made.text);
    }
    let class = if made.fields[..3].iter().any(MadeField::begins_with_star) {
        FiringClass::Interval
    } else {
        FiringClass::Fixed
    };
    assert_eq!(expression.class(), class, "`{}`", made.text);
}

/// A time between 1996 and 2080, often at an end of February.
pub(super) fn start(dice: &mut Dice) -> NaiveDateTime {
    let year = i32::from(dice.within(1996, 2080));
    let day = if dice.once_in(3) { dice.within(55, 62) } else { dice.within(1, 365) };
    let date = NaiveDate::from_yo_opt(year, u32::from(day)).expect("a day");
    let (hour, minute, second) = (dice.within(0, 23), dice.within(0, 59), dice.within(0, 59));
    date.and_hms_opt(hour.into(), minute.into(), second.into()).expect("a time")
}

impl Made {
    /// The first times after `start`.
    fn walk(&self, start: NaiveDateTime) -> Vec<NaiveDateTime> {
        let mut times = Vec::new();
        for offset in 0..DAYS_WALKED {
            let date = start.date() + chrono::Days::new(offset);
            if date.year() > 2100 || !self.has_day(date) {
                continue;
            }
            for minute in 0..24 * 60 {
                if !self.fields[2].has(minute / 60) || !self.fields[1].has(minute % 60) {
                    continue;
                }
                for second in (0..60).filter(|second| self.fields[0].has(*second)) {
                    let time = date
                        .and_hms_opt(u32::from(minute / 60), u32::from(minute % 60), second.into())
                        .expect("a time");
                    if time > start {
                        times.push(time);
                    }
                    if times.len() == TIMES {
                        return times;
                    }
                }
            }
        }
        times
    }

    fn has_day(&self, date: NaiveDate) -> bool {
        let [_, _, _, days, months, week, years] = &self.fields;
        let (day, weekday) = (days.has_day(date), week.has_day(date));
        let are_both = days.begins_with_star() || week.begins_with_star() || week.has_plus;
        let is_right = if are_both { day && weekday } else { day || weekday };
        is_right && months.has(date.month() as u16) && years.has(date.year() as u16)
    }
}

impl MadeField {
    fn begins_with_star(&self) -> bool {
        !self.has_plus && matches!(self.parts[0], Part::All | Part::AllStep(_) | Part::Any)
    }

    /// Whether a value of time, month or year is right.
    fn has(&self, value: u16) -> bool {
        let (first, last) = self.kind.range();
        self.parts.iter().any(|part| match *part {
            Part::All => true,
            Part::AllStep(step) => (value - first).is_multiple_of(step),
            Part::One(one) => value == one,
            Part::Range(from, to) => (from..=to).contains(&value),
            Part::RangeStep(from, to, step) => stepped(value, from, to, step),
            Part::Open(from, step) => stepped(value, from, last, step),
            _ => false,
        })
    }

    /// Whether a day is right by this day field.
    fn has_day(&self, date: NaiveDate) -> bool {
        let weekday = date.weekday().num_days_from_sunday() as u16;
        self.parts.iter().any(|part| match (*part, self.kind) {
            (Part::Any, _) => true,
            (Part::Last, _) => last_of_month(date) == date,
            (Part::LastWeekday, _) => {
                let back = std::iter::successors(Some(last_of_month(date)), |day| day.pred_opt());
                back.into_iter().find(|day| !is_weekend(*day)) == Some(date)
            }
            (Part::Nearest(day), _) => nearest(date, day.into()) == Some(date),
            (Part::LastOf(day), _) => {
                weekday == day % 7 && date + chrono::Days::new(7) > last_of_month(date)
            }
            (Part::Nth(day, nth), _) => weekday == day % 7 && date.day0() as u16 / 7 + 1 == nth,
            (part, Kind::Week) => has_weekday(part, weekday),
            (part, kind) => {
                MadeField { kind, parts: vec![part], has_plus: false }.has(date.day() as u16)
            }
        })
    }
}

/// Whether a day of the week is right, found by going round the week.
fn has_weekday(part: Part, weekday: u16) -> bool {
    match part {
        Part::All => true,
        Part::AllStep(step) => weekday.is_multiple_of(step),
        Part::One(one) => weekday == one % 7,
        Part::Range(from, to) => round(from, to, 1).contains(&weekday),
        Part::RangeStep(from, to, step) => round(from, to, step).contains(&weekday),
        Part::Open(from, step) => stepped(weekday, from % 7, 6, step),
        _ => false,
    }
}

/// The days from one day of the week to another, every `step`-th.
fn round(from: u16, to: u16, step: u16) -> Vec<u16> {
    let mut days = vec![from % 7];
    // Only `0-7` is all the way round; every other range ends where it first meets its end.
    let mut is_at_end = from % 7 == to % 7 && (from, to) != (0, 7);
    while !is_at_end {
        let next = (days[days.len() - 1] + 1) % 7;
        days.push(next);
        is_at_end = next == to % 7;
    }
    days.into_iter().step_by(step.into()).collect()
}

fn stepped(value: u16, from: u16, to: u16, step: u16) -> bool {
    (from..=to).contains(&value) && (value - from).is_multiple_of(step)
}

fn is_weekend(date: NaiveDate) -> bool {
    matches!(date.weekday(), chrono::Weekday::Sat | chrono::Weekday::Sun)
}

fn last_of_month(date: NaiveDate) -> NaiveDate {
    let last = (28..=31).rev().find_map(|day| date.with_day(day));
    last.expect("a last day")
}

/// The day Monday to Friday in the same month that is nearest to a day of it.
fn nearest(date: NaiveDate, day: u32) -> Option<NaiveDate> {
    let wanted = date.with_day(day)?;
    let near = [0i64, -1, 1, -2, 2].map(|days| wanted + TimeDelta::days(days));
    near.into_iter().find(|near| near.month() == wanted.month() && !is_weekend(*near))
}
