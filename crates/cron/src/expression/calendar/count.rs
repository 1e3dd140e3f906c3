//! How many times there are in a span: by whole months of days, not one by one.

use super::Calendar;
use crate::expression::field::Field;
use chrono::{Datelike, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

impl Calendar {
    /// How many times there are after one and up to another, in whole seconds.
    pub(in crate::expression) fn count(&self, after: NaiveDateTime, until: NaiveDateTime) -> u64 {
        let Some((begin, end)) = Self::all() else { return 0 };
        let later = |civil: NaiveDateTime| {
            let whole = civil.with_nanosecond(0).unwrap_or(civil);
            let later = whole.checked_add_signed(TimeDelta::seconds(1)).unwrap_or(civil);
            later.clamp(begin, end)
        };
        // From the first second that counts to the first that does not.
        let (from, to) = (later(after), later(until));
        if to <= from {
            return 0;
        }
        let days = self.days_between(from.date(), to.date());
        days * self.times_of_day() + self.times_before(to) - self.times_before(from)
    }

    /// From the first second of all years to the first after them.
    fn all() -> Option<(NaiveDateTime, NaiveDateTime)> {
        let (first, last) = Field::Year.range().into_inner();
        let begin =
            |year: u16| NaiveDate::from_ymd_opt(i32::from(year), 1, 1)?.and_hms_opt(0, 0, 0);
        Some((begin(first)?, begin(last + 1)?))
    }

    fn times_of_day(&self) -> u64 {
        u64::from(self.hours.count_ones()) * self.times_of_hour()
    }

    fn times_of_hour(&self) -> u64 {
        u64::from(self.minutes.count_ones()) * u64::from(self.seconds.count_ones())
    }

    /// The times of this day that are before `civil`; none when the day is no right one.
    fn times_before(&self, civil: NaiveDateTime) -> u64 {
        if !self.has_day(civil.date()) {
            return 0;
        }
        let below = |bits: u64, value: u32| u64::from((bits & ((1 << value) - 1)).count_ones());
        let has = |bits: u64, value: u32| bits >> value & 1;
        let (hours, minutes) = (u64::from(self.hours), self.minutes);
        let of_minute = below(self.seconds, civil.second());
        let of_hour = below(minutes, civil.minute()) * u64::from(self.seconds.count_ones())
            + has(minutes, civil.minute()) * of_minute;
        below(hours, civil.hour()) * self.times_of_hour() + has(hours, civil.hour()) * of_hour
    }

    /// How many right days there are from the first on and before `end`.
    fn days_between(&self, first: NaiveDate, end: NaiveDate) -> u64 {
        let (begin, end_month) = ((first.year(), first.month()), (end.year(), end.month()));
        let (mut at, mut count) = (begin, 0);
        while at <= end_month {
            let mut days = self.days(at.0, at.1);
            if at == begin {
                days &= u32::MAX << first.day();
            }
            if at == end_month {
                days &= (1 << end.day()) - 1;
            }
            count += u64::from(days.count_ones());
            at = if at.1 == 12 { (at.0 + 1, 1) } else { (at.0, at.1 + 1) };
        }
        count
    }
}
