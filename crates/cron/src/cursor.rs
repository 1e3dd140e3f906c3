//! How far a schedule has come: what outlives the program.

mod hold;

use chrono::{DateTime, NaiveDateTime};
use headgate_event::{EventId, Timestamp};
pub use hold::Hold;
use uuid::Uuid;

/// How far a schedule has come.
///
/// It says only where to look from. That nothing fires twice is the store's doing, by the dedupe
/// key of each event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The schedule.
    pub schedule_id: Uuid,
    /// What is due up to here is dealt with.
    pub until: Timestamp,
    /// The wall clock time of the occurrence at `until`, when it is one that has a time.
    pub last_nominal: Option<NaiveDateTime>,
    /// How often it fired.
    pub fires: u64,
    /// What it missed since it last fired; at least so much.
    pub missed: u64,
    /// Its last event, where the schedule looks whether that is settled.
    pub last_event: Option<EventId>,
    /// The [fingerprint](crate::Timing::fingerprint) of its timing: with another one it begins
    /// anew.
    pub timing: u64,
    /// Whether it is paused over the API.
    pub paused: bool,
    /// Whether it is switched off where it is configured.
    pub disabled: bool,
    /// When it was removed.
    pub removed_at: Option<Timestamp>,
    /// Since when it does not fire on purpose, or what it left out.
    pub hold: Option<Box<Hold>>,
}

/// A stored cursor that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a cursor of layout {LAYOUT}, found {found} bytes that are none")]
pub struct CursorError {
    found: usize,
}

/// The first byte of a stored cursor.
const LAYOUT: u8 = 1;

/// What is so of a cursor, or stands at its end in this order; a bit each.
const PAUSED: u8 = 1;
const DISABLED: u8 = 1 << 1;
const NOMINAL: u8 = 1 << 2;
const FIRES: u8 = 1 << 3;
const MISSED: u8 = 1 << 4;
const EVENT: u8 = 1 << 5;
const REMOVED: u8 = 1 << 6;
const HOLD: u8 = 1 << 7;

/// Stands for a moment of a hold that is none.
const NO_MOMENT: i64 = i64::MIN;

impl Cursor {
    /// As it is stored: the id, and all else. Layout, flags, `until` and the timing take 18 bytes;
    /// after them stands what the flags name. Numbers are little-endian, times in milliseconds.
    #[must_use]
    pub fn to_bytes(&self) -> (Vec<u8>, Vec<u8>) {
        let nominal = self.last_nominal.map(|civil| civil.and_utc().timestamp_millis());
        let is = |flag: u8, so: bool| if so { flag } else { 0 };
        let flags = is(PAUSED, self.paused)
            | is(DISABLED, self.disabled)
            | is(NOMINAL, nominal.is_some())
            | is(FIRES, self.fires > 0)
            | is(MISSED, self.missed > 0)
            | is(EVENT, self.last_event.is_some())
            | is(REMOVED, self.removed_at.is_some())
            | is(HOLD, self.hold.is_some());
        let mut bytes = Vec::with_capacity(34);
        bytes.extend([LAYOUT, flags]);
        bytes.extend(self.until.unix_ms().to_le_bytes());
        bytes.extend(self.timing.to_le_bytes());
        bytes.extend(nominal.into_iter().flat_map(i64::to_le_bytes));
        let counts = [self.fires, self.missed].into_iter().filter(|count| *count > 0);
        bytes.extend(counts.flat_map(u64::to_le_bytes));
        bytes.extend(self.last_event.into_iter().flat_map(EventId::to_bytes));
        let removed = self.removed_at.map(Timestamp::unix_ms);
        bytes.extend(removed.into_iter().flat_map(i64::to_le_bytes));
        bytes.extend(self.hold.iter().flat_map(|hold| {
            let (from, to) = hold.gap.unzip();
            let moments = [hold.since, from, to];
            moments.map(|at| at.map_or(NO_MOMENT, Timestamp::unix_ms).to_le_bytes()).concat()
        }));
        (self.schedule_id.as_bytes().to_vec(), bytes)
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    ///
    /// Bytes of another layout, too few or too many.
    pub fn from_bytes(id: &[u8], bytes: &[u8]) -> Result<Self, CursorError> {
        Self::read(id, bytes).ok_or(CursorError { found: bytes.len() })
    }

    fn read(id: &[u8], bytes: &[u8]) -> Option<Self> {
        let mut rest = Rest(bytes);
        let [layout, flags] = rest.take()?;
        if layout != LAYOUT {
            return None;
        }
        let has = |flag| flags & flag != 0;
        let cursor = Self {
            schedule_id: Uuid::from_slice(id).ok()?,
            until: Timestamp::from_unix_ms(rest.signed()?),
            timing: rest.number()?,
            last_nominal: match has(NOMINAL) {
                true => Some(DateTime::from_timestamp_millis(rest.signed()?)?.naive_utc()),
                false => None,
            },
            fires: if has(FIRES) { rest.number()? } else { 0 },
            missed: if has(MISSED) { rest.number()? } else { 0 },
            last_event: if has(EVENT) { Some(EventId::from_bytes(rest.take()?)) } else { None },
            removed_at: match has(REMOVED) {
                true => Some(Timestamp::from_unix_ms(rest.signed()?)),
                false => None,
            },
            paused: has(PAUSED),
            disabled: has(DISABLED),
            hold: match has(HOLD) {
                true => Some(Box::new(Hold {
                    since: rest.moment()?,
                    gap: rest.moment()?.zip(rest.moment()?),
                })),
                false => None,
            },
        };
        rest.0.is_empty().then_some(cursor)
    }
}

/// What is not yet read.
struct Rest<'a>(&'a [u8]);

