//! Removes what is past retention, again and again while the gateway runs, and notes how large the
//! log is. What to remove, and in which order, is the queue's part, and so is what to think of the
//! clock, which it looks at where nothing is to go, too.

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
        let keeps_all = wanted == Retention::default();
        if keeps_all && !told {
            tracing::info!("no event is ever removed: `queue.retention` is not configured");
        }
        told = keeps_all;
        if let Err(error) = queue.retain(wanted).await {
            tracing::error!(%error, "events past retention could not be removed");
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

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_event::{Clock, Timestamp};
    use headgate_queue::{EmbeddedOptions, Queue};
    use headgate_testkit::ManualClock;

    /// Tells who looks at the clock that nobody sets.
    #[derive(Debug)]
    struct Watched {
        clock: ManualClock,
        looks: watch::Sender<u32>,
    }

    impl Clock for Watched {
        fn now(&self) -> Timestamp {
            self.clock.now()
        }

        fn elapsed(&self) -> Duration {
            self.looks.send_modify(|looks| *looks += 1);
            self.clock.elapsed()
        }
    }

    #[tokio::test]
    async fn the_clock_is_looked_at_where_nothing_is_to_be_removed() {
        let noon = "2026-11-21T12:00:00Z".parse().expect("a time");
        let watched = Watched { clock: ManualClock::at(noon), looks: watch::Sender::new(0) };
        let watched = Arc::new(watched);
        let folder = tempfile::TempDir::new().expect("a folder");
        let clock: Arc<dyn Clock> = Arc::clone(&watched) as _;
        let queue = Embedded::open(folder.path(), clock, EmbeddedOptions::default());
        let queue = Arc::new(queue.expect("opens"));
        let mut looks = watched.looks.subscribe();
        let opened = *looks.borrow_and_update();
        let (_retention, wanted) = watch::channel(Retention::default());
        let (stop, stopping) = watch::channel(false);
        let keeping = tokio::spawn(keep_to(wanted, Arc::clone(&queue), stopping));
        let looked = looks.wait_for(|looks| *looks > opened);
        tokio::time::timeout(Duration::from_secs(50), looked).await.expect("it looks").expect("is");
        stop.send_replace(true);
        keeping.await.expect("ended");
        queue.close().await;
    }
}
