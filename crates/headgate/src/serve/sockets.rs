//! Slack's Socket Mode in the gateway: begun with it, changed by a reload, ended before the queue.

use crate::config::{Channels, SlackChannel};
use anyhow::{Context, anyhow};
use arc_swap::ArcSwap;
use futures_util::future::join_all;
use headgate_api::{ChannelReadiness, Reception};
use headgate_event::{BoxFuture, Clock, Sink, StoreError, prompt::PromptKey};
use headgate_slack::{
    Merges,
    socket::{
        ChannelDelivery, Deliver, Delivered, Envelope, SocketMode, SocketPorts, SocketSpec,
        SocketStatus,
    },
};
use headgate_webhook::Ports;
use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{sync::watch, task::JoinSet};

/// How long connections with an old token stay while those with the next one come about.
const HANDOVER_TIMEOUT: Duration = Duration::from_secs(30);

/// The connections of all channels. Clones are the same.
#[derive(Clone)]
pub(super) struct Sockets(Arc<Shared>);

struct Shared {
    sink: Arc<dyn Sink>,
    clock: Arc<dyn Clock>,
    prompt_key: PromptKey,
    /// Whether other channels receive, over the listeners.
    others: AtomicBool,
    merges: Merges,
    running: Mutex<BTreeMap<String, Running>>,
    /// Those that another one replaces, until they are gone.
    retiring: Mutex<JoinSet<()>>,
    /// Whether all of them end.
    stops: watch::Sender<bool>,
}

/// Socket Mode of one channel.
struct Running {
    spec: SocketSpec,
    current: Arc<Current>,
    mode: SocketMode,
}

/// Delivers to a channel as it is configured at that time.
struct Current(ArcSwap<ChannelDelivery>);

impl Deliver for Current {
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Delivered, StoreError>> {
        let delivery = self.0.load_full();
        Box::pin(async move { delivery.deliver(envelope).await })
    }
}

impl Sockets {
    /// No connection yet. Messages meet their mentions where those over HTTP do.
    pub(super) fn new(ports: &Ports, merges: &Merges) -> Self {
        Self(Arc::new(Shared {
            sink: Arc::clone(&ports.sink),
            clock: Arc::clone(&ports.clock),
            prompt_key: ports.prompt_key.clone(),
            others: AtomicBool::new(false),
            merges: merges.clone(),
            running: Mutex::default(),
            retiring: Mutex::default(),
            stops: watch::channel(false).0,
        }))
    }

    /// Receives for the channels of this configuration, and for no others. Connections whose token
    /// is the same stay open. When something is wrong, nothing changes.
    pub(super) fn adopt(&self, channels: &Channels) -> anyhow::Result<()> {
        let mut wanted = Vec::new();
        for SlackChannel { spec, socket } in &channels.slack {
            let Some(socket) = socket else { continue };
            let id = &socket.channel;
            let channel = spec.clone().prepare_among(&self.0.merges);
            let channel = channel.map_err(|_| anyhow!("channel `{id}` does not hold together"))?;
            let (sink, clock) = (Arc::clone(&self.0.sink), Arc::clone(&self.0.clock));
            let key = self.0.prompt_key.clone();
            wanted.push((socket, ChannelDelivery::new(Arc::new(channel), sink, clock, key)));
        }
        let mut running = self.running();
        let mut begun = BTreeMap::new();
        for (socket, delivery) in &wanted {
            if !running.get(&socket.channel).is_some_and(|one| one.fits(socket)) {
                let one = Running::begin(socket, delivery.clone());
                let one = one.with_context(|| format!("channel `{}`", socket.channel))?;
                begun.insert(socket.channel.clone(), one);
            }
        }
        let mut before = std::mem::replace(&mut *running, begun);
        for (socket, delivery) in wanted {
            if !running.contains_key(&socket.channel)
                && let Some(one) = before.remove(&socket.channel)
            {
                one.current.0.store(Arc::new(delivery));
                // Whoever reloads may have mended what kept it away.
                one.mode.resume();
                running.insert(socket.channel.clone(), one);
            }
        }
        self.0.others.store(receives_otherwise(channels), Ordering::SeqCst);
        let mut retiring = lock(&self.0.retiring);
        while retiring.try_join_next().is_some() {}
        for (id, one) in before {
            let next = running.get(&id).map(|next| next.mode.changes());
            retiring.spawn(one.retire(next, self.0.stops.subscribe()));
        }
        Ok(())
    }

    /// Which channels Slack can reach. That it can reach none counts for the whole program only
    /// where nobody else can reach it: a balancer that looked away would cut healthy channels off,
    /// and bring no connection about.
    pub(super) fn reception(&self) -> Reception {
        let channels: Vec<_> = self.running().iter().map(|(id, one)| one.readiness(id)).collect();
        let is_deaf = channels.iter().all(|channel| !channel.ready);
        let reasons = match is_deaf && !self.0.others.load(Ordering::SeqCst) {
            true => channels.iter().filter_map(told).collect(),
            false => Vec::new(),
        };
        Reception { reasons, channels }
    }

