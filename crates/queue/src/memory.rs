//! The queue in memory: a fake for tests, whole but for durability.
//!
//! It keeps every rule that the conformance suite knows (order, dedupe, leases, attempts, dead
//! letters), and loses everything when it is dropped. It is not made for load: lists and leases
//! look at one event after the other.

mod attempts;
mod events;
mod leases;
mod letters;
mod notes;
mod removing;
mod replays;

use crate::{
    DeadLetterPage, DeadLetterQuery, Erased, Health, LeaseAsk, ListQuery, Page, Queue, QueueError,
    Seq, SettleError, Settlement, Stored, SubscriptionError, SubscriptionSpec, SubscriptionStatus,
    subscription::{Deliveries, Subscriber},
};
use attempts::Kept;
use events::Events;
use headgate_event::{
    Accepted, BoxFuture, Clock, Draft, Event, EventId, Sink, StoreError,
    limits::{DRAFTS_PER_ACCEPT_MAX, FRAME_BYTES_MAX, SUBSCRIPTIONS_MAX},
};
use letters::Letters;
use replays::MemoryReplays;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::watch;

/// A queue that keeps everything in memory. For tests.
#[derive(Debug)]
pub struct Memory {
    clock: Arc<dyn Clock>,
    head: watch::Sender<Seq>,
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    events: Events,
    subscribers: BTreeMap<String, Arc<Subscriber>>,
    generations: u64,
    letters: Letters,
    replays: MemoryReplays,
    attempts: Kept,
    notes: BTreeMap<(&'static str, Vec<u8>), Vec<u8>>,
    closed: bool,
}

impl Memory {
    /// An empty queue.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, head: watch::Sender::new(0), inner: Mutex::default() }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) -> Result<MutexGuard<'_, Inner>, QueueError> {
        let inner = self.inner();
        if inner.closed { Err(QueueError::unavailable("the queue is closed")) } else { Ok(inner) }
    }

    fn subscriber(&self, name: &str) -> Result<Arc<Subscriber>, QueueError> {
        let unknown = || QueueError::UnknownSubscription { name: name.to_owned() };
        self.open()?.subscribers.get(name).cloned().ok_or_else(unknown)
    }

    fn store(&self, drafts: &[Draft]) -> Result<Vec<Accepted>, StoreError> {
        if drafts.len() > DRAFTS_PER_ACCEPT_MAX {
            let (drafts, drafts_max) = (drafts.len(), DRAFTS_PER_ACCEPT_MAX);
            return Err(StoreError::TooMany { drafts, drafts_max });
        }
        let bytes = drafts.iter().map(|draft| draft.raw.len()).max().unwrap_or(0);
        if bytes > FRAME_BYTES_MAX {
            return Err(StoreError::TooLarge { bytes, bytes_max: FRAME_BYTES_MAX });
        }
        let mut inner = self.open().map_err(|_| StoreError::Unavailable {
            reason: "the queue is closed".into(),
            retry_after: Duration::from_secs(5),
        })?;
        let accepted = inner.events.accept(drafts, self.clock.now())?;
        let head = inner.events.head();
        drop(inner);
        self.head.send_if_modified(|known| std::mem::replace(known, head) != head);
        Ok(accepted)
    }

    fn put(&self, spec: SubscriptionSpec) -> Result<SubscriptionStatus, QueueError> {
        spec.check()?;
        let now = self.clock.now();
        let mut inner = self.open()?;
        if let Some(known) = inner.subscribers.get(&spec.name).cloned() {
            inner.replays.tell(known.generation(), &spec);
            known.held().spec = spec;
            known.wake();
            return Ok(inner.events.status(&known, now));
        }
        if inner.subscribers.len() >= SUBSCRIPTIONS_MAX {
            return Err(SubscriptionError::TooMany { most: SUBSCRIPTIONS_MAX }.into());
        }
        inner.generations += 1;
        let deliveries = Deliveries::begin(inner.events.place_of(spec.start));
        let name = spec.name.clone();
        let made = Arc::new(Subscriber::new(inner.generations, now, spec, deliveries));
        inner.subscribers.insert(name, Arc::clone(&made));
        Ok(inner.events.status(&made, now))
    }

    fn delete(&self, name: &str) -> Result<(), QueueError> {
        let unknown = || QueueError::UnknownSubscription { name: name.to_owned() };
        let mut inner = self.open()?;
        let gone = inner.subscribers.remove(name).ok_or_else(unknown)?;
        inner.replays.forget(gone.generation());
        drop(inner);
        gone.held().gone = true;
        gone.wake();
        Ok(())
    }
}

impl Sink for Memory {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move { self.store(&drafts) })
    }
}

impl Queue for Memory {
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<Stored>, QueueError>> {
        Box::pin(async move { self.open()?.events.by_id(id) })
    }

    fn erase(&self, id: EventId) -> BoxFuture<'_, Result<Option<Erased>, QueueError>> {
        Box::pin(async move { self.erase_event(id) })
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Page, QueueError>> {
        Box::pin(async move { Ok(self.open()?.events.list(&query)) })
    }

    fn read(&self, from: Seq, max: usize) -> BoxFuture<'_, Result<Vec<Stored>, QueueError>> {
        Box::pin(async move { Ok(self.open()?.events.from(from).take(max).collect()) })
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.head.subscribe()
    }

    fn put_subscription(
        &self,
        spec: SubscriptionSpec,
    ) -> BoxFuture<'_, Result<SubscriptionStatus, QueueError>> {
        Box::pin(async move { self.put(spec) })
    }

    fn delete_subscription(&self, name: &str) -> BoxFuture<'_, Result<(), QueueError>> {
        let name = name.to_owned();
        Box::pin(async move { self.delete(&name) })
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionStatus>, QueueError>> {
        Box::pin(async move {
            let (inner, now) = (self.open()?, self.clock.now());
            Ok(inner.subscribers.values().map(|known| inner.events.status(known, now)).collect())
        })
    }

    fn lease(
        &self,
        subscription: &str,
        ask: LeaseAsk,
    ) -> BoxFuture<'_, Result<Vec<Event>, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let known = self.subscriber(&name)?;
            self.lease_from(&known, ask).await
        })
    }

    fn settle(
        &self,
        subscription: &str,
        settlements: Vec<Settlement>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let known = self.subscriber(&name)?;
            self.settle_for(&known, settlements)
        })
    }

    fn dead_letters(
        &self,
        subscription: &str,
        query: DeadLetterQuery,
    ) -> BoxFuture<'_, Result<DeadLetterPage, QueueError>> {
        let name = subscription.to_owned();
        Box::pin(async move {
            let known = self.subscriber(&name)?;
            let inner = self.open()?;
            Ok(inner.letters.page(&known, query))
        })
    }

    fn health(&self) -> Health {
        self.open().map_or_else(|error| Health::nothing(&error.to_string()), |_| Health::default())
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let mut inner = self.inner();
            inner.closed = true;
            for known in inner.subscribers.values() {
                known.wake();
            }
        })
    }
}
