//! An API over a queue in memory, and ways to call it.

use crate::failing::{Failing, Faults};
use axum::{Router, body::Body};
use bytes::Bytes;
use headgate_api::{
    Access, Api, ApiOptions, AppOptions, ChannelView, Reception, StreamRules, router,
};
use headgate_event::{
    Channel, ChannelType, Clock, Correlation, DataText, Draft, EventId, EventType, Fill, Sink,
    Timestamp, Verification,
    limits::BODIES_IN_FLIGHT_BYTES_MAX,
    prompt::{Prompt, PromptKey},
};
use headgate_http::{Arrival, BodyBound, RequestId};
use headgate_push::{Configured, Pushes};
use headgate_queue::{Memory, Queue, SubscriptionSpec};
use headgate_testkit::ManualClock;
use http::{HeaderMap, Request, StatusCode};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::sync::watch;
use tower::ServiceExt;

/// 2026-11-21T00:00:00Z.
pub(crate) const START: Timestamp = Timestamp::from_unix_s(1_795_219_200);

/// An API and what is behind it.
pub(crate) struct World {
    pub(crate) queue: Arc<Memory>,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) api: Api,
    pub(crate) router: Router,
    pub(crate) stop: watch::Sender<bool>,
    pub(crate) unready: Arc<std::sync::Mutex<Vec<String>>>,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) bytes: Bytes,
}

impl World {
    /// Without keys.
    pub(crate) fn new() -> Self {
        Self::with(Access::Loopback, StreamRules::default())
    }

    pub(crate) fn with(access: Access, stream: StreamRules) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let queue = Arc::new(Memory::new(clock.clone()));
        Self::over(queue.clone(), queue, clock, |options| {
            options.access = access;
            options.stream = stream;
        })
    }

    pub(crate) fn with_metrics(handle: PrometheusHandle) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let queue = Arc::new(Memory::new(clock.clone()));
        Self::over(queue.clone(), queue, clock, |options| options.metrics = Some(handle))
    }

    /// With other options.
    pub(crate) fn changed(change: impl FnOnce(&mut ApiOptions)) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let queue = Arc::new(Memory::new(clock.clone()));
        Self::over(queue.clone(), queue, clock, change)
    }

    /// With the queue in memory behind one that fails where it is told to.
    pub(crate) fn failing(faults: Faults) -> Self {
        let clock = Arc::new(ManualClock::at(START));
        let queue = Arc::new(Memory::new(clock.clone()));
        let front = Arc::new(Failing { queue: queue.clone(), faults });
        Self::over(front, queue, clock, |_| {})
    }

    /// The same without faults.
    pub(crate) fn mended(self) -> Self {
        let (front, clock) = (self.queue.clone(), self.clock.clone());
        Self::over(front, self.queue, clock, |_| {})
    }

    fn over(
        front: Arc<dyn Queue>,
        queue: Arc<Memory>,
        clock: Arc<ManualClock>,
        change: impl FnOnce(&mut ApiOptions),
    ) -> Self {
        let (stop, stopping) = watch::channel(false);
        let unready = Arc::new(std::sync::Mutex::new(Vec::new()));
        let reasons = Arc::clone(&unready);
        let mut options = ApiOptions {
            queue: front,
            attempts: queue.clone(),
            pushes: Some(Pushes::new(queue.clone(), Configured::default())),
            access: Access::Loopback,
            clock: clock.clone(),
            version: "1.2.3",
            readiness: Arc::new(move || Reception {
                reasons: reasons.lock().unwrap().clone(),
                channels: Vec::new(),
            }),
            metrics: None,
            measure: Arc::new(|| {}),
            channels: vec![ChannelView {
                channel: channel("billing"),
                provider: Some("stripe".into()),
                verification: "stripe".into(),
                path: Some("/v1/webhook/billing".into()),
            }],
            backups: None,
            rejections: None,
            schedules: None,
            zones: None,
            links: None,
            stop: stopping,
            stream: StreamRules::default(),
            bodies: BodyBound::new(BODIES_IN_FLIGHT_BYTES_MAX),
            app: AppOptions {
                channel: Arc::new(Channel::new("app", "app", ChannelType::App).expect("an id")),
                prompt_key: PromptKey::new([7; 32]),
                catalog: Arc::default(),
            },
        };
        change(&mut options);
        let api = Api::new(options);
        let router = router(api.clone());
        Self { queue, clock, api, router, stop, unready }
    }

    /// Stores one event a draft, one millisecond apart, and returns their ids.
    pub(crate) async fn store(&self, drafts: impl IntoIterator<Item = Draft>) -> Vec<EventId> {
        let mut ids = Vec::new();
        for mut draft in drafts {
            self.clock.advance(Duration::from_millis(1));
            draft.created_at = self.clock.now();
            let accepted = self.queue.accept(vec![draft]).await.expect("stored");
            ids.extend(accepted.into_iter().map(|accepted| accepted.id()));
        }
        ids
    }

    /// Stores so many events of one kind.
    pub(crate) async fn store_many(&self, count: usize) -> Vec<EventId> {
        self.store((0..count).map(|n| draft("billing", Some("stripe"), &format!("{{\"n\":{n}}}"))))
            .await
    }

    pub(crate) async fn subscribe(&self, spec: SubscriptionSpec) {
        self.queue.put_subscription(spec).await.expect("made");
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send(request("GET", path, "")).await
    }

    pub(crate) async fn post(&self, path: &str, body: &str) -> Answer {
        self.send(request("POST", path, body)).await
    }

    pub(crate) async fn call(&self, method: &str, path: &str, body: &str) -> Answer {
        self.send(request(method, path, body)).await
    }

    pub(crate) async fn send(&self, request: Request<Body>) -> Answer {
        let answer = self.router.clone().oneshot(request).await.expect("infallible");
        let (parts, body) = answer.into_parts();
        let bytes = axum::body::to_bytes(body, usize::MAX).await.expect("whole");
        Answer { status: parts.status, headers: parts.headers, bytes }
    }
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.bytes).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&self.bytes));
        })
    }

    /// Status and body in one text, for snapshots.
    pub(crate) fn shown(&self) -> String {
        format!("{} {}", self.status.as_u16(), String::from_utf8_lossy(&self.bytes))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ascii"))
    }

    /// The numbers in the bodies of a list of events.
    pub(crate) fn numbers(&self, list: &str) -> Vec<u64> {
        let json = self.json();
        let events = json[list].as_array().unwrap_or_else(|| panic!("{json}"));
        events.iter().map(|event| event["data"]["body"]["n"].as_u64().expect("n")).collect()
    }

    /// The ids of the deliveries in an answer to a lease.
    pub(crate) fn deliveries(&self) -> Vec<String> {
        let json = self.json();
        let events = json["deliveries"].as_array().unwrap_or_else(|| panic!("{json}"));
        events.iter().map(|e| e["delivery"]["id"].as_str().expect("id").to_owned()).collect()
    }
}

