//! Removes what is past retention, again and again while the gateway runs, and notes how large the
//! log is. What to remove, and in
//! which order, is the queue's part.

use headgate_event::limits::{RETENTION_AGE_PARTS, RETENTION_EVERY_MAX, RETENTION_EVERY_MIN};
use headgate_queue::{Embedded, Retention};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// Keeps the queue to this retention, which may change, until the gateway stops.
pub(super) async fn keep_to(
    mut retention: watch::Receiver<Retention>,
    queue: Arc<Embedded>,
    mut stop: watch::Receiver<bool>,
) {
    let mut told = false;
    loop {
        let wanted = *retention.borrow_and_update();
        if wanted != Retention::default() {
            told = false;
            if let Err(error) = queue.retain(wanted).await {
                tracing::error!(%error, "events past retention could not be removed");
            }
        } else if !std::mem::replace(&mut told, true) {
            tracing::info!("no event is ever removed: `queue.retention` is not configured");
        }
        if let Err(error) = queue.note_oldest().await {
            tracing::warn!(%error, "the size of the log cannot be told");
        }
        tokio::select! {
            () = tokio::time::sleep(every(wanted)) => {}
            Ok(()) = retention.changed() => {}
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
