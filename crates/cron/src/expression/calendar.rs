//! The times that the rows of an expression name, as bits, and the search for the first of them
//! after another. The bits are read from what the `cron` crate made of the rows; its own search is
//! right, but takes microseconds for each row, and a schedule of it half a kibibyte.

mod count;

use super::field::{Field, YEAR_FIRST};
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};
use cron::{Schedule, TimeUnitSpec};

/// Bit 0 is the first year.
type Years = [u64; 3];

/// Times of the day on the days of any row.
#[derive(Clone, Debug)]
pub(super) struct Calendar {
    seconds: u64,
    minutes: u64,
    hours: u32,
    /// The months and years of any row.
    months: u16,
    years: Years,
    rows: Box<[DayRow]>,
}

/// Days that are right by all four.
#[derive(Clone, Debug)]
struct DayRow {
    years: Years,
    /// Bit n is day n.
    days: u32,
    months: u16,
    /// Bit 0 is Sunday.
    weekdays: u8,
}

impl Calendar {
    /// Of schedules that have the time of day in common; none when there is no schedule.
    pub(super) fn of(schedules: &[Schedule]) -> Option<Self> {
        let first = schedules.first()?;
        let rows: Box<[DayRow]> = schedules.iter().map(DayRow::of).collect();
        Some(Self {
            seconds: bits(first.seconds(), 0),
            minutes: bits(first.minutes(), 0),
            hours: bits(first.hours(), 0) as u32,
            months: rows.iter().fold(0, |months, row| months | row.months),
            years: std::array::from_fn(|at| {
                rows.iter().fold(0, |years, row| years | row.years.get(at).copied().unwrap_or(0))
            }),
            rows,
        })
    }

    /// The first time after `civil`, in whole seconds.
    pub(super) fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime> {
        let begin = NaiveDate::from_ymd_opt(i32::from(YEAR_FIRST), 1, 1)?.and_hms_opt(0, 0, 0)?;
        let from = if civil < begin {
            begin
        } else {
            civil.with_nanosecond(0)?.checked_add_signed(TimeDelta::seconds(1))?
        };
        let today = from.date();
        if self.has_day(today)
            && let Some((hour, minute, second)) =
                self.time_from(from.hour(), from.minute(), from.second())
        {
            return today.and_hms_opt(hour, minute, second);
        }
        let (hour, minute, second) = self.time_from(0, 0, 0)?;
        self.day_from(today.succ_opt()?)?.and_hms_opt(hour, minute, second)
    }

    /// The first hour, minute and second of a day that is not before this one.
    fn time_from(&self, hour: u32, minute: u32, second: u32) -> Option<(u32, u32, u32)> {
        let (first_minute, first_second) = (low(self.minutes, 0)?, low(self.seconds, 0)?);
        let hours = u64::from(self.hours);
        let found = low(hours, hour)?;
        if found > hour {
            return Some((found, first_minute, first_second));
        }
        match low(self.minutes, minute) {
            Some(same) if same == minute => match low(self.seconds, second) {
                Some(second) => return Some((hour, minute, second)),
                None => {
                    if let Some(minute) = low(self.minutes, minute + 1) {
                        return Some((hour, minute, first_second));
                    }
                }
            },
            Some(later) => return Some((hour, later, first_second)),
            None => {}
        }
        Some((low(hours, hour + 1)?, first_minute, first_second))
    }

    fn has_day(&self, date: NaiveDate) -> bool {
        self.days(date.year(), date.month()) >> date.day() & 1 == 1
    }

    /// The first right day that is not before this one.
    fn day_from(&self, date: NaiveDate) -> Option<NaiveDate> {
        let (mut month, mut day) = (date.month(), date.day());
        for year in date.year()..=i32::from(*Field::Year.range().end()) {
            if has_year(&self.years, year) {
                while let Some(found) = low(u64::from(self.months), month) {
                    day = if found == month { day } else { 1 };
                    if let Some(day) = low(u64::from(self.days(year, found)), day) {
                        return NaiveDate::from_ymd_opt(year, found, day);
                    }
                    (month, day) = (found + 1, 1);
                }
            }
            (month, day) = (1, 1);
        }
        None
    }

    /// The right days of a month: bit n is day n.
    fn days(&self, year: i32, month: u32) -> u32 {
        let Some(first) = NaiveDate::from_ymd_opt(year, month, 1) else { return 0 };
        let weekday = first.weekday().num_days_from_sunday();
        let in_month = self
            .rows
            .iter()
            .filter(|row| row.months >> month & 1 == 1 && has_year(&row.years, year))
            .fold(0, |days, row| days | row.days & repeated(row.weekdays, weekday));
        in_month & (u32::MAX >> (31 - length(year, month)))
    }
}

impl DayRow {
    fn of(schedule: &Schedule) -> Self {
        let mut years = Years::default();
        for year in schedule.years().iter() {
            let at = year - u32::from(YEAR_FIRST);
            if let Some(word) = years.get_mut(at as usize / 64) {
                *word |= 1 << (at % 64);
            }
        }
        Self {
            years,
            days: bits(schedule.days_of_month(), 0) as u32,
            months: bits(schedule.months(), 0) as u16,
            // The crate counts from Sunday as 1.
            weekdays: bits(schedule.days_of_week(), 1) as u8,
        }
    }
}

fn bits(unit: &impl TimeUnitSpec, shift: u32) -> u64 {
    unit.iter().fold(0, |bits, value| bits | 1 << (value - shift))
}

/// The lowest bit that is set at `from` or above.
fn low(bits: u64, from: u32) -> Option<u32> {
    let rest = bits.checked_shr(from)? << from;
    (rest != 0).then(|| rest.trailing_zeros())
}

fn has_year(years: &Years, year: i32) -> bool {
    let at = u32::try_from(year - i32::from(YEAR_FIRST)).unwrap_or(u32::MAX);
    years.get(at as usize / 64).is_some_and(|word| word >> (at % 64) & 1 == 1)
}

/// The days of a month that begins with `first`, counted from Sunday, on these days of the week.
fn repeated(weekdays: u8, first: u32) -> u32 {
    let week = (u64::from(weekdays) >> first | u64::from(weekdays) << (7 - first)) & 0x7f;
    let weeks = week | week << 7 | week << 14 | week << 21 | week << 28;
    // Day 1 is bit 1.
    (weeks << 1) as u32
}

fn length(year: i32, month: u32) -> u32 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}
