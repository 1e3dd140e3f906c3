//! How replays and live deliveries share what a subscription gives.
//!
//! Live events go first. So that a subscription that is never idle does not hold a replay up for
//! ever, one delivery in [`REPLAY_SHARE_PARTS`] is a replay's also then, and never more. What live
//! events do not use is the replays'.

use headgate_event::limits::REPLAY_SHARE_PARTS;

/// What is owed to replays, in parts of a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Share {
    parts: usize,
}

impl Share {
    /// How many of the next `max` deliveries are the replays', however many live ones there are.
    pub(crate) fn reserved(self, max: usize) -> usize {
        ((self.parts + max) / REPLAY_SHARE_PARTS).min(max)
    }

    /// Notes what was given. What replays could have had and did not take is not owed to them.
    pub(crate) fn note(&mut self, live: usize, replayed: usize) {
        let parts = self.parts + live + replayed;
        let left = parts.saturating_sub(replayed * REPLAY_SHARE_PARTS);
        self.parts = left.min(REPLAY_SHARE_PARTS - 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Gives `max` deliveries of these that are ready, as a lease does.
    fn give(share: &mut Share, max: usize, live: usize, replayed: usize) -> (usize, usize) {
        let reserved = share.reserved(max).min(replayed);
        let live = live.min(max - reserved);
        let replayed = replayed.min(max - live);
        share.note(live, replayed);
        (live, replayed)
    }

    proptest! {
        #[test]
        fn a_replay_never_takes_more_than_its_part_from_live_events_that_wait(
            asks in proptest::collection::vec(1_usize..40, 1..200),
        ) {
            let (mut share, mut live, mut replayed) = (Share::default(), 0, 0);
            for max in asks {
                let given = give(&mut share, max, usize::MAX, usize::MAX);
                prop_assert_eq!(given.0 + given.1, max, "nothing is left out");
                (live, replayed) = (live + given.0, replayed + given.1);
                prop_assert!(replayed * REPLAY_SHARE_PARTS <= live + replayed);
                prop_assert!((replayed + 1) * REPLAY_SHARE_PARTS > live + replayed, "nor starved");
            }
        }

        #[test]
        fn what_live_events_do_not_use_is_the_replays(
            asks in proptest::collection::vec((1_usize..40, 0_usize..50, 0_usize..50), 1..100),
        ) {
            let mut share = Share::default();
            for (max, live, replayed) in asks {
                let given = give(&mut share, max, live, replayed);
                prop_assert_eq!(given.0 + given.1, max.min(live + replayed));
                let most = max.div_ceil(REPLAY_SHARE_PARTS) + 1;
                prop_assert!(given.0 >= live.min(max).saturating_sub(most), "live events go first");
            }
        }
    }
}
