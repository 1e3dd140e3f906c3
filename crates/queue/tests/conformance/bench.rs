//! A queue on the bench, with a clock that the case moves.

use bytes::Bytes;
use headgate_event::{
    Accepted, Channel, ChannelType, Clock, Correlation, DataText, Dedupe, Draft, Event, EventId,
    EventType, Timestamp, Verification, prompt::Prompt,
};
use headgate_queue::{
    Attempts, Embedded, EmbeddedOptions, LeaseAsk, ListQuery, Memory, Queue, QueueError, Removed,
    Retention, SettleError, Settlement, Start, SubscriptionSpec, SubscriptionStatus, Verb,
};
use headgate_testkit::ManualClock;
use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};
use tempfile::TempDir;

pub(crate) const SECOND: Duration = Duration::from_secs(1);
/// Longer than any case takes: a wait that lasts so long has failed.
pub(crate) const LONG: Duration = Duration::from_secs(50);

/// A queue on the bench.
pub(crate) struct Bench {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) queue: Arc<dyn Queue>,
    keeper: Keeper,
    pub(crate) folder: Option<TempDir>,
}

/// The same queue as its backend, for what is not on the seam.
enum Keeper {
    Memory(Arc<Memory>),
    Embedded(Arc<Embedded>),
}

impl Bench {
    pub(crate) fn memory() -> Self {
        let clock = Arc::new(ManualClock::at(noon()));
        let queue = Arc::new(Memory::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let keeper = Keeper::Memory(Arc::clone(&queue));
        Self { clock, queue, keeper, folder: None }
    }

    pub(crate) fn embedded() -> Self {
        let clock = Arc::new(ManualClock::at(noon()));
        let folder = TempDir::new().expect("a folder");
        Self::opened(folder, clock)
    }

    fn opened(folder: TempDir, clock: Arc<ManualClock>) -> Self {
        let queue = open(&folder, &clock);
        let keeper = Keeper::Embedded(Arc::clone(&queue));
        Self { clock, queue, keeper, folder: Some(folder) }
    }

    /// Another queue in place of this one.
    pub(crate) fn with(self, queue: Embedded) -> Self {
        let queue = Arc::new(queue);
        Self { keeper: Keeper::Embedded(Arc::clone(&queue)), queue, ..self }
    }

    /// The queue, for what only this backend does.
    pub(crate) fn backend(&self) -> &Embedded {
        match &self.keeper {
            Keeper::Embedded(queue) => queue,
            Keeper::Memory(_) => panic!("it is the queue in memory"),
        }
    }

    /// What came of attempts.
    pub(crate) fn attempts(&self) -> &dyn Attempts {
        match &self.keeper {
            Keeper::Memory(queue) => &**queue,
            Keeper::Embedded(queue) => &**queue,
        }
    }

    /// Its folder and its clock, when the queue is dropped.
    pub(crate) fn left(self) -> (TempDir, Arc<ManualClock>) {
        (self.folder.expect("a folder"), self.clock)
    }

    /// Removes what is past this age.
    pub(crate) async fn retain(&self, age: Duration) -> Removed {
        self.retain_to(Retention { age: Some(age), bytes: None }).await
    }

    /// Removes what is past this retention.
    pub(crate) async fn retain_to(&self, retention: Retention) -> Removed {
        match &self.keeper {
            Keeper::Memory(queue) => queue.retain(retention),
            Keeper::Embedded(queue) => queue.retain(retention).await,
        }
        .expect("retained")
    }

    /// The embedded queue of a folder that is there.
    pub(crate) fn over(folder: TempDir) -> Self {
        Self::opened(folder, Arc::new(ManualClock::at(noon())))
    }

    /// The queue as another process would find it; `None` where nothing outlives a process.
    pub(crate) async fn reopened(self) -> Option<Self> {
        let Self { clock, queue, keeper, folder } = self;
        let folder = folder?;
        queue.close().await;
        drop((queue, keeper));
        Some(Self::opened(folder, clock))
    }

    /// The same after something was done to the folder.
    pub(crate) async fn reopened_after(self, change: impl FnOnce(&Path)) -> Self {
        let Self { clock, queue, keeper, folder } = self;
        let folder = folder.expect("it has a folder");
        queue.close().await;
        drop((queue, keeper));
        change(folder.path());
        Self::opened(folder, clock)
    }

    /// The folder.
    pub(crate) fn path(&self) -> &Path {
        self.folder.as_ref().expect("it has a folder").path()
    }

    /// A text that a query of the state gives.
    pub(crate) fn state(&self, query: &str) -> String {
        let state = rusqlite::Connection::open(self.path().join("headgate.db")).expect("opens");
        state.query_row(query, [], |row| row.get(0)).expect("there is one")
    }

    /// Stores a draft that is no repeat.
    pub(crate) async fn store(&self, draft: Draft) -> EventId {
        let accepted = self.queue.accept(vec![draft]).await.expect("stored");
        assert!(matches!(accepted[0], Accepted::New(_)), "{accepted:?}");
        accepted[0].id()
    }

    /// Stores `n` plain drafts.
    pub(crate) async fn store_many(&self, n: usize) -> Vec<EventId> {
        let mut ids = Vec::new();
        for step in (0..n).step_by(500) {
            let drafts = (step..n.min(step + 500)).map(|_| self.draft("billing")).collect();
            let accepted = self.queue.accept(drafts).await.expect("stored");
            ids.extend(accepted.into_iter().map(Accepted::id));
        }
        ids
    }

    /// A draft that is received now.
    pub(crate) fn draft(&self, channel: &str) -> Draft {
        draft(channel, self.clock.now())
    }

    /// A subscription to everything that is stored.
    pub(crate) async fn subscribe(&self, name: &str) -> SubscriptionStatus {
        let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new(name) };
        self.queue.put_subscription(spec).await.expect("made")
    }

