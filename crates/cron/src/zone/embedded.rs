//! Zone data that is built in: chrono-tz.
//!
//! chrono-tz tells the offset at an instant but not when it changes. Offsets last for weeks at
//! least, so they are compared day by day, and the second of each change is found by halving.

use super::{
    ZoneTable, ZoneTableError,
    table::{TABLE_BEGINS, TABLE_ENDS},
};
use chrono::{DateTime, FixedOffset, Offset, TimeZone};
use chrono_tz::Tz;

/// A step that no offset since 1970 is shorter than.
const DAY_S: i64 = 24 * 3600;

impl ZoneTable {
    /// The offsets of a zone of chrono-tz.
    ///
    /// # Errors
    ///
    /// Offsets or changes that no zone has.
    pub fn from_embedded(zone: Tz) -> Result<Self, ZoneTableError> {
        let first = offset_s(zone, TABLE_BEGINS);
        let mut held = first;
        let changes = (TABLE_BEGINS..TABLE_ENDS).step_by(DAY_S.unsigned_abs() as usize).filter_map(
            move |day| {
                let holds = offset_s(zone, day + DAY_S);
                let changed = std::mem::replace(&mut held, holds) != holds;
                let at = |at| offset_s(zone, at) == holds;
                changed.then(|| (first_with(day, day + DAY_S, at), holds))
            },
        );
        Self::collect(first, changes)
    }
}

/// The first second after `before` and up to `by` for which `holds`, which it does at `by`.
fn first_with(before: i64, by: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut before, mut by) = (before, by);
    while by - before > 1 {
        let middle = before + (by - before) / 2;
        if holds(middle) { by = middle } else { before = middle }
    }
    by
}

fn offset_s(zone: Tz, at: i64) -> i32 {
    embedded_offset(zone, at).local_minus_utc()
}

/// The offset of a zone of chrono-tz at an instant, in seconds since 1970.
pub(super) fn embedded_offset(zone: Tz, at: i64) -> FixedOffset {
    let utc = DateTime::from_timestamp(at, 0).unwrap_or_default().naive_utc();
    zone.offset_from_utc_datetime(&utc).fix()
}
