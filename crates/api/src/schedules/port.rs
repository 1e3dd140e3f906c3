//! What the API needs of the program around it to show and change schedules: a small port,
//! because who fires them is a source, and sources are not known here.

use super::{ScheduleAsk, ScheduleView};
use headgate_event::{Accepted, BoxFuture, Timestamp};

/// Which schedules are listed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScheduleQuery {
    /// Of this channel; of all when it is none.
    pub channel: Option<String>,
    /// Those after this channel, name and id.
    pub after: Option<[String; 3]>,
    /// At most so many.
    pub limit: usize,
    /// With so many next runs each.
    pub runs: usize,
}

/// What a backfill made.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Filled {
    /// Runs that had not fired.
    pub fired: u64,
    /// Runs that had fired before: nothing fires twice.
    pub duplicates: u64,
}

/// What becomes of what was due while a schedule was paused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paused {
    /// It is paused: nothing fires.
    Yes,
    /// It goes on, with what is due from here on.
    No,
    /// It goes on, and what was due meanwhile is caught up by its own rules.
    NoAndCatchUp,
}

/// Why a call to a schedule did nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ScheduleFault {
    /// There is no such schedule.
    Unknown,
    /// It comes from the configuration file: it is changed there.
    Configured(String),
    /// There is one already.
    Exists(String),
    /// What was asked for is no schedule, or no run of it.
    Invalid(String),
    /// It could not be stored: our fault, and it may pass.
    Unavailable {
        /// Why, for the log.
        cause: String,
    },
}

/// Who fires schedules. Each change is stored before it counts, and before it is answered.
pub trait Schedules: Send + Sync {
    /// Schedules by channel, name and id, from the place of the query on.
    fn list(&self, query: ScheduleQuery) -> BoxFuture<'_, Vec<ScheduleView>>;

    /// One schedule, with so many next runs.
    fn show(&self, id: &str, runs: usize) -> Option<ScheduleView>;

    /// Makes a schedule.
    fn make(&self, ask: ScheduleAsk) -> BoxFuture<'_, Result<ScheduleView, ScheduleFault>>;

    /// Puts a schedule in the place of the one with this id, which was made over the API.
    fn change<'a>(
        &'a self,
        id: &'a str,
        ask: ScheduleAsk,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>>;

    /// Takes away a schedule that was made over the API.
    fn delete<'a>(&'a self, id: &'a str) -> BoxFuture<'a, Result<(), ScheduleFault>>;

    /// Pauses a schedule, or lets it go on.
    fn pause<'a>(
        &'a self,
        id: &'a str,
        paused: Paused,
    ) -> BoxFuture<'a, Result<ScheduleView, ScheduleFault>>;

    /// Fires it at once. The same key again is the same run; without a key each call is one.
    fn run<'a>(
        &'a self,
        id: &'a str,
        key: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Accepted, ScheduleFault>>;

    /// Makes the runs that were due from the first moment to the second, both included.
    fn backfill<'a>(
        &'a self,
        id: &'a str,
        span: (Timestamp, Timestamp),
    ) -> BoxFuture<'a, Result<Filled, ScheduleFault>>;
}
