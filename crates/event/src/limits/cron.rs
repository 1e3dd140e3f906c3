//! The limits of schedules: expressions, zones, firing.

use super::{ACCEPT_BYTES_MAX, DEDUPE_WINDOW_MAX, DRAFTS_PER_ACCEPT_MAX};
use std::time::Duration;

/// The longest name of a schedule, in bytes.
pub const SCHEDULE_NAME_BYTES_MAX: usize = 200;
/// The largest payload of a schedule, in bytes.
pub const SCHEDULE_PAYLOAD_BYTES_MAX: usize = 64 << 10;
/// The shortest and the longest span of `every`.
pub const SCHEDULE_EVERY_MIN: Duration = Duration::from_secs(1);
/// See [`SCHEDULE_EVERY_MIN`].
pub const SCHEDULE_EVERY_MAX: Duration = Duration::from_secs(366 * 24 * 3600);
/// The longest jitter of a schedule.
pub const SCHEDULE_JITTER_MAX: Duration = Duration::from_secs(24 * 3600);
/// How far back missed occurrences are caught up unless the schedule says otherwise.
pub const CATCHUP_WINDOW_DEFAULT: Duration = Duration::from_secs(24 * 3600);
/// The longest that a schedule may reach back.
pub const CATCHUP_WINDOW_MAX: Duration = Duration::from_secs(85 * 24 * 3600);
/// The most occurrences that `catchup = "all"` catches up unless the schedule says otherwise.
pub const CATCHUP_LIMIT_DEFAULT: u32 = 100;
/// The most occurrences that a schedule may be told to catch up.
pub const CATCHUP_LIMIT_MAX: u32 = 10_000;
/// An occurrence that comes later than this is missed: what becomes of it is the schedule's to say.
pub const CRON_LATE_MAX: Duration = Duration::from_secs(60);
/// The longest that the task of schedules sleeps: a step of the wall clock is seen after so long.
pub const CRON_SLEEP_MAX: Duration = Duration::from_secs(30);
/// A wall clock that is put back by no more than this waits until the cursors are past again.
pub const CRON_BACK_STEP_MAX: Duration = Duration::from_secs(3 * 3600);
/// Missed occurrences are counted one by one up to so many; beyond, their count is `at least`.
pub const CRON_MISSED_COUNTED_MAX: u64 = 10_000;
/// How many occurrences the batches that are stored side by side compute before they are handed on,
/// so that a long outage is worked off in pieces.
pub const CRON_BATCH_STEPS_MAX: u64 = 20_000;
/// The firings of one batch, and the schedules of it that missed some.
pub const CRON_BATCH_FIRINGS_MAX: usize = 256;
/// How many batches are stored side by side.
pub const CRON_BATCHES_AT_ONCE_MAX: usize = 8;
/// How many of them are of what was missed: what is due goes first.
pub const CRON_BACKLOG_BATCHES_MAX: usize = 2;
/// Of how many schedules one batch asks whether they had fired before a crash.
pub const CRON_BATCH_QUESTIONS_MAX: usize = 1_024;
/// Of how many of its runs a schedule that minds unsettled events asks at once: some of them may
/// have been left out before others fired.
pub const CRON_ASKED_OVER_GAP_MAX: usize = 16;
/// The payloads of one batch of firings together, in bytes.
pub const CRON_BATCH_BYTES_MAX: usize = 16 << 20;
/// The most occurrences that are passed over after a change of a zone's rules because their wall
/// clock times fired before it.
pub const CRON_REPEATED_MAX: u64 = 100_000;
/// How long the cursor of a schedule that was removed is kept.
pub const SCHEDULE_TOMBSTONE_AGE: Duration = Duration::from_secs(7 * 24 * 3600);
/// How often it is looked for cursors that are older than that: it goes through all of them.
pub const SCHEDULE_TOMBSTONES_LOOK_EVERY: Duration = Duration::from_secs(60);
/// The most occurrences of one call to backfill.
pub const BACKFILL_MAX: u64 = 10_000;
/// The longest idempotency key of a run by hand, in bytes.
pub const RUN_KEY_BYTES_MAX: usize = 200;
/// The most next runs that a list shows of each schedule.
pub const NEXT_RUNS_MAX: usize = 50;
/// How many schedules are looked at before what is due may fire in between.
pub const SCHEDULES_PER_LOOK_MAX: usize = 4_096;
/// How long is waited between two such looks, so that what waits for its turn has it.
pub const SCHEDULES_LOOK_PAUSE: Duration = Duration::from_micros(20);
/// Of how many schedules the next runs are found before what is due may fire in between.
pub const SCHEDULES_SHOWN_AT_ONCE_MAX: usize = 32;
/// The most cursors that one transaction stores.
pub const CURSORS_PER_SAVE_MAX: usize = 16_384;
/// Cursors are stored no more often than this while schedules fire.
pub const CURSORS_SAVE_EVERY: Duration = Duration::from_secs(1);
/// How long a change to a schedule waits for a batch that the store does not take.
pub const SCHEDULE_TURN_WAIT: Duration = Duration::from_secs(5);
/// The first and the longest wait before firings are offered to the store again.
pub const CRON_RETRY_FIRST: Duration = Duration::from_millis(100);
/// See [`CRON_RETRY_FIRST`].
pub const CRON_RETRY_LONGEST: Duration = Duration::from_secs(10);
/// What one schedule missed is logged at once, and again after this long.
pub const MISSED_LOG_EVERY: Duration = Duration::from_secs(60);
/// The most schedules whose last line of the log is remembered.
pub const MISSED_LOG_SCHEDULES_MAX: usize = 4_096;
/// Of new schedules that never fire, so many have a line of the log each; the others are counted.
pub const PAST_LOGGED_MAX: usize = 20;
/// Of schedules that are doubtful, a configuration names so many; the others are counted.
pub const DOUBTFUL_SCHEDULES_MAX: usize = 20;
/// How many times `headgate cron next` gives unless it is told otherwise.
pub const CRON_NEXT_DEFAULT: usize = 5;
/// The most times that one question to `headgate cron next` gives.
pub const CRON_NEXT_MAX: usize = 1_000;
/// The longest line of `headgate cron next --batch`, in bytes.
pub const CRON_QUESTION_BYTES_MAX: usize = 64 << 10;
/// The longest cron expression, in bytes.
pub const CRON_EXPRESSION_BYTES_MAX: usize = 512;
/// The longest gap of a wall clock that is summer time and no change of the calendar, in seconds.
/// Times in a longer one never come (cronie: a correction of the clock).
pub const DST_GAP_S_MAX: i64 = 3 * 3600;
/// The most civil times of one gap that its occurrence lists.
pub const NOMINAL_TIMES_MAX: usize = 100;
/// The most stretches of one offset that the search for an occurrence goes through.
pub const OFFSET_SPANS_WALKED_MAX: usize = 4096;
/// How many seconds on the search goes after a schedule that answers with the past.
pub const CIVIL_RETRY_S_MAX: i64 = 8;
/// The most changes of the offset that the data of one time zone may hold, 1970 to 2099.
pub const ZONE_CHANGES_MAX: usize = 4096;
/// The largest file of a zoneinfo folder that is read, in bytes.
pub const ZONE_FILE_BYTES_MAX: usize = 1 << 20;
/// Zone data older than this is worth a warning: governments change their clocks each year.
pub const ZONE_DATA_AGE_MAX: Duration = Duration::from_secs(180 * 24 * 3600);
/// How far ahead a schedule is compared with the turns of the wall clock: 13 months.
pub const TURNS_AHEAD: Duration = Duration::from_secs(396 * 24 * 3600);

