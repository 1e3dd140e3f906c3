//! Durations and sizes as people write them: `30d`, `1h30m`, `250ms`; `10MiB`, `20 GB`.

use std::time::Duration;

const DURATION_UNITS: [(&str, u64); 6] = [
    ("ms", 1),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
    ("w", 604_800_000),
];

const SIZE_UNITS: [(&str, u64); 9] = [
    ("B", 1),
    ("kB", 1_000),
    ("MB", 1_000_000),
    ("GB", 1_000_000_000),
    ("TB", 1_000_000_000_000),
    ("KiB", 1 << 10),
    ("MiB", 1 << 20),
    ("GiB", 1 << 30),
    ("TiB", 1 << 40),
];

/// A duration of whole numbers and units, such as `5s` or `1h30m`; none when it is not one.
pub(crate) fn duration(text: &str) -> Option<Duration> {
    let mut rest = text.trim();
    let mut ms = 0_u64;
    while !rest.is_empty() {
        let (number, after) = number(rest)?;
        let unit_end = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(unit_end);
        ms = ms.checked_add(number.checked_mul(of(&DURATION_UNITS, unit)?)?)?;
        rest = next.trim_start();
    }
    (!text.trim().is_empty()).then_some(Duration::from_millis(ms))
}

/// A size in bytes with a unit, such as `10MiB`; none when it is not one.
pub(crate) fn size(text: &str) -> Option<u64> {
    let (number, unit) = number(text.trim())?;
    number.checked_mul(of(&SIZE_UNITS, unit)?)
}

fn number(text: &str) -> Option<(u64, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    Some((digits.parse().ok()?, rest.trim_start()))
}

fn of(units: &[(&str, u64)], unit: &str) -> Option<u64> {
    units.iter().find(|(name, _)| *name == unit).map(|(_, factor)| *factor)
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
            ("1h 30m", 5_400_000),
            ("30d", 2_592_000_000),
            ("2 w", 1_209_600_000),
            ("0s", 0),
        ] {
            assert_eq!(duration(text), Some(Duration::from_millis(ms)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_none() {
        let texts =
            ["", " ", "5", "s", "5 sec", "-5s", "1.5h", "5S", "5s!", "99999999999999999999s"];
        for text in texts.into_iter().chain(["18446744073709551615w", "5s 5", "٥s"]) {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_are_read_in_both_kinds_of_units() {
        for (text, bytes) in [("0B", 0), ("10MiB", 10 << 20), ("20 GB", 20_000_000_000)] {
            assert_eq!(size(text), Some(bytes), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_none() {
        for text in ["", "10", "MiB", "10mib", "1.5GiB", "-1B", "10 MiB x", "99999999999999TiB"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
