//! When an endpoint may be given more, and how much: what is on its way already, its rate, and a
//! breaker that opens when attempts fail one after the other.
//!
//! ```text
//! closed -> open     so many attempts fail in a row, or the endpoint asks for time
//! open -> trial      the time is over: one event is tried again, and one for the first time
//! trial -> closed    it worked
//! trial -> open      it did not: twice the time
//! ```
//!
//! While it is open nothing is leased, so no delivery loses an attempt. It takes the time as an
//! argument, and knows no socket.

use crate::verdict::Health;
use headgate_event::limits::{
    PUSH_BREAKER_FAILURES, PUSH_BREAKER_FIRST, PUSH_BREAKER_LONGEST, PUSH_LEASE_DELIVERIES_MAX,
};
use std::time::Duration;
use tokio::time::Instant;

/// So many events are tried when a breaker has been open for its time.
const TRIAL_EVENTS: usize = 2;

/// What lets events through to one endpoint.
#[derive(Debug)]
pub(crate) struct Gate {
    in_flight_max: usize,
    breaker: Breaker,
    rate: Option<Rate>,
}

/// How many attempts are on their way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct UnderWay {
    /// To the endpoint as it is set.
    pub(crate) here: usize,
    /// As it was set before: they end as they began.
    pub(crate) before: usize,
}

/// How much more may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Room {
    /// So many events.
    For(usize),
    /// None before this moment.
    NotBefore(Instant),
    /// None before something ends that is under way.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Breaker {
    /// Events go through; so many attempts failed one after the other.
    Closed { failed: u32 },
    /// None does until then; it has opened so many times in a row.
    Open { until: Instant, opened: u32 },
    /// Few are tried.
    Trial { opened: u32 },
}

/// Tokens, of which each attempt takes one.
#[derive(Debug)]
struct Rate {
    per_second: u32,
    tokens: f64,
    at: Instant,
}

impl Gate {
    /// A gate that lets so many through at one time, and so many a second.
    pub(crate) fn new(in_flight_max: u32, rate: Option<u32>, now: Instant) -> Self {
        let rate = rate.map(|per_second| Rate { per_second, tokens: 1.0, at: now });
        Self {
            in_flight_max: usize::try_from(in_flight_max).unwrap_or(usize::MAX),
            breaker: Breaker::Closed { failed: 0 },
            rate,
        }
    }

    /// How many more events it lets through while so many are on their way.
    pub(crate) fn room(&mut self, under_way: UnderWay, now: Instant) -> Room {
        let UnderWay { here, before } = under_way;
        let left = self.in_flight_max.saturating_sub(here + before);
        let most = match self.breaker {
            Breaker::Closed { .. } => left,
            Breaker::Open { until, .. } if until > now => return Room::NotBefore(until),
            Breaker::Open { .. } if here > 0 => 0,
            // The queue leaves one of them to an event that was not tried yet: events that are
            // never taken do not stand before those that would be.
            Breaker::Open { .. } => TRIAL_EVENTS.min(left),
            Breaker::Trial { .. } => 0,
        };
        let most = most.min(PUSH_LEASE_DELIVERIES_MAX);
        match &mut self.rate {
            _ if most == 0 => Room::None,
            None => Room::For(most),
            Some(rate) => rate.room(most, now),
        }
    }

    /// So many events are let through.
    pub(crate) fn passed(&mut self, events: usize) {
        if events > 0
            && let Breaker::Open { opened, .. } = self.breaker
        {
            self.breaker = Breaker::Trial { opened };
        }
        if let Some(rate) = &mut self.rate {
            rate.tokens -= events as f64;
        }
    }

    /// What an attempt that has ended says of the endpoint.
    pub(crate) fn noted(&mut self, health: Health, now: Instant) {
        self.breaker = match (health, self.breaker) {
            (Health::Well, _) | (Health::Picky, Breaker::Trial { .. }) => {
                Breaker::Closed { failed: 0 }
            }
            (Health::Picky, breaker) => breaker,
            (Health::Busy(span), breaker) => breaker.failed(now).closed_for(span, now),
            (Health::Ill | Health::Gone, breaker) => breaker.failed(now),
        };
    }

