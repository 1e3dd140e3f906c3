//! When a schedule is due: an expression in a time zone, a steady beat, or one moment.
//!
//! Not for what becomes of an occurrence that was missed (that is [`Catchup`](crate::Catchup)), and
//! not for reading expressions and zones.

mod at;
mod every;
mod parked;
mod timings;
mod zoned;

use crate::{FiringClass, Occurrence};
pub use at::At;
use at::AtIdentity;
pub use every::{Every, EveryError};
use headgate_event::Timestamp;
pub use parked::Parked;
use std::{fmt, sync::Arc};
pub use timings::{CronText, TimingError, Timings};

/// The instants of an expression in its time zone.
///
/// What it answers never goes down as the cursor goes up. It may change when the rules of the zone
/// do; then [`Ticker::zones_changed`](crate::Ticker::zones_changed) has to be told.
pub trait Occurrences: Send + Sync {
    /// The first occurrence after `cursor`, never at it; none when there is no later one.
    fn next_after(&self, cursor: Timestamp) -> Option<Occurrence>;

    /// How many occurrences there are after `cursor` and up to `until`; none where only walking
    /// would tell.
    fn count(&self, _cursor: Timestamp, _until: Timestamp) -> Option<u64> {
        None
    }

    /// How it behaves where the wall clock is turned.
    fn class(&self) -> FiringClass;

    /// The expression in words, without its zone: `At 14:00 on Thursday`.
    fn describe(&self) -> String;

    /// What is allowed in it and may not be meant, each in a sentence.
    fn doubts(&self) -> Vec<String> {
        Vec::new()
    }
}

/// When a schedule is due. Schedules with the same timing share one in an `Arc`.
#[derive(Debug)]
pub enum Timing {
    /// An expression in a time zone.
    Cron(CronTiming),
    /// A steady beat in elapsed time.
    Every(Every),
    /// One moment.
    At(At),
    /// Never, as long as something is missing.
    Parked(Parked),
}

/// An expression in a time zone.
pub struct CronTiming {
    expression: Arc<str>,
    timezone: Arc<str>,
    policy: Arc<str>,
    fingerprint: u64,
    occurrences: Box<dyn Occurrences>,
}

impl CronTiming {
    /// The occurrences of an expression, with the texts by which it is known: as written, the
    /// zone's IANA name, and what was chosen for the turning of the clock (empty for the default).
    #[must_use]
    pub fn new(
        (expression, timezone, policy): (&str, &str, &str),
        occurrences: Box<dyn Occurrences>,
    ) -> Self {
        let fingerprint = hashed(&["cron", expression, timezone, policy].map(str::as_bytes));
        let [expression, timezone, policy] = [expression, timezone, policy].map(Arc::from);
        Self { expression, timezone, policy, fingerprint, occurrences }
    }
}

