//! Receives for the webhook channels: a request in, its answer out, the event stored in between.

mod release;

pub use release::{AgeRule, NotReleased};

use crate::{
    AnswerBody, Providers,
    channel::{ChannelSpec, ChannelSpecError, PATH_PREFIX, WebhookChannel, prepare},
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
    RejectionSink, RequestId, TrustedProxies, Verified, empty_answer, json_answer,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body;
use metrics::counter;
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
}

/// Receives for the webhook channels.
pub struct WebhookSource {
    channels: ArcSwap<Channels>,
    ports: Ports,
    log: RefusalLog,
}

type Channels = BTreeMap<String, Arc<WebhookChannel>>;

#[derive(Serialize)]
struct Stored {
    id: String,
    duplicate: bool,
}

impl WebhookSource {
    /// A source for these channels, or all that is wrong with them.
    pub fn new(
        channels: Vec<ChannelSpec>,
        providers: &Providers,
        ports: Ports,
    ) -> Result<Self, Vec<ChannelSpecError>> {
        let channels = ArcSwap::from_pointee(shared(prepare(channels, providers)?));
        Ok(Self { channels, ports, log: RefusalLog::default() })
    }

    /// Puts other channels in the place of those there are; when something is wrong, nothing
    /// changes. Requests that are under way finish by the channel they came to.
    pub fn replace(
        &self,
        channels: Vec<ChannelSpec>,
        providers: &Providers,
    ) -> Result<(), Vec<ChannelSpecError>> {
        let mut channels = prepare(channels, providers)?;
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
        let channel = match self.channel(request.method(), request.uri().path()) {
            Ok(channel) => channel,
            Err(reject) => return self.refuse(None, &reject, &id),
        };
        let origin = self.origin(&mut request);
        if let Err(reject) = channel.let_in(origin, self.ports.clock.now()) {
            return self.refuse(Some(&channel), &reject, &id);
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
    fn channel(&self, method: &Method, path: &str) -> Result<Arc<WebhookChannel>, Reject> {
        let rest = path.strip_prefix(PATH_PREFIX).unwrap_or_default();
        let id = rest.split('/').next().unwrap_or_default();
        let Some(channel) = self.channels.load().get(id).cloned() else {
            let message = "there is no webhook channel at this path";
            return Err(Reject::new(StatusCode::NOT_FOUND, "unknown_channel", message));
        };
        if *method != Method::POST {
            return Err(Reject::method_not_allowed("POST"));
        }
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

    /// Proves a request, makes its event and stores it.
    async fn take(&self, channel: Arc<WebhookChannel>, request: RawRequest) -> Answer {
        let id = request.arrival.request_id.clone();
        let (now, key) = (self.ports.clock.now(), self.ports.prompt_key.clone());
        let ratio = if request.is_encoded() { DECODED_RATIO_MAX } else { 1 };
        let large = request.body.len().saturating_mul(ratio) > BODY_MEMORY_BYTES_MAX;
        let of = Arc::clone(&channel);
        let work = move || prove(&of, request, now, &key);
        // A large body takes long enough to hold up the requests that share its thread.
        let proved = if large { tokio::task::spawn_blocking(work).await } else { Ok(work()) };
        let stored = match proved {
            Ok(Ok((verified, draft))) => match channel.admit(now) {
                Ok(()) => self.store(verified, draft).await,
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
            Ok(accepted) => answered(&channel, accepted, &id),
            Err(reject) => self.refuse(Some(&channel), &reject, &id),
        }
    }

    /// Stores an event. That goes on to its end also when nobody waits for the answer any more, and
    /// the body is accounted to its request until then.
    async fn store(&self, verified: Verified, draft: Draft) -> Result<Accepted, Reject> {
        let sink = Arc::clone(&self.ports.sink);
        let storing = tokio::spawn(async move {
            let accepted = sink.accept(vec![draft]).await;
            drop(verified);
            accepted
        });
        match storing.await {
            Ok(Ok(accepted)) => match accepted.as_slice() {
                [accepted] => Ok(*accepted),
                ids => {
                    let cause = format!("expected one id from the store, found {}", ids.len());
                    Err(Reject::unavailable(cause, STORE_RETRY_AFTER))
                }
            },
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

/// A request that proves itself, and its event.
fn prove(
    channel: &WebhookChannel,
    request: RawRequest,
    now: Timestamp,
    key: &PromptKey,
) -> Result<(Verified, Draft), Box<Refused>> {
    drafted(channel, Verified::check(request, &*channel.check, now)?, key)
}

/// A proven request and its event.
fn drafted(
    channel: &WebhookChannel,
    verified: Verified,
    key: &PromptKey,
) -> Result<(Verified, Draft), Box<Refused>> {
    match channel.draft(&verified, key) {
        Ok(draft) => Ok((verified, draft)),
        Err(reject) => {
            let (request, _) = verified.into_parts();
            Err(Box::new(Refused { request, reject }))
        }
    }
}

/// The answer to an event that is stored, by the wish of its provider.
fn answered(channel: &WebhookChannel, accepted: Accepted, request_id: &RequestId) -> Answer {
    let (id, name) = (accepted.id(), &channel.channel.id);
    let duplicate = !matches!(accepted, Accepted::New(_));
    tracing::debug!(channel = name, event = %id, duplicate, request_id = %request_id, "stored");
    if duplicate {
        channel.figures.repeated(&channel.channel);
    } else {
        channel.figures.stored(&channel.channel, channel.provider.name());
    }
    let wish = channel.provider.answer();
    let mut answer = match wish.body {
        AnswerBody::Json => json_answer(wish.status, &Stored { id: id.to_string(), duplicate }),
        AnswerBody::Empty => empty_answer(wish.status),
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
