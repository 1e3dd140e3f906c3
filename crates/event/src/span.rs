//! Durations as people write them: `250ms`, `5s`, `1h30m`, `30d`.

use serde::{Deserialize, Deserializer, de};
use std::{borrow::Cow, str::FromStr, time::Duration};

/// A duration of whole numbers and units (`ms`, `s`, `m`, `h`, `d`, `w`), the larger unit first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

/// A text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}, found `{text}`", Span::EXPECTED)]
pub struct SpanError {
    text: String,
}

/// The longest part of a wrong text that an error shows, in characters.
const SHOWN_CHARS_MAX: usize = 40;

impl Span {
    /// What an error says of the text that was expected.
    pub const EXPECTED: &str = "a duration such as `250ms`, `5s`, `1h30m` or `30d`";

    /// The whole milliseconds.
    #[must_use]
    pub fn as_ms(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl FromStr for Span {
    type Err = SpanError;

    fn from_str(text: &str) -> Result<Self, SpanError> {
        let ms = milliseconds(text)
            .ok_or_else(|| SpanError { text: text.chars().take(SHOWN_CHARS_MAX).collect() })?;
        Ok(Self(Duration::from_millis(ms)))
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn milliseconds(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let (mut total, mut smallest) = (0_u64, u64::MAX);
    while !rest.is_empty() {
        let (digits, after) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit())?);
        let after = after.trim_start();
        let end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(end);
        // `5s1h` and `5s5s` are slips.
        let unit = unit_ms(unit).filter(|unit| *unit < smallest)?;
        smallest = unit;
        total = total.checked_add(digits.parse::<u64>().ok()?.checked_mul(unit)?)?;
        rest = next.trim_start();
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
        "w" => Some(604_800_000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_read_as_people_write_them() {
        for (text, ms) in [
            ("250ms", 250),
            ("5s", 5_000),
            ("90m", 5_400_000),
            ("1h30m", 5_400_000),
            (" 1h 30m ", 5_400_000),
            ("30d", 2_592_000_000),
            ("2 w", 1_209_600_000),
            ("0s", 0),
        ] {
            assert_eq!(text.parse::<Span>().map(Span::as_ms), Ok(ms), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        let texts =
            ["", " ", "5", "s", "5 sec", "-5s", "1.5h", "5S", "5s!", "5s 5", "5s1h", "5s5s"];
        let large = ["99999999999999999999s", "18446744073709551615w", "300000000w 1ms 1s"];
        for text in texts.into_iter().chain(large).chain(["\u{665}s", "5s\0"]) {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_error_says_what_was_expected_and_what_was_found() {
        let error = "5 sec".parse::<Span>().expect_err("no duration").to_string();
        assert_eq!(
            error,
            "expected a duration such as `250ms`, `5s`, `1h30m` or `30d`, found `5 sec`"
        );
        let long = "5".repeat(1_000).parse::<Span>().expect_err("no duration").to_string();
        assert!(long.len() < 120, "{long}");
    }

    #[test]
    fn a_span_is_read_from_json_with_and_without_escapes() {
        let read = |json| serde_json::from_str::<Span>(json).map(Span::as_ms).ok();
        assert_eq!(read(r#""5s""#), Some(5_000));
        assert_eq!(read(r#""5\u0073""#), Some(5_000));
        assert_eq!(read("5"), None);
    }
}
