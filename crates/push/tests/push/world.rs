//! A queue in memory with pushes on it.

use headgate_event::{
    BoxFuture, Channel, ChannelType, Clock, Correlation, DataText, Draft, EventId, EventType, Fill,
    Secret, Sink, Timestamp, Verification, prompt::Prompt,
};
use headgate_push::{
    Configured, Credentials, Keyring, Pauser, Present, PushPorts, Pushes, Running,
};
use headgate_queue::{
    Attempts, EventDelivery, Memory, PushFormat, PushSpec, Queue, QueueError, Start,
    SubscriptionSpec,
};
use headgate_testkit::ManualClock;
use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

pub(crate) struct World {
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) queue: Arc<Memory>,
    pub(crate) pushes: Pushes,
    /// What was asked to be paused, and whether it was.
    pub(crate) pauses: Arc<Mutex<Vec<(String, bool)>>>,
    /// What is made of an event before it is posted.
    pub(crate) present: Present,
    running: Option<Running>,
}

/// Pauses as the program does.
struct OfQueue(Arc<Memory>, Arc<Mutex<Vec<(String, bool)>>>);

impl Pauser for OfQueue {
    fn pause(&self, subscription: &str, url: &str) -> BoxFuture<'_, Result<bool, QueueError>> {
        let (name, url) = (subscription.to_owned(), url.to_owned());
        Box::pin(async move {
            let all = self.0.subscriptions().await?;
            let found = all.into_iter().find(|one| one.spec.name == name).expect("it is there");
            let fits = found.spec.push.as_ref().is_some_and(|push| push.url == url);
            if fits {
                let spec = SubscriptionSpec { paused: true, ..found.spec };
                self.0.put_subscription(spec).await?;
            }
            self.1.lock().expect("whole").push((url, fits));
            Ok(fits)
        })
    }
}

/// A push to a URL.
pub(crate) fn to(url: String) -> PushSpec {
    PushSpec {
        url,
        headers: vec!["authorization".to_owned()],
        timeout_ms: 60_000,
        max_in_flight: 16,
        rate: None,
        ca: None,
        format: PushFormat::Event,
    }
}

/// A subscription to everything that pushes.
pub(crate) fn pushing(name: &str, push: &PushSpec) -> SubscriptionSpec {
    let spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new(name) };
    SubscriptionSpec { push: Some(push.clone()), ..spec }
}

/// What is signed with, and a header that tells it from others.
pub(crate) fn credentials(header: &str) -> Credentials {
    let headers = BTreeMap::from([("authorization".to_owned(), Secret::new(header))]);
    Credentials::new(vec![Secret::new(SECRET)], headers).expect("good")
}

impl World {
    /// One in which nothing runs yet.
    pub(crate) fn new() -> Self {
        let clock = Arc::new(ManualClock::at(Timestamp::from_unix_s(1_795_000_000)));
        let queue = Arc::new(Memory::new(Arc::clone(&clock) as Arc<dyn Clock>));
        let pushes = Pushes::new(Arc::clone(&queue) as _, Configured::default());
        let present: Present = Arc::new(|event| event);
        Self { clock, queue, pushes, pauses: Arc::default(), present, running: None }
    }

    /// Stores a subscription and what it is signed with.
    pub(crate) async fn push(&self, name: &str, push: &PushSpec) {
        let keyring = Keyring::of(push, credentials(name));
        self.pushes.keep(name, Some(&keyring)).await.expect("kept");
        self.queue.put_subscription(pushing(name, push)).await.expect("made");
        self.pushes.changed();
    }

    pub(crate) fn start(&mut self) {
        self.running = Some(self.pushes.start(PushPorts {
            queue: Arc::clone(&self.queue) as _,
            pauser: Arc::new(OfQueue(Arc::clone(&self.queue), Arc::clone(&self.pauses))),
            clock: Arc::clone(&self.clock) as _,
            present: Arc::clone(&self.present),
        }));
    }

    /// Ends the pushes and begins them anew, told what they were told.
    pub(crate) async fn restart(&mut self) {
        self.stop().await;
        self.start();
    }

    /// The same, with nothing in their memory.
    pub(crate) async fn start_again(&mut self) {
        self.stop().await;
        self.pushes = Pushes::new(Arc::clone(&self.queue) as _, Configured::default());
        self.start();
    }

    async fn stop(&mut self) {
        if let Some(running) = self.running.take() {
            running.stop(Duration::from_millis(50)).await;
        }
    }

    /// Stores an event whose body has about so many bytes.
    pub(crate) async fn store(&self, bytes: usize) -> EventId {
        let channel = Channel::new("hub", "Hub", ChannelType::Webhook).expect("a channel");
        let draft = Draft {
            event_type: EventType::WEBHOOK_RECEIVED,
            created_at: self.clock.now(),
            channel: Arc::new(channel),
            provider: None,
            provider_event: None,
            verification: Verification::none(),
            dedupe: None,
            identity: None,
            thread_key: None,
            correlation: Correlation::default(),
            data: DataText::whole(&serde_json::json!({})).hole("body", Fill::Json),
            metadata: BTreeMap::new(),
            prompt: Prompt { text: "a test".to_owned(), version: 1 },
            raw: format!("\"{}\"", "x".repeat(bytes)).into(),
        };
        self.queue.accept(vec![draft]).await.expect("stored")[0].id()
    }

    /// How an event stands with a subscription, once it is as it should be.
    pub(crate) async fn stands(
        &self,
        id: EventId,
        name: &str,
        is: impl Fn(&EventDelivery) -> bool,
    ) -> EventDelivery {
        let mut wait = tokio::time::interval(Duration::from_millis(2));
        loop {
            wait.tick().await;
            let found = self.queue.deliveries_of(id).await.expect("read").expect("stored");
            if let Some(one) = found.into_iter().find(|one| one.subscription == name && is(one)) {
                return one;
            }
        }
    }
}