    /// Whether nothing goes through because attempts fail.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self.breaker, Breaker::Closed { .. })
    }
}

impl Breaker {
    /// One more attempt has failed.
    fn failed(self, now: Instant) -> Self {
        match self {
            Self::Closed { failed } if failed + 1 < PUSH_BREAKER_FAILURES => {
                Self::Closed { failed: failed + 1 }
            }
            Self::Closed { .. } => Self::Open { until: now + pause(0), opened: 1 },
            Self::Trial { opened } => {
                Self::Open { until: now + pause(opened), opened: opened.saturating_add(1) }
            }
            // It was on its way when the breaker opened.
            Self::Open { .. } => self,
        }
    }

    /// The endpoint asks for this long.
    fn closed_for(self, span: Duration, now: Instant) -> Self {
        let asked = now + span;
        match self {
            Self::Open { until, opened } => Self::Open { until: until.max(asked), opened },
            _ if span.is_zero() => self,
            other => Self::Open { until: asked, opened: other.opened() },
        }
    }

    fn opened(self) -> u32 {
        match self {
            Self::Open { opened, .. } | Self::Trial { opened } => opened,
            Self::Closed { .. } => 0,
        }
    }
}

/// How long a breaker stays open that was opened so many times before.
fn pause(opened: u32) -> Duration {
    let factor = 1_u32.checked_shl(opened).unwrap_or(u32::MAX);
    PUSH_BREAKER_FIRST.saturating_mul(factor).min(PUSH_BREAKER_LONGEST)
}

impl Rate {
    /// A tenth of a second's tokens at most wait to be taken, and one at least.
    fn room(&mut self, most: usize, now: Instant) -> Room {
        let per_second = f64::from(self.per_second);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * per_second;
        self.tokens = (self.tokens + gained).min((per_second / 10.0).max(1.0));
        self.at = self.at.max(now);
        if self.tokens < 1.0 {
            let missing = Duration::from_secs_f64((1.0 - self.tokens) / per_second);
            return Room::NotBefore(now + missing.max(Duration::from_millis(1)));
        }
        // A float becomes the nearest number that there is.
        Room::For(most.min(self.tokens as usize))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn opened(gate: &mut Gate, now: Instant) {
        for _ in 0..PUSH_BREAKER_FAILURES {
            gate.passed(1);
            gate.noted(Health::Ill, now);
        }
    }

    fn here(here: usize) -> UnderWay {
        UnderWay { here, ..UnderWay::default() }
    }

    #[test]
    fn it_lets_as_many_through_as_may_be_on_their_way() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        assert_eq!(gate.room(here(0), now), Room::For(16));
        assert_eq!(gate.room(here(10), now), Room::For(6));
        assert_eq!(gate.room(here(16), now), Room::None);
        assert_eq!(gate.room(here(20), now), Room::None);
    }

