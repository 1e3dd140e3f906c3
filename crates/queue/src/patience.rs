//! Waiting for something to lease: new events, deliveries that become ready, or the end of the
//! caller's patience.

use crate::Seq;
use std::time::Duration;
use tokio::{sync::watch, time::Instant};

/// How long a caller still waits, and what wakes it.
#[derive(Debug)]
pub(crate) struct Patience {
    until: Instant,
    head: watch::Receiver<Seq>,
    changes: watch::Receiver<u64>,
}

impl Patience {
    /// Patience that lasts `wait`, woken by new events and by changes of the subscription.
    pub(crate) fn new(
        wait: Duration,
        head: watch::Receiver<Seq>,
        changes: watch::Receiver<u64>,
    ) -> Self {
        Self { until: Instant::now() + wait, head, changes }
    }

    /// Notes what has happened so far. To be called before looking, so that whatever comes after
    /// the look wakes.
    pub(crate) fn before_look(&mut self) -> Seq {
        self.changes.mark_unchanged();
        *self.head.borrow_and_update()
    }

    /// Waits until something may be ready, at the latest for `longest`; `false` when the patience
    /// is at its end.
    pub(crate) async fn rest(&mut self, longest: Option<Duration>) -> bool {
        let now = Instant::now();
        if self.until <= now {
            return false;
        }
        // A moment that is past by the queue's clock but did not come yet must not spin.
        let pause = longest.map(|longest| now + longest.max(Duration::from_millis(1)));
        let wake_at = pause.map_or(self.until, |pause| pause.min(self.until));
        tokio::select! {
            Ok(()) = self.head.changed() => {}
            Ok(()) = self.changes.changed() => {}
            () = tokio::time::sleep_until(wake_at) => {}
        }
        true
    }
}
