//! What every route of the API works with.

use crate::{
    Access, AppOptions, ChannelView, Links, Reception, Rejections, Schedules, ZonesView,
    access::Guard,
};
use arc_swap::ArcSwap;
use headgate_app::Catalog;
use headgate_event::{
    Clock, Event, EventId,
    limits::{
        ANSWER_STALL_TIMEOUT, EXPORTS_MAX, STREAM_PING_EVERY, STREAM_SILENCE_MAX,
        TAIL_BEHIND_EVENTS_MAX,
    },
};
use headgate_http::{BodyBound, RequestId};
use headgate_push::Pushes;
use headgate_queue::{Attempts, Backups, Queue};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::sync::{Mutex, Semaphore, watch};

/// Says how the ways in stand.
pub type Readiness = Arc<dyn Fn() -> Reception + Send + Sync>;

/// Sets the gauges that are measured only when somebody asks, such as the bytes of the log.
pub type Measure = Arc<dyn Fn() + Send + Sync>;

/// Says which time zone data counts.
pub type Zones = Arc<dyn Fn() -> ZonesView + Send + Sync>;

/// What the API is made of.
pub struct ApiOptions {
    /// Where the events are.
    pub queue: Arc<dyn Queue>,
    /// Where it is kept what came of attempts: the same queue.
    pub attempts: Arc<dyn Attempts>,
    /// Who pushes; none where nothing does.
    pub pushes: Option<Pushes>,
    /// Who may call.
    pub access: Access,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// The version of the program, `x.y.z`.
    pub version: &'static str,
    /// What else must be ready besides the queue, such as a listener.
    pub readiness: Readiness,
    /// The recorder whose metrics are shown; without it only those of the queue are.
    pub metrics: Option<PrometheusHandle>,
    /// What is called before metrics are shown.
    pub measure: Measure,
    /// The configured ways in, as `GET /v1/channels` shows them.
    pub channels: Vec<ChannelView>,
    /// Makes backups; none where no folder is configured for them.
    pub backups: Option<Arc<dyn Backups>>,
    /// The quarantine; none when it is switched off.
    pub rejections: Option<Rejections>,
    /// Who fires schedules; none where nothing does.
    pub schedules: Option<Arc<dyn Schedules>>,
    /// Says which time zone data counts; none where nothing fires by it.
    pub zones: Option<Zones>,
    /// Makes the URLs of messages and attachments; without it there are none.
    pub links: Option<Links>,
    /// Becomes true when the program is about to stop.
    pub stop: watch::Receiver<bool>,
    /// How streams treat their clients.
    pub stream: StreamRules,
    /// The memory for the bodies of calls, shared with the other ways in.
    pub bodies: BodyBound,
    /// What events of applications are made with.
    pub app: AppOptions,
}

/// How streams treat their clients.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamRules {
    /// How often a client is pinged.
    pub ping_every: Duration,
    /// A client that says nothing for so long is taken for dead; on a durable stream for as long
    /// as its lease, when that is longer.
    pub silence_max: Duration,
    /// A client of server-sent events that takes nothing for so long is left.
    pub stall_max: Duration,
    /// A live tail further behind than so many events jumps ahead.
    pub tail_behind_events_max: u64,
}

/// The API, to be given to [`router`](crate::router). Clones are the same API.
#[derive(Clone)]
pub struct Api(pub(crate) Shared);

/// The API as its routes hold it.
pub(crate) type Shared = Arc<Parts>;

/// The parts of the API that routes use.
pub(crate) struct Parts {
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) attempts: Arc<dyn Attempts>,
    pub(crate) pushes: Option<Pushes>,
    guard: ArcSwap<Guard>,
    access_changes: watch::Sender<()>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) version: &'static str,
    pub(crate) readiness: Readiness,
    pub(crate) metrics: Option<PrometheusHandle>,
    pub(crate) measure: Measure,
    pub(crate) channels: ArcSwap<Vec<ChannelView>>,
    pub(crate) rejections: Option<Rejections>,
    pub(crate) schedules: Option<Arc<dyn Schedules>>,
    pub(crate) zones: Option<Zones>,
    pub(crate) rules: StreamRules,
    pub(crate) bodies: BodyBound,
    /// What events of applications are made with, but for the catalog, which changes.
    pub(crate) app: AppOptions,
    catalog: ArcSwap<Catalog>,
    pub(crate) links: Option<Links>,
    pub(crate) backups: Option<Arc<dyn Backups>>,
    /// Lets so many exports be written at one time.
    pub(crate) exports: Arc<Semaphore>,
    /// Held while a subscription is read, changed and put back.
    pub(crate) subscription_change: Mutex<()>,
    /// Held while rejections are released: each is read whole, and none is released twice.
    pub(crate) release: Mutex<()>,
    stop: watch::Receiver<bool>,
    streams: watch::Sender<usize>,
    requests: AtomicU64,
}

/// Counts a stream as open until it is dropped.
#[derive(Debug)]
pub(crate) struct OpenStream(watch::Sender<usize>);

