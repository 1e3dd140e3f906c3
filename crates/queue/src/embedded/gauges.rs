//! The metrics that say how things stand, set when somebody asks.

use super::Embedded;
use crate::{QueueError, SubscriptionStatus};
use metrics::gauge;
use std::time::Duration;

impl Embedded {
    /// Sets the gauges of the queue. To be called before the metrics are read.
    pub async fn refresh_metrics(&self) -> Result<(), QueueError> {
        let head = *self.log.head().borrow();
        gauge!("headgate_index_lag_events").set(float(head.saturating_sub(self.index.last())));
        self.note_log().await?;
        for status in self.statuses().await? {
            set(&status);
        }
        Ok(())
    }

    /// Sets the gauges of the log: its bytes and segments, and the age of the oldest event.
    pub async fn note_log(&self) -> Result<(), QueueError> {
        let segments = self.log.segments();
        let bytes = segments.iter().map(|segment| segment.bytes).sum();
        gauge!("headgate_log_bytes").set(float(bytes));
        gauge!("headgate_log_segments").set(float(segments.len() as u64));
        let first = self.log.first_seq();
        let oldest = self.reading(move |reading| reading.locate(first)).await?;
        let age =
            oldest.map_or_else(Duration::default, |one| self.clock.now().since(one.created_at));
        gauge!("headgate_oldest_event_seconds").set(age.as_secs_f64());
        Ok(())
    }
}

fn set(status: &SubscriptionStatus) {
    let name = || status.spec.name.clone();
    gauge!("headgate_subscription_lag", "subscription" => name()).set(float(status.lag));
    gauge!("headgate_subscription_in_flight", "subscription" => name())
        .set(float(status.in_flight));
    gauge!("headgate_subscription_waiting", "subscription" => name()).set(float(status.waiting));
    gauge!("headgate_subscription_dead_letters", "subscription" => name()).set(float(status.dead));
    gauge!("headgate_subscription_expired", "subscription" => name()).set(float(status.expired));
    gauge!("headgate_subscription_oldest_unsettled_seconds", "subscription" => name())
        .set(float(status.oldest_unsettled_ms.unwrap_or(0)) / 1_000.0);
}

/// Takes a subscription that is gone out of what is shown.
pub(super) fn clear(name: &str) {
    let spec = crate::SubscriptionSpec::new(name);
    let created_at = headgate_event::Timestamp::default();
    let (lag, in_flight, waiting, dead, expired) = (0, 0, 0, 0, 0);
    let oldest_unsettled_ms = None;
    set(&SubscriptionStatus {
        spec,
        created_at,
        lag,
        in_flight,
        waiting,
        dead,
        expired,
        oldest_unsettled_ms,
    });
}

#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn float(count: u64) -> f64 {
    count as f64
}
