//! Which days the two day fields name, as clauses: in months of some lengths, some days of the
//! month that are also some days of the week. A day is right when any clause has it. Not for
//! months and years.

use super::{
    item::{Item, ItemKind},
    part::Part,
    values::Values,
    written::Written,
};
use std::collections::BTreeMap;

/// Every day of the month, as bits 1 to 31.
pub(super) const ALL_DAYS: u32 = 0xffff_fffe;
/// Every day of the week, as bits 0 (Sunday) to 6.
pub(super) const ALL_WEEKDAYS: u8 = 0x7f;
const MONDAY: u8 = 1 << 1;
const FRIDAY: u8 = 1 << 5;
const MONDAY_TO_FRIDAY: u8 = 0x3e;

/// Months of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Lengths(u8);

/// Days of the month that are also days of the week, in months of some lengths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clause {
    /// Bit n is day n.
    pub(super) days: u32,
    /// Bit 0 is Sunday.
    pub(super) weekdays: u8,
    pub(super) lengths: Lengths,
}

impl Lengths {
    pub(super) const ALL: Self = Self(0xf);

    /// The four lengths of a month.
    pub(super) fn each() -> impl Iterator<Item = (u16, Self)> {
        (28..=31).map(|days| (days, Self::of(days)))
    }

    /// Months of `days` days, 28 to 31.
    pub(super) fn of(days: u16) -> Self {
        Self(1 << (days - 28))
    }

    /// Whether months of `days` days are among them.
    pub(super) fn has(self, days: u16) -> bool {
        self.0 & Self::of(days).0 != 0
    }
}

impl Clause {
    fn both(self, other: Self) -> Self {
        Self {
            days: self.days & other.days,
            weekdays: self.weekdays & other.weekdays,
            lengths: Lengths(self.lengths.0 & other.lengths.0),
        }
    }

    fn is_empty(&self) -> bool {
        self.days == 0 || self.weekdays == 0 || self.lengths.0 == 0
    }
}

/// The clauses of an expression.
pub(super) fn clauses(written: &Written<'_>, seed: u64) -> Vec<Clause> {
    let by_month = merged(by_month(&written.day_of_month, seed));
    let by_week = merged(by_week(&written.day_of_week, seed));
    if written.days_are_both() {
        let with = |one: Clause| by_week.iter().map(move |other| one.both(*other));
        merged(by_month.iter().flat_map(|one| with(*one)))
    } else {
        merged(by_month.into_iter().chain(by_week))
    }
}

/// The same days in as few clauses as these three steps find: those that differ in one part only
/// become one.
fn merged(clauses: impl IntoIterator<Item = Clause>) -> Vec<Clause> {
    let (mut weekdays, mut days, mut lengths) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
    for clause in clauses.into_iter().filter(|clause| !clause.is_empty()) {
        *weekdays.entry((clause.days, clause.lengths)).or_insert(0) |= clause.weekdays;
    }
    for ((of, lengths), weekdays) in weekdays {
        *days.entry((weekdays, lengths)).or_insert(0) |= of;
    }
    for ((weekdays, of), days) in days {
        *lengths.entry((days, weekdays)).or_insert(0) |= of.0;
    }
    let clause = |((days, weekdays), of)| Clause { days, weekdays, lengths: Lengths(of) };
    lengths.into_iter().map(clause).collect()
}

/// What the day-of-month field names.
pub(super) fn by_month(part: &Part<'_>, seed: u64) -> Vec<Clause> {
    let everywhere = |days| Clause { days, weekdays: ALL_WEEKDAYS, lengths: Lengths::ALL };
    let mut clauses = vec![everywhere(days_of(&part.values(seed)))];
    for Item { kind, .. } in &part.items {
        for (length, lengths) in Lengths::each() {
            let mut add = |days, weekdays| clauses.push(Clause { days, weekdays, lengths });
            match *kind {
                ItemKind::LastDay => add(1 << length, ALL_WEEKDAYS),
                ItemKind::LastWeekday => {
                    add(1 << length, MONDAY_TO_FRIDAY);
                    // The last day is Saturday or Sunday.
                    add(1 << (length - 1) | 1 << (length - 2), FRIDAY);
                }
                ItemKind::NearestWeekday(day) if day <= length => {
                    add(1 << day, MONDAY_TO_FRIDAY);
                    // Saturday: the Friday before it, or else the Monday after it.
                    if day == 1 {
                        add(1 << 3, MONDAY)
                    } else {
                        add(1 << (day - 1), FRIDAY)
                    }
                    // Sunday: the Monday after it, or else the Friday before it.
                    if day == length {
                        add(1 << (day - 2), FRIDAY)
                    } else {
                        add(1 << (day + 1), MONDAY)
                    }
                }
                _ => {}
            }
        }
    }
    clauses
}

/// What the day-of-week field names.
pub(super) fn by_week(part: &Part<'_>, seed: u64) -> Vec<Clause> {
    let weekdays = part.values(seed).low_bits() as u8;
    let mut clauses = vec![Clause { days: ALL_DAYS, weekdays, lengths: Lengths::ALL }];
    for Item { kind, .. } in &part.items {
        match *kind {
            ItemKind::LastOf(day) => clauses.extend(Lengths::each().map(|(length, lengths)| {
                Clause { days: span(length - 6, length), weekdays: 1 << day, lengths }
            })),
            ItemKind::Nth { day, nth } => clauses.push(Clause {
                days: span(7 * nth - 6, (7 * nth).min(31)),
                weekdays: 1 << day,
                lengths: Lengths::ALL,
            }),
            _ => {}
        }
    }
    clauses
}

/// The days from `first` to `last`, as bits.
fn span(first: u16, last: u16) -> u32 {
    (first..=last).fold(0, |days, day| days | 1 << day)
}

/// Days of the month, as bits.
pub(super) fn days_of(values: &Values) -> u32 {
    values.low_bits() as u32
}
