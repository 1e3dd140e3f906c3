//! Sizes as people write them: `64KiB`, `10MiB`, `20 GB`.

use serde::{Deserialize, Deserializer, de};
use std::{borrow::Cow, str::FromStr};

/// A size: a whole number of one unit, `B`, `kB` to `TB` (powers of 1,000) or `KiB` to `TiB`
/// (powers of 1,024).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// In bytes.
    pub bytes: u64,
}

/// A text that is not a size.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {}, found `{text}`", Size::EXPECTED)]
pub struct SizeError {
    text: String,
}

/// The longest part of a wrong text that an error shows, in characters.
const SHOWN_CHARS_MAX: usize = 40;

impl Size {
    /// What an error says of the text that was expected.
    pub const EXPECTED: &str = "a size such as `64KiB`, `10MiB` or `20GB`";
}

impl FromStr for Size {
    type Err = SizeError;

    fn from_str(text: &str) -> Result<Self, SizeError> {
        let bytes = bytes(text.trim())
            .ok_or_else(|| SizeError { text: text.chars().take(SHOWN_CHARS_MAX).collect() })?;
        Ok(Self { bytes })
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<'de, str>::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

fn bytes(text: &str) -> Option<u64> {
    let (digits, unit) = text.split_at(text.find(|c: char| !c.is_ascii_digit())?);
    digits.parse::<u64>().ok()?.checked_mul(unit_bytes(unit.trim_start())?)
}

fn unit_bytes(unit: &str) -> Option<u64> {
    match unit {
        "B" => Some(1),
        "kB" => Some(1_000),
        "MB" => Some(1_000_000),
        "GB" => Some(1_000_000_000),
        "TB" => Some(1_000_000_000_000),
        "KiB" => Some(1 << 10),
        "MiB" => Some(1 << 20),
        "GiB" => Some(1 << 30),
        "TiB" => Some(1 << 40),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_in_both_kinds_of_units() {
        for (text, bytes) in [
            ("0B", 0),
            ("512B", 512),
            ("64kB", 64_000),
            ("64KiB", 65_536),
            (" 10 MiB ", 10 << 20),
            ("20 GB", 20_000_000_000),
            ("1TiB", 1 << 40),
        ] {
            assert_eq!(text.parse(), Ok(Size { bytes }), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        let texts = ["", "10", "MiB", "10mib", "1.5GiB", "-1B", "10 MiB x", "99999999999999TiB"];
        for text in texts {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        let error = "10mb".parse::<Size>().expect_err("no size").to_string();
        assert_eq!(error, "expected a size such as `64KiB`, `10MiB` or `20GB`, found `10mb`");
    }
}
