//! Receives for the webhook channels: a request in, its answer out, the event stored in between.

mod release;
mod seen;
pub(crate) mod shake;

pub use shake::{CaptureSink, Captured, NotKept};

pub use release::{AgeRule, NotReleased};

use crate::{
    AnswerBody, Fetched, Providers,
    channel::{ChannelSpec, ChannelSpecError, PATH_PREFIX, WebhookChannel, prepare},
    handshake::{Shaken, Stage},
    headers::masked_path,
};
use arc_swap::ArcSwap;
use bytes::Bytes;
use headgate_event::{
    Accepted, Clock, Draft, Sink, StoreError, Timestamp,
    limits::{BODY_MEMORY_BYTES_MAX, DECODED_RATIO_MAX, STORE_RETRY_AFTER},
    prompt::PromptKey,
};
use headgate_http::{
    Answer, Arrival, Intake, Origin, RawRequest, RefusalLog, Refused, Reject, Rejection,
    RejectionSink, RequestId, TrustedProxies, Verified, empty_answer, json_answer, text_answer,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body;
use metrics::counter;
use seen::{Marks, Seen};
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, fmt, net::SocketAddr, sync::Arc, time::Instant};

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
    /// Fetches keys and certificates of senders, and keeps them.
    pub fetched: Arc<Fetched>,
    /// Keeps what senders hand over in handshakes; without one nothing of it is kept.
    pub captures: Option<Arc<dyn CaptureSink>>,
}

/// Receives for the webhook channels.
pub struct WebhookSource {
    channels: ArcSwap<Channels>,
    ports: Ports,
    log: RefusalLog,
    seen: Arc<Seen>,
}

type Channels = BTreeMap<String, Arc<WebhookChannel>>;

#[derive(Serialize)]
struct Stored {
    id: String,
    duplicate: bool,
}

#[derive(Serialize)]
struct StoredMany {
    ids: Vec<String>,
    duplicate: bool,
}

impl WebhookSource {
    /// A source for these channels, or all that is wrong with them.
    pub fn new(
        channels: Vec<ChannelSpec>,
        providers: &Providers,
        ports: Ports,
    ) -> Result<Self, Vec<ChannelSpecError>> {
        let prepared = prepare(channels, providers, &ports.fetched)?;
        let channels = ArcSwap::from_pointee(shared(prepared));
        Ok(Self { channels, ports, log: RefusalLog::default(), seen: Arc::default() })
    }

    /// Puts other channels in the place of those there are; when something is wrong, nothing
    /// changes. Requests that are under way finish by the channel they came to.
    pub fn replace(
        &self,
        channels: Vec<ChannelSpec>,
        providers: &Providers,
    ) -> Result<(), Vec<ChannelSpecError>> {
        let mut channels = prepare(channels, providers, &self.ports.fetched)?;
        let before = self.channels.load();
        for (id, channel) in &mut channels {
            if let Some(before) = before.get(id) {
                channel.go_on_from(before);
            }
        }
        self.channels.store(Arc::new(shared(channels)));
        Ok(())
    }

    /// The ids of the channels, in their order.
    #[must_use]
    pub fn channel_ids(&self) -> Vec<String> {
        self.channels.load().keys().cloned().collect()
    }

