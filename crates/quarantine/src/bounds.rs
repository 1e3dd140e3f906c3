//! How much the quarantine keeps.

use headgate_event::limits::{
    QUARANTINE_AGE_DEFAULT, QUARANTINE_BYTES_DEFAULT, QUARANTINE_COUNT_DEFAULT, QUARANTINE_PARTS,
};
use std::time::Duration;

/// How much the quarantine keeps. What is over a bound leaves first where there is most of it: of
/// the channel that has most, of the code of which that has most, the oldest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The most rejections.
    pub count: u64,
    /// The most bytes: heads, bodies and what is noted beside them.
    pub bytes: u64,
    /// How long a rejection is kept.
    pub age: Duration,
}

impl Bounds {
    /// The most bytes that one rejection takes with its body; a larger one is kept without.
    pub(crate) fn one_bytes_max(self) -> u64 {
        self.bytes / QUARANTINE_PARTS
    }
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            count: QUARANTINE_COUNT_DEFAULT,
            bytes: QUARANTINE_BYTES_DEFAULT,
            age: QUARANTINE_AGE_DEFAULT,
        }
    }
}
