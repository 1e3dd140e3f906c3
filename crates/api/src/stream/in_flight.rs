//! The deliveries that a stream's client holds: sent or about to be, and not settled.

use headgate_event::{Clock, Delivery, Timestamp};
use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::Notify;

/// The deliveries in flight on one stream, at most so many.
#[derive(Debug)]
pub(super) struct InFlight {
    max: usize,
    open: Mutex<BTreeMap<String, Open>>,
    freed: Notify,
}

/// One delivery in flight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Open {
    /// When its lease ends, as far as this stream made it last.
    pub(super) lease_ends: Timestamp,
    /// Which attempt it is.
    pub(super) attempt: u32,
}

impl InFlight {
    pub(super) fn new(max: usize) -> Self {
        Self { max, open: Mutex::default(), freed: Notify::new() }
    }

    /// How many more there may be. One whose lease is over is another consumer's business.
    pub(super) fn room(&self, now: Timestamp) -> usize {
        let mut open = self.lock();
        open.retain(|_, open| open.lease_ends > now);
        self.max.saturating_sub(open.len())
    }

    /// Takes a delivery in.
    pub(super) fn add(&self, delivery: &Delivery) {
        let open = Open { lease_ends: delivery.lease_expires_at, attempt: delivery.attempt };
        self.lock().insert(delivery.id.clone(), open);
    }

    /// Lets a delivery go.
    pub(super) fn remove(&self, id: &str) {
        if self.lock().remove(id).is_some() {
            self.freed.notify_one();
        }
    }

    /// The lease of a delivery ends at this moment instead.
    pub(super) fn extend(&self, id: &str, lease_ends: Timestamp) {
        if let Some(open) = self.lock().get_mut(id) {
            open.lease_ends = lease_ends;
        }
    }

    /// Resolves when there may be room: when one was let go, or when the next lease ends.
    pub(super) async fn freed(&self, clock: &dyn Clock) {
        let next_end = self.lock().values().map(|open| open.lease_ends).min();
        let wait = next_end.map_or(Duration::MAX, |end| end.since(clock.now()));
        // One millisecond is the least the clock can tell.
        let wait = wait.max(Duration::from_millis(1));
        tokio::select! {
            () = self.freed.notified() => {}
            () = tokio::time::sleep(wait) => {}
        }
    }

    /// When the lease of a delivery ends as far as this stream knows; none when it is not here.
    pub(super) fn lease_ends(&self, id: &str) -> Option<Timestamp> {
        self.lock().get(id).map(|open| open.lease_ends)
    }

    /// Lets all go.
    pub(super) fn take_all(&self) -> BTreeMap<String, Open> {
        std::mem::take(&mut *self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use headgate_testkit::ManualClock;
    use std::sync::Arc;

    const START: Timestamp = Timestamp::from_unix_s(1_795_219_200);

    fn delivery(id: &str, lease: Duration) -> Delivery {
        Delivery {
            id: id.to_owned(),
            subscription: "agent".into(),
            attempt: 3,
            lease_expires_at: START.plus(lease),
            replay_id: None,
        }
    }

    #[test]
    fn room_comes_back_by_settling_and_by_the_end_of_a_lease() {
        let second = Duration::from_secs(1);
        let in_flight = InFlight::new(3);
        for (id, lease) in [("a", second), ("b", second * 2), ("c", second * 3)] {
            in_flight.add(&delivery(id, lease));
        }
        assert_eq!(in_flight.room(START), 0);
        in_flight.remove("c");
        in_flight.remove("never leased");
        assert_eq!(in_flight.room(START), 1);
        in_flight.extend("a", START.plus(second * 5));
        in_flight.extend("never leased", START.plus(second * 5));
        assert_eq!(in_flight.room(START.plus(second * 2)), 2, "the lease of b is over");
        let lease_ends = START.plus(second * 5);
        assert_eq!(in_flight.lease_ends("a"), Some(lease_ends));
        let open = Open { lease_ends, attempt: 3 };
        assert_eq!(in_flight.take_all(), BTreeMap::from([("a".to_owned(), open)]));
        assert_eq!(in_flight.lease_ends("a"), None);
        assert_eq!(in_flight.room(START), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_room_wakes_when_the_next_lease_ends() {
        let clock = ManualClock::at(START);
        let in_flight = InFlight::new(1);
        in_flight.add(&delivery("a", Duration::from_secs(7)));
        let begun = tokio::time::Instant::now();
        in_flight.freed(&clock).await;
        assert_eq!(begun.elapsed().as_secs(), 7);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_waits_for_room_wakes_when_one_is_settled() {
        let clock = ManualClock::at(START);
        let in_flight = Arc::new(InFlight::new(1));
        in_flight.add(&delivery("a", Duration::from_secs(7)));
        // Settled between the look and the wait.
        in_flight.remove("a");
        let begun = tokio::time::Instant::now();
        in_flight.freed(&clock).await;
        assert_eq!(begun.elapsed().as_secs(), 0);
    }
}
