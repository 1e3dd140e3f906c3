//! Sizes and spans of time as people write them: `25 MiB`, `300s`.

use serde::{Deserialize, Deserializer, de};
use std::time::Duration;

/// A span of time: a whole number with `ms`, `s`, `m`, `h` or `d`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span(pub(crate) Duration);

/// A size: a whole number with `B`, `KiB` or `MiB`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size(pub(crate) usize);

fn split(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(end);
    Some((number.parse().ok()?, unit.trim_start()))
}

fn span(text: &str) -> Option<Duration> {
    let (number, unit) = split(text)?;
    let seconds = match unit {
        "ms" => return Some(Duration::from_millis(number)),
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 24 * 3600,
        _ => return None,
    };
    number.checked_mul(seconds).map(Duration::from_secs)
}

fn size(text: &str) -> Option<usize> {
    let (number, unit) = split(text)?;
    let bytes: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        _ => return None,
    };
    usize::try_from(number.checked_mul(bytes)?).ok()
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        span(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!("expected a time such as `300s`, found `{text}`"))
        })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        size(&text).map(Self).ok_or_else(|| {
            de::Error::custom(format!("expected a size such as `25 MiB`, found `{text}`"))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_and_spans_are_read_as_people_write_them() {
        assert_eq!(size("25 MiB"), Some(25 << 20));
        assert_eq!(size("512B"), Some(512));
        assert_eq!(span("300s"), Some(Duration::from_secs(300)));
        assert_eq!(span("3 d"), Some(Duration::from_secs(3 * 86_400)));
    }

    #[test]
    fn a_number_without_its_unit_is_refused() {
        for text in ["300", "", "s", "-1s", "1.5s", "99999999999999999999s", "5 weeks"] {
            assert_eq!(span(text), None, "{text}");
            assert_eq!(size(text), None, "{text}");
        }
    }
}
