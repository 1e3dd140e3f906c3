//! A moment, in UTC and whole milliseconds, and where it comes from.

use chrono::{DateTime, Datelike, SecondsFormat, Timelike, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

/// A moment: milliseconds since 1970-01-01T00:00:00Z.
///
/// On the wire it is RFC 3339 in UTC with three decimals, `2026-11-21T01:02:03.456Z`.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

/// A text that is not an RFC 3339 moment.
#[derive(Debug, thiserror::Error)]
#[error("`{text}` is not an RFC 3339 time such as `2026-11-21T01:02:03Z`")]
pub struct TimestampError {
    text: String,
}

/// The one place that knows what time it is.
///
/// Logic takes a [`Timestamp`]; only what runs by itself (a server loop, a writer) holds a clock.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Timestamp;

    /// How long it has been since some moment, the same while the program runs, by a clock that
    /// nobody sets.
    fn elapsed(&self) -> Duration;
}

impl Timestamp {
    /// The moment so many milliseconds after the epoch.
    #[must_use]
    pub const fn from_unix_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// The moment so many seconds after the epoch, as far as milliseconds can tell it.
    #[must_use]
    pub const fn from_unix_s(seconds: i64) -> Self {
        Self(seconds.saturating_mul(1000))
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn unix_ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, rounded down.
    #[must_use]
    pub const fn unix_s(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// The moment `span` later.
    #[must_use]
    pub fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The moment `span` earlier.
    #[must_use]
    pub fn minus(self, span: Duration) -> Self {
        Self(self.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this is; zero when it is not after it.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match DateTime::<Utc>::from_timestamp_millis(self.0) {
            Some(time) if (0..=9999).contains(&time.year()) => {
                f.write_str(std::str::from_utf8(&written(&time)).unwrap_or_default())
            }
            Some(time) => f.write_str(&time.to_rfc3339_opts(SecondsFormat::Millis, true)),
            None => write!(f, "{} ms after 1970", self.0),
        }
    }
}

/// A time of a year of four digits. Every event has some of these: chrono's own way there takes
/// several times as long.
fn written(time: &DateTime<Utc>) -> [u8; 24] {
    let mut text = *b"0000-00-00T00:00:00.000Z";
    let fields = [
        (0..4, time.year().unsigned_abs()),
        (5..7, time.month()),
        (8..10, time.day()),
        (11..13, time.hour()),
        (14..16, time.minute()),
        (17..19, time.second()),
        (20..23, time.timestamp_subsec_millis()),
    ];
    for (place, mut number) in fields {
        for digit in text[place].iter_mut().rev() {
            // The rest of a division by ten is a digit.
            *digit += (number % 10) as u8;
            number /= 10;
        }
    }
    text
}

impl fmt::Debug for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Timestamp {
    type Err = TimestampError;

    fn from_str(text: &str) -> Result<Self, TimestampError> {
        DateTime::parse_from_rfc3339(text)
            .map(|time| Self(time.timestamp_millis()))
            .map_err(|_| TimestampError { text: text.chars().take(64).collect() })
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({
            "type": "string",
            "format": "date-time",
            "description": "RFC 3339, UTC, milliseconds"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_milliseconds() {
        assert_eq!(
            Timestamp::from_unix_ms(1_795_222_923_456).to_string(),
            "2026-11-21T01:02:03.456Z"
        );
        assert_eq!(Timestamp::from_unix_ms(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn every_time_is_written_as_rfc_3339_has_it() {
        let mut ms = -70_000_000_000_000_i64;
        while ms < 260_000_000_000_000 {
            let time = DateTime::<Utc>::from_timestamp_millis(ms).expect("a time");
            let expected = time.to_rfc3339_opts(SecondsFormat::Millis, true);
            assert_eq!(Timestamp::from_unix_ms(ms).to_string(), expected);
            ms += 9_876_543_210_987 / 321;
        }
    }

    #[test]
    fn a_time_with_an_offset_is_read_as_the_same_moment() {
        let read: Timestamp = "2026-11-21T02:02:03.456+01:00".parse().expect("valid");
        assert_eq!(read.to_string(), "2026-11-21T01:02:03.456Z");
    }

    #[test]
    fn a_time_that_is_none_is_named_in_the_error() {
        let error = "yesterday".parse::<Timestamp>().expect_err("invalid");
        assert_eq!(
            error.to_string(),
            "`yesterday` is not an RFC 3339 time such as `2026-11-21T01:02:03Z`"
        );
    }

    #[test]
    fn seconds_before_1970_round_down() {
        assert_eq!(Timestamp::from_unix_ms(-1).unix_s(), -1);
    }
}
