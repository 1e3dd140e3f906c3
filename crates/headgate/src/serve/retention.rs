//! Removes what is past retention, again and again while the gateway runs, and notes how large the
//! log is. What to remove, and in
//! which order, is the queue's part.

use headgate_event::limits::{RETENTION_AGE_PARTS, RETENTION_EVERY_MAX, RETENTION_EVERY_MIN};
use headgate_queue::{Embedded, Retention};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Keeps the queue to this retention until the gateway stops.
pub(super) async fn keep_to(
    retention: Retention,
    queue: Arc<Embedded>,
    mut stop: watch::Receiver<bool>,
) {
    if retention == Retention::default() {
        tracing::info!("no event is ever removed: `queue.retention` is not configured");
    }
    let every = every(retention);
    loop {
        if retention != Retention::default()
            && let Err(error) = queue.retain(retention).await
        {
            tracing::error!(%error, "events past retention could not be removed");
        }
        if let Err(error) = queue.note_log().await {
            tracing::warn!(%error, "the size of the log cannot be told");
        }
        tokio::select! {
            () = tokio::time::sleep(every) => {}
            // An error says that whoever could say stop is gone.
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// How long to wait between two looks: short against the age, and short for bytes.
fn every(retention: Retention) -> Duration {
    let part = retention.age.map_or(RETENTION_EVERY_MAX, |age| age / RETENTION_AGE_PARTS);
    part.clamp(RETENTION_EVERY_MIN, RETENTION_EVERY_MAX)
}