    /// Answers a request to `/v1/webhook/{channel}[/...]`. A 2xx leaves only after the event is
    /// stored.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let unknown = || RequestId::new("none");
        let id = Arrival::of(&request).map_or_else(unknown, |arrival| arrival.request_id.clone());
        let channel = match self.channel(request.uri().path()) {
            Ok(channel) => channel,
            Err(reject) => return self.refuse(None, &reject, &id),
        };
        let origin = self.origin(&mut request);
        if let Err(reject) = channel.let_in(origin, self.ports.clock.now()) {
            return self.refuse(Some(&channel), &reject, &id);
        }
        if let Some(shaken) = shake::by_head(&channel, &request) {
            return self.told(&channel, shaken, &id).await;
        }
        if *request.method() != Method::POST {
            return self.refuse(Some(&channel), &Reject::method_not_allowed("POST"), &id);
        }
        let begun = Instant::now();
        let answer = match self.ports.intake.receive(request, channel.body_bytes_max).await {
            Ok(request) => self.take(Arc::clone(&channel), request).await,
            Err(refusal) => self.refuse(Some(&channel), refusal.reject(), &id),
        };
        channel.figures.answered(&channel.channel, begun.elapsed());
        answer
    }

    /// The channel that a request is for.
    fn channel(&self, path: &str) -> Result<Arc<WebhookChannel>, Reject> {
        let rest = path.strip_prefix(PATH_PREFIX).unwrap_or_default();
        let id = rest.split('/').next().unwrap_or_default();
        let Some(channel) = self.channels.load().get(id).cloned() else {
            let message = "there is no webhook channel at this path";
            return Err(Reject::new(StatusCode::NOT_FOUND, "unknown_channel", message));
        };
        Ok(channel)
    }

    /// Where a request comes from; it carries that from here on instead of its last proxy.
    fn origin<B>(&self, request: &mut Request<B>) -> Option<Origin> {
        let peer = Arrival::of(request)?.remote;
        let origin = self.ports.proxies.origin(peer.ip(), request.headers());
        if origin.address != peer.ip() {
            let arrival = request.extensions_mut().get_mut::<Arrival>()?;
            arrival.remote = SocketAddr::new(origin.address, 0);
        }
        Some(origin)
    }

    /// Proves a request, makes its events and stores them.
    async fn take(&self, channel: Arc<WebhookChannel>, request: RawRequest) -> Answer {
        let id = request.arrival.request_id.clone();
        let (now, key) = (self.ports.clock.now(), self.ports.prompt_key.clone());
        if let Some(shaken) = shake::by_body(&channel, Stage::Body, &request) {
            return self.told(&channel, shaken, &id).await;
        }
        // What is wrong with such an address is said by the check.
        if let Ok(Some(wanted)) = channel.check.wants(&request, now)
            && let Err(error) = channel.terms.fetched.bring(wanted, now).await
        {
            let reject = Reject::unavailable(error, STORE_RETRY_AFTER);
            return self.refuse(Some(&channel), &reject, &id);
        }
        let ratio = if request.is_encoded() { DECODED_RATIO_MAX } else { 1 };
        let large = request.body.len().saturating_mul(ratio) > BODY_MEMORY_BYTES_MAX;
        let (of, seen) = (Arc::clone(&channel), Arc::clone(&self.seen));
        let work = move || {
            let mut proved = prove(&of, request, now, &key)?;
            let marks =
                if of.marks_repeats() { seen.mark(&mut proved, now) } else { Marks::default() };
            Ok::<_, Box<Refused>>((proved, marks))
        };
        // A large body takes long enough to hold up the requests that share its thread.
        let proved = if large { tokio::task::spawn_blocking(work).await } else { Ok(work()) };
        let stored = match proved {
            Ok(Ok((Proved::Shaken(shaken), _))) => {
                return self.shaken(&channel, *shaken, now, &id).await;
            }
            Ok(Ok((Proved::Events(verified, drafts), marks))) => match channel.admit(now) {
                Ok(()) => {
                    let stored = self.store(verified, drafts).await;
                    stored.inspect(|accepted| self.seen.note(&marks, accepted, now))
                }
                Err(reject) => Err(reject),
            },
            Ok(Err(refused)) => {
                let answer = self.refuse(Some(&channel), &refused.reject, &id);
                self.keep(&channel, *refused);
                return answer;
            }
            Err(stopped) => Err(Reject::unavailable(stopped, STORE_RETRY_AFTER)),
        };
        match stored {
            Ok(accepted) => answered(&channel, &accepted, &id),
            Err(reject) => self.refuse(Some(&channel), &reject, &id),
        }
    }

    /// Stores events. That goes on to its end also when nobody waits for the answer any more, and
    /// the body is accounted to its request until then.
    async fn store(&self, verified: Verified, drafts: Vec<Draft>) -> Result<Vec<Accepted>, Reject> {
        let sink = Arc::clone(&self.ports.sink);
        let count = drafts.len();
        let storing = tokio::spawn(async move {
            let accepted = sink.accept(drafts).await;
            drop(verified);
            accepted
        });
        match storing.await {
            Ok(Ok(accepted)) if accepted.len() == count => Ok(accepted),
            Ok(Ok(ids)) => {
                let cause = format!("expected {count} ids from the store, found {}", ids.len());
                Err(Reject::unavailable(cause, STORE_RETRY_AFTER))
            }
            Ok(Err(error)) => Err(unstored(&error)),
            Err(stopped) => Err(Reject::unavailable(stopped, STORE_RETRY_AFTER)),
        }
    }

    /// Hands on what did not prove itself, or cannot be decoded within its limits. A fault of ours
    /// is nothing to be mended by its sender.
    fn keep(&self, channel: &WebhookChannel, refused: Refused) {
        let Refused { request, reject } = refused;
        if let Some(rejections) = self.ports.rejections.as_ref()
            && reject.status().is_client_error()
        {
            let shown_path = masked_path(&request.path, PATH_PREFIX);
            let channel = Arc::clone(&channel.channel);
            rejections.keep(Rejection { channel, shown_path, request, reject });
        }
    }

    /// The answer to a request that is not taken. A channel that does not exist is no label and no
    /// line in the log: anyone could make up millions of them.
    fn refuse(
        &self,
        channel: Option<&WebhookChannel>,
        reject: &Reject,
        request_id: &RequestId,
    ) -> Answer {
        let name = channel.map_or("", |channel| &channel.channel.id);
        let (code, cause) = (reject.code(), reject.to_string());
        if reject.status().is_server_error() {
            tracing::warn!(channel = name, code, cause, request_id = %request_id, "not taken");
        } else if channel.is_none() {
            tracing::debug!(code, cause, request_id = %request_id, "refused");
        } else if let Some(suppressed) = self.log.count(name, code, self.ports.clock.now()) {
            tracing::info!(
                channel = name,
                code,
                cause,
                suppressed,
                request_id = %request_id,
                "refused"
            );
        }
        let name = name.to_owned();
        counter!("headgate_webhook_rejected_total", "channel" => name, "code" => code).increment(1);
        reject.answer(request_id)
    }
}

