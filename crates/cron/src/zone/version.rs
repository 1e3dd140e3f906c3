//! Releases of the IANA time zone database, such as `2025b`, and how old their data is.

use chrono::NaiveDate;
use headgate_event::{Timestamp, limits::ZONE_DATA_AGE_MAX};
use std::{fmt, str::FromStr};

/// A release of the time zone database: a year and a letter, later ones greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ZoneVersion {
    year: u16,
    /// `a` is 1; after `z` comes `za`, which is 27.
    release: u8,
}

/// A text that names no release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected a release of the time zone database such as `2025b`, found `{0}`")]
pub struct ZoneVersionError(String);

impl ZoneVersion {
    /// 2025-03-22: when [`ZoneVersion::EMBEDDED`] was released, by its `NEWS` file.
    pub const EMBEDDED_RELEASED: Timestamp = Timestamp::from_unix_s(1_742_676_046);
    /// The release that chrono-tz carries.
    pub const EMBEDDED: Self = Self { year: 2025, release: 2 };

    /// The year of the release.
    #[must_use]
    pub const fn year(self) -> i32 {
        self.year as i32
    }

    /// The instant by which it was released: the end of its year, unless a file that holds it is
    /// older. A file time from before that year is no file time, and says nothing.
    #[must_use]
    pub fn released_by(self, file_time: Option<Timestamp>) -> Timestamp {
        let (year_begins, year_ends) = (new_year(self.year()), new_year(self.year() + 1));
        file_time.filter(|time| *time >= year_begins).map_or(year_ends, |time| time.min(year_ends))
    }
}

/// Whether data that was released by `released_by` is old enough at `now` for a warning.
pub(super) fn is_stale(released_by: Timestamp, now: Timestamp) -> bool {
    now.since(released_by) > ZONE_DATA_AGE_MAX
}

/// The first instant of a year in UTC.
pub(super) fn new_year(year: i32) -> Timestamp {
    let first = NaiveDate::from_ymd_opt(year, 1, 1).unwrap_or_default();
    Timestamp::from_unix_s(first.and_time(chrono::NaiveTime::MIN).and_utc().timestamp())
}

impl FromStr for ZoneVersion {
    type Err = ZoneVersionError;

    /// `2025b`, with or without a suffix of whoever packed it (`2025b-rearguard`).
    fn from_str(text: &str) -> Result<Self, ZoneVersionError> {
        let refused = || ZoneVersionError(text.chars().take(32).collect());
        let name = text.split_once(['-', '+']).map_or(text, |(name, _)| name);
        let (year, letters) = name.split_at_checked(4).ok_or_else(refused)?;
        let digits = year.bytes().all(|byte| byte.is_ascii_digit());
        let year: u16 = year.parse().ok().filter(|_| digits).ok_or_else(refused)?;
        let (more, last) = match letters.as_bytes() {
            [last] => (0, *last),
            [b'z', last] => (26, *last),
            _ => return Err(refused()),
        };
        let place = last.checked_sub(b'a').filter(|place| *place < 26).ok_or_else(refused)?;
        Ok(Self { year, release: more + place + 1 })
    }
}

impl fmt::Display for ZoneVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = char::from(b'a' + (self.release.max(1) - 1) % 26);
        let more = if self.release > 26 { "z" } else { "" };
        write!(f, "{}{more}{letter}", self.year)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_releases_are_greater() {
        let versions = ["2024b", "2025a", "2025b", "2025z", "2025za", "2026a"]
            .map(|text| text.parse::<ZoneVersion>().expect("a version"));
        assert!(versions.is_sorted_by(|a, b| a < b));
        assert_eq!(versions.map(|version| version.to_string())[4], "2025za");
    }

    #[test]
    fn a_packers_suffix_is_no_part_of_the_version() {
        assert_eq!("2026f-rearguard".parse::<ZoneVersion>(), "2026f".parse());
    }

    #[test]
    fn what_names_no_release_is_refused() {
        for text in ["", "2025", "25b", "2025B", "2025ab", "+025b", "2025é", "２０２５b"] {
            assert!(text.parse::<ZoneVersion>().is_err(), "{text}");
        }
        let error = "unknown".parse::<ZoneVersion>().expect_err("no release");
        insta::assert_snapshot!(error,
            @"expected a release of the time zone database such as `2025b`, found `unknown`");
    }

    #[test]
    fn a_release_is_no_younger_than_its_year_or_its_file() {
        let version: ZoneVersion = "2025b".parse().expect("a version");
        let at = |text: &str| text.parse::<Timestamp>().expect("a time");
        let end = at("2026-01-01T00:00:00Z");
        assert_eq!(version.released_by(None), end);
        let packed = at("2025-08-24T00:00:00Z");
        assert_eq!(version.released_by(Some(packed)), packed);
        assert_eq!(version.released_by(Some(at("2026-05-01T00:00:00Z"))), end);
        assert_eq!(version.released_by(Some(at("1970-01-01T00:00:00Z"))), end);
        assert!(is_stale(end, at("2026-07-01T00:00:00Z")));
        assert!(!is_stale(end, at("2026-06-30T00:00:00Z")));
    }

    #[test]
    fn the_built_in_release_is_known() {
        // When this fails, chrono-tz was updated: the release and its date are in its `tz/NEWS`.
        let version = ZoneVersion::EMBEDDED;
        assert_eq!(version.to_string(), chrono_tz::IANA_TZDB_VERSION);
        assert_eq!(ZoneVersion::EMBEDDED_RELEASED.to_string(), "2025-03-22T20:40:46.000Z");
        assert!(version.released_by(None) > ZoneVersion::EMBEDDED_RELEASED);
    }
}
