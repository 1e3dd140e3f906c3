//! Schedules: what an expression means, when it is due in its time zone, and what fires.
//!
//! Expressions and their civil times know no zone ([`CivilTimes`]); zones map civil times to
//! instants ([`Occurrence`]). This crate reads no clock, file or environment: times, keys and
//! zone data come in as arguments.

mod civil;
pub use civil::{CivilTimes, FiringClass};

mod expression;
pub use expression::{Expression, ExpressionError, Field, Fields, Lint, SpelledField};

mod occurrence;
pub use occurrence::{DstMark, Occurrence};

mod policy;
pub use policy::{DstPolicy, Fold, Gap, PolicyError};

mod zone;
pub use zone::{
    CivilPlace, OffsetSpan, Turn, Zone, ZoneChoice, ZoneData, ZoneFile, ZoneNameError, ZoneOrigin,
    ZoneRules, ZoneSource, ZoneTable, ZoneTableError, ZoneVersion, ZoneVersionError, ZoneWarning,
    Zones,
};

mod next;
pub use next::next_occurrence;

mod turn_lint;
pub use turn_lint::{TurnLint, turn_lints};

mod timing;
pub use timing::{
    At, CronText, CronTiming, Every, EveryError, Occurrences, Parked, Timing, TimingError, Timings,
};

mod schedule;
pub use schedule::{
    Catchup, CatchupPolicy, Overlap, Rules, Schedule, ScheduleError, ScheduleOrigin, ScheduleSpec,
};

mod cursor;
pub use cursor::{Cursor, CursorError, Hold};

mod ticker;
pub use ticker::{
    Backlog, Batch, ClockReset, Firing, GoesOn, Missed, MissedWhy, NextRun, Outcome, Place,
    ReloadError, Reloaded, ScheduleView, Settled, Ticker,
};

mod draft;
pub use draft::{dedupe, draft};

mod source;
pub use source::{
    Backfilled, ChangeError, CronSource, KnownRuns, MemoryScheduleStore, Ports, Running,
    ScheduleStore, StoredSchedule, StoredSchedules, Unsettled,
};