impl Timing {
    /// The first occurrence after `cursor`, never at it; none when there is no later one.
    #[must_use]
    pub fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        match self {
            Self::Cron(cron) => {
                let next = cron.occurrences.next_after(cursor)?;
                // An engine that stands still would fire without end.
                debug_assert!(next.at > cursor, "{self:?} answered {} for {cursor}", next.at);
                (next.at > cursor).then_some(next)
            }
            Self::Every(every) => every.next_after(cursor),
            Self::At(at) => at.next_after(cursor),
            Self::Parked(_) => None,
        }
    }

    /// How many occurrences there are after `cursor` and up to `until`; none where only walking
    /// would tell. It takes as long for a year as for an hour, nearly.
    #[must_use]
    pub fn count(&self, cursor: Timestamp, until: Timestamp) -> Option<u64> {
        match self {
            Self::Cron(cron) => cron.occurrences.count(cursor, until),
            Self::Every(every) => {
                let beats = every.beats_until(until).saturating_sub(every.beats_until(cursor));
                Some(u64::try_from(beats).unwrap_or(0))
            }
            Self::At(at) => {
                let due = at.next_after(cursor).is_some_and(|next| next.at <= until);
                Some(u64::from(due))
            }
            Self::Parked(_) => Some(0),
        }
    }

    /// What an event calls the expression: as configured, `every 90s` or `at 2026-12-24T18:00`.
    #[must_use]
    pub fn expression(&self) -> String {
        match self {
            Self::Cron(cron) => cron.expression.to_string(),
            Self::Every(every) => format!("every {}", every.text()),
            Self::At(at) => format!("at {}", at.text()),
            Self::Parked(parked) => parked.expression().to_owned(),
        }
    }

    /// Why it is never due, when something is missing.
    #[must_use]
    pub fn parked(&self) -> Option<&str> {
        match self {
            Self::Parked(parked) => Some(parked.why()),
            Self::Cron(_) | Self::Every(_) | Self::At(_) => None,
        }
    }

    /// When it is due, in words: `At 14:00 on Thursday, America/New_York`.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Cron(cron) => format!("{}, {}", cron.occurrences.describe(), cron.timezone),
            Self::Every(every) => format!("Every {}", every.words()),
            Self::At(at) => format!("Once, at {}, {}", at.text(), at.timezone()),
            Self::Parked(_) => "Never, until what is missing is there".to_owned(),
        }
    }

    /// What is allowed in it and may not be meant, each in a sentence: of the expression, and of the
    /// name and the data of its zone.
    #[must_use]
    pub fn doubts(&self) -> Vec<String> {
        match self {
            Self::Cron(cron) => cron.occurrences.doubts(),
            Self::At(at) => at.doubts(),
            Self::Every(_) | Self::Parked(_) => Vec::new(),
        }
    }

    /// The IANA name of the time zone; `UTC` for what has none.
    #[must_use]
    pub fn timezone(&self) -> &str {
        match self {
            Self::Cron(cron) => &cron.timezone,
            Self::Every(_) => "UTC",
            Self::At(at) => at.timezone(),
            Self::Parked(parked) => parked.timezone(),
        }
    }

    /// How it behaves where the wall clock is turned.
    #[must_use]
    pub fn class(&self) -> FiringClass {
        match self {
            Self::Cron(cron) => cron.occurrences.class(),
            Self::At(at) => at.class(),
            Self::Every(_) | Self::Parked(_) => FiringClass::Interval,
        }
    }

    /// Whether both mean the same.
    pub(crate) fn same_as(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Cron(a), Self::Cron(b)) => {
                (&a.expression, &a.timezone, &a.policy) == (&b.expression, &b.timezone, &b.policy)
            }
            (Self::Every(a), Self::Every(b)) => a.identity() == b.identity(),
            (Self::At(a), Self::At(b)) => a.identity() == b.identity(),
            (Self::Parked(a), Self::Parked(b)) => a == b,
            _ => false,
        }
    }

    /// By what another timing is known as another one, also by a later run of the program.
    #[must_use]
    pub fn fingerprint(&self) -> u64 {
        match self {
            Self::Cron(cron) => cron.fingerprint,
            Self::Parked(parked) => parked.fingerprint(),
            Self::Every(every) => {
                let (seconds, anchor) = every.identity();
                hashed(&[b"every", &seconds.to_le_bytes(), &anchor.to_le_bytes()])
            }
            Self::At(at) => match at.identity() {
                AtIdentity::Instant(at) => hashed(&[b"at", &at.unix_ms().to_le_bytes()]),
                AtIdentity::Civil(text, timezone) => {
                    hashed(&["at", text, timezone].map(str::as_bytes))
                }
            },
        }
    }
}

/// FNV-1a over the parts, with a separator and a last mixing: the same in every version, because
/// stored cursors hold it.
fn hashed(parts: &[&[u8]]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for part in parts {
        for byte in part.iter().chain(b"\n") {
            hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
    hash ^ (hash >> 32)
}

impl fmt::Debug for CronTiming {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` in {}", self.expression, self.timezone)
    }
}
