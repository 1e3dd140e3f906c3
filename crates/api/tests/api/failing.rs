//! A queue that fails where it is told to.

use headgate_event::{Accepted, BoxFuture, Draft, Event, EventId, Sink, StoreError};
use headgate_queue::{
    Counted, Damaged, DeadLetterPage, DeadLetterQuery, Erased, EventQuery, Health, LeaseAsk,
    LetterError, LetterVerb, ListQuery, Memory, Page, Queue, QueueError, ReplayAsk, ReplayError,
    ReplayStatus, Replays, Seq, SettleError, Settlement, Stored, SubscriptionError,
    SubscriptionSpec, SubscriptionStatus,
};
use std::{sync::Arc, time::Duration};
use tokio::sync::watch;

/// What fails.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Faults {
    /// Reading finds damage.
    pub(crate) damaged: bool,
    /// Settling is not available.
    pub(crate) settle: bool,
    /// There are too many subscriptions.
    pub(crate) full: bool,
    /// Taking up and deleting dead letters is not available.
    pub(crate) letters: bool,
}

/// The queue in memory, with faults.
#[derive(Debug)]
pub(crate) struct Failing {
    pub(crate) queue: Arc<Memory>,
    pub(crate) faults: Faults,
}

fn damaged() -> QueueError {
    QueueError::Damaged { seq: 7, reason: "the checksum is wrong in segment 1 at 4096".into() }
}

impl Sink for Failing {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        self.queue.accept(drafts)
    }
}

impl Replays for Failing {
    fn settle_letters(
        &self,
        subscription: &str,
        deliveries: Vec<String>,
        verb: LetterVerb,
    ) -> BoxFuture<'_, Result<Vec<Result<(), LetterError>>, QueueError>> {
        if self.faults.letters {
            let (reason, retry_after) = ("the disk is full".into(), Duration::from_secs(9));
            return Box::pin(async move { Err(QueueError::Unavailable { reason, retry_after }) });
        }
        self.queue.settle_letters(subscription, deliveries, verb)
    }

    fn count(&self, query: EventQuery) -> BoxFuture<'_, Result<Counted, QueueError>> {
        self.queue.count(query)
    }

    fn plan_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<Counted, ReplayError>> {
        self.queue.plan_replay(ask)
    }

    fn begin_replay(&self, ask: ReplayAsk) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        self.queue.begin_replay(ask)
    }

    fn replays(&self) -> BoxFuture<'_, Result<Vec<ReplayStatus>, QueueError>> {
        self.queue.replays()
    }

    fn cancel_replay(&self, id: EventId) -> BoxFuture<'_, Result<ReplayStatus, ReplayError>> {
        self.queue.cancel_replay(id)
    }
}

impl Queue for Failing {
    fn event(&self, id: EventId) -> BoxFuture<'_, Result<Option<Stored>, QueueError>> {
        if self.faults.damaged {
            return Box::pin(async { Err(damaged()) });
        }
        self.queue.event(id)
    }

    fn erase(&self, id: EventId) -> BoxFuture<'_, Result<Option<Erased>, QueueError>> {
        if self.faults.damaged {
            return Box::pin(async { Err(damaged()) });
        }
        self.queue.erase(id)
    }

    fn list(&self, query: ListQuery) -> BoxFuture<'_, Result<Page, QueueError>> {
        if self.faults.damaged {
            let reason = "`00000000000000000001.seg` is damaged at offset 4096".to_owned();
            let damaged = vec![Damaged { id: EventId::from_bytes([1; 16]), seq: 7, reason }];
            let page = Page { events: Vec::new(), damaged, next: None };
            return Box::pin(async { Ok(page) });
        }
        self.queue.list(query)
    }

    fn read(&self, from: Seq, max: usize) -> BoxFuture<'_, Result<Vec<Stored>, QueueError>> {
        if self.faults.damaged {
            return Box::pin(async { Err(damaged()) });
        }
        self.queue.read(from, max)
    }

    fn head(&self) -> watch::Receiver<Seq> {
        self.queue.head()
    }

    fn put_subscription(
        &self,
        spec: SubscriptionSpec,
    ) -> BoxFuture<'_, Result<SubscriptionStatus, QueueError>> {
        if self.faults.full {
            let error = QueueError::Subscription(SubscriptionError::TooMany { most: 3 });
            return Box::pin(async move { Err(error) });
        }
        self.queue.put_subscription(spec)
    }

    fn delete_subscription(&self, name: &str) -> BoxFuture<'_, Result<(), QueueError>> {
        self.queue.delete_subscription(name)
    }

    fn subscriptions(&self) -> BoxFuture<'_, Result<Vec<SubscriptionStatus>, QueueError>> {
        self.queue.subscriptions()
    }

    fn lease(
        &self,
        subscription: &str,
        ask: LeaseAsk,
    ) -> BoxFuture<'_, Result<Vec<Event>, QueueError>> {
        self.queue.lease(subscription, ask)
    }

    fn settle(
        &self,
        subscription: &str,
        settlements: Vec<Settlement>,
    ) -> BoxFuture<'_, Result<Vec<Result<(), SettleError>>, QueueError>> {
        if self.faults.settle {
            let (reason, retry_after) = ("the disk is full".into(), Duration::from_secs(9));
            return Box::pin(async move { Err(QueueError::Unavailable { reason, retry_after }) });
        }
        self.queue.settle(subscription, settlements)
    }

    fn dead_letters(
        &self,
        subscription: &str,
        query: DeadLetterQuery,
    ) -> BoxFuture<'_, Result<DeadLetterPage, QueueError>> {
        self.queue.dead_letters(subscription, query)
    }

    fn health(&self) -> Health {
        let mut health = self.queue.health();
        if self.faults.settle {
            health.consuming.push("the disk is full".into());
        }
        health
    }

    fn close(&self) -> BoxFuture<'_, ()> {
        self.queue.close()
    }
}