const _: () = assert!(
    // An occurrence is caught up within the window after it was due, a jitter later at most: it is
    // known as fired for as long.
    CATCHUP_WINDOW_MAX.as_secs() + SCHEDULE_JITTER_MAX.as_secs() + 24 * 3600
        <= DEDUPE_WINDOW_MAX.as_secs()
);
const _: () = assert!(CATCHUP_WINDOW_DEFAULT.as_secs() <= CATCHUP_WINDOW_MAX.as_secs());
const _: () = assert!(CATCHUP_LIMIT_DEFAULT <= CATCHUP_LIMIT_MAX);
const _: () = assert!(CRON_SLEEP_MAX.as_secs() < CRON_LATE_MAX.as_secs());
const _: () = assert!(CRON_BATCH_BYTES_MAX + SCHEDULE_PAYLOAD_BYTES_MAX < ACCEPT_BYTES_MAX / 4);
const _: () = assert!(CRON_BATCH_FIRINGS_MAX <= DRAFTS_PER_ACCEPT_MAX);
const _: () = assert!(CRON_BACKLOG_BATCHES_MAX < CRON_BATCHES_AT_ONCE_MAX);
/// How often the system is asked for newer zone data.
pub const ZONES_LOOK_EVERY: Duration = Duration::from_secs(24 * 3600);
/// How many timings and rules may be kept that no schedule uses, beside as many as are in use.
pub const TIMINGS_UNUSED_MAX: usize = 4_096;
/// Of how many different timings it is remembered when they are due, while schedules are loaded.
pub const TIMINGS_LOOKED_MAX: usize = 65_536;
/// How soon new zone data that schedules could not be told of is told again.
pub const ZONES_RETRY_AFTER: Duration = Duration::from_secs(60);
