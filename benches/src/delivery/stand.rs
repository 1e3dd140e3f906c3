//! A queue of its own with pushes on it.

use super::sink::Sink;
use crate::{folder, push};
use anyhow::Result;
use bytes::Bytes;
use headgate_event::{
    BoxFuture, Channel, ChannelType, Clock, Correlation, DataText, Draft, EventType, Fill, Secret,
    Sink as _, Timestamp, Verification, prompt::Prompt,
};
use headgate_push::{Configured, Credentials, Keyring, Pauser, PushPorts, Pushes, Running};
use headgate_queue::{
    Embedded, EmbeddedOptions, Order, PushFormat, PushSpec, Queue, QueueError, Start,
    SubscriptionSpec,
};
use std::{
    collections::BTreeMap,
    sync::{Arc, LazyLock},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tempfile::TempDir;

pub(super) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// A queue, and the folder that it is in.
pub(super) struct Stand {
    pub(super) queue: Arc<Embedded>,
    pub(super) clock: Arc<dyn Clock>,
    channel: Arc<Channel>,
    body: String,
    _folder: TempDir,
}

#[derive(Debug)]
struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "a benchmark has a clock of its own")]
    fn now(&self) -> Timestamp {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
    }

    fn elapsed(&self) -> Duration {
        static FIRST: LazyLock<Instant> = LazyLock::new(Instant::now);
        FIRST.elapsed()
    }
}

struct Nobody;

impl Pauser for Nobody {
    fn pause(&self, _: &str, _: &str) -> BoxFuture<'_, Result<bool, QueueError>> {
        Box::pin(async { Ok(false) })
    }
}

impl Stand {
    pub(super) fn new() -> Result<Self> {
        let folder = folder::temporary()?;
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let options = EmbeddedOptions::default();
        let queue = Arc::new(Embedded::open(folder.path(), Arc::clone(&clock), options)?);
        let channel = Arc::new(Channel::new("hub", "Hub", ChannelType::Webhook)?);
        let body = push::body(1, 1024);
        Ok(Self { queue, clock, channel, body, _folder: folder })
    }

    /// The event of this number, in a thread of its own or in one of so many.
    pub(super) fn draft(&self, number: usize, threads: usize) -> Draft {
        let thread = number.checked_rem(threads).unwrap_or(number);
        // It is told from others by its number, which comes first.
        let body = format!("{{\"n\":{number},{}", self.body.get(1..).unwrap_or_default());
        Draft {
            event_type: EventType::WEBHOOK_RECEIVED,
            created_at: self.clock.now(),
            channel: Arc::clone(&self.channel),
            provider: Some("github".into()),
            provider_event: Some("push".into()),
            verification: Verification::none(),
            dedupe: None,
            identity: None,
            thread_key: Some(format!("thread {}", thread.wrapping_mul(2_654_435_761) % 1_000_003)),
            correlation: Correlation::default(),
            data: DataText::whole(&serde_json::json!({"method": "POST"})).hole("body", Fill::Json),
            metadata: BTreeMap::new(),
            prompt: Prompt { text: "somebody pushed".repeat(20), version: 1 },
            raw: Bytes::from(body),
        }
    }

    /// Stores so many events.
    pub(super) async fn fill(&self, events: usize, threads: usize) -> Result<()> {
        for step in (0..events).step_by(500) {
            let drafts = (step..events.min(step + 500)).map(|n| self.draft(n, threads));
            self.queue.accept(drafts.collect()).await?;
        }
        Ok(())
    }

    /// A subscription to everything.
    pub(super) async fn subscribe(
        &self,
        name: &str,
        order: Order,
        push: Option<PushSpec>,
    ) -> Result<()> {
        let mut spec = SubscriptionSpec { start: Start::Earliest, ..SubscriptionSpec::new(name) };
        (spec.order, spec.push, spec.configured) = (order, push, true);
        self.queue.put_subscription(spec).await?;
        Ok(())
    }

    /// Pushes what there is to these paths of the sink, each for a subscription of its own.
    pub(super) async fn push(&self, sink: &Sink, paths: &[String]) -> Result<Running> {
        let mut configured = Configured::default();
        for path in paths {
            let push = PushSpec {
                url: format!("http://{}/{path}", sink.address),
                headers: Vec::new(),
                timeout_ms: 15_000,
                max_in_flight: if paths.len() == 1 { 64 } else { 16 },
                rate: None,
                ca: None,
                format: PushFormat::Event,
            };
            let credentials = Credentials::new(vec![Secret::new(SECRET)], BTreeMap::new())?;
            configured.credentials.insert(path.clone(), Keyring::of(&push, credentials));
            self.subscribe(path, Order::None, Some(push)).await?;
        }
        let pushes = Pushes::new(Arc::clone(&self.queue) as _, configured);
        Ok(pushes.start(PushPorts {
            queue: Arc::clone(&self.queue) as _,
            pauser: Arc::new(Nobody),
            clock: Arc::clone(&self.clock),
            present: Arc::new(|event| event),
        }))
    }

    /// Ends the pushes, and the queue.
    pub(super) async fn end(self, running: Option<Running>) {
        if let Some(running) = running {
            running.stop(Duration::from_millis(200)).await;
        }
        self.queue.close().await;
    }
}
