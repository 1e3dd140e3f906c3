//! A source with one channel, a sink that keeps what it is given, and a clock that stands still.

use bytes::Bytes;
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, Event, EventId, Secret, Sink, StoreError,
    StoredEvent, Timestamp, prompt::PromptKey,
};
use headgate_http::{
    Arrival, Intake, IntakeOptions, Rejection, RejectionSink, RequestId, TrustedProxies,
};
use headgate_testkit::ManualClock;
use headgate_webhook::{
    CaptureSink, ChannelSpec, DedupePolicy, Fetched, Ports, Providers, Settings, WebhookSource,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, LazyLock, Mutex},
};
use tempfile::TempDir;

/// The moment at which these tests play: 2026-04-19T09:15:25Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
/// The channel of every test that does not ask for another.
pub(crate) const CHANNEL: &str = "fixture";

/// The providers that are built in, compiled once.
pub(crate) static PROVIDERS: LazyLock<Providers> = LazyLock::new(Providers::embedded);

/// The source under test and what is around it.
pub(crate) struct Gate {
    pub(crate) source: WebhookSource,
    pub(crate) sink: Arc<Kept>,
    pub(crate) refused: Arc<Handed>,
    pub(crate) clock: Arc<ManualClock>,
    _spool: TempDir,
}

/// A sink that knows repeats by their key and can be told to fail.
#[derive(Default)]
pub(crate) struct Kept {
    drafts: Mutex<Vec<Draft>>,
    fault: Mutex<Option<StoreError>>,
}

/// Keeps the rejections that it is handed.
#[derive(Default)]
pub(crate) struct Handed(Mutex<Vec<Rejection>>);

impl Handed {
    pub(crate) fn all(&self) -> Vec<Rejection> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl RejectionSink for Handed {
    fn keep(&self, rejection: Rejection) {
        self.0.lock().expect("not poisoned").push(rejection);
    }
}

/// A request before it is made.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) method: Method,
    pub(crate) target: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// A channel of a provider with these secrets.
pub(crate) fn spec(provider: &str, secrets: &[&str]) -> ChannelSpec {
    ChannelSpec {
        channel: Channel::new(CHANNEL, "Fixture", ChannelType::Webhook).expect("a channel"),
        provider: provider.to_owned(),
        own: None,
        secrets: secrets.iter().map(|secret| Secret::new(*secret)).collect(),
        body_bytes_max: None,
        settings: Settings::new(),
        public_url: None,
        splits: false,
        dedupe: DedupePolicy::default(),
        tolerance: None,
        rate: None,
        allow_ips: Vec::new(),
    }
}

/// Requests come from 192.0.2.7, whose network is a proxy's.
fn proxies() -> TrustedProxies {
    TrustedProxies::new(vec!["192.0.2.0/24".parse().expect("a network")])
}

impl Gate {
    pub(crate) fn of(spec: ChannelSpec) -> Self {
        Self::fetching(spec, Arc::default())
    }

    /// The same with something that fetches.
    pub(crate) fn fetching(spec: ChannelSpec, fetched: Arc<Fetched>) -> Self {
        Self::around(vec![spec], fetched, None)
    }

    /// The same with something that keeps what is handed over.
    pub(crate) fn capturing(spec: ChannelSpec, captures: Arc<dyn CaptureSink>) -> Self {
        Self::around(vec![spec], Arc::default(), Some(captures))
    }

    /// These channels, and what is around them.
    pub(crate) fn around(
        specs: Vec<ChannelSpec>,
        fetched: Arc<Fetched>,
        captures: Option<Arc<dyn CaptureSink>>,
    ) -> Self {
        let spool = tempfile::tempdir().expect("a folder");
        let intake = Intake::new(IntakeOptions::new(spool.path().join("spool"))).expect("intake");
        let refused = Arc::new(Handed::default());
        let (sink, clock) = (Arc::new(Kept::default()), Arc::new(ManualClock::at(NOW)));
        let ports = Ports {
            sink: Arc::clone(&sink) as Arc<dyn Sink>,
            intake: Arc::new(intake),
            proxies: proxies(),
            clock: Arc::clone(&clock) as Arc<dyn headgate_event::Clock>,
            prompt_key: PromptKey::new([7; 32]),
            rejections: Some(Arc::clone(&refused) as Arc<dyn RejectionSink>),
            fetched,
            captures,
        };
        let source = WebhookSource::new(specs, &PROVIDERS, ports);
        Self { source: source.expect("a right channel"), sink, refused, clock, _spool: spool }
    }

    pub(crate) fn with(provider: &str, secrets: &[&str]) -> Self {
        Self::of(spec(provider, secrets))
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&self, post: &Post) -> Read {
        read(self.source.answer(post.request()).await).await
    }

