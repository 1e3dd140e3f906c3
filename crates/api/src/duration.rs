//! A duration as people write it: `500ms`, `5s`, `15m`, `1h`, `7d`, `1h30m`.

use serde::{Deserialize, Deserializer, de};
use std::{str::FromStr, time::Duration};

/// A duration in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A text that is not a duration.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a duration: expected one such as `500ms`, `5s`, `15m`, `1h` or `1h30m`")]
pub(crate) struct SpanError {
    text: String,
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let total = milliseconds(text)
            .ok_or_else(|| SpanError { text: text.chars().take(40).collect() })?;
        Ok(Self(Duration::from_millis(total)))
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text;
    let mut total: u64 = 0;
    let mut smallest = u64::MAX;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, tail) = rest.split_at(digits);
        let end = tail.find(|c: char| c.is_ascii_digit()).unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let unit = unit_ms(unit)?;
        // Units get smaller: `5s1h` is a slip.
        if unit >= smallest {
            return None;
        }
        smallest = unit;
        total = total.checked_add(number.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = tail;
    }
    (smallest != u64::MAX).then_some(total)
}

fn unit_ms(unit: &str) -> Option<u64> {
    match unit {
        "ms" => Some(1),
        "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        "d" => Some(86_400_000),
        _ => None,
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(text: &str) -> Option<u128> {
        text.parse::<Span>().ok().map(|span| span.0.as_millis())
    }

    #[test]
    fn durations_are_read_as_people_write_them() {
        assert_eq!(ms("500ms"), Some(500));
        assert_eq!(ms("5s"), Some(5_000));
        assert_eq!(ms("1h30m"), Some(5_400_000));
        assert_eq!(ms("7d"), Some(604_800_000));
        assert_eq!(ms("0s"), Some(0));
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in
            ["", "5", "s", "5 s", "-5s", "5s1h", "5s5s", "1.5h", "5sec", "99999999999999999d"]
        {
            assert_eq!(ms(text), None, "{text}");
        }
        let error = "5 sec".parse::<Span>().expect_err("invalid").to_string();
        assert!(error.starts_with("`5 sec` is not a duration: expected one such as"), "{error}");
    }
}
