//! Whether the client of a stream is still there.

use headgate_event::limits::BODY_BYTES_PER_SECOND_MIN;
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// How long a client may still be silent.
///
/// A client that takes a large frame over a slow line answers no ping until it has it, so what is
/// sent gives it time: as much as the slowest line that is served needs.
#[derive(Debug)]
pub(super) struct Life {
    silence_max: Duration,
    until: Mutex<Instant>,
}

impl Life {
    pub(super) fn new(silence_max: Duration) -> Self {
        Self { silence_max, until: Mutex::new(Instant::now() + silence_max) }
    }

    /// The client said something.
    pub(super) fn heard(&self) {
        self.lasts(self.silence_max);
    }

    /// A frame of so many bytes is sent to it.
    pub(super) fn sending(&self, bytes: usize) {
        self.lasts(Duration::from_secs(bytes as u64 / BODY_BYTES_PER_SECOND_MIN));
    }

    /// Resolves when the client has been silent for too long.
    pub(super) async fn over(&self) {
        loop {
            let until = *self.until();
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    fn lasts(&self, span: Duration) {
        let mut until = self.until();
        *until = (*until).max(Instant::now() + span);
    }

    fn until(&self) -> MutexGuard<'_, Instant> {
        self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn silence_counts_from_the_last_word() {
        let begun = Instant::now();
        let life = Life::new(Duration::from_secs(100));
        tokio::time::advance(Duration::from_secs(60)).await;
        life.heard();
        life.over().await;
        assert_eq!(begun.elapsed().as_secs(), 160);
    }

    #[tokio::test(start_paused = true)]
    async fn a_large_frame_gives_time_and_small_ones_do_not_keep_the_dead_alive() {
        let begun = Instant::now();
        let life = Life::new(Duration::from_secs(100));
        life.sending(16 << 20);
        life.sending(1 << 10);
        life.over().await;
        assert_eq!(begun.elapsed().as_secs(), 1_024);

        let begun = Instant::now();
        let life = Life::new(Duration::from_secs(100));
        for _ in 0..99 {
            tokio::time::advance(Duration::from_secs(1)).await;
            life.sending(1 << 10);
        }
        life.over().await;
        assert_eq!(begun.elapsed().as_secs(), 100);
    }
}
