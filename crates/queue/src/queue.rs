//! The seam between the queue and everyone who uses it.

use crate::{
    DeadLetterPage, DeadLetterQuery, Health, LeaseAsk, Replays, Selection, SettleError, Settlement,
    SubscriptionError, SubscriptionSpec, SubscriptionStatus,
};
use bytes::Bytes;
use headgate_event::{BoxFuture, Event, EventId, Sink, Timestamp};
use schemars::JsonSchema;
use serde::Serialize;
use std::time::Duration;
use tokio::sync::watch;

/// The place of an event in the order of the queue: 1 for the first, without gaps.
pub type Seq = u64;

/// When asking again makes sense after a fault that may pass.
pub(crate) const UNAVAILABLE_RETRY_AFTER: Duration = Duration::from_secs(5);

/// An event as it is stored.
#[derive(Clone, Debug)]
pub struct Stored {
    /// Its place in the order.
    pub seq: Seq,
    /// The event.
    pub event: Event,
    /// The exact bytes that came.
    pub raw: Bytes,
    /// How long its dedupe key makes a repeat known; there when the event has one.
    pub dedupe_window: Option<Duration>,
}

/// Which events of the queue to list, newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ListQuery {
    /// Which events.
    pub selection: Selection,
    /// Not received before this moment.
    pub since: Option<Timestamp>,
    /// Received before this moment.
    pub until: Option<Timestamp>,
    /// Only events before this place: where the last page ended.
    pub before: Option<Seq>,
    /// At most so many.
    pub limit: usize,
}

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page {
    /// The events, newest first.
    pub events: Vec<Event>,
    /// Those of the page that are stored and cannot be read, newest first.
    pub damaged: Vec<Damaged>,
    /// What to give as `before` for the next page; none at the end.
    pub next: Option<Seq>,
}

/// What is left of an event that was erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Erased {
    /// Its id.
    pub id: EventId,
    /// When it was received.
    pub created_at: Timestamp,
    /// When it was erased.
    pub erased_at: Timestamp,
}

/// When events are removed. Without a limit they stay for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// How long an event is kept at least. It may stay a little longer, and goes earlier when
    /// there are too many bytes.
    pub age: Option<Duration>,
    /// How many bytes the events may have together.
    pub bytes: Option<u64>,
}

/// What retention has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Removed {
    /// So many events.
    pub events: u64,
    /// They had so many bytes, as they were stored.
    pub bytes: u64,
    /// So many deliveries expired: they were not settled yet.
    pub expired: u64,
}

/// A stored event that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Damaged {
    /// Its id.
    pub id: EventId,
    /// Its place.
    pub seq: Seq,
    /// What is wrong, with segment and offset.
    pub reason: String,
}

/// Why the queue could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Our fault, and it may pass: ask again.
    #[error("the queue is not available: {reason}")]
    Unavailable {
        /// What is the matter.
        reason: String,
        /// When asking again makes sense.
        retry_after: Duration,
    },
    /// There is no subscription of that name.
    #[error("there is no subscription `{name}`")]
    UnknownSubscription {
        /// The name as asked.
        name: String,
    },
    /// The subscription cannot be made as asked.
    #[error(transparent)]
    Subscription(#[from] SubscriptionError),
    /// The event was erased; only its id, place and times are left.
    #[error("the event `{id}` was erased")]
    Erased {
        /// Its id.
        id: EventId,
    },
    /// The next event alone is larger than the lease has room for.
    #[error("the next event has at least {bytes} bytes, more than there is room for")]
    Larger {
        /// How many bytes it has at least: what is compressed shows it only when it is opened.
        bytes: usize,
    },
    /// What is stored cannot be read: damage, which only an operator can mend.
    #[error("the stored event {seq} cannot be read: {reason}")]
    Damaged {
        /// The place of the event.
        seq: Seq,
        /// What is wrong, with segment and offset.
        reason: String,
    },
}

/// How many bytes an event has: what it takes in memory, but for a little.
#[must_use]
pub fn weight(event: &Event) -> usize {
    event.data().get().len() + event.prompt_ready().len() + event.metadata().get().len()
}

impl QueueError {
    /// Our fault, and it may pass.
    pub(crate) fn unavailable(reason: impl Into<String>) -> Self {
        Self::Unavailable { reason: reason.into(), retry_after: UNAVAILABLE_RETRY_AFTER }
    }
}

/// The durable ordered store of events: a [`Sink`] for sources, and what consumers need.
///
/// Everything that answers `Ok` has been made durable first.
pub trait Queue: Sink + Replays {
    /// One event with its raw bytes; [`QueueError::Erased`] when it was erased.
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<Stored>, QueueError>>;

    /// Erases the content of one event wherever it is, and ends its deliveries; nothing when there
    /// is no such event. To erase an erased one again changes nothing.
    fn erase(&self, id: EventId) -> BoxFuture<'_, Result<Option<Erased>, QueueError>>;

    /// A page of events, newest first.
    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Page, QueueError>>;

    /// Up to `max` events from `from` on, in their order; empty when there are none yet.
    ///
    /// A place that is missing between others is that of an event that is gone or damaged; damage
    /// is logged and counted.
    fn read(&self, from: Seq, max: usize) -> BoxFuture<'_, Result<Vec<Stored>, QueueError>>;

    /// The place of the newest durable event, 0 before the first; changes when events come.
    fn head(&self) -> watch::Receiver<Seq>;

    /// Makes a subscription, or changes the one of that name and leaves its place as it is.
    fn put_subscription(
        &self,
        spec: SubscriptionSpec,
    ) -> BoxFuture<'_, Result<SubscriptionStatus, QueueError>>;

    /// Ends a subscription and forgets what it settled.
    fn delete_subscription(&self, name: &str) -> BoxFuture<'_, Result<(), QueueError>>;

    /// All subscriptions by name.
    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionStatus>, QueueError>>;

    /// Leases deliveries, waiting for the first of them as long as asked. A paused subscription
    /// leases nothing.
    fn lease(
        &self,
        subscription: &str,
        ask: LeaseAsk,
    ) -> BoxFuture<'_, Result<Vec<Event>, QueueError>>;

    /// Settles deliveries and answers for each in its order.
    fn settle(
        &self,
        subscription: &str,
        settlements: Vec<Settlement>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>>;

    /// A page of the dead letters of a subscription.
    fn dead_letters(
        &self,
        subscription: &str,
        query: DeadLetterQuery,
    ) -> BoxFuture<'_, Result<DeadLetterPage, QueueError>>;

    /// What it is fit for at this moment, and every reason why not.
    fn health(&self) -> Health;

    /// Finishes what was begun and closes the files. Calls after it fail as unavailable.
    fn close(&self) -> BoxFuture<'_, ()>;
}
