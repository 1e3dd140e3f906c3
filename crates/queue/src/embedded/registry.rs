//! The subscriptions of the embedded queue by name, as its calls share them.

use super::state::Row;
use crate::{
    QueueError, Seq, SubscriptionError, SubscriptionSpec,
    subscription::{Deliveries, Subscriber},
};
use headgate_event::{Timestamp, limits::SUBSCRIPTIONS_MAX};
use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

/// The subscriptions by name. Only the writer of the state changes which there are.
#[derive(Debug, Default)]
pub(super) struct Registry(RwLock<BTreeMap<String, Arc<Subscriber>>>);

impl Registry {
    /// The subscriptions that were kept, when the newest event is `head`.
    pub(super) fn load(rows: Vec<Row>, head: Seq) -> Self {
        let subscriber = |Row { generation, spec, created_at, kept }: Row| {
            let deliveries = Deliveries::load(kept, head);
            let subscriber = Subscriber::new(generation, created_at, spec, deliveries);
            (subscriber.name().to_owned(), Arc::new(subscriber))
        };
        Self(RwLock::new(rows.into_iter().map(subscriber).collect()))
    }

    pub(super) fn named(&self, name: &str) -> Option<Arc<Subscriber>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(name).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Subscriber>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.0.read().unwrap_or_else(PoisonError::into_inner).len()
    }

    pub(super) fn check_room(&self) -> Result<(), QueueError> {
        let too_many = SubscriptionError::TooMany { most: SUBSCRIPTIONS_MAX };
        if self.count() >= SUBSCRIPTIONS_MAX { Err(too_many.into()) } else { Ok(()) }
    }

    /// Adds a subscription that was made.
    pub(super) fn begin(
        &self,
        generation: u64,
        created_at: Timestamp,
        spec: SubscriptionSpec,
        start: Seq,
    ) -> Arc<Subscriber> {
        let deliveries = Deliveries::begin(start);
        let made = Arc::new(Subscriber::new(generation, created_at, spec, deliveries));
        let mut all = self.0.write().unwrap_or_else(PoisonError::into_inner);
        all.insert(made.name().to_owned(), Arc::clone(&made));
        made
    }

    /// Takes out a subscription that was deleted, and tells who waits for it.
    pub(super) fn end(&self, known: &Subscriber) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).remove(known.name());
        known.held().gone = true;
        known.wake();
    }
}
