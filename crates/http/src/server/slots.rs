//! How many connections there are, and room for one more.

use metrics::gauge;
use std::sync::Arc;
use tokio::sync::watch;

const GAUGE: &str = "headgate_http_connections";

/// Room for connections.
#[derive(Clone, Debug)]
pub(super) struct Slots {
    taken: Arc<watch::Sender<usize>>,
    max: usize,
}

/// The room of one connection. Held by its bytes, so that a connection counts as long as its
/// socket is open, also when it speaks another protocol.
#[derive(Debug)]
pub(super) struct Slot(Arc<watch::Sender<usize>>);

impl Slots {
    pub(super) fn new(max: usize) -> Self {
        Self { taken: Arc::new(watch::Sender::new(0)), max }
    }

    /// Waits until there is room. Only one task may take slots.
    pub(super) async fn room(&self) {
        // The wait ends only with the sender, which is here.
        let _ = self.taken.subscribe().wait_for(|taken| *taken < self.max).await;
    }

    /// Takes the room for a connection.
    pub(super) fn take(&self) -> Slot {
        self.taken.send_modify(|taken| *taken += 1);
        gauge!(GAUGE).increment(1.0);
        Slot(Arc::clone(&self.taken))
    }

    /// How many connections there are.
    pub(super) fn taken(&self) -> usize {
        *self.taken.borrow()
    }

    /// Waits until there is no connection.
    pub(super) async fn all_free(&self) {
        let _ = self.taken.subscribe().wait_for(|taken| *taken == 0).await;
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.send_modify(|taken| *taken -= 1);
        gauge!(GAUGE).decrement(1.0);
    }
}
