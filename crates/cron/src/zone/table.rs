//! The offsets of a zone as one sorted table, 1970 to 2099, for lookups by binary search.

use super::{OffsetSpan, ZoneRules};
use chrono::FixedOffset;
use headgate_event::limits::ZONE_CHANGES_MAX;

/// The offsets of a zone from 1970 to 2099. Before and after that its first and last one hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ZoneTable {
    first: FixedOffset,
    changes: Box<[(i64, FixedOffset)]>,
}

/// Zone data that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ZoneTableError {
    /// The bytes are no TZif file (RFC 9636).
    #[error("the bytes are no TZif file: {0}")]
    Tzif(String),
    /// An offset that no clock has.
    #[error("expected offsets of less than a day, found {0} seconds")]
    Offset(i32),
    /// The data is no time zone of this world.
    #[error("expected at most {ZONE_CHANGES_MAX} changes of the offset in order, found others")]
    Changes,
}

/// 1970-01-01T00:00:00Z: no schedule looks further back.
pub(super) const TABLE_BEGINS: i64 = 0;
/// 2100-01-01T00:00:00Z: what is built in goes no further, and two tables of the same rules are to
/// be equal wherever they come from.
pub(super) const TABLE_ENDS: i64 = 4_102_444_800;

impl ZoneTable {
    /// A table of what `changes` gives: instants in seconds, in order, and the offset from each.
    /// What changes nothing is left out, but counts: data may hold any number of such changes.
    pub(super) fn collect(
        first: i32,
        changes: impl Iterator<Item = (i64, i32)>,
    ) -> Result<Self, ZoneTableError> {
        let mut table = Vec::new();
        let (mut last, mut holds) = (TABLE_BEGINS, first);
        for (index, (at, offset)) in changes.enumerate() {
            if index >= ZONE_CHANGES_MAX || at <= last {
                return Err(ZoneTableError::Changes);
            }
            if offset != holds {
                table.push((at, fixed(offset)?));
            }
            (last, holds) = (at, offset);
        }
        Ok(Self { first: fixed(first)?, changes: table.into() })
    }

    /// How many times the offset changes from 1970 to 2099.
    #[must_use]
    pub fn change_count(&self) -> usize {
        self.changes.len()
    }
}

impl ZoneRules for ZoneTable {
    fn span_at(&self, unix_s: i64) -> OffsetSpan {
        let next = self.changes.partition_point(|(at, _)| *at <= unix_s);
        let change = |index: usize| self.changes.get(index);
        let offset_before = |index: usize| {
            index.checked_sub(1).and_then(change).map_or(self.first, |(_, offset)| *offset)
        };
        let offset = offset_before(next);
        let begins = next.checked_sub(1).and_then(change);
        OffsetSpan {
            begins: begins.map_or(OffsetSpan::BEGINNING, |(at, _)| *at),
            ends: change(next).map_or(OffsetSpan::END, |(at, _)| *at),
            before: offset_before(next.saturating_sub(1)),
            offset,
            after: change(next).map_or(offset, |(_, offset)| *offset),
        }
    }
}

fn fixed(offset_s: i32) -> Result<FixedOffset, ZoneTableError> {
    FixedOffset::east_opt(offset_s).ok_or(ZoneTableError::Offset(offset_s))
}