impl Api {
    /// An API over these parts.
    #[must_use]
    pub fn new(options: ApiOptions) -> Self {
        Self(Arc::new(Parts {
            queue: options.queue,
            attempts: options.attempts,
            pushes: options.pushes,
            guard: ArcSwap::from_pointee(Guard::new(options.access, None)),
            access_changes: watch::Sender::new(()),
            clock: options.clock,
            version: options.version,
            readiness: options.readiness,
            metrics: options.metrics,
            measure: options.measure,
            channels: ArcSwap::from_pointee(options.channels),
            rejections: options.rejections,
            schedules: options.schedules,
            zones: options.zones,
            rules: options.stream,
            bodies: options.bodies,
            catalog: ArcSwap::new(Arc::clone(&options.app.catalog)),
            app: options.app,
            links: options.links,
            backups: options.backups,
            exports: Arc::new(Semaphore::new(EXPORTS_MAX)),
            subscription_change: Mutex::new(()),
            release: Mutex::new(()),
            stop: options.stop,
            streams: watch::Sender::new(0),
            requests: AtomicU64::new(0),
        }))
    }

    /// Puts other keys in the place of those there are. A call that is under way finishes; a stream
    /// whose caller would no longer be let in, or whose key is bound to something else, is closed.
    pub fn replace_access(&self, access: Access) {
        let before = self.0.guard();
        self.0.guard.store(Arc::new(Guard::new(access, Some(&before))));
        self.0.tell_streams();
    }

    /// An event as every caller gets it: with links to what belongs to it.
    #[must_use]
    pub fn served(&self, event: Event) -> Event {
        self.0.served(event)
    }

    /// Shows other channels from this moment on.
    pub fn replace_channels(&self, channels: Vec<ChannelView>) {
        self.0.channels.store(Arc::new(channels));
    }

    /// Takes other types of app events from this moment on.
    pub fn replace_catalog(&self, catalog: Arc<Catalog>) {
        self.0.catalog.store(catalog);
    }

    /// Runs a change of subscriptions while no call of the API changes one.
    pub async fn while_subscriptions_stand<T>(&self, change: impl Future<Output = T>) -> T {
        let _change = self.0.subscription_change.lock().await;
        change.await
    }

    /// Resolves when no stream is open. Upgraded connections outlive the server loop, so a
    /// graceful stop waits for this before it closes the queue.
    pub async fn streams_ended(&self) {
        // The sender is in `self`, so the wait cannot fail.
        let _ = self.0.streams.subscribe().wait_for(|open| *open == 0).await;
    }
}

impl Parts {
    /// The check of calls as it is at this moment.
    pub(crate) fn guard(&self) -> Arc<Guard> {
        self.guard.load_full()
    }

    /// Which types of app events are taken at this moment.
    pub(crate) fn catalog(&self) -> Arc<Catalog> {
        self.catalog.load_full()
    }

    /// An event as a caller gets it: with links to what belongs to it.
    pub(crate) fn served(&self, event: Event) -> Event {
        match &self.links {
            Some(links) => links.served(&event, self.clock.now()),
            None => event,
        }
    }

    /// Has every open stream look whether it may go on.
    pub(crate) fn tell_streams(&self) {
        self.access_changes.send_replace(());
    }

    /// Changes whenever the check of calls does, or what it rests on.
    pub(crate) fn access_changes(&self) -> watch::Receiver<()> {
        self.access_changes.subscribe()
    }

    /// Whether the program is about to stop.
    pub(crate) fn stopping(&self) -> bool {
        *self.stop.borrow()
    }

    /// Resolves when the program is about to stop.
    pub(crate) async fn stopped(&self) {
        if self.stop.clone().wait_for(|stop| *stop).await.is_err() {
            // Whoever could say stop is gone without saying it.
            std::future::pending::<()>().await;
        }
    }

    /// Counts one more open stream.
    pub(crate) fn open_stream(&self) -> OpenStream {
        self.streams.send_modify(|open| *open += 1);
        ::metrics::gauge!("headgate_streams_open").increment(1.0);
        OpenStream(self.streams.clone())
    }

    /// An id for a request that the server loop gave none.
    pub(crate) fn request_id(&self) -> RequestId {
        let count = self.requests.fetch_add(1, Ordering::Relaxed);
        RequestId::new(&EventId::from_parts(self.clock.now(), count.into()).to_string())
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.send_modify(|open| *open = open.saturating_sub(1));
        ::metrics::gauge!("headgate_streams_open").decrement(1.0);
    }
}

impl Default for StreamRules {
    fn default() -> Self {
        Self {
            ping_every: STREAM_PING_EVERY,
            silence_max: STREAM_SILENCE_MAX,
            stall_max: ANSWER_STALL_TIMEOUT,
            tail_behind_events_max: TAIL_BEHIND_EVENTS_MAX,
        }
    }
}

impl fmt::Debug for Api {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Api").field("guard", &self.0.guard()).finish_non_exhaustive()
    }
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Parts").field("guard", &self.guard()).finish_non_exhaustive()
    }
}

impl fmt::Debug for ApiOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ApiOptions").field("access", &self.access).finish_non_exhaustive()
    }
}
