//! Receives for the Slack channels over HTTP: a request in, its answer out, the event stored in
//! between.
//!
//! Slack switches an app off whose requests mostly fail. So what is signed is answered 2xx once it
//! is stored, whatever it is, and 503 only when it could not be stored.

pub(crate) mod measures;
mod release;

pub use release::{AgeRule, NotReleased};

use crate::{
    channel::{SlackChannel, SlackChannelSpec, SlackChannelSpecError, SlackChannelSpecErrorKind},
    draft::{Drafted, Receipt, Transport, draft},
    merge::{self, Merges, Sent, Stored},
    payload::{Payload, PayloadKind, asks_ssl_check, is_ssl_check},
    verify::{Check, Peer, signed_at},
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use headgate_event::{Accepted, Clock, Sink, limits::STORE_RETRY_AFTER, prompt::PromptKey};
use headgate_http::{
    Answer, Arrival, Intake, RawRequest, RefusalLog, Refused, Reject, Rejection, RejectionSink,
    RequestId, TrustedProxies, Verified, empty_answer, json_answer,
};
use http::{HeaderValue, Method, Request, StatusCode, header::CONTENT_TYPE};
use http_body::Body;
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, fmt, net::SocketAddr, sync::Arc, time::Duration};
use tokio::time::Instant;

/// Where the requests of all channels begin.
const PATH_PREFIX: &str = "/v1/slack/";
/// What the answer to a repeat says.
const DUPLICATE: &str = "headgate-duplicate";

/// What the source needs of the program around it.
#[derive(Clone)]
pub struct Ports {
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Takes bodies.
    pub intake: Arc<Intake>,
    /// Who is believed about where a request comes from.
    pub proxies: TrustedProxies,
    /// Says what time it is when a signed time is judged.
    pub clock: Arc<dyn Clock>,
    /// Makes the fences of prompts.
    pub prompt_key: PromptKey,
    /// Keeps what is refused; without one nothing of it is kept.
    pub rejections: Option<Arc<dyn RejectionSink>>,
}

/// Receives for the Slack channels over HTTP.
pub struct SlackSource {
    channels: ArcSwap<Channels>,
    ports: Ports,
    log: RefusalLog,
    merges: Merges,
}

type Channels = BTreeMap<String, Arc<SlackChannel>>;

/// A request that is not stored, or why it was refused.
enum Taken {
    Stored(Stored, Arc<Payload>),
    /// The answer is all that it is for.
    Answered(Arc<Payload>),
}

/// The answer to a request, and whether Slack made it.
enum Taking {
    /// It proved itself. With how long it waited for what Slack sends besides.
    Proven(Answer, Duration),
    /// It did not, or nobody has to: anyone can send it.
    Unproven(Answer),
}

#[derive(Serialize)]
struct Challenge<'a> {
    challenge: &'a str,
}

impl SlackSource {
    /// A source for these channels, or all that is wrong with them. One without signing secrets
    /// takes nothing here.
    pub fn new(
        channels: Vec<SlackChannelSpec>,
        ports: Ports,
    ) -> Result<Self, Vec<SlackChannelSpecError>> {
        let merges = Merges::default();
        let channels = ArcSwap::from_pointee(prepare(channels, &merges)?);
        Ok(Self { channels, ports, log: RefusalLog::default(), merges })
    }

    /// Puts other channels in the place of those there are; when something is wrong, nothing
    /// changes. Requests that are under way finish by the channel they came to.
    pub fn replace(
        &self,
        channels: Vec<SlackChannelSpec>,
    ) -> Result<(), Vec<SlackChannelSpecError>> {
        self.channels.store(Arc::new(prepare(channels, &self.merges)?));
        Ok(())
    }

    /// Where messages meet their mentions, for whatever else receives for the same channels.
    #[must_use]
    pub fn merges(&self) -> &Merges {
        &self.merges
    }

    /// The ids of the channels, in their order.
    #[must_use]
    pub fn channel_ids(&self) -> Vec<String> {
        self.channels.load().keys().cloned().collect()
    }

