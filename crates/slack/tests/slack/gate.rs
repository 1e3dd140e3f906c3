//! A source of one channel, a sink that keeps drafts, and requests as Slack signs them.

use bytes::Bytes;
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Draft, Event, EventId, Secret, Sink, StoreError,
    StoredEvent, Timestamp, prompt::PromptKey,
};
use headgate_http::{
    Arrival, Intake, IntakeOptions, Rejection, RejectionSink, RequestId, TrustedProxies,
};
use headgate_slack::{Ports, SigningSecret, SlackChannelSpec, SlackSource, sign};
use headgate_testkit::ManualClock;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use http_body_util::{BodyExt, Full};
use std::{
    net::{Ipv4Addr, SocketAddr},
    sync::{Arc, Mutex},
};

/// 2026-04-19T09:15:25Z.
pub(crate) const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);
pub(crate) const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
pub(crate) const TARGET: &str = "/v1/slack/team";
pub(crate) const FORM: &str = "application/x-www-form-urlencoded";

pub(crate) struct Gate {
    pub(crate) source: SlackSource,
    pub(crate) sink: Arc<Kept>,
    pub(crate) refused: Arc<Handed>,
    pub(crate) clock: Arc<ManualClock>,
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

/// A secret that any app may use.
pub(crate) fn secret(text: &str) -> SigningSecret {
    SigningSecret { secret: Secret::new(text), api_app_id: None }
}

/// A channel with the secret of these tests.
pub(crate) fn spec() -> SlackChannelSpec {
    let channel = Channel::new("team", "Team", ChannelType::Slack).expect("a channel");
    SlackChannelSpec::new(channel, vec![secret(SECRET)])
}

impl Gate {
    pub(crate) fn new() -> Self {
        Self::of(spec())
    }

    pub(crate) fn of(spec: SlackChannelSpec) -> Self {
        let spool = tempfile::tempdir().expect("a folder");
        let intake = Intake::new(IntakeOptions::new(spool.path().join("spool"))).expect("intake");
        let refused = Arc::new(Handed::default());
        let (sink, clock) = (Arc::new(Kept::default()), Arc::new(ManualClock::at(NOW)));
        let ports = Ports {
            sink: Arc::clone(&sink) as Arc<dyn Sink>,
            intake: Arc::new(intake),
            proxies: TrustedProxies::new(vec!["192.0.2.0/24".parse().expect("a network")]),
            clock: Arc::clone(&clock) as Arc<dyn headgate_event::Clock>,
            prompt_key: PromptKey::new([7; 32]),
            rejections: Some(Arc::clone(&refused) as Arc<dyn RejectionSink>),
        };
        let source = SlackSource::new(vec![spec], ports).expect("a right channel");
        Self { source, sink, refused, clock, _spool: spool }
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

    /// The event id that each stored payload names.
    pub(crate) fn event_ids(&self) -> Vec<String> {
        let drafts = self.drafts.lock().expect("not poisoned");
        let id = |draft: &Draft| {
            let payload: serde_json::Value = serde_json::from_slice(&draft.raw).expect("JSON");
            payload["event_id"].as_str().expect("an event id").to_owned()
        };
        drafts.iter().map(id).collect()
    }

    /// The last draft as its consumers will see it.
    pub(crate) fn last(&self) -> Event {
        let draft = self.last_draft();
        StoredEvent::decode(id(1), &StoredEvent::encode(&draft), &draft.raw).expect("an event")
    }
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
    /// A request without proof.
    pub(crate) fn unsigned(body: impl Into<Bytes>) -> Self {
        Self {
            method: Method::POST,
            target: TARGET.to_owned(),
            headers: HeaderMap::new(),
            body: body.into(),
        }
    }

    /// A request as Slack signs it at a time.
    pub(crate) fn signed_at(at: Timestamp, with: &str, body: impl Into<Bytes>) -> Self {
        let post = Self::unsigned(body);
        let signature = sign(&Secret::new(with), at, &post.body);
        post.header("x-slack-signature", signature)
            .header("x-slack-request-timestamp", at.unix_s().to_string())
    }

    /// JSON as Slack sends it.
    pub(crate) fn json(body: impl Into<Bytes>) -> Self {
        Self::signed_at(NOW, SECRET, body).header("content-type", "application/json")
    }

    /// A form as Slack sends it.
    pub(crate) fn form(body: impl Into<Bytes>) -> Self {
        Self::signed_at(NOW, SECRET, body).header("content-type", FORM)
    }

    /// The JSON of an interaction in its form.
    pub(crate) fn payload(json: &str) -> Self {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("payload", json);
        Self::form(form.finish())
    }

    /// With one more header.
    pub(crate) fn header(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        let value = HeaderValue::from_bytes(value.as_ref()).expect("a value");
        self.headers.append(HeaderName::try_from(name).expect("a name"), value);
        self
    }

    /// With another value of a header, or without it.
    pub(crate) fn changed(mut self, name: &str, value: Option<&[u8]>) -> Self {
        self.headers.remove(name);
        match value {
            Some(value) => self.header(name, value),
            None => self,
        }
    }

    /// The request as the server loop gives it.
    pub(crate) fn request(&self) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(self.body.clone()));
        *request.method_mut() = self.method.clone();
        *request.uri_mut() = self.target.parse().expect("a target");
        *request.headers_mut() = self.headers.clone();
        request.extensions_mut().insert(Arrival {
            remote: SocketAddr::from((Ipv4Addr::new(198, 51, 100, 7), 50_000)),
            received_at: NOW,
            request_id: RequestId::new("req-1"),
        });
        request
    }
}