    /// Sends a request that must be taken, and gives its event.
    pub(crate) async fn event(&self, post: &Post) -> Event {
        let answer = self.send(post).await;
        assert!(answer.status.is_success(), "{}: {}", answer.status, answer.body);
        self.sink.last()
    }
}

async fn read(answer: Response<Full<Bytes>>) -> Read {
    let (parts, body) = answer.into_parts();
    let body = body.collect().await.expect("a whole body").to_bytes();
    let body = String::from_utf8(body.to_vec()).expect("text");
    Read { status: parts.status, headers: parts.headers, body }
}

impl Read {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        body["error"]["code"].as_str().expect("a code").to_owned()
    }
}

impl Kept {
    pub(crate) fn len(&self) -> usize {
        self.drafts.lock().expect("not poisoned").len()
    }

    pub(crate) fn fail(&self, fault: Option<StoreError>) {
        *self.fault.lock().expect("not poisoned") = fault;
    }

    pub(crate) fn last_draft(&self) -> Draft {
        self.drafts.lock().expect("not poisoned").last().expect("a draft").clone()
    }

    /// The last draft as its consumers will see it.
    pub(crate) fn last(&self) -> Event {
        seen(&self.last_draft())
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Event> {
        self.drafts.lock().expect("not poisoned").iter().map(seen).collect()
    }
}

fn seen(draft: &Draft) -> Event {
    StoredEvent::decode(id(1), &StoredEvent::encode(draft), &draft.raw).expect("an event")
}

fn id(number: usize) -> EventId {
    EventId::from_parts(NOW, number as u128)
}

impl Sink for Kept {
    fn accept(&self, new: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        Box::pin(async move {
            if let Some(fault) = self.fault.lock().expect("not poisoned").clone() {
                return Err(fault);
            }
            let mut drafts = self.drafts.lock().expect("not poisoned");
            let mut accepted = Vec::new();
            for draft in new {
                let known = drafts.iter().position(|kept| {
                    kept.dedupe.as_ref().zip(draft.dedupe.as_ref()).is_some_and(|(a, b)| a == b)
                });
                if let Some(at) = known {
                    accepted.push(Accepted::Duplicate(id(at + 1)));
                    continue;
                }
                drafts.push(draft);
                accepted.push(Accepted::New(id(drafts.len())));
            }
            Ok(accepted)
        })
    }
}

impl Post {
    pub(crate) fn to(target: &str, body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            target: target.to_owned(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    /// These bytes as GitHub signs and sends them, with the secret `a`.
    pub(crate) fn signed(body: impl Into<Bytes>) -> Self {
        Self::signed_by("github", body)
    }

    /// The same as another provider does.
    pub(crate) fn signed_by(provider: &str, body: impl Into<Bytes>) -> Self {
        const TARGET: &str = "/v1/webhook/fixture";
        let provider = PROVIDERS.find(provider).expect("a provider");
        let mut sample = provider.sample(None, 1).expect("a sample");
        sample.body = body.into();
        let signed = provider.sign(sample, TARGET, &Secret::new("a"), NOW).expect("signed");
        let post = Self::to(TARGET, signed.body);
        let headers = signed.headers.iter();
        headers.fold(post, |post, (name, value)| post.header(name.as_str(), value.as_bytes()))
    }

    /// The request as the server loop gives it.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.parse().expect("a target");
        *request.headers_mut() = self.headers.clone();
        request.extensions_mut().insert(Arrival {
            remote: SocketAddr::from((Ipv4Addr::new(192, 0, 2, 7), 50_000)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        });
        request
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a value");
        self.headers.append(HeaderName::try_from(name).expect("a name"), value);
        self
    }

    /// A request as a file holds it: request line, headers, an empty line, the bytes of the body.
    pub(crate) fn parse(file: &[u8]) -> Self {
        let end = file.windows(2).position(|pair| pair == b"\n\n").expect("an empty line");
        let (head, body) = (&file[..end], &file[end + 2..]);
        let mut lines = head.split(|byte| *byte == b'\n');
        let line = String::from_utf8(lines.next().expect("a line").to_vec()).expect("text");
        let mut words = line.split(' ');
        let method = words.next().expect("a method").parse().expect("a method");
        let mut post = Self::to(words.next().expect("a target"), body.to_vec());
        post.method = method;
        for line in lines {
            let colon = line.iter().position(|byte| *byte == b':').expect("a colon");
            let name = String::from_utf8(line[..colon].to_vec()).expect("a name");
            post = post.header(&name, line[colon + 1..].trim_ascii());
        }
        post
    }
}