/// A request as it comes from this machine.
pub(crate) fn request(method: &str, path: &str, body: &str) -> Request<Body> {
    Request::builder()
        .method(method)
        .uri(path)
        .header("host", "localhost:8080")
        .extension(arrival("127.0.0.1"))
        .body(Body::from(body.to_owned()))
        .expect("a request")
}

pub(crate) fn arrival(remote: &str) -> Arrival {
    Arrival {
        remote: (remote.parse::<std::net::IpAddr>().expect("an address"), 4711).into(),
        received_at: START,
        request_id: RequestId::new("req-1"),
    }
}

pub(crate) fn channel(id: &str) -> Channel {
    Channel::new(id, id, ChannelType::Webhook).expect("valid")
}

/// A webhook with a JSON body.
pub(crate) fn draft(channel_id: &str, provider: Option<&str>, body: &str) -> Draft {
    let data = DataText::whole(&serde_json::json!({"method": "POST"})).hole("body", Fill::Json);
    Draft {
        identity: None,
        event_type: EventType::WEBHOOK_RECEIVED,
        created_at: START,
        channel: Arc::new(channel(channel_id)),
        provider: provider.map(str::to_owned),
        provider_event: None,
        verification: Verification::none(),
        dedupe: None,
        thread_key: None,
        correlation: Correlation::default(),
        data,
        metadata: BTreeMap::new(),
        prompt: Prompt { text: "a prompt".into(), version: 1 },
        raw: Bytes::from(body.to_owned()),
    }
}

/// A subscription from the oldest event on.
pub(crate) fn from_earliest(name: &str) -> SubscriptionSpec {
    let mut spec = SubscriptionSpec::new(name);
    spec.start = headgate_queue::Start::Earliest;
    spec
}
