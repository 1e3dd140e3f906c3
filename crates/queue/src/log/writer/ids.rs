//! Ids that rise whatever the clock does.

use crate::log::random;
use headgate_event::{EventId, Timestamp};

/// Gives ids, each greater than the one before it.
#[derive(Debug)]
pub(super) struct Ids {
    last: EventId,
}

impl Ids {
    /// Goes on after this id; all zero when there is none.
    pub(super) fn after(last: EventId) -> Self {
        Self { last }
    }

    /// The newest id.
    pub(super) fn last(&self) -> EventId {
        self.last
    }

    /// The next id. Its time is never before `at` and never before that of the last id.
    pub(super) fn next(&mut self, at: Timestamp) -> EventId {
        let next = if at > self.last.time() {
            EventId::from_parts(at, self.random())
        } else {
            self.last.next()
        };
        // A time that an id cannot hold is cut to the last it can, which may be that of the last.
        self.last = if next > self.last { next } else { self.last.next() };
        self.last
    }

    /// Goes on after ids that were given elsewhere; `false`, and nothing is changed, when one is
    /// not after the one before it.
    pub(super) fn take(&mut self, given: impl Iterator<Item = EventId>) -> bool {
        let mut last = self.last;
        for id in given {
            if id <= last {
                return false;
            }
            last = id;
        }
        self.last = last;
        true
    }

    /// Random bits; those of the last id counted on if the system has none. The order of ids
    /// does not rest on them, they only keep apart the ids of two installations.
    fn random(&self) -> u128 {
        let mut bytes = [0; 16];
        if random::fill(&mut bytes[..10]).is_err() {
            return u128::from_be_bytes(self.last.next().to_bytes());
        }
        u128::from_le_bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_rise_when_the_clock_goes_back_and_forward() {
        let (hour, year) = (3_600_000, 365 * 24 * 3_600_000_i64);
        let now = 1_763_687_123_456;
        let mut ids = Ids::after(EventId::from_bytes([0; 16]));
        let mut last = EventId::from_bytes([0; 16]);
        for ms in [now, now, now - hour, now + 1, now + year, now + 2, now - year, -5, 0, now] {
            let next = ids.next(Timestamp::from_unix_ms(ms));
            assert!(next > last, "{ms}");
            assert!(next.time().unix_ms() >= ms);
            last = next;
        }
        assert_eq!(last.time().unix_ms(), now + year);
    }

    #[test]
    fn a_time_beyond_what_an_id_holds_does_not_break_the_order() {
        let mut ids = Ids::after(EventId::from_bytes([0; 16]));
        let far = Timestamp::from_unix_ms(i64::MAX);
        let (first, second) = (ids.next(far), ids.next(far));
        assert!(second > first);
    }
}
