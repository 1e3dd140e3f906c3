//! A schedule asked for civil times, in seconds. What answers with the past does not get far.

use crate::{
    CivilTimes, FiringClass,
    zone::{civil_of, civil_seconds},
};
use headgate_event::limits::CIVIL_RETRY_S_MAX;

/// The civil times of a schedule in seconds since the civil time 1970-01-01T00:00:00.
pub(super) struct Asked<'a> {
    times: &'a dyn CivilTimes,
}

/// 0001-01-01T00:00:00 and 10000-01-01T00:00:00: between them every library of dates is at home.
const YEAR_1_S: i64 = -62_135_596_800;
const YEAR_10000_S: i64 = 253_402_300_800;

impl<'a> Asked<'a> {
    pub(super) const fn new(times: &'a dyn CivilTimes) -> Self {
        Self { times }
    }

    pub(super) fn class(&self) -> FiringClass {
        self.times.class()
    }

    /// The first civil time after `civil`, always later than it; none after the year 9999.
    pub(super) fn after(&self, civil: i64) -> Option<i64> {
        if civil >= YEAR_10000_S {
            return None;
        }
        let civil = civil.max(YEAR_1_S);
        let next = civil_seconds(self.times.next_after(civil_of(civil))?);
        if next > civil { Some(next) } else { self.past_after(civil) }
    }

    /// The same for a schedule that answered with the past: asked again a second later.
    #[cold]
    fn past_after(&self, civil: i64) -> Option<i64> {
        tracing::error!(
            after = %civil_of(civil),
            "a schedule gave a civil time that is not after the one it was asked for"
        );
        (civil + 1..=civil + CIVIL_RETRY_S_MAX)
            .filter_map(|later| self.times.next_after(civil_of(later)))
            .map(civil_seconds)
            .find(|next| *next > civil)
    }
}
