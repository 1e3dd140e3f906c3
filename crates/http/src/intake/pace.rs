//! How fast a body has to come: never still for long, and past a grace not below a rate.

use super::IntakeOptions;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, timeout_at};

/// The deadlines of one body.
#[derive(Debug)]
pub(super) struct Pace {
    started: Instant,
    idle: Duration,
    grace: Duration,
    bytes_per_second_min: u64,
    bytes: u64,
}

/// A body that came too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Slow {
    #[error("the body stood still for {} s", .0.as_secs_f32())]
    Idle(Duration),
    #[error("the body came at less than {0} bytes a second")]
    Rate(u64),
}

impl Pace {
    pub(super) fn new(options: &IntakeOptions, started: Instant) -> Self {
        Self {
            started,
            idle: options.idle_timeout,
            grace: options.grace_timeout,
            bytes_per_second_min: options.bytes_per_second_min.max(1),
            bytes: 0,
        }
    }

    /// Notes bytes that came.
    pub(super) fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Waits for the next part of the body, as long as that may take.
    pub(super) async fn within<F: Future>(&self, part: F) -> Result<F::Output, Slow> {
        let (deadline, slow) = self.deadline(Instant::now());
        timeout_at(deadline, part).await.map_err(|_| slow)
    }

    /// Until when the next part has to come, and what is said when it does not.
    fn deadline(&self, now: Instant) -> (Instant, Slow) {
        let still = now + self.idle;
        let earned = Duration::from_millis(
            self.bytes.saturating_mul(1000).div_euclid(self.bytes_per_second_min),
        );
        let overall = self.started + self.grace + earned;
        if overall < still {
            (overall, Slow::Rate(self.bytes_per_second_min))
        } else {
            (still, Slow::Idle(self.idle))
        }
    }
}
