//! A source of one channel, a sink that keeps drafts, and requests as providers send them.

use bytes::Bytes;
use headgate_email::{
    Authenticator, Terms,
    inbound::{InboundPorts, InboundSource, InboundSpec},
    smtp::{AddressPattern, MailChannel},
};
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, Event, EventId, Secret, Sink, StoreError,
    StoredEvent, Timestamp, prompt::PromptKey,
};
use headgate_http::{
    Arrival, Intake, IntakeOptions, Rejection, RejectionSink, RequestId, TrustedProxies,
};
use headgate_testkit::ManualClock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use std::{
    collections::BTreeMap,
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

/// 2026-04-19T09:15:25Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
pub(crate) const ADDRESS: &str = "support@in.example.com";

pub(crate) struct Gate {
    pub(crate) source: InboundSource,
    pub(crate) sink: Arc<Kept>,
    pub(crate) refused: Arc<Handed>,
    _spool: tempfile::TempDir,
}

/// Keeps drafts, and knows repeats of them by key alone.
#[derive(Default)]
pub(crate) struct Kept {
    drafts: Mutex<Vec<Draft>>,
    fault: Mutex<Option<StoreError>>,
}

/// Keeps rejections.
#[derive(Default)]
pub(crate) struct Handed(Mutex<Vec<Rejection>>);

/// A request before it is made.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) headers: Vec<(String, Vec<u8>)>,
    pub(crate) body: Vec<u8>,
}

/// An answer, read.
#[derive(Debug)]
pub(crate) struct Read {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// The channel as SMTP knows it.
pub(crate) fn mail() -> MailChannel {
    let channel = Channel::new("support", "Support", ChannelType::Email).expect("a channel");
    MailChannel {
        channel: Arc::new(channel),
        addresses: vec![AddressPattern::parse(ADDRESS).expect("an address")],
        senders_allow: Vec::new(),
        senders_deny: Vec::new(),
        bytes_max: 1 << 20,
        terms: Terms::default(),
    }
}

/// The channel of a provider with a secret.
pub(crate) fn spec(provider: &str, secret: &str) -> InboundSpec {
    let secrets = vec![Secret::new(secret)];
    let provider = provider.to_owned();
    InboundSpec { mail: mail(), provider, secrets, settings: BTreeMap::new() }
}

impl Gate {
    pub(crate) fn of(spec: InboundSpec) -> Self {
        Self::with(spec, None)
    }

    pub(crate) fn with(spec: InboundSpec, authenticator: Option<Arc<dyn Authenticator>>) -> Self {
        Self::around(spec, |ports| ports.authenticator = authenticator)
    }

    /// The same with other ports.
    pub(crate) fn around(spec: InboundSpec, change: impl FnOnce(&mut InboundPorts)) -> Self {
        let spool = tempfile::tempdir().expect("a folder");
        let intake = Intake::new(IntakeOptions::new(spool.path().join("spool"))).expect("intake");
        let refused = Arc::new(Handed::default());
        let sink = Arc::new(Kept::default());
        let mut ports = InboundPorts {
            sink: Arc::clone(&sink) as Arc<dyn Sink>,
            intake: Arc::new(intake),
            proxies: TrustedProxies::new(Vec::new()),
            authenticator: None,
            clock: Arc::new(ManualClock::at(NOW)),
            prompt_key: PromptKey::new([7; 32]),
            rejections: Some(Arc::clone(&refused) as Arc<dyn RejectionSink>),
            carriers: None,
            held: None,
        };
        change(&mut ports);
        let source = InboundSource::new(vec![spec], ports).expect("a right channel");
        Self { source, sink, refused, _spool: spool }
    }

    /// Sends a request and reads the answer.
    pub(crate) async fn send(&self, post: &Post) -> Read {
        let answer = self.source.answer(post.request()).await;
        let (parts, body) = answer.into_parts();
        let body = body.collect().await.expect("a whole body").to_bytes();
        let body = String::from_utf8(body.to_vec()).expect("text");
        Read { status: parts.status, headers: parts.headers, body }
    }

    /// Sends a request that must be taken, and gives its event.
    pub(crate) async fn event(&self, post: &Post) -> Event {
        let before = self.sink.len();
        let answer = self.send(post).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        assert_eq!(self.sink.len(), before + 1, "stored");
        self.sink.last()
    }
}

impl Read {
    /// The code of a refusal.
    pub(crate) fn code(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(&self.body).expect("JSON");
        body["error"]["code"].as_str().unwrap_or_default().to_owned()
    }
}

impl Kept {
    pub(crate) fn len(&self) -> usize {
        self.drafts.lock().expect("not poisoned").len()
    }

    pub(crate) fn fail(&self, fault: Option<StoreError>) {
        *self.fault.lock().expect("not poisoned") = fault;
    }

    /// The last draft as its consumers will see it.
    pub(crate) fn last(&self) -> Event {
        event_of(&self.last_draft())
    }

    pub(crate) fn last_draft(&self) -> Draft {
        self.drafts.lock().expect("not poisoned").last().expect("a draft").clone()
    }
}

/// A draft as its consumers will see it.
pub(crate) fn event_of(draft: &Draft) -> Event {
    StoredEvent::decode(id(1), &StoredEvent::encode(draft), &draft.raw).expect("an event")
}

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
                let known = draft.dedupe.as_ref().and_then(|dedupe| {
                    drafts.iter().position(|kept| kept.dedupe.as_ref() == Some(dedupe))
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
    pub(crate) fn new(content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        Self { headers: Vec::new(), body: body.into() }.header("content-type", content_type)
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.headers.push((name.to_owned(), value.as_ref().to_vec()));
        self
    }

    /// The request as the server loop gives it.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(Bytes::from(self.body.clone())));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = "/v1/email/support".parse().expect("a target");
        for (name, value) in &self.headers {
            let name = HeaderName::try_from(name.as_str()).expect("a name");
            let value = HeaderValue::from_bytes(value).expect("a value");
            request.headers_mut().append(name, value);
        }
        request.extensions_mut().insert(Arrival {
            remote: SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 50_000)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        });
        request
    }
}
