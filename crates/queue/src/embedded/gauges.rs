//! The metrics that say how things stand, set when somebody asks.
//!
//! What is known of each subscription is not here: the API writes it, so that a subscription that
//! ended leaves nothing behind.

use super::Embedded;
use crate::QueueError;
use metrics::gauge;
use std::time::Duration;

impl Embedded {
    /// Sets the gauges of the log and of its index. To be called before the metrics are read.
    #[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
    pub fn measure(&self) {
        let head = *self.log.head().borrow();
        let (segments, bytes) = self.log.size();
        gauge!("headgate_index_lag_events").set(head.saturating_sub(self.index.last()) as f64);
        gauge!("headgate_log_segments").set(segments as f64);
        gauge!("headgate_log_bytes").set(bytes as f64);
        let stored = (head + 1).saturating_sub(self.log.first_seq());
        gauge!("headgate_log_events").set(stored as f64);
    }

    /// Sets the gauge of the oldest event's age. It may read the index.
    pub async fn note_oldest(&self) -> Result<(), QueueError> {
        let first = self.log.first_seq();
        let oldest = self.reading(move |reading| reading.locate(first)).await?;
        let age =
            oldest.map_or_else(Duration::default, |one| self.clock.now().since(one.created_at));
        gauge!("headgate_oldest_event_seconds").set(age.as_secs_f64());
        Ok(())
    }
}
