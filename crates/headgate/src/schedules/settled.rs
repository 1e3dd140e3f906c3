//! Whether an event of a schedule is still to be settled, as the queue knows.

use headgate_cron::Unsettled;
use headgate_event::{BoxFuture, EventId, StoreError, limits::STORE_RETRY_AFTER};
use headgate_queue::Embedded;
use std::sync::Arc;

/// The deliveries of the queue.
pub(crate) struct Deliveries(pub(crate) Arc<Embedded>);

impl Unsettled for Deliveries {
    fn is_unsettled<'a>(
        &'a self,
        subscription: &'a str,
        event: EventId,
    ) -> BoxFuture<'a, Result<bool, StoreError>> {
        Box::pin(async move {
            self.0.is_unsettled(subscription, event).await.map_err(|error| {
                StoreError::Unavailable {
                    reason: error.to_string(),
                    retry_after: STORE_RETRY_AFTER,
                }
            })
        })
    }
}
