//! What is due, in pieces that one call of the sink takes.

use super::{ClockReset, Firing, Missed};
use headgate_event::{
    EventId, Timestamp,
    limits::{
        CRON_BATCH_BYTES_MAX, CRON_BATCH_FIRINGS_MAX, CRON_BATCH_QUESTIONS_MAX,
        CRON_BATCH_STEPS_MAX,
    },
};
use uuid::Uuid;

/// What is due, as much as one call of the sink takes.
#[derive(Debug, Default)]
pub struct Batch {
    /// The time it was asked for.
    pub now: Timestamp,
    /// The events to be made, what is due first first.
    pub firings: Vec<Firing>,
    /// What would be missed, unless it fired before a crash and that was not stored: for each the
    /// queue is to be asked whether it has an event. Those of one schedule stand together.
    pub questions: Vec<Firing>,
    /// What did not fire.
    pub missed: Vec<Missed>,
    /// Schedules that begin anew, because the clock was set back.
    pub reset: Option<ClockReset>,
    /// Whether more is due.
    pub more: bool,
    /// Which of the batches that are stored side by side it is.
    pub(super) number: usize,
    /// The slots whose cursor is to be stored.
    pub(super) moved: Vec<u32>,
    /// Occurrences computed for it, and for those before it that are stored beside it.
    pub(super) steps: u64,
    /// Bytes of payloads in it.
    pub(super) bytes: usize,
}

/// What became of a firing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is stored under this id.
    Stored(EventId),
    /// It was stored before, and its cursor was not: a crash came between.
    Known(EventId),
    /// It was left out: the event before is unsettled.
    Overlapped,
    /// To a question: there is no event of it.
    Unknown,
}

/// What is left to do for a batch whose events are stored.
#[derive(Debug, Default)]
pub struct Settled {
    /// The schedules whose [cursors](super::Ticker::cursors) are to be stored.
    pub moved: Vec<Uuid>,
    /// What was left out because the event before was unsettled.
    pub missed: Vec<Missed>,
}

impl Batch {
    pub(super) fn has_room(&self) -> bool {
        self.firings.len() < CRON_BATCH_FIRINGS_MAX
            && self.missed.len() < CRON_BATCH_FIRINGS_MAX
            && self.questions.len() < CRON_BATCH_QUESTIONS_MAX
            && self.bytes < CRON_BATCH_BYTES_MAX
            && self.steps < CRON_BATCH_STEPS_MAX
    }

    /// Whether it has nothing to store or to tell.
    pub(super) fn is_empty(&self) -> bool {
        self.moved.is_empty() && self.questions.is_empty() && self.reset.is_none()
    }
}
