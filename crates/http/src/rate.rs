//! How many requests are taken in a time, of a channel or of a key.
//!
//! Of a channel only requests that proved themselves count: were others counted, anyone who knows
//! the URL could use up the rate of the sender. While the rate is used up, requests are refused
//! before their body is read.

use headgate_event::Timestamp;
use std::{
    fmt,
    str::FromStr,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// So many requests in a time, and so many at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RateLimit {
    requests: u32,
    per: Duration,
    burst: u32,
}

/// A text that is no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}", RateLimit::EXPECTED)]
pub struct RateLimitError;

/// A bucket of requests that fills by the rate. One request is `period` of its credit, and each
/// millisecond brings as much as there are requests in a period.
#[derive(Debug)]
pub struct Rate {
    requests: u64,
    period_ms: u64,
    credit_max: u64,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug)]
struct State {
    credit: u64,
    at: Timestamp,
}

impl RateLimit {
    /// The most requests that a rate or a burst names.
    pub const REQUESTS_MAX: u32 = 1_000_000;
    /// What a rate looks like, for errors.
    pub const EXPECTED: &str = "a rate up to 1000000, such as `50/s`, `600/min` or `1000/h`";

    /// The same with so many requests at once; none when there are none, or too many.
    #[must_use]
    pub fn with_burst(self, burst: u32) -> Option<Self> {
        (1..=Self::REQUESTS_MAX).contains(&burst).then_some(Self { burst, ..self })
    }
}

/// As it is written.
impl fmt::Display for RateLimit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.per.as_secs() {
            1 => "s",
            60 => "min",
            _ => "h",
        };
        write!(f, "{}/{unit}", self.requests)
    }
}

impl FromStr for RateLimit {
    type Err = RateLimitError;

    /// `50/s`: 50 a second, and 50 at once.
    fn from_str(text: &str) -> Result<Self, RateLimitError> {
        let (requests, unit) = text.split_once('/').ok_or(RateLimitError)?;
        let per = match unit.trim() {
            "s" => Duration::from_secs(1),
            "min" | "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3600),
            _ => return Err(RateLimitError),
        };
        let digits = requests.trim();
        let plain = digits.bytes().all(|byte| byte.is_ascii_digit());
        let requests = digits.parse().ok().filter(|_| plain).ok_or(RateLimitError)?;
        Self { requests, per, burst: 1 }
            .with_burst(requests)
            .filter(|rate| rate.requests > 0)
            .ok_or(RateLimitError)
    }
}

impl Rate {
    /// A bucket that is full.
    #[must_use]
    pub fn new(limit: RateLimit) -> Self {
        let period_ms = u64::try_from(limit.per.as_millis()).unwrap_or(u64::MAX);
        let credit_max = period_ms.saturating_mul(limit.burst.into());
        let full = State { credit: credit_max, at: Timestamp::from_unix_ms(i64::MIN) };
        Self { requests: limit.requests.into(), period_ms, credit_max, state: Mutex::new(full) }
    }

    /// Whether it is a bucket of the same limit.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        let limit = |rate: &Self| (rate.requests, rate.period_ms, rate.credit_max);
        limit(self) == limit(other)
    }

    /// Whether a request may come; else when trying again makes sense.
    pub fn look(&self, now: Timestamp) -> Result<(), Duration> {
        self.filled(now, |credit| self.wait(credit))
    }

    /// Takes one request out of the rate, or says when trying again makes sense.
    pub fn take(&self, now: Timestamp) -> Result<(), Duration> {
        self.filled(now, |credit| {
            self.wait(credit)?;
            *credit -= self.period_ms;
            Ok(())
        })
    }

    fn filled<T>(&self, now: Timestamp, act: impl FnOnce(&mut u64) -> T) -> T {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that steps back brings nothing, and the time goes on from there.
        let passed = now.unix_ms().saturating_sub(state.at.unix_ms()).max(0).cast_unsigned();
        let more = passed.saturating_mul(self.requests);
        state.credit = state.credit.saturating_add(more).min(self.credit_max);
        state.at = now;
        act(&mut state.credit)
    }

    /// How long it takes until there is a request's credit, in whole seconds.
    fn wait(&self, credit: &mut u64) -> Result<(), Duration> {
        let missing = self.period_ms.saturating_sub(*credit);
        let ms = missing.div_ceil(self.requests);
        if ms == 0 { Ok(()) } else { Err(Duration::from_secs(ms.div_ceil(1000))) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        Rate::new(text.parse().expect("a rate"))
    }

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_776_590_125_000 + ms)
    }

    #[test]
    fn a_rate_is_written_as_people_write_it() {
        for (text, requests, seconds) in [
            ("50/s", 50, 1),
            ("600/min", 600, 60),
            (" 5 / m ", 5, 60),
            ("1000000/h", 1_000_000, 3600),
        ] {
            let rate: RateLimit = text.parse().expect(text);
            let expected =
                RateLimit { requests, per: Duration::from_secs(seconds), burst: requests };
            assert_eq!(rate, expected, "{text}");
        }
        for text in ["", "50", "50/", "/s", "0/s", "-1/s", "+1/s", "1.5/s", "50/d", "1000001/s"] {
            assert_eq!(text.parse::<RateLimit>(), Err(RateLimitError), "{text}");
        }
        let rate: RateLimit = "1/s".parse().expect("a rate");
        assert!(rate.with_burst(0).is_none() && rate.with_burst(1_000_001).is_none());
    }

    #[test]
    fn a_burst_is_taken_and_then_the_rate() {
        let rate =
            Rate::new("10/s".parse::<RateLimit>().expect("a rate").with_burst(3).expect("3"));
        for _ in 0..3 {
            assert_eq!(rate.take(at(0)), Ok(()));
        }
        assert_eq!(rate.take(at(0)), Err(Duration::from_secs(1)));
        assert_eq!(rate.take(at(99)), Err(Duration::from_secs(1)));
        assert_eq!(rate.take(at(100)), Ok(()));
        assert!(rate.take(at(100)).is_err());
        let taken = (0..100).filter(|_| rate.take(at(60_000)).is_ok()).count();
        assert_eq!(taken, 3, "no more than the burst is saved up");
    }

    #[test]
    fn looking_takes_nothing() {
        let rate = rate("1/h");
        for _ in 0..10 {
            assert_eq!(rate.look(at(0)), Ok(()));
        }
        assert_eq!(rate.take(at(0)), Ok(()));
        assert_eq!(rate.look(at(0)), Err(Duration::from_secs(3600)));
        assert_eq!(rate.look(at(1_800_001)), Err(Duration::from_secs(1800)));
    }

    #[test]
    fn a_clock_that_steps_stops_nobody_for_longer_than_the_rate() {
        let rate = rate("1/s");
        assert_eq!(rate.take(at(0)), Ok(()));
        assert!(rate.take(at(-3_600_000)).is_err());
        assert_eq!(rate.take(at(-3_599_000)), Ok(()), "a second after the step");
        assert_eq!(rate.take(Timestamp::from_unix_ms(i64::MAX)), Ok(()));
        assert!(rate.take(Timestamp::from_unix_ms(i64::MIN)).is_err());
    }
}
