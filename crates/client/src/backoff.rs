//! How long to wait before the next try: twice as long each time, and never all at one moment.

use crate::limits::{WAIT_ASKED_MAX, WAIT_FIRST, WAIT_LONGEST};
use std::time::Duration;

/// The waits of one row of failures, as the client keeps them: from a quarter of a second to half a
/// minute, with jitter. Calls of your own may wait so, too.
#[derive(Clone, Debug, Default)]
pub struct Backoff {
    failures: u32,
}

impl Backoff {
    /// What was tried succeeded: the next wait is the first again.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The next wait; at least `asked`, when the other side asked for one (five minutes at most).
    pub fn next(&mut self, asked: Option<Duration>) -> Duration {
        let whole = WAIT_FIRST.saturating_mul(1 << self.failures.min(16)).min(WAIT_LONGEST);
        self.failures = self.failures.saturating_add(1);
        // Between half of it and all of it, so that many clients do not come at once.
        let wait = whole / 2 + (whole / 2).mul_f64(chance());
        asked.unwrap_or_default().min(WAIT_ASKED_MAX).max(wait)
    }
}

/// A number from 0 to 1; one half when the system has no randomness to give.
fn chance() -> f64 {
    getrandom::u32().map_or(0.5, |number| f64::from(number) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_their_longest_and_begin_anew_after_a_success() {
        let mut backoff = Backoff::default();
        let first = backoff.next(None);
        assert!(first >= WAIT_FIRST / 2 && first <= WAIT_FIRST, "{first:?}");
        let waits: Vec<Duration> = (0..40).map(|_| backoff.next(None)).collect();
        assert!(waits.iter().all(|wait| *wait <= WAIT_LONGEST));
        assert!(waits.last().is_some_and(|wait| *wait >= WAIT_LONGEST / 2));
        backoff.reset();
        assert!(backoff.next(None) <= WAIT_FIRST);
    }

    #[test]
    fn what_the_gateway_asks_for_is_kept_within_reason() {
        let mut backoff = Backoff::default();
        assert_eq!(backoff.next(Some(Duration::from_secs(60))), Duration::from_secs(60));
        assert_eq!(backoff.next(Some(Duration::from_secs(9_999))), WAIT_ASKED_MAX);
    }
}
