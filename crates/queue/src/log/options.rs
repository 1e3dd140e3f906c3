//! What may be set when a log is opened.

use crate::Seq;
use headgate_event::limits::{
    DEDUPE_KEPT_EVENTS, DISK_FREE_BYTES_MIN, INDEX_LAG_EVENTS_MAX, INDEX_LAG_WAIT,
    SEGMENT_BYTES_MAX,
};
use std::time::Duration;

/// What may be set when a log is opened.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogOptions {
    /// A segment with more bytes than this gets no further batch.
    pub segment_bytes_max: u64,
    /// The newest event that the index holds; `None` when it holds all that are stored.
    pub indexed: Option<Seq>,
    /// How many events may wait for the index before `append` waits too.
    pub index_lag_events_max: u64,
    /// How long it waits then.
    pub index_lag_wait: Duration,
    /// What is kept free on the disk: below it nothing is taken.
    pub disk_free_bytes_min: u64,
    /// How many dedupe keys are kept in memory although the index has them.
    pub dedupe_kept_events: u64,
}

impl Default for LogOptions {
    fn default() -> Self {
        Self {
            segment_bytes_max: SEGMENT_BYTES_MAX,
            indexed: None,
            index_lag_events_max: INDEX_LAG_EVENTS_MAX,
            index_lag_wait: INDEX_LAG_WAIT,
            disk_free_bytes_min: DISK_FREE_BYTES_MIN,
            dedupe_kept_events: DEDUPE_KEPT_EVENTS,
        }
    }
}
