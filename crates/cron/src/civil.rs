//! Civil times: what a wall clock shows, in no particular zone. Not for instants.

use chrono::NaiveDateTime;

/// The civil times that an expression names, in whole seconds and in order.
pub trait CivilTimes: Send + Sync {
    /// The first time after `civil`, never `civil` itself; none when there is no later one.
    fn next_after(&self, civil: NaiveDateTime) -> Option<NaiveDateTime>;

    /// How the times behave where the wall clock is turned.
    fn class(&self) -> FiringClass;

    /// How many times there are after one and up to another; none where only walking would tell.
    fn count(&self, _after: NaiveDateTime, _until: NaiveDateTime) -> Option<u64> {
        None
    }
}

/// How an expression behaves where the wall clock is turned (cronie's `MIN_STAR`, `HR_STAR`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FiringClass {
    /// Named times of the day: once every local day.
    Fixed,
    /// The text of seconds, minute or hour begins with `*`: follows elapsed time.
    Interval,
}
