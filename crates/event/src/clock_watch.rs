//! Whether the time can be believed that something would be removed by. A clock that is wrong for a
//! minute must not take what stands a month away.
//!
//! The wall clock is held against one that nobody sets; over a stop, against the time that was
//! kept. Where the two part, nothing is removed for its age until the clock is back, or
//! has stood where it is for so long that somebody would have set it right. How long it has stood
//! is kept, too: a machine that runs for a few hours a day comes to it in some days.

#[cfg(test)]
mod tests;

use crate::{
    Clock, Timestamp,
    limits::{CLOCK_GRACE, CLOCK_LEAP_MIN, CLOCK_NOTE_EVERY, CLOCK_STOP_MAX},
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
    /// Where it stands while it is not.
    doubt: Option<Doubt>,
    /// What is kept.
    kept: Option<KeptTime>,
}

/// A wall clock that is not where it should be.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    /// When it was first seen there, in this run.
    since: Moment,
    /// How long it had stood there in the runs before.
    before: Duration,
    /// Whether it was told of in this run.
    told: bool,
}

/// What is kept of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptTime {
    /// What the wall clock shows, or what it should show while it is doubted.
    pub believed: Timestamp,
    /// What it shows while it is.
    pub doubted: Option<KeptDoubt>,
}

/// What is kept of a wall clock that is not where it should be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeptDoubt {
    /// What it showed last.
    pub seen: Timestamp,
    /// For how long of all runs it has stood there.
    pub stood: Duration,
}

/// What is to be thought of the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Belief {
    /// It is believed.
    Believed,
    /// It is not, and nobody was told. It will be when it has stood for so long.
    Leapt {
        /// What the wall clock would show, had it gone on.
        expected: Timestamp,
        /// How long it has to stand yet.
        believed_in: Duration,
    },
    /// It is not, as before.
    Doubted,
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
        apart(self.wall, self.expected_from(earlier)) <= CLOCK_LEAP_MIN
    }
}

impl Doubt {
    fn stood(self, now: Moment) -> Duration {
        self.before.saturating_add(now.elapsed.saturating_sub(self.since.elapsed))
    }
}

impl KeptDoubt {
    /// The doubt goes on after a stop that may have been one: a clock that is behind what it
    /// showed, or far ahead of it, stands somewhere else.
    fn after_stop(self, now: Moment) -> Option<Doubt> {
        let is_behind = self.seen.since(now.wall) > CLOCK_LEAP_MIN;
        let goes_on = !is_behind && now.wall.since(self.seen) <= CLOCK_STOP_MAX;
        goes_on.then_some(Doubt { since: now, before: self.stood, told: false })
    }
}

impl ClockWatch {
    /// Begins at this moment, with what was kept, or else the time of the newest event.
    #[must_use]
    pub fn new(now: Moment, kept: Option<KeptTime>, newest: Option<Timestamp>) -> Self {
        let wall = kept.map(|kept| kept.believed).or(newest).unwrap_or(now.wall);
        let doubt = kept.and_then(|kept| kept.doubted).and_then(|known| known.after_stop(now));
        Self { believed: Moment { wall, ..now }, doubt, kept }
    }

    /// Looks at the clocks.
    pub fn look(&mut self, now: Moment) -> Belief {
        if now.fits(self.believed) {
            self.doubt = None;
            return Belief::Believed;
        }
        let goes_on = self.doubt.filter(|doubt| now.fits(doubt.since));
        let doubt = goes_on.unwrap_or(Doubt { since: now, before: Duration::ZERO, told: false });
        let believed_in = CLOCK_GRACE.saturating_sub(doubt.stood(now));
        if believed_in.is_zero() {
            self.believed = now;
            self.doubt = None;
            return Belief::Believed;
        }
        self.doubt = Some(Doubt { told: true, ..doubt });
        if doubt.told {
            return Belief::Doubted;
        }
        Belief::Leapt { expected: now.expected_from(self.believed), believed_in }
    }

    /// What should be kept at the moment of a look.
    #[must_use]
    pub fn present(&self, now: Moment) -> KeptTime {
        let doubted = |doubt: Doubt| KeptDoubt { seen: now.wall, stood: doubt.stood(now) };
        match self.doubt {
            None => KeptTime { believed: now.wall, doubted: None },
            Some(doubt) => KeptTime {
                believed: now.expected_from(self.believed),
                doubted: Some(doubted(doubt)),
            },
        }
    }

    /// The same, where what it keeps is too old.
    #[must_use]
    pub fn due(&self, now: Moment) -> Option<KeptTime> {
        let present = self.present(now);
        let is_stale = |kept: KeptTime| {
            let by_doubt = match (kept.doubted, present.doubted) {
                (None, None) => false,
                (Some(kept), Some(present)) => {
                    present.stood < kept.stood || apart(kept.seen, present.seen) >= CLOCK_NOTE_EVERY
                }
                _ => true,
            };
            by_doubt || apart(kept.believed, present.believed) >= CLOCK_NOTE_EVERY
        };
        self.kept.is_none_or(is_stale).then_some(present)
    }

    /// Notes what is kept.
    pub fn keeps(&mut self, kept: KeptTime) {
        self.kept = Some(kept);
    }
}

fn apart(one: Timestamp, other: Timestamp) -> Duration {
    one.since(other).max(other.since(one))
}
