//! The offsets of one time zone, and what its wall clock makes of civil times. Where the offsets
//! come from is `zone::tzif` and `zone::embedded`; which of the two counts is `zones`.

use chrono::{DateTime, FixedOffset, NaiveDateTime};
use headgate_event::Timestamp;
use std::fmt;

mod table;
pub use table::{ZoneTable, ZoneTableError};

mod embedded;
mod tzif;

mod version;
pub use version::{ZoneVersion, ZoneVersionError};

mod source;
pub use source::{ZoneFile, ZoneSource};

mod name;
pub use name::ZoneNameError;

mod listing;

mod choice;
pub use choice::{ZoneChoice, ZoneData, ZoneOrigin};

mod zones;
pub use zones::{Zone, ZoneWarning, Zones};

mod edition;

/// The offsets of one time zone.
///
/// One question is asked of the data; everything else follows from its answer.
pub trait ZoneRules: Send + Sync + fmt::Debug {
    /// The stretch of one offset that holds the instant, in seconds since 1970.
    fn span_at(&self, unix_s: i64) -> OffsetSpan;

    /// The offset at an instant.
    fn offset_at(&self, at: Timestamp) -> FixedOffset {
        self.span_at(at.unix_s()).offset
    }

    /// When the wall clock shows a civil time.
    fn place(&self, civil: NaiveDateTime) -> CivilPlace {
        let local = civil_seconds(civil);
        let mut span = self.span_at(local - OFFSET_S_MAX);
        let (mut shown, mut gap) = (None, None);
        loop {
            let at = local - span.offset_s();
            if (span.begins..span.ends).contains(&at) {
                let at = Timestamp::from_unix_s(at);
                shown = Some(shown.map_or((at, at), |(first, _)| (first, at)));
            } else if at >= span.ends && local < span.ends + seconds(span.after) {
                let turn = Turn::at_end_of(span);
                gap = gap.or(Some(turn));
            }
            if span.ends > local + OFFSET_S_MAX {
                break;
            }
            span = self.span_at(span.ends);
        }
        match (shown, gap) {
            (Some((first, last)), _) if first == last => CivilPlace::Once(first),
            (Some((first, last)), _) => CivilPlace::Twice { first, second: last },
            (None, Some(turn)) => CivilPlace::Never(turn),
            (None, None) => CivilPlace::Once(Timestamp::from_unix_s(local - span.offset_s())),
        }
    }

    /// The turns of the wall clock after one instant and up to another, in order.
    fn turns(&self, after: Timestamp, until: Timestamp) -> Vec<Turn> {
        let mut turns = Vec::new();
        let mut span = self.span_at(after.unix_s());
        while span.ends <= until.unix_s() {
            turns.push(Turn::at_end_of(span));
            span = self.span_at(span.ends);
        }
        turns
    }
}

/// A stretch of time in which one offset holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OffsetSpan {
    /// The first second of it since 1970; [`OffsetSpan::BEGINNING`] when there is none.
    pub begins: i64,
    /// The first second after it; [`OffsetSpan::END`] when there is none. Always after `begins`.
    pub ends: i64,
    /// The offset that held before it; its own at the beginning.
    pub before: FixedOffset,
    /// The offset that holds.
    pub offset: FixedOffset,
    /// The offset that follows; its own at the end.
    pub after: FixedOffset,
}

/// When a wall clock shows a civil time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CivilPlace {
    /// At one instant.
    Once(Timestamp),
    /// At two instants, because the clock was put back.
    Twice {
        /// Before the clock was put back.
        first: Timestamp,
        /// After it was put back.
        second: Timestamp,
    },
    /// At no instant: the clock was put forward past it.
    Never(Turn),
}

/// A turn of the wall clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The first instant with the offset that follows.
    pub at: Timestamp,
    /// The offset until then.
    pub before: FixedOffset,
    /// The offset from then on.
    pub after: FixedOffset,
}

/// Offsets are less than a day, by the type that holds them.
const OFFSET_S_MAX: i64 = 24 * 3600;

impl OffsetSpan {
    /// The beginning of time: far before all civil times, and far enough from overflow.
    pub const BEGINNING: i64 = -(1 << 50);
    /// The end of time.
    pub const END: i64 = 1 << 50;

    pub(crate) const fn offset_s(&self) -> i64 {
        seconds(self.offset)
    }
}

impl Turn {
    /// By how many seconds the clock is put forward; negative when it is put back.
    #[must_use]
    pub const fn forward_s(&self) -> i64 {
        seconds(self.after) - seconds(self.before)
    }

    /// What the clock shows at the turn by the offset before it: where a gap begins.
    #[must_use]
    pub fn civil_before(&self) -> NaiveDateTime {
        civil_of(self.at.unix_s() + seconds(self.before))
    }

    /// What the clock shows at the turn by the offset after it: where a gap ends.
    #[must_use]
    pub fn civil_after(&self) -> NaiveDateTime {
        civil_of(self.at.unix_s() + seconds(self.after))
    }

    fn at_end_of(span: OffsetSpan) -> Self {
        Self { at: Timestamp::from_unix_s(span.ends), before: span.offset, after: span.after }
    }
}

pub(crate) const fn seconds(offset: FixedOffset) -> i64 {
    offset.local_minus_utc() as i64
}

/// A civil time as seconds since the civil time 1970-01-01T00:00:00.
pub(crate) const fn civil_seconds(civil: NaiveDateTime) -> i64 {
    civil.and_utc().timestamp()
}

/// The civil time so many seconds after the civil time 1970-01-01T00:00:00; the last that there is
/// for what is beyond it.
pub(crate) fn civil_of(seconds: i64) -> NaiveDateTime {
    let furthest = if seconds < 0 { NaiveDateTime::MIN } else { NaiveDateTime::MAX };
    DateTime::from_timestamp(seconds, 0).map_or(furthest, |time| time.naive_utc())
}