    pub(crate) async fn status(&self, name: &str) -> SubscriptionStatus {
        let all = self.queue.subscriptions().await.expect("listed");
        all.into_iter().find(|status| status.spec.name == name).expect("there is one")
    }

    /// What can be leased at once, for ten seconds.
    pub(crate) async fn lease(&self, name: &str, max: usize) -> Vec<Event> {
        self.try_lease(name, max).await.expect("leased")
    }

    pub(crate) async fn try_lease(&self, name: &str, max: usize) -> Result<Vec<Event>, QueueError> {
        let ask = LeaseAsk { max, wait: Duration::ZERO, lease: Some(10 * SECOND), bytes: None };
        self.queue.lease(name, ask).await
    }

    /// The one delivery that can be leased.
    pub(crate) async fn lease_one(&self, name: &str) -> Event {
        let mut events = self.lease(name, 2).await;
        assert_eq!(events.len(), 1, "{events:?}");
        events.remove(0)
    }

    /// The first delivery that can be leased.
    pub(crate) async fn lease_first(&self, name: &str) -> Event {
        self.lease(name, 1).await.pop().expect("there is one")
    }

    pub(crate) async fn settle(
        &self,
        name: &str,
        event: &Event,
        verb: Verb,
    ) -> Result<(), SettleError> {
        self.settle_id(name, &delivery_id(event), verb).await
    }

    pub(crate) async fn settle_id(
        &self,
        name: &str,
        id: &str,
        verb: Verb,
    ) -> Result<(), SettleError> {
        let settlement = Settlement { id: id.to_owned(), verb };
        let mut answers = self.queue.settle(name, vec![settlement]).await.expect("settled");
        assert_eq!(answers.len(), 1);
        answers.remove(0)
    }

    pub(crate) async fn ack_all(&self, name: &str, events: &[Event]) {
        let ack = |event| Settlement { id: delivery_id(event), verb: Verb::Ack };
        let settlements = events.iter().map(ack).collect();
        let answers = self.queue.settle(name, settlements).await.expect("settled");
        assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    }

    /// All events of a list, page by page.
    pub(crate) async fn list(&self, query: ListQuery) -> Vec<EventId> {
        let mut query =
            ListQuery { limit: if query.limit == 0 { 7 } else { query.limit }, ..query };
        let mut ids = Vec::new();
        loop {
            let page = self.queue.list(query.clone()).await.expect("listed");
            assert!(page.events.len() <= query.limit);
            ids.extend(page.events.iter().map(Event::id));
            match page.next {
                Some(next) => query.before = Some(next),
                None => return ids,
            }
        }
    }
}

fn open(folder: &TempDir, clock: &Arc<ManualClock>) -> Arc<Embedded> {
    let clock = Arc::clone(clock) as Arc<dyn Clock>;
    // Small segments, so that cases cross their borders.
    let options = EmbeddedOptions { segment_bytes_max: 64 << 10, ..EmbeddedOptions::default() };
    Arc::new(Embedded::open(folder.path(), clock, options).expect("opens"))
}

pub(crate) fn noon() -> Timestamp {
    "2026-11-21T12:00:00Z".parse().expect("a time")
}

pub(crate) fn draft(channel: &str, created_at: Timestamp) -> Draft {
    let raw = Bytes::from_static(b"{\"amount\": 1.10}");
    Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at,
        channel: Arc::new(Channel::new(channel, channel, ChannelType::Webhook).expect("valid")),
        provider: Some("stripe".into()),
        provider_event: Some("invoice.paid".into()),
        verification: Verification::none(),
        dedupe: None,
        thread_key: None,
        correlation: Correlation::default(),
        data: DataText::whole(&serde_json::json!({"method": "POST"}))
            .hole("body", headgate_event::Fill::Json),
        metadata: BTreeMap::new(),
        prompt: Prompt { text: "an invoice was paid".into(), version: 1 },
        raw,
    }
}

pub(crate) fn keyed(draft: Draft, key: &str, window: Duration) -> Draft {
    Draft { dedupe: Some(Dedupe { key: key.into(), window }), ..draft }
}

pub(crate) fn delivery_id(event: &Event) -> String {
    event.delivery().expect("it is delivered").id.clone()
}

pub(crate) fn attempt(event: &Event) -> u32 {
    event.delivery().expect("it is delivered").attempt
}

pub(crate) fn ids(events: &[Event]) -> Vec<EventId> {
    events.iter().map(Event::id).collect()
}

pub(crate) fn retry(after: Duration) -> Verb {
    Verb::Retry { after: Some(after), reason: Some("busy".into()) }
}

pub(crate) fn bury() -> Verb {
    Verb::Bury { reason: Some("nonsense".into()) }
}
