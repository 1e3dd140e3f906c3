//! What is counted of pushes.

use metrics::{counter, gauge, histogram};
use std::time::Duration;

/// What is counted of one push.
#[derive(Clone, Debug)]
pub(crate) struct Measures {
    subscription: String,
}

impl Measures {
    pub(crate) fn new(subscription: &str) -> Self {
        Self { subscription: subscription.to_owned() }
    }

    /// An attempt has ended.
    pub(crate) fn attempt(&self, outcome: &'static str, took: Duration) {
        let subscription = self.subscription.clone();
        counter!(
            "headgate_push_attempts_total", "subscription" => subscription, "outcome" => outcome
        )
        .increment(1);
        histogram!("headgate_push_attempt_seconds").record(took.as_secs_f64());
    }

    /// Whether its breaker is open.
    pub(crate) fn breaker(&self, open: f64) {
        gauge!("headgate_push_breaker_open", "subscription" => self.subscription.clone()).set(open);
    }

    /// Its endpoint is gone, and it is paused.
    pub(crate) fn paused(&self) {
        counter!("headgate_push_paused_total", "subscription" => self.subscription.clone())
            .increment(1);
    }
}

/// How many endpoints there are.
pub(crate) fn endpoints(count: usize) {
    gauge!("headgate_push_endpoints").set(count as f64);
}
