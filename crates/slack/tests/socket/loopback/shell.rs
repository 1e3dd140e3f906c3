//! Socket Mode of one channel against a fake Slack, and a store that keeps what comes.

use bytes::Bytes;
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, Event, EventId, Secret, Sink, StoreError,
    StoredEvent, Timestamp, prompt::PromptKey,
};
use headgate_slack::{
    SlackChannelSpec,
    socket::{ChannelDelivery, SocketMode, SocketPorts, SocketSpec, SocketStatus},
};
use headgate_testkit::{
    ManualClock,
    slack::{FakeSlack, WorkspaceOptions},
};
use serde_json::value::RawValue;
use std::{
    io,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;
use tracing::{Level, subscriber::DefaultGuard};

const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
/// How long a test waits for what should happen at once, on a machine however busy.
const WAIT_MAX: Duration = Duration::from_secs(20);
pub(super) const TOKEN: &str = "xapp-1-a-token-of-nobody";

pub(super) struct Shell {
    pub(super) slack: FakeSlack,
    pub(super) kept: Arc<Kept>,
    pub(super) mode: SocketMode,
}

/// Keeps drafts, each dedupe key once.
pub(super) struct Kept {
    drafts: Mutex<Vec<Draft>>,
    repeats: Mutex<usize>,
    fails: AtomicBool,
    count: watch::Sender<usize>,
}

/// What was logged on this thread.
pub(super) struct Logged {
    text: Arc<Mutex<Vec<u8>>>,
    _guard: DefaultGuard,
}

impl Shell {
    /// With two connections that listen.
    pub(super) async fn ready(options: WorkspaceOptions) -> Self {
        let shell = Self::start(FakeSlack::start(options).await.expect("a port"));
        shell.listening(2).await;
        shell
    }

    pub(super) fn start(slack: FakeSlack) -> Self {
        // The shortest pauses.
        Self::drawing(slack, || 0)
    }

    /// With pauses that differ by these numbers.
    pub(super) fn drawing(
        slack: FakeSlack,
        draw: impl Fn() -> u32 + Send + Sync + 'static,
    ) -> Self {
        let kept = Arc::new(Kept {
            drafts: Mutex::default(),
            repeats: Mutex::default(),
            fails: AtomicBool::new(false),
            count: watch::channel(0).0,
        });
        let channel = Channel::new("team", "Team", ChannelType::Slack).expect("a channel");
        let mut spec = SlackChannelSpec::new(channel, Vec::new());
        let answer = RawValue::from_string(r#"{"text": "on its way"}"#.to_owned()).expect("JSON");
        spec.answers.insert("slash_command".to_owned(), answer);
        let channel = spec.prepare().expect("a right channel");
        let clock = Arc::new(ManualClock::at(NOW));
        let sink = Arc::clone(&kept) as Arc<dyn Sink>;
        let key = PromptKey::new([7; 32]);
        let deliver = Arc::new(ChannelDelivery::new(Arc::new(channel), sink, clock, key));
        let spec = SocketSpec {
            channel: "team".to_owned(),
            app_token: Secret::new(TOKEN),
            api: slack.api(),
        };
        let ports = SocketPorts { deliver, draw: Arc::new(draw) };
        let mode = SocketMode::start(&spec, ports).expect("a right specification");
        Self { slack, kept, mode }
    }

    /// The same, with everything that it logs.
    pub(super) fn logged(slack: FakeSlack) -> (Self, Logged) {
        let text = Arc::new(Mutex::new(Vec::new()));
        let written = Arc::clone(&text);
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(Level::TRACE)
            .with_writer(move || Into(Arc::clone(&written)))
            .finish();
        let guard = tracing::subscriber::set_default(subscriber);
        (Self::start(slack), Logged { text, _guard: guard })
    }

    /// Waits until so many connections listen on both sides.
    pub(super) async fn listening(&self, count: usize) {
        self.until(|status| status.pool.listening == count).await;
    }

    /// Waits until something holds of how Socket Mode stands.
    pub(super) async fn until(&self, holds: impl FnMut(&SocketStatus) -> bool) {
        let mut changes = self.mode.changes();
        let waiting = changes.wait_for(holds);
        tokio::time::timeout(WAIT_MAX, waiting).await.expect("in time").expect("it runs");
    }

    pub(super) fn assert_all_found_once(&self) {
        let found = self.kept.event_ids();
        self.slack.ledger().check(found.iter().map(String::as_str)).expect("each event once");
    }
}

impl Kept {
    pub(super) fn fail(&self, fails: bool) {
        self.fails.store(fails, Ordering::SeqCst);
    }

    pub(super) async fn until(&self, count: usize) {
        let mut counts = self.count.subscribe();
        let waiting = counts.wait_for(|kept| *kept >= count);
        tokio::time::timeout(WAIT_MAX, waiting).await.expect("in time").expect("it is there");
    }

    pub(super) fn repeats(&self) -> usize {
        *self.repeats.lock().expect("not poisoned")
    }

    pub(super) fn raw(&self, index: usize) -> Bytes {
        self.drafts.lock().expect("not poisoned")[index].raw.clone()
    }

    pub(super) fn event(&self, index: usize) -> Event {
        let draft = self.drafts.lock().expect("not poisoned")[index].clone();
        StoredEvent::decode(id(1), &StoredEvent::encode(&draft), &draft.raw).expect("an event")
    }

    fn event_ids(&self) -> Vec<String> {
        let drafts = self.drafts.lock().expect("not poisoned");
        let id = |draft: &Draft| {
            let data: serde_json::Value = serde_json::from_slice(&draft.raw).expect("JSON");
            data["event_id"].as_str().expect("an event id").to_owned()
        };
        drafts.iter().map(id).collect()
    }
}

impl Sink for Kept {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move {
            if self.fails.load(Ordering::SeqCst) {
                let retry_after = Duration::from_secs(1);
                return Err(StoreError::Unavailable { reason: "full".into(), retry_after });
            }
            let mut kept = self.drafts.lock().expect("not poisoned");
            let mut accepted = Vec::new();
            for draft in drafts {
                let key = |draft: &Draft| draft.dedupe.as_ref().map(|dedupe| dedupe.key.clone());
                if key(&draft).is_some() && kept.iter().any(|known| key(known) == key(&draft)) {
                    *self.repeats.lock().expect("not poisoned") += 1;
                    accepted.push(Accepted::Duplicate(id(1)));
                } else {
                    kept.push(draft);
                    accepted.push(Accepted::New(id(1)));
                }
            }
            self.count.send_replace(kept.len());
            Ok(accepted)
        })
    }
}

impl Logged {
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.text.lock().expect("not poisoned")).into_owned()
    }
}

struct Into(Arc<Mutex<Vec<u8>>>);

impl io::Write for Into {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("not poisoned").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn id(number: u128) -> EventId {
    EventId::from_parts(NOW, number)
}
