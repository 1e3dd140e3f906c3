//! How fast a body has to come: never still for long, and past a grace not below a rate.

use headgate_event::limits;
use std::{future::Future, time::Duration};
use tokio::time::{Instant, timeout_at};

/// How fast a body has to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PaceLimits {
    /// How long it may stand still.
    pub idle_timeout: Duration,
    /// How long it may take before its rate counts.
    pub grace_timeout: Duration,
    /// The slowest rate beyond the grace, in bytes a second.
    pub bytes_per_second_min: u64,
}

/// The deadlines of one body.
#[derive(Debug)]
pub struct Pace {
    limits: PaceLimits,
    started: Instant,
    bytes: u64,
}

/// A body that came too slowly.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Slow {
    /// Nothing came for so long.
    #[error("the body stood still for {} s", .0.as_secs_f32())]
    Idle(Duration),
    /// It came at less than so many bytes a second.
    #[error("the body came at less than {0} bytes a second")]
    Rate(u64),
}

impl Default for PaceLimits {
    /// The limits of `headgate_event::limits`.
    fn default() -> Self {
        Self {
            idle_timeout: limits::BODY_IDLE_TIMEOUT,
            grace_timeout: limits::BODY_GRACE_TIMEOUT,
            bytes_per_second_min: limits::BODY_BYTES_PER_SECOND_MIN,
        }
    }
}

impl Slow {
    /// The code of the answer to such a body.
    pub const CODE: &str = "body_too_slow";
}

impl Pace {
    /// A body that begins to come at `started`.
    #[must_use]
    pub fn new(limits: PaceLimits, started: Instant) -> Self {
        Self { limits, started, bytes: 0 }
    }

    /// Notes bytes that came.
    pub fn count(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_add(bytes as u64);
    }

    /// Waits for the next part of the body, as long as that may take.
    pub async fn within<F: Future>(&self, part: F) -> Result<F::Output, Slow> {
        let (deadline, slow) = self.deadline(Instant::now());
        timeout_at(deadline, part).await.map_err(|_| slow)
    }

    /// Until when the next part has to come, and what is said when it does not.
    fn deadline(&self, now: Instant) -> (Instant, Slow) {
        let PaceLimits { idle_timeout, grace_timeout, bytes_per_second_min } = self.limits;
        let still = now + idle_timeout;
        let earned = Duration::from_millis(
            self.bytes.saturating_mul(1000).div_euclid(bytes_per_second_min.max(1)),
        );
        let overall = self.started + grace_timeout + earned;
        if overall < still {
            (overall, Slow::Rate(bytes_per_second_min))
        } else {
            (still, Slow::Idle(idle_timeout))
        }
    }
}