    /// Answers a request to `/v1/slack/{channel}`. A 2xx leaves only after the event is stored.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let begun = Instant::now();
        let unknown = || RequestId::new("none");
        let id = Arrival::of(&request).map_or_else(unknown, |arrival| arrival.request_id.clone());
        let channel = match self.channel(request.uri().path()) {
            Ok(channel) => channel,
            Err(message) => {
                let reject = Reject::new(StatusCode::NOT_FOUND, "unknown_channel", message);
                return self.refuse(None, &reject, &id);
            }
        };
        if request.method() != Method::POST {
            return self.without_body(&channel, &request, &id);
        }
        let peer = self.peer(&mut request);
        let answer = match self.ports.intake.receive(request, channel.body_bytes_max).await {
            Ok(request) => self.take(&channel, request, peer, &id).await,
            Err(refusal) => Taking::Unproven(self.refuse(Some(&channel), refusal.reject(), &id)),
        };
        match answer {
            // Anyone can be slow; only of what Slack asked the time says something about us.
            Taking::Proven(answer, waited) => {
                let elapsed = begun.elapsed().saturating_sub(waited);
                measures::answered(&channel.channel.id, elapsed);
                answer
            }
            Taking::Unproven(answer) => answer,
        }
    }

    /// The channel at a path, or why there is none.
    fn channel(&self, path: &str) -> Result<Arc<SlackChannel>, &'static str> {
        let id = path.strip_prefix(PATH_PREFIX).map(|id| id.strip_suffix('/').unwrap_or(id));
        match id.and_then(|id| self.channels.load().get(id).cloned()) {
            Some(channel) if channel.keys.is_empty() => {
                Err("the Slack channel at this path receives by Socket Mode alone")
            }
            Some(channel) => Ok(channel),
            None => Err("there is no Slack channel at this path"),
        }
    }

    /// Slack asks about our certificate without a body, too.
    fn without_body<B>(
        &self,
        channel: &SlackChannel,
        request: &Request<B>,
        id: &RequestId,
    ) -> Answer {
        let query = request.uri().query().unwrap_or_default();
        if request.method() == Method::GET && asks_ssl_check(query.as_bytes()) {
            measures::checked(&channel.channel.id, "ssl_check");
            return empty_answer(StatusCode::OK);
        }
        self.refuse(Some(channel), &Reject::method_not_allowed("POST"), id)
    }

    /// Who brought a request; it carries where it comes from instead, from here on.
    fn peer<B>(&self, request: &mut Request<B>) -> Peer {
        let Some(arrival) = Arrival::of(request) else { return Peer::Other };
        let peer = arrival.remote.ip();
        let origin = self.ports.proxies.origin(peer, request.headers());
        if origin.address != peer
            && let Some(arrival) = request.extensions_mut().get_mut::<Arrival>()
        {
            arrival.remote = SocketAddr::new(origin.address, 0);
        }
        let trusted = self.ports.proxies.trusts(peer.to_canonical());
        if trusted { Peer::Proxy } else { Peer::Other }
    }

    /// Proves a request, makes its event and stores it.
    async fn take(
        &self,
        channel: &Arc<SlackChannel>,
        request: RawRequest,
        peer: Peer,
        id: &RequestId,
    ) -> Taking {
        if is_ssl_check(&request) {
            measures::checked(&channel.channel.id, "ssl_check");
            return Taking::Unproven(empty_answer(StatusCode::OK));
        }
        let check = Check { keys: &channel.keys, certificate: channel.certificate.as_ref(), peer };
        let now = self.ports.clock.now();
        let verified = match Verified::check(request, &check, now) {
            Ok(verified) => verified,
            Err(refused) => {
                let answer = self.refuse(Some(channel), &refused.reject, id);
                self.keep(channel, *refused);
                return Taking::Unproven(answer);
            }
        };
        let signed_at = signed_at(verified.request());
        measures::skewed(&channel.channel.id, now, signed_at, &self.log);
        let at_once = Duration::ZERO;
        match self.store(channel, verified, None).await {
            Ok(Taken::Stored(Stored { accepted, waited }, payload)) => {
                Taking::Proven(stored(channel, accepted, &payload, id), waited)
            }
            Ok(Taken::Answered(payload)) => Taking::Proven(answered(channel, &payload), at_once),
            Err(reject) => Taking::Proven(self.refuse(Some(channel), &reject, id), at_once),
        }
    }

    /// Makes the event of a proven request and stores it. Storing goes on to its end also when
    /// nobody waits for the answer any more, and the body is accounted to its request until then.
    async fn store(
        &self,
        channel: &Arc<SlackChannel>,
        verified: Verified,
        released_from: Option<&str>,
    ) -> Result<Taken, Reject> {
        let request = verified.request();
        let receipt = receipt(&verified);
        if receipt.retry_num.is_some() {
            measures::retried(&channel.channel.id, receipt.retry_reason.as_deref());
        }
        let payload = Arc::new(Payload::of_request(request));
        let mut draft = match draft(channel, &payload, &receipt, &self.ports.prompt_key) {
            Drafted::Event(draft) => *draft,
            Drafted::OwnEvent => {
                measures::dropped_own(&channel.channel.id);
                return Ok(Taken::Answered(payload));
            }
            Drafted::OnlyAnswer => return Ok(Taken::Answered(payload)),
        };
        if let Some(rejection) = released_from {
            draft.metadata.insert("released_from".to_owned(), rejection.into());
        }
        let sent = Sent { payload: Arc::clone(&payload), receipt, draft };
        let stored = self.accept(channel, sent, verified).await?;
        Ok(Taken::Stored(stored, payload))
    }

    async fn accept(
        &self,
        channel: &Arc<SlackChannel>,
        sent: Sent,
        verified: Verified,
    ) -> Result<Stored, Reject> {
        let (channel, sink) = (Arc::clone(channel), Arc::clone(&self.ports.sink));
        let key = self.ports.prompt_key.clone();
        let storing = tokio::spawn(async move {
            let stored = merge::store(&channel, sink.as_ref(), sent, &key).await;
            drop(verified);
            stored
        });
        let unstored = |cause: &dyn fmt::Display| Reject::unavailable(cause, STORE_RETRY_AFTER);
        match storing.await {
            Ok(Ok(stored)) => Ok(stored),
            // Slack keeps what is answered 503, and gives up what is answered 4xx.
            Ok(Err(error)) => Err(unstored(&error)),
            Err(stopped) => Err(unstored(&stopped)),
        }
    }

    /// Hands on what did not prove itself.
    fn keep(&self, channel: &SlackChannel, refused: Refused) {
        let Refused { request, reject } = refused;
        if let Some(rejections) = &self.ports.rejections {
            let shown_path = request.path.clone();
            let channel = Arc::clone(&channel.channel);
            rejections.keep(Rejection { channel, shown_path, request, reject });
        }
    }

    /// The answer to a request that is not taken. A channel that does not exist is no label and no
    /// line in the log: anyone could make up millions of them.
    fn refuse(&self, channel: Option<&SlackChannel>, reject: &Reject, id: &RequestId) -> Answer {
        let name = channel.map_or("", |channel| &channel.channel.id);
        let (code, cause) = (reject.code(), reject.to_string());
        if reject.status().is_server_error() {
            tracing::warn!(channel = name, code, cause, request_id = %id, "not taken");
        } else if channel.is_none() {
            tracing::debug!(code, cause, request_id = %id, "refused");
        } else if let Some(suppressed) = self.log.count(name, code, self.ports.clock.now()) {
            tracing::info!(channel = name, code, cause, suppressed, request_id = %id, "refused");
        }
        measures::rejected(name, code);
        reject.answer(id)
    }
}