fn shared(channels: BTreeMap<String, WebhookChannel>) -> Channels {
    channels.into_iter().map(|(id, channel)| (id, Arc::new(channel))).collect()
}

/// What a request is that proved itself.
#[expect(clippy::large_enum_variant, reason = "one stands at a time, and most are the large one")]
enum Proved {
    Events(Verified, Vec<Draft>),
    Shaken(Box<Shaken>),
}

/// A request that proves itself, and its events, or the handshake that it is.
fn prove(
    channel: &WebhookChannel,
    request: RawRequest,
    now: Timestamp,
    key: &PromptKey,
) -> Result<Proved, Box<Refused>> {
    let verified = Verified::check(request, &*channel.check, now)?;
    match shake::once_proved(channel, verified.request()) {
        None => drafted(channel, verified, key),
        Some(Ok(shaken)) => Ok(Proved::Shaken(Box::new(shaken))),
        Some(Err(reject)) => Err(refused(verified, reject)),
    }
}

/// A proven request and its events.
fn drafted(
    channel: &WebhookChannel,
    verified: Verified,
    key: &PromptKey,
) -> Result<Proved, Box<Refused>> {
    match channel.drafts(&verified, key) {
        Ok(drafts) => Ok(Proved::Events(verified, drafts)),
        Err(reject) => Err(refused(verified, reject)),
    }
}

fn refused(verified: Verified, reject: Reject) -> Box<Refused> {
    let (request, _) = verified.into_parts();
    Box::new(Refused { request, reject })
}

/// The answer to events that are stored, by the wish of their provider.
fn answered(channel: &WebhookChannel, accepted: &[Accepted], request_id: &RequestId) -> Answer {
    let name = &channel.channel.id;
    let is_new = |accepted: &Accepted| matches!(accepted, Accepted::New(_));
    for one in accepted {
        let (event, duplicate) = (one.id(), !is_new(one));
        tracing::debug!(channel = name, event = %event, duplicate, request_id = %request_id, "stored");
        if duplicate {
            channel.figures.repeated(&channel.channel);
        } else {
            channel.figures.stored(&channel.channel, channel.provider.name());
        }
    }
    let duplicate = !accepted.iter().any(is_new);
    let wish = channel.provider.answer();
    let mut answer = match (&wish.text, wish.body, accepted) {
        (Some(text), ..) => text_answer(wish.status, text.clone()),
        (None, AnswerBody::Json, [one]) => {
            json_answer(wish.status, &Stored { id: one.id().to_string(), duplicate })
        }
        (None, AnswerBody::Json, many) => {
            let ids = many.iter().map(|one| one.id().to_string()).collect();
            json_answer(wish.status, &StoredMany { ids, duplicate })
        }
        (None, AnswerBody::Empty, _) => empty_answer(wish.status),
    };
    if duplicate {
        answer.headers_mut().insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    answer
}

/// What a sender is told when its event could not be stored.
fn unstored(error: &StoreError) -> Reject {
    match error {
        StoreError::Unavailable { reason, retry_after } => {
            Reject::unavailable(reason, *retry_after)
        }
        StoreError::TooLarge { .. } => {
            let message = "the event is larger than the store takes";
            Reject::new(StatusCode::PAYLOAD_TOO_LARGE, "event_too_large", message).with_cause(error)
        }
        StoreError::TooMany { .. } | StoreError::Conflict { .. } => {
            Reject::unavailable(error, STORE_RETRY_AFTER)
        }
    }
}

impl fmt::Debug for Ports {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ports").finish_non_exhaustive()
    }
}

impl fmt::Debug for WebhookSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WebhookSource").field("channels", &self.channel_ids()).finish()
    }
}