impl Rest<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (first, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*first)
    }

    fn number(&mut self) -> Option<u64> {
        self.take().map(u64::from_le_bytes)
    }

    fn signed(&mut self) -> Option<i64> {
        self.take().map(i64::from_le_bytes)
    }

    /// A moment that may be none.
    fn moment(&mut self) -> Option<Option<Timestamp>> {
        let ms = self.signed()?;
        Some((ms != NO_MOMENT).then(|| Timestamp::from_unix_ms(ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Cursor {
        Cursor {
            schedule_id: Uuid::from_u128(7),
            until: Timestamp::from_unix_ms(1_795_219_200_123),
            last_nominal: DateTime::from_timestamp(1_772_937_000, 0).map(|at| at.naive_utc()),
            fires: 3,
            missed: 2,
            last_event: Some(EventId::from_parts(Timestamp::from_unix_s(5), 9)),
            timing: u64::MAX,
            paused: true,
            disabled: true,
            removed_at: Some(Timestamp::from_unix_ms(-9)),
            hold: None,
        }
    }

    fn held(since: Option<i64>, gap: Option<(i64, i64)>) -> Option<Box<Hold>> {
        let at = Timestamp::from_unix_ms;
        let gap = gap.map(|(from, to)| (at(from), at(to)));
        Some(Box::new(Hold { since: since.map(at), gap }))
    }

    fn bare() -> Cursor {
        Cursor {
            last_nominal: None,
            fires: 0,
            missed: 0,
            last_event: None,
            paused: false,
            disabled: false,
            removed_at: None,
            ..whole()
        }
    }

    #[test]
    fn a_cursor_is_read_as_it_was_written() {
        for cursor in [
            whole(),
            bare(),
            Cursor { missed: 7, ..bare() },
            Cursor { paused: true, last_event: whole().last_event, ..bare() },
            Cursor { removed_at: whole().removed_at, fires: 1, ..bare() },
            Cursor { hold: held(Some(7), None), ..whole() },
            Cursor { hold: held(None, Some((7, 9))), ..bare() },
            Cursor { hold: held(Some(12), Some((7, 9))), ..bare() },
        ] {
            let (id, bytes) = cursor.to_bytes();
            assert_eq!(Cursor::from_bytes(&id, &bytes), Ok(cursor));
        }
    }

    // Who stored one and starts a later version goes on from it.
    #[test]
    fn the_layout_of_stored_cursors_stays() {
        let hex = |bytes: Vec<u8>| bytes.iter().map(|b| format!("{b:02x}")).collect::<String>();
        assert_eq!(hex(bare().to_bytes().1), "01007b1867fba1010000ffffffffffffffff");
        assert_eq!(
            hex(whole().to_bytes().1),
            "017f7b1867fba1010000ffffffffffffffff\
             40b447cb9c01000003000000000000000200000000000000\
             00000000138800000000000000000009f7ffffffffffffff"
        );
        let hold = Cursor { hold: held(Some(7), None), ..bare() };
        assert_eq!(
            hex(hold.to_bytes().1),
            "01807b1867fba1010000ffffffffffffffff\
             070000000000000000000000000000800000000000000080"
        );
    }

    #[test]
    fn what_is_no_cursor_is_refused_whole() {
        let (id, bytes) = whole().to_bytes();
        for end in 0..bytes.len() {
            let cut = bytes.get(..end).expect("shorter");
            assert_eq!(Cursor::from_bytes(&id, cut), Err(CursorError { found: end }));
        }
        let long = [bytes.as_slice(), &[0]].concat();
        assert!(Cursor::from_bytes(&id, &long).is_err(), "a byte too many");
        assert!(Cursor::from_bytes(b"short", &bytes).is_err(), "no id");
        for (at, byte) in [(0, 2), (1, 0x77), (1, 0xff)] {
            let mut other = bytes.clone();
            *other.get_mut(at).expect("there") = byte;
            assert!(Cursor::from_bytes(&id, &other).is_err(), "byte {at}");
        }
    }
}