fn prepare(
    specs: Vec<SlackChannelSpec>,
    merges: &Merges,
) -> Result<Channels, Vec<SlackChannelSpecError>> {
    let (mut channels, mut errors) = (Channels::new(), Vec::new());
    for spec in specs {
        let id = spec.channel.id.clone();
        let wrong = |kind| SlackChannelSpecError { channel: id.clone(), kind };
        match spec.prepare_among(merges) {
            _ if channels.contains_key(&id) => {
                errors.push(wrong(SlackChannelSpecErrorKind::Repeated));
            }
            Ok(channel) => {
                channels.insert(id, Arc::new(channel));
            }
            Err(kinds) => errors.extend(kinds.into_iter().map(wrong)),
        }
    }
    if errors.is_empty() { Ok(channels) } else { Err(errors) }
}

/// What is known of a delivery by its request. The headers of a retry are not signed; they say
/// nothing that anything is decided by.
fn receipt(verified: &Verified) -> Receipt {
    let request = verified.request();
    let header = |name: &str| {
        let value = request.headers.get(name)?.to_str().ok()?;
        (!value.is_empty()).then(|| value.chars().take(64).collect::<String>())
    };
    Receipt {
        received_at: request.arrival.received_at,
        verification: verified.verification().clone(),
        transport: Transport::Http,
        signed_at: signed_at(request),
        retry_num: header("x-slack-retry-num").and_then(|text| text.parse().ok()),
        retry_reason: header("x-slack-retry-reason"),
        envelope_id: None,
    }
}

/// The answer to an event that is stored: nothing, or what is configured.
fn stored(
    channel: &SlackChannel,
    accepted: Accepted,
    payload: &Payload,
    request_id: &RequestId,
) -> Answer {
    let (id, name) = (accepted.id(), &channel.channel.id);
    let duplicate = !matches!(accepted, Accepted::New(_));
    tracing::debug!(channel = name, event = %id, duplicate, request_id = %request_id, "stored");
    measures::stored(name, duplicate);
    let mut answer = answered(channel, payload);
    if duplicate {
        answer.headers_mut().insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    answer
}

fn answered(channel: &SlackChannel, payload: &Payload) -> Answer {
    let verification = payload.kind() == PayloadKind::UrlVerification;
    if let Some(challenge) = payload.challenge().filter(|_| verification) {
        measures::checked(&channel.channel.id, "url_verification");
        return json_answer(StatusCode::OK, &Challenge { challenge });
    }
    let Some(json) = channel.answer_to(payload) else { return empty_answer(StatusCode::OK) };
    let mut answer = Answer::new(Bytes::copy_from_slice(json.as_bytes()).into());
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl fmt::Debug for SlackSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SlackSource").field("channels", &self.channel_ids()).finish()
    }
}
