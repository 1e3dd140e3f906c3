//! Whether an event of a schedule is stored, and still to be settled, as the queue knows.

use headgate_cron::{KnownRuns, Unsettled};
use headgate_event::{BoxFuture, Clock, Dedupe, EventId, StoreError, limits::STORE_RETRY_AFTER};
use headgate_queue::{Embedded, QueueError};
use std::sync::Arc;

/// The deliveries of the queue.
pub(crate) struct Deliveries(pub(crate) Arc<Embedded>);

impl Unsettled for Deliveries {
    fn is_unsettled<'a>(
        &'a self,
        subscription: &'a str,
        event: EventId,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move { self.0.is_unsettled(subscription, event).await.map_err(unavailable) })
    }
}

/// The events of the queue, by their dedupe keys.
pub(crate) struct Stored {
    pub(crate) queue: Arc<Embedded>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl KnownRuns for Stored {
    fn known(
        &self,
        keys: Vec<(String, Dedupe)>,
    ) -> BoxFuture<'_, Result<Vec<Option<EventId>>, StoreError>> {
        let now = self.clock.now();
        Box::pin(async move { self.queue.known_as(keys, now).await.map_err(unavailable) })
    }
}

fn unavailable(error: QueueError) -> StoreError {
    StoreError::Unavailable { reason: error.to_string(), retry_after: STORE_RETRY_AFTER }
}