    #[test]
    fn what_was_begun_as_it_was_set_before_counts_until_it_ends() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        assert_eq!(gate.room(UnderWay { here: 4, before: 10 }, now), Room::For(2));
        assert_eq!(gate.room(UnderWay { here: 0, before: 20 }, now), Room::None);
        opened(&mut gate, now);
        let then = now + SECOND;
        assert_eq!(gate.room(UnderWay { here: 0, before: 16 }, then), Room::None);
        assert_eq!(gate.room(UnderWay { here: 0, before: 15 }, then), Room::For(1));
    }

    #[test]
    fn failures_in_a_row_open_it_and_one_trial_closes_it() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        opened(&mut gate, now);
        assert_eq!(gate.room(here(0), now), Room::NotBefore(now + SECOND));
        let then = now + SECOND;
        assert_eq!(gate.room(here(3), then), Room::None, "what is under way comes first");
        assert_eq!(gate.room(here(0), then), Room::For(2));
        gate.passed(2);
        assert_eq!(gate.room(here(1), then), Room::None);
        assert_eq!(gate.room(here(0), then), Room::None, "the trial was not heard of yet");
        gate.noted(Health::Well, then);
        assert_eq!(gate.room(here(0), then), Room::For(16));
    }

    #[test]
    fn a_trial_is_no_more_than_may_be_on_its_way() {
        let now = Instant::now();
        let mut gate = Gate::new(1, None, now);
        opened(&mut gate, now);
        assert_eq!(gate.room(here(0), now + SECOND), Room::For(1));
    }

    #[test]
    fn a_failure_between_others_that_work_opens_nothing() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        for _ in 0..100 {
            gate.noted(Health::Ill, now);
            gate.noted(Health::Well, now);
        }
        assert!(!gate.is_open());
    }

    #[test]
    fn an_endpoint_that_answers_and_refuses_is_not_left_alone() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        for _ in 0..100 {
            gate.noted(Health::Picky, now);
        }
        assert!(!gate.is_open());
        opened(&mut gate, now);
        gate.passed(2);
        gate.noted(Health::Picky, now);
        assert!(!gate.is_open(), "its trial was answered");
    }

    #[test]
    fn trials_that_fail_come_twice_as_late_and_no_later_than_the_longest() {
        let mut now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        opened(&mut gate, now);
        let mut pauses = Vec::new();
        for _ in 0..9 {
            let Room::NotBefore(until) = gate.room(here(0), now) else { panic!("it is open") };
            pauses.push((until - now).as_secs());
            now = until;
            gate.passed(1);
            gate.noted(Health::Ill, now);
        }
        assert_eq!(pauses, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
    }

    #[test]
    fn an_endpoint_that_asks_for_time_has_it() {
        let now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        gate.noted(Health::Busy(90 * SECOND), now);
        gate.noted(Health::Busy(SECOND), now);
        assert_eq!(gate.room(here(0), now), Room::NotBefore(now + 90 * SECOND));
        assert_eq!(gate.room(here(0), now + 90 * SECOND), Room::For(2));
    }

    /// Symptom: an endpoint that answered every trial with `Retry-After: 0` was tried without a
    /// pause, two events at a time, and each lost an attempt. Cause: a wish for time left the
    /// breaker as it was. Fix: it counts as a failure, and its time is beside the breaker's own.
    #[test]
    fn an_endpoint_that_asks_for_no_time_is_left_alone_like_one_that_fails() {
        let mut now = Instant::now();
        let mut gate = Gate::new(16, None, now);
        for _ in 0..PUSH_BREAKER_FAILURES {
            assert!(matches!(gate.room(here(0), now), Room::For(_)));
            gate.passed(1);
            gate.noted(Health::Busy(Duration::ZERO), now);
        }
        let mut pauses = Vec::new();
        for _ in 0..4 {
            let Room::NotBefore(until) = gate.room(here(0), now) else { panic!("it is open") };
            pauses.push((until - now).as_secs());
            now = until;
            gate.passed(1);
            gate.noted(Health::Busy(Duration::ZERO), now);
        }
        assert_eq!(pauses, [1, 2, 4, 8]);
        // What it asks for beyond that, it has.
        gate.noted(Health::Busy(90 * SECOND), now);
        assert_eq!(gate.room(here(0), now), Room::NotBefore(now + 90 * SECOND));
    }

    proptest! {
        #[test]
        fn no_second_has_more_attempts_than_its_rate_and_a_tenth(
            rate in 1_u32..500, steps in proptest::collection::vec(0_u64..400, 1..300),
        ) {
            let begin = Instant::now();
            let (mut now, mut gate, mut passed) = (begin, Gate::new(100, Some(rate), begin), 0);
            for step in steps {
                now += Duration::from_millis(step);
                if let Room::For(most) = gate.room(here(0), now) {
                    gate.passed(most);
                    passed += most;
                }
            }
            let seconds = (now - begin).as_secs_f64();
            prop_assert!(passed as f64 <= seconds * f64::from(rate) + f64::from(rate) / 10.0 + 1.0);
        }
    }
}
