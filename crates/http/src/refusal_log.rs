//! Which refusals are worth a line in the log: the first of its kind in a while, with a count of
//! those since the line before it. A scanner or a wrong secret would fill the log otherwise.

use headgate_event::{Timestamp, limits::REFUSAL_LOG_EVERY};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

/// What was logged last of each channel and code. Channels are configured and codes are ours, so
/// there are only so many of both.
#[derive(Debug, Default)]
pub struct RefusalLog {
    kinds: Mutex<BTreeMap<(String, &'static str), Kind>>,
}

/// One channel with one code.
#[derive(Debug)]
struct Kind {
    logged_at: Timestamp,
    suppressed: u64,
}

impl RefusalLog {
    /// How many were not logged since the last line of this channel and code, when this one is to
    /// be logged; `None` when it is not.
    pub fn count(&self, channel: &str, code: &'static str, now: Timestamp) -> Option<u64> {
        let mut kinds = self.kinds.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(kind) = kinds.get_mut(&(channel.to_owned(), code)) else {
            let first = Kind { logged_at: now, suppressed: 0 };
            kinds.insert((channel.to_owned(), code), first);
            return Some(0);
        };
        // A clock that was set back must not silence the log until it has caught up.
        let due = now < kind.logged_at || now.since(kind.logged_at) >= REFUSAL_LOG_EVERY;
        if !due {
            kind.suppressed += 1;
            return None;
        }
        kind.logged_at = now;
        Some(std::mem::take(&mut kind.suppressed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn at(second: i64) -> Timestamp {
        Timestamp::from_unix_s(1_776_590_125 + second)
    }

    #[test]
    fn the_first_of_a_kind_is_logged_and_the_next_after_a_minute_with_a_count() {
        let log = RefusalLog::default();
        assert_eq!(log.count("a", "signature_mismatch", at(0)), Some(0));
        assert_eq!(log.count("a", "signature_mismatch", at(1)), None);
        assert_eq!(log.count("a", "signature_mismatch", at(59)), None);
        assert_eq!(log.count("a", "missing_signature", at(59)), Some(0));
        assert_eq!(log.count("b", "signature_mismatch", at(59)), Some(0));
        assert_eq!(log.count("a", "signature_mismatch", at(60)), Some(2));
        assert_eq!(log.count("a", "signature_mismatch", at(61)), None);
    }

    #[test]
    fn a_clock_that_is_set_back_does_not_silence_the_log() {
        let log = RefusalLog::default();
        assert_eq!(log.count("a", "signature_mismatch", at(7200)), Some(0));
        assert_eq!(log.count("a", "signature_mismatch", at(0)), Some(0));
    }
}
