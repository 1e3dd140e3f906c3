//! How fast a replay may be: so many deliveries in a span, evenly spread, and at most as many at
//! once as a second of it allows.

use headgate_event::{Timestamp, limits::REPLAY_RATE_MAX};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr};

/// So many deliveries in a second, a minute or an hour: `100/s`, `30/m`, `10/h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplayPace {
    count: u32,
    unit: Unit,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    Second,
    Minute,
    Hour,
}

/// A text that says no pace.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "expected a rate such as `100/s`, `30/m` or `10/h`, 1 to {REPLAY_RATE_MAX}, found `{found}`"
)]
pub struct PaceError {
    found: String,
}

/// What a pace leaves to be given, by a bucket that fills evenly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Budget {
    /// When all that was given would have been due, in microseconds; none before the first.
    due_us: Option<i64>,
}

impl ReplayPace {
    /// How far apart deliveries are, in microseconds.
    fn apart_us(self) -> i64 {
        (self.unit.us() / i64::from(self.count)).max(1)
    }

    /// How far ahead of an even spread a replay may be: what one second allows, and one delivery.
    fn burst_us(self) -> i64 {
        self.apart_us().max(Unit::Second.us())
    }
}

impl Budget {
    /// How many may be given now.
    pub(crate) fn room(self, pace: ReplayPace, now: Timestamp) -> usize {
        let now = us(now);
        let due = self.due_us.map_or(now, |due| due.max(now - pace.burst_us()));
        let ahead = (now + pace.burst_us()).saturating_sub(due.max(now));
        usize::try_from(ahead / pace.apart_us()).unwrap_or(0)
    }

    /// Notes what was given.
    pub(crate) fn spend(&mut self, pace: ReplayPace, now: Timestamp, given: usize) {
        let given = i64::try_from(given).unwrap_or(i64::MAX);
        let from = self.due_us.unwrap_or(i64::MIN).max(us(now));
        self.due_us = Some(from.saturating_add(given.saturating_mul(pace.apart_us())));
    }

    /// When one may be given again.
    pub(crate) fn next(self, pace: ReplayPace, now: Timestamp) -> Timestamp {
        let due = self.due_us.unwrap_or(i64::MIN).max(us(now));
        let at = due - pace.burst_us() + pace.apart_us();
        Timestamp::from_unix_ms(at.max(us(now)).div_euclid(1_000) + 1)
    }
}

fn us(time: Timestamp) -> i64 {
    time.unix_ms().saturating_mul(1_000)
}

impl Unit {
    fn us(self) -> i64 {
        match self {
            Self::Second => 1_000_000,
            Self::Minute => 60_000_000,
            Self::Hour => 3_600_000_000,
        }
    }
}

impl FromStr for ReplayPace {
    type Err = PaceError;

    fn from_str(text: &str) -> Result<Self, PaceError> {
        let error = || PaceError { found: text.chars().take(40).collect() };
        let (count, unit) = text.split_once('/').ok_or_else(error)?;
        let digits = !count.is_empty() && count.bytes().all(|byte| byte.is_ascii_digit());
        let count =
            count.parse().ok().filter(|count| digits && (1..=REPLAY_RATE_MAX).contains(count));
        let unit = match unit {
            "s" => Unit::Second,
            "m" => Unit::Minute,
            "h" => Unit::Hour,
            _ => return Err(error()),
        };
        Ok(Self { count: count.ok_or_else(error)?, unit })
    }
}

impl fmt::Display for ReplayPace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Second => "s",
            Unit::Minute => "m",
            Unit::Hour => "h",
        };
        write!(f, "{}/{unit}", self.count)
    }
}

impl Serialize for ReplayPace {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ReplayPace {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for ReplayPace {
    fn schema_name() -> Cow<'static, str> {
        "ReplayPace".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string", "pattern": "^[1-9][0-9]*/[smh]$",
            "description": "So many deliveries a second, minute or hour: `100/s`, `30/m`, `10/h`."
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(ms: i64) -> Timestamp {
        Timestamp::from_unix_ms(1_700_000_000_000 + ms)
    }

    proptest! {
        #[test]
        fn a_replay_is_never_faster_than_its_pace_and_not_slower_than_it_may(
            count in 1_u32..3_000, unit in 0_usize..3,
            steps in proptest::collection::vec((0_i64..5_000, 0_usize..100), 1..80),
        ) {
            let unit = [Unit::Second, Unit::Minute, Unit::Hour][unit];
            let pace = ReplayPace { count, unit };
            let (mut budget, mut now, mut given) = (Budget::default(), 0, 0_i64);
            for (step, wanted) in steps {
                now += step;
                let take = wanted.min(budget.room(pace, at(now)));
                budget.spend(pace, at(now), take);
                given += i64::try_from(take).expect("small");
                let allowed = (now * 1_000 + pace.burst_us()) / pace.apart_us();
                prop_assert!(given <= allowed, "{given} of {allowed} by {now} ms");
                let next = budget.next(pace, at(now));
                if budget.room(pace, at(now)) == 0 {
                    prop_assert!(next > at(now) && budget.room(pace, next) > 0, "{next}");
                }
            }
        }
    }

    #[test]
    fn a_rate_is_read_as_it_is_written_and_nothing_else_is() {
        for text in ["100/s", "30/m", "1/h"] {
            assert_eq!(text.parse::<ReplayPace>().expect("a rate").to_string(), text);
        }
        for text in ["", "100", "0/s", "/s", "+1/s", "1/d", "1/s ", "1000001/s", "-1/s", "1.5/s"] {
            assert!(text.parse::<ReplayPace>().is_err(), "{text}");
        }
        let error = "fast".parse::<ReplayPace>().expect_err("no rate").to_string();
        assert!(error.ends_with("1 to 1000000, found `fast`"), "{error}");
    }
}
