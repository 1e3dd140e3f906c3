//! How long to wait before the next attempt to connect.

use super::Refusal;
use headgate_event::limits::{
    SOCKET_CROWDED_PAUSE, SOCKET_HALTED_PAUSE, SOCKET_PAUSE_FIRST, SOCKET_PAUSE_LONGEST,
    SOCKET_RATE_LIMIT_DEFAULT, SOCKET_RATE_LIMIT_MAX,
};
use std::time::Duration;

/// The time before which nothing is opened. It only moves on, except when a person mended things.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Pause {
    failures: u32,
    until: Duration,
    /// Before this Slack wants nothing: no person mends that.
    limited_until: Duration,
}

impl Pause {
    /// Until when nothing is opened.
    pub(super) fn until(self) -> Duration {
        self.until.max(self.limited_until)
    }

    /// An attempt failed, or a connection went as soon as it came: 1 s, 2 s, 4 s, .. 60 s, each
    /// shortened by up to half.
    pub(super) fn failed(&mut self, now: Duration, draw: u32) {
        let doubled = SOCKET_PAUSE_FIRST.saturating_mul(1 << self.failures.min(16));
        self.failures = self.failures.saturating_add(1);
        let half = doubled.min(SOCKET_PAUSE_LONGEST) / 2;
        self.at_least(now + half + part(half, draw));
    }

    /// An attempt was refused.
    pub(super) fn refused(&mut self, now: Duration, draw: u32, refusal: &Refusal) {
        match refusal {
            Refusal::RateLimited(after) => {
                let after = after.unwrap_or(SOCKET_RATE_LIMIT_DEFAULT).min(SOCKET_RATE_LIMIT_MAX);
                let until = now + after + part(after / 10, draw);
                self.limited_until = self.limited_until.max(until);
            }
            Refusal::Fatal(_) => self.halted(now, draw),
            Refusal::Passing(_) => self.failed(now, draw),
        }
    }

    /// Only a person can mend it: once in 5 to 10 minutes.
    pub(super) fn halted(&mut self, now: Duration, draw: u32) {
        self.at_least(now + SOCKET_HALTED_PAUSE + part(SOCKET_HALTED_PAUSE, draw));
    }

    /// There are too many connections already: 30 to 60 s.
    pub(super) fn crowded(&mut self, now: Duration, draw: u32) {
        self.at_least(now + SOCKET_CROWDED_PAUSE + part(SOCKET_CROWDED_PAUSE, draw));
    }

    /// A connection stays: what failed before does not count any more.
    pub(super) fn forget_failures(&mut self) {
        self.failures = 0;
    }

    /// The next attempt may be made at once, or as soon as Slack wants it.
    pub(super) fn end(&mut self) {
        *self = Self { limited_until: self.limited_until, ..Self::default() };
    }

    fn at_least(&mut self, until: Duration) {
        self.until = self.until.max(until);
    }
}

/// The part of a span that a random number draws.
fn part(span: Duration, draw: u32) -> Duration {
    span.mul_f64(f64::from(draw) / f64::from(u32::MAX))
}
