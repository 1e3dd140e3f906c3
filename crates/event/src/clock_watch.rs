//! Whether the time can be believed that something would be removed by. A clock that is wrong for a
//! minute must not take what stands a month away.
//!
//! The wall clock is held against one that nobody sets; over a stop, against the time that was kept
//! when it was believed. Where the two part, nothing is removed for its age until the clock is back, or
//! has stood where it is for so long that somebody would have set it right.

use crate::{
    Clock, Timestamp,
    limits::{CLOCK_GRACE, CLOCK_LEAP_MIN, CLOCK_NOTE_EVERY},
};
use std::time::Duration;

/// One moment by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What the wall clock shows.
    pub wall: Timestamp,
    /// What the clock shows that only ever goes on.
    pub elapsed: Duration,
}

/// The two clocks, and how far they have parted.
#[derive(Debug)]
pub struct ClockWatch {
    /// When the time was believed, which both clocks are counted from.
    believed: Moment,
    /// When it was first seen where it is now, and is not believed.
    doubted: Option<Moment>,
    /// The time that is kept.
    kept: Option<Timestamp>,
}

/// What is to be done about the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// It is believed.
    Believed,
    /// It is believed, and is to be kept.
    Keep,
    /// It is not, since this look.
    Leapt {
        /// What the wall clock would show, had it gone on.
        expected: Timestamp,
    },
    /// It is not, as before.
    Doubted,
}

impl Belief {
    /// Whether something may be removed by the time.
    #[must_use]
    pub fn is_believed(self) -> bool {
        matches!(self, Self::Believed | Self::Keep)
    }
}

impl Moment {
    /// The present one.
    #[must_use]
    pub fn of(clock: &dyn Clock) -> Self {
        Self { wall: clock.now(), elapsed: clock.elapsed() }
    }

    /// What the wall clock would show here, had it gone on from that moment like the other.
    fn expected_from(self, earlier: Self) -> Timestamp {
        earlier.wall.plus(self.elapsed.saturating_sub(earlier.elapsed))
    }

    fn fits(self, earlier: Self) -> bool {
        let expected = self.expected_from(earlier);
        self.wall.since(expected) <= CLOCK_LEAP_MIN && expected.since(self.wall) <= CLOCK_LEAP_MIN
    }
}

impl ClockWatch {
    /// Begins at this moment, when `kept` was the last time to be believed, or else `newest`: when
    /// the newest of what may be removed came.
    #[must_use]
    pub fn new(now: Moment, kept: Option<Timestamp>, newest: Option<Timestamp>) -> Self {
        let wall = kept.or(newest).unwrap_or(now.wall);
        Self { believed: Moment { wall, ..now }, doubted: None, kept }
    }

    /// Looks at the clocks.
    pub fn look(&mut self, now: Moment) -> Belief {
        if !now.fits(self.believed) {
            let Some(since) = self.doubted.filter(|since| now.fits(*since)) else {
                self.doubted = Some(now);
                return Belief::Leapt { expected: now.expected_from(self.believed) };
            };
            if now.elapsed.saturating_sub(since.elapsed) < CLOCK_GRACE {
                return Belief::Doubted;
            }
            self.believed = now;
        }
        self.doubted = None;
        let stale = |kept: Timestamp| now.wall.since(kept).max(kept.since(now.wall));
        if self.kept.is_none_or(|kept| stale(kept) >= CLOCK_NOTE_EVERY) {
            Belief::Keep
        } else {
            Belief::Believed
        }
    }

    /// Notes what is kept.
    pub fn keeps(&mut self, kept: Timestamp) {
        self.kept = Some(kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);
    const START: Timestamp = Timestamp::from_unix_ms(1_795_222_923_456);

    /// The moment so long after the start, with the wall clock so much ahead.
    fn at(elapsed: Duration, ahead: Duration) -> Moment {
        Moment { wall: START.plus(elapsed).plus(ahead), elapsed }
    }

    fn watch() -> ClockWatch {
        ClockWatch::new(at(Duration::ZERO, Duration::ZERO), Some(START), None)
    }

    #[test]
    fn time_that_passes_is_believed_and_kept_now_and_then() {
        let mut watch = watch();
        assert_eq!(watch.look(at(CLOCK_NOTE_EVERY / 2, Duration::ZERO)), Belief::Believed);
        let later = at(1_000 * HOUR, CLOCK_LEAP_MIN);
        assert_eq!(watch.look(later), Belief::Keep);
        watch.keeps(later.wall);
        assert_eq!(watch.look(later), Belief::Believed);
    }

    #[test]
    fn a_leap_is_doubted_until_the_clock_is_back() {
        let mut watch = watch();
        let leapt = watch.look(at(HOUR, 3 * HOUR));
        assert_eq!(leapt, Belief::Leapt { expected: START.plus(HOUR) });
        assert_eq!(watch.look(at(2 * HOUR, 3 * HOUR)), Belief::Doubted);
        assert_eq!(watch.look(at(3 * HOUR, Duration::ZERO)), Belief::Keep);
    }

    #[test]
    fn a_clock_that_stands_where_it_leapt_to_is_believed_at_last() {
        let mut watch = watch();
        watch.look(at(HOUR, 3 * HOUR));
        let last = HOUR + CLOCK_GRACE;
        assert_eq!(watch.look(at(last - HOUR / 60, 3 * HOUR)), Belief::Doubted);
        assert_eq!(watch.look(at(last, 3 * HOUR)), Belief::Keep);
        assert!(matches!(watch.look(at(last, Duration::ZERO)), Belief::Leapt { .. }));
    }

    #[test]
    fn a_clock_that_leaps_again_is_waited_for_anew() {
        let mut watch = watch();
        watch.look(at(HOUR, 3 * HOUR));
        let again = watch.look(at(HOUR + CLOCK_GRACE, 6 * HOUR));
        assert!(matches!(again, Belief::Leapt { .. }), "{again:?}");
        assert_eq!(watch.look(at(2 * HOUR + CLOCK_GRACE, 6 * HOUR)), Belief::Doubted);
    }

    #[test]
    fn many_small_steps_are_a_leap_too() {
        let mut watch = watch();
        let step = |nth: u32| at(HOUR * nth, HOUR / 2 * nth);
        assert!((1..=2).all(|nth| watch.look(step(nth)) == Belief::Keep));
        assert!(matches!(watch.look(step(3)), Belief::Leapt { .. }));
    }

    #[test]
    fn the_newest_event_tells_the_time_where_none_was_kept() {
        let now = at(Duration::ZERO, 3 * HOUR);
        assert_eq!(ClockWatch::new(now, None, None).look(now), Belief::Keep);
        let looked = ClockWatch::new(now, None, Some(START)).look(now);
        assert!(matches!(looked, Belief::Leapt { .. }), "{looked:?}");
        assert_eq!(ClockWatch::new(now, Some(now.wall), Some(START)).look(now), Belief::Believed);
    }
}