    /// Closes all connections once what they brought is stored, unless it takes longer than this;
    /// then Slack sends it again.
    pub(super) async fn stop(&self, within: Duration) {
        self.0.stops.send_replace(true);
        let running = std::mem::take(&mut *self.running());
        let retiring = std::mem::take(&mut *lock(&self.0.retiring));
        let stopping = join_all(running.into_values().map(|one| one.mode.stop()));
        let stopping = async { tokio::join!(stopping, retiring.join_all()) };
        if tokio::time::timeout(within, stopping).await.is_err() {
            tracing::warn!("connections to Slack did not close in time");
        }
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<String, Running>> {
        lock(&self.0.running)
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Running {
    fn begin(spec: &SocketSpec, delivery: ChannelDelivery) -> anyhow::Result<Self> {
        let current = Arc::new(Current(ArcSwap::from_pointee(delivery)));
        // Pauses that do not differ are still pauses.
        let draw = Arc::new(|| getrandom::u32().unwrap_or_default());
        let ports = SocketPorts { deliver: Arc::clone(&current) as Arc<dyn Deliver>, draw };
        let mode = SocketMode::start(spec, ports)?;
        Ok(Self { spec: spec.clone(), current, mode })
    }

    fn readiness(&self, id: &str) -> ChannelReadiness {
        let ready = self.mode.is_ready();
        let reason = (!ready).then(|| {
            let pool = self.mode.status().pool;
            let why = pool.alarm.map(|alarm| alarm.to_string()).or(pool.unreachable);
            let why = why.map_or_else(String::new, |why| format!(": {why}"));
            format!("no connection to Slack listens{why}")
        });
        ChannelReadiness { id: id.to_owned(), ready, reason }
    }

    fn fits(&self, spec: &SocketSpec) -> bool {
        let same_token = self.spec.app_token.expose() == spec.app_token.expose();
        same_token && self.spec.api == spec.api
    }

    /// Ends it once the one in its place listens, or everything ends.
    async fn retire(
        self,
        next: Option<watch::Receiver<SocketStatus>>,
        mut stops: watch::Receiver<bool>,
    ) {
        if let Some(mut next) = next {
            tokio::select! {
                _ = next.wait_for(|status| status.pool.ready) => {}
                _ = stops.wait_for(|stops| *stops) => {}
                // One that never listens is no reason to keep a token that was taken away.
                () = tokio::time::sleep(HANDOVER_TIMEOUT) => {}
            }
        }
        self.mode.stop().await;
    }
}

fn told(channel: &ChannelReadiness) -> Option<String> {
    Some(format!("channel `{}`: {}", channel.id, channel.reason.as_ref()?))
}

/// Whether any channel receives over the listeners.
fn receives_otherwise(channels: &Channels) -> bool {
    let Channels { webhooks, mail, inbound, .. } = channels;
    // An app whose Socket Mode is on sends nothing over HTTP.
    let over_http = |slack: &SlackChannel| slack.socket.is_none();
    let by_request = !webhooks.is_empty() || !inbound.is_empty();
    by_request || !mail.is_empty() || channels.slack.iter().any(over_http)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        clock::SystemClock,
        config::{Config, Environment, Known},
    };
    use headgate_queue::Memory;
    use headgate_testkit::slack::{FakeSlack, OpenAnswer, WorkspaceOptions};

    /// The channels of this text.
    fn channels(text: &str) -> Channels {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("headgate.toml");
        let variables =
            ["SIGNING", "XAPP"].map(|name| (name.to_owned(), "xapp-1-A-1-b".to_owned()));
        let environment = Environment::Fixed(BTreeMap::from(variables));
        std::fs::write(&file, text).expect("written");
        let known = Known::of_system(&environment);
        Config::load(&file, &environment, &known).expect("a good configuration").channels
    }

    /// What they have besides Socket Mode.
    fn others(text: &str) -> bool {
        receives_otherwise(&channels(text))
    }

    #[test]
    fn a_channel_of_socket_mode_is_no_other_also_with_a_signing_secret() {
        let slack = "[[channel]]\nid = \"team\"\ntype = \"slack\"\n";
        let signed = "signing_secrets = [{ env = \"SIGNING\" }]\n";
        let socket = "app_token = { env = \"XAPP\" }\n";
        assert!(others(&format!("{slack}{signed}")));
        assert!(!others(&format!("{slack}{socket}")));
        assert!(!others(&format!("{slack}{signed}{socket}")));
        let hooks = "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nprovider = \"github\"\n\
                     secrets = [{ env = \"SIGNING\" }]\n";
        assert!(others(&format!("{slack}{socket}{hooks}")));
    }
    /// Symptom: a stop soon after a change of the token left connections behind, and what they had
    /// brought unacknowledged. Cause: only those of the last configuration were told. Fix: all are.
    #[tokio::test]
    async fn a_stop_also_ends_what_still_waits_for_its_successor() {
        let slack = FakeSlack::start(WorkspaceOptions::default()).await.expect("a port");
        let team = |token: &str| {
            channels(&format!(
                "[[channel]]\nid = \"team\"\ntype = \"slack\"\napi_url = \"{}\"\n\
                 app_token = {{ insecure_inline = \"{token}\" }}\n",
                slack.api(),
            ))
        };
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let sockets = Sockets(Arc::new(Shared {
            sink: Arc::new(Memory::new(Arc::clone(&clock))),
            clock,
            prompt_key: PromptKey::new([7; 32]),
            others: AtomicBool::new(false),
            merges: Merges::default(),
            running: Mutex::default(),
            retiring: Mutex::default(),
            stops: watch::channel(false).0,
        }));
        sockets.adopt(&team("xapp-1-old")).expect("adopted");
        slack.until(|slack| slack.connections().len() == 2).await;
        let old = sockets.running()["team"].mode.changes();
        slack.answer_every_open(OpenAnswer::Error("invalid_auth".to_owned()));
        sockets.adopt(&team("xapp-1-revoked")).expect("adopted");
        slack.until(|slack| slack.asked() == 3).await;
        assert_eq!(slack.connections().len(), 2, "they wait for the next one");
        sockets.stop(Duration::from_secs(10)).await;
        // Nobody tells of it any more.
        assert!(old.has_changed().is_err(), "it goes on beside a queue that closes");
        slack.until(|slack| slack.connections().is_empty()).await;
    }
}
