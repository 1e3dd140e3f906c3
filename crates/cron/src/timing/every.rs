//! A steady beat: every so many seconds from an anchor, in elapsed time.

use crate::Occurrence;
use chrono::{FixedOffset, Offset, Utc};
use headgate_event::{
    Timestamp,
    limits::{SCHEDULE_EVERY_MAX, SCHEDULE_EVERY_MIN},
};
use std::time::Duration;

/// A steady beat. It knows no wall clock: its turning changes nothing, and a restart does not
/// shift it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Every {
    seconds: i64,
    anchor_s: i64,
}

/// A beat that is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`every` is `{found_ms}ms`, expected whole seconds from `{}s` to `{}d`",
    SCHEDULE_EVERY_MIN.as_secs(),
    SCHEDULE_EVERY_MAX.as_secs() / 86_400
)]
pub struct EveryError {
    found_ms: u128,
}

impl Every {
    /// A beat of whole seconds, counted from `anchor` (its part of a second does not count).
    pub fn new(span: Duration, anchor: Timestamp) -> Result<Self, EveryError> {
        let fits = (SCHEDULE_EVERY_MIN..=SCHEDULE_EVERY_MAX).contains(&span);
        let seconds = i64::try_from(span.as_secs()).ok().filter(|_| fits);
        let seconds = seconds.filter(|_| span.subsec_nanos() == 0);
        let seconds = seconds.ok_or(EveryError { found_ms: span.as_millis() })?;
        Ok(Self { seconds, anchor_s: anchor.unix_s() })
    }

    /// The first beat after `cursor`.
    pub(super) fn next_after(&self, cursor: Timestamp) -> Option<Occurrence> {
        let at = self.beats_until(cursor).checked_add(1)?;
        let at = at.checked_mul(self.seconds)?.checked_add(self.anchor_s)?;
        let at = Timestamp::from_unix_ms(at.checked_mul(1_000)?);
        Some(Occurrence { at, nominal: Vec::new(), offset: utc(), dst: None })
    }

    /// The number of the last beat that is not after `until`; the one at the anchor is 0.
    pub(crate) fn beats_until(&self, until: Timestamp) -> i64 {
        until.unix_s().saturating_sub(self.anchor_s).div_euclid(self.seconds)
    }

    /// The span in the largest unit that divides it: `90s`.
    pub(super) fn text(&self) -> String {
        let (count, unit) = self.in_units();
        let letter = unit.get(..1).unwrap_or_default();
        format!("{count}{letter}")
    }

    /// The same in words: `90 seconds`, `hour`.
    pub(super) fn words(&self) -> String {
        match self.in_units() {
            (1, unit) => unit.to_owned(),
            (count, unit) => format!("{count} {unit}s"),
        }
    }

    fn in_units(&self) -> (i64, &'static str) {
        let units = [(86_400, "day"), (3_600, "hour"), (60, "minute")];
        let fits = units.into_iter().find(|(unit, _)| self.seconds % unit == 0);
        let (unit, name) = fits.unwrap_or((1, "second"));
        (self.seconds / unit, name)
    }

    /// Span and anchor; two anchors that give the same beats are the same.
    pub(super) fn identity(&self) -> (i64, i64) {
        (self.seconds, self.anchor_s.rem_euclid(self.seconds))
    }
}

pub(super) fn utc() -> FixedOffset {
    Utc.fix()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn beats_are_counted_from_the_anchor_and_never_at_the_cursor() {
        let every = Every::new(Duration::from_secs(90), at("2026-01-01T00:00:10Z")).expect("fits");
        let next = |cursor| every.next_after(at(cursor)).expect("there is one").at;
        assert_eq!(next("2026-01-01T00:00:10Z"), at("2026-01-01T00:01:40Z"));
        assert_eq!(next("2026-01-01T00:00:09.999Z"), at("2026-01-01T00:00:10Z"));
        assert_eq!(next("2025-12-31T23:58:00Z"), at("2025-12-31T23:58:40Z"));
    }

    #[test]
    fn the_end_of_time_is_no_beat() {
        let every = Every::new(Duration::from_secs(1), Timestamp::default()).expect("fits");
        assert_eq!(every.next_after(Timestamp::from_unix_ms(i64::MAX)), None);
        assert!(every.next_after(Timestamp::from_unix_ms(i64::MIN)).is_some());
    }

    #[test]
    fn a_beat_is_of_whole_seconds() {
        for ms in [0, 999, 1_500, 366 * 86_400_000 + 1_000] {
            let error =
                Every::new(Duration::from_millis(ms), Timestamp::default()).expect_err("no");
            let text = format!("`every` is `{ms}ms`, expected whole seconds from `1s` to `366d`");
            assert_eq!(error.to_string(), text);
        }
    }

    #[test]
    fn a_beat_is_named_in_its_largest_unit() {
        for (seconds, text, words) in [
            (90, "90s", "90 seconds"),
            (60, "1m", "minute"),
            (86_400, "1d", "day"),
            (5_400, "90m", "90 minutes"),
            (7_200, "2h", "2 hours"),
        ] {
            let every = Every::new(Duration::from_secs(seconds), Timestamp::default());
            let every = every.expect("fits");
            assert_eq!((every.text().as_str(), every.words().as_str()), (text, words));
        }
    }
}
