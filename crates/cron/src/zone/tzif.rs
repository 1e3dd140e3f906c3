//! Zone data as systems keep it: TZif files (RFC 9636). Finding and reading files is not here.

use super::{
    ZoneTable, ZoneTableError,
    table::{TABLE_BEGINS, TABLE_ENDS},
};
use jiff::{Timestamp, tz::TimeZone};

impl ZoneTable {
    /// The offsets of a TZif file, those that its POSIX TZ string gives included.
    ///
    /// # Errors
    ///
    /// Bytes that are no TZif file, and offsets or changes that no zone has.
    pub fn from_tzif(bytes: &[u8]) -> Result<Self, ZoneTableError> {
        let zone = TimeZone::tzif("zoneinfo", bytes)
            .map_err(|error| ZoneTableError::Tzif(error.to_string()))?;
        let begins = Timestamp::from_second(TABLE_BEGINS).unwrap_or(Timestamp::UNIX_EPOCH);
        // Where a file has no rule for later years, jiff repeats its last turn for ever.
        let mut last = TABLE_BEGINS;
        let changes = zone
            .following(begins)
            .map(|turn| (turn.timestamp().as_second(), turn.offset().seconds()))
            .take_while(|(at, _)| std::mem::replace(&mut last, *at) < *at)
            .take_while(|(at, _)| *at < TABLE_ENDS);
        Self::collect(zone.to_offset(begins).seconds(), changes)
    }
}
