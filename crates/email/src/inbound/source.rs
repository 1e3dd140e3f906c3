//! Receives what providers hand over: a request in, its answer out, the event stored in between.
//!
//! A provider that is answered 4xx may give a message up, or send it back to its author. So that is
//! said only of what can never be taken; our own faults are answered 503.

mod brought;
mod judged;
mod release;

pub use release::{AgeRule, NotReleased};

use super::{
    carrier::{Carriers, HandshakeAnswer},
    channel::{InboundChannel, InboundSpec, InboundSpecError, InboundSpecErrorKind},
    held::FetchHeld,
};
use crate::{Authenticator, source::measures};
use arc_swap::ArcSwap;
use brought::{Brought, Came, NotBrought};
use bytes::Bytes;
use headgate_event::{
    Accepted, Clock, Draft, Sink, StoreError,
    limits::{BLOCKING_BYTES_MIN, INBOUND_BODY_BYTES_MAX, STORE_RETRY_AFTER},
    prompt::PromptKey,
};
use headgate_http::{
    Answer, Arrival, CountedHold, Intake, RawRequest, RefusalLog, Refused, Reject, Rejection,
    RejectionSink, RequestId, TrustedProxies, Verified, json_answer,
};
use http::{HeaderValue, Method, Request, StatusCode};
use http_body::Body;
use serde::Serialize;
use std::{collections::BTreeMap, error::Error, fmt, net::SocketAddr, sync::Arc};

/// Where the requests of all channels begin.
const PATH_PREFIX: &str = "/v1/email/";
/// The code of a request that tells of something other than a message that came.
const OTHER_EVENT: &str = "other_event";
/// What the answer to a repeat says.
const DUPLICATE: &str = "headgate-duplicate";

/// What the source needs of the program around it.
#[derive(Clone)]
pub struct InboundPorts {
    /// Where events go.
    pub sink: Arc<dyn Sink>,
    /// Takes bodies.
    pub intake: Arc<Intake>,
    /// Who is believed about where a request comes from.
    pub proxies: TrustedProxies,
    /// Finds out who wrote a message; without one nobody does.
    pub authenticator: Option<Arc<dyn Authenticator>>,
    /// Says what time it is when a signed time is judged.
    pub clock: Arc<dyn Clock>,
    /// Makes the fences of prompts.
    pub prompt_key: PromptKey,
    /// Keeps what is refused; without one nothing of it is kept.
    pub rejections: Option<Arc<dyn RejectionSink>>,
    /// Knows the proofs of those who carry messages; without one no channel has a carrier.
    pub carriers: Option<Arc<dyn Carriers>>,
    /// Fetches what providers keep; without one no channel can have that.
    pub held: Option<Arc<dyn FetchHeld>>,
}

/// Receives for the channels that providers hand mail to.
pub struct InboundSource {
    channels: ArcSwap<Channels>,
    ports: InboundPorts,
    log: RefusalLog,
}

type Channels = BTreeMap<String, Arc<InboundChannel>>;

#[derive(Serialize)]
struct Stored {
    id: String,
    duplicate: bool,
}

impl InboundSource {
    /// A source for these channels, or all that is wrong with them.
    pub fn new(
        channels: Vec<InboundSpec>,
        ports: InboundPorts,
    ) -> Result<Self, Vec<InboundSpecError>> {
        let channels = ArcSwap::from_pointee(prepare(channels, &ports)?);
        Ok(Self { channels, ports, log: RefusalLog::default() })
    }

    /// Puts other channels in the place of those there are; when something is wrong, nothing
    /// changes. Requests that are under way finish by the channel they came to.
    pub fn replace(&self, channels: Vec<InboundSpec>) -> Result<(), Vec<InboundSpecError>> {
        self.channels.store(Arc::new(prepare(channels, &self.ports)?));
        Ok(())
    }

    /// The ids of the channels, in their order.
    #[must_use]
    pub fn channel_ids(&self) -> Vec<String> {
        self.channels.load().keys().cloned().collect()
    }

    /// Answers a request to `/v1/email/{channel}`. A 2xx leaves only after the event is stored.
    pub async fn answer<B>(&self, mut request: Request<B>) -> Answer
    where
        B: Body<Data = Bytes>,
        B::Error: Into<Box<dyn Error + Send + Sync>>,
    {
        let unknown = || RequestId::new("none");
        let id = Arrival::of(&request).map_or_else(unknown, |arrival| arrival.request_id.clone());
        let Some(channel) = self.channel(request.uri().path()) else {
            let message = "there is no channel at this path that a provider hands mail to";
            let reject = Reject::new(StatusCode::NOT_FOUND, "unknown_channel", message);
            return self.refuse(None, &reject, &id);
        };
        if request.method() != Method::POST {
            return self.refuse(Some(&channel), &Reject::method_not_allowed("POST"), &id);
        }
        self.note_origin(&mut request);
        match self.ports.intake.receive(request, INBOUND_BODY_BYTES_MAX).await {
            Ok(request) => self.take(channel, request, &id).await,
            Err(refusal) => self.refuse(Some(&channel), refusal.reject(), &id),
        }
    }

    fn channel(&self, path: &str) -> Option<Arc<InboundChannel>> {
        let id = path.strip_prefix(PATH_PREFIX)?;
        self.channels.load().get(id.strip_suffix('/').unwrap_or(id)).cloned()
    }

    /// A request carries where it comes from instead of its last proxy, from here on.
    fn note_origin<B>(&self, request: &mut Request<B>) {
        let Some(peer) = Arrival::of(request).map(|arrival| arrival.remote.ip()) else { return };
        let origin = self.ports.proxies.origin(peer, request.headers());
        if origin.address != peer
            && let Some(arrival) = request.extensions_mut().get_mut::<Arrival>()
        {
            arrival.remote = SocketAddr::new(origin.address, 0);
        }
    }

    /// Proves a request, makes the event of its message and stores it.
    async fn take(
        &self,
        channel: Arc<InboundChannel>,
        request: RawRequest,
        id: &RequestId,
    ) -> Answer {
        let now = self.ports.clock.now();
        let taken = match self.brought(&channel, request, &channel.check, now).await {
            Ok(Came::Message(brought)) => self.store(&channel, *brought, None).await,
            Ok(Came::Handshake(shaken)) => return shaken_hands(&channel, shaken, id),
            Err(NotBrought::Refused(refused)) => Err(refused),
            Err(NotBrought::Stopped(reject)) => return self.refuse(Some(&channel), &reject, id),
        };
        match taken {
            Ok(accepted) => answered(&channel, accepted, id),
            Err(refused) if refused.reject.code() == OTHER_EVENT => {
                passed_over(&channel, &refused.reject, id)
            }
            Err(refused) => {
                let answer = self.refuse(Some(&channel), &refused.reject, id);
                self.keep(&channel, *refused);
                answer
            }
        }
    }

    /// Makes the event of a message and stores it, where its channel takes it.
    async fn store(
        &self,
        channel: &Arc<InboundChannel>,
        brought: Brought,
        released_from: Option<&str>,
    ) -> Result<Accepted, Box<Refused>> {
        let judged = self.judge(channel, &brought).await;
        let Brought { verified, message, handed } = brought;
        let accepted = match judged {
            Ok((mut matched, receipt)) => {
                if let Some(rejection) = released_from {
                    matched.metadata.insert("released_from".to_owned(), rejection.into());
                }
                let key = self.ports.prompt_key.clone();
                let size = message.raw().len();
                let draft = apart(size, move || message.draft(&matched, &receipt, &key)).await;
                match draft {
                    Ok(draft) => self.accept(draft, &verified, handed.hold).await,
                    Err(stopped) => Err(unstored(&stopped)),
                }
            }
            Err(reject) => Err(reject),
        };
        accepted.map_err(|reject| {
            let (request, _) = verified.into_parts();
            Box::new(Refused { request, reject })
        })
    }

    /// Stores an event. That goes on to its end also when nobody waits for the answer any more, and
    /// the body is accounted to its request until then.
    async fn accept(
        &self,
        draft: Draft,
        verified: &Verified,
        fetched: Option<CountedHold>,
    ) -> Result<Accepted, Reject> {
        let hold = (verified.request().hold.clone(), fetched);
        let sink = Arc::clone(&self.ports.sink);
        let storing = tokio::spawn(async move {
            let accepted = sink.accept(vec![draft]).await;
            drop(hold);
            accepted
        });
        match storing.await {
            Ok(Ok(accepted)) => match accepted.as_slice() {
                [accepted] => Ok(*accepted),
                ids => {
                    Err(unstored(&format!("expected one id from the store, found {}", ids.len())))
                }
            },
            Ok(Err(error @ StoreError::TooLarge { .. })) => {
                let message = "the event is larger than the store takes";
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                Err(Reject::new(status, "event_too_large", message).with_cause(error))
            }
            Ok(Err(error)) => Err(unstored(&error)),
            Err(stopped) => Err(unstored(&stopped)),
        }
    }

    /// Hands on what was refused. A fault of ours is nothing to be mended by its sender.
    fn keep(&self, channel: &InboundChannel, refused: Refused) {
        let Refused { request, reject } = refused;
        if let Some(rejections) = self.ports.rejections.as_ref()
            && !reject.status().is_server_error()
        {
            let shown_path = request.path.clone();
            let channel = Arc::clone(&channel.mail.channel);
            rejections.keep(Rejection { channel, shown_path, request, reject });
        }
    }

    /// The answer to a request that is not taken. A channel that does not exist is no label and no
    /// line in the log: anyone could make up millions of them.
    fn refuse(&self, channel: Option<&InboundChannel>, reject: &Reject, id: &RequestId) -> Answer {
        let name = channel.map_or("", |channel| &channel.mail.channel.id);
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
    specs: Vec<InboundSpec>,
    ports: &InboundPorts,
) -> Result<Channels, Vec<InboundSpecError>> {
    let (mut channels, mut errors) = (Channels::new(), Vec::new());
    for spec in specs {
        let id = spec.mail.channel.id.clone();
        let wrong = |kind| InboundSpecError { channel: id.clone(), kind };
        match spec.prepare(ports) {
            _ if channels.contains_key(&id) => {
                errors.push(wrong(InboundSpecErrorKind::Repeated));
            }
            Ok(channel) => {
                channels.insert(id, Arc::new(channel));
            }
            Err(kinds) => errors.extend(kinds.into_iter().map(wrong)),
        }
    }
    if errors.is_empty() { Ok(channels) } else { Err(errors) }
}

/// Does work that grows with a number of bytes where it holds up nobody.
async fn apart<T: Send + 'static>(
    bytes: usize,
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, tokio::task::JoinError> {
    if bytes < BLOCKING_BYTES_MIN { Ok(work()) } else { tokio::task::spawn_blocking(work).await }
}

/// The answer to an event that is stored.
fn answered(channel: &InboundChannel, accepted: Accepted, request_id: &RequestId) -> Answer {
    let (id, name) = (accepted.id(), &channel.mail.channel.id);
    let duplicate = !matches!(accepted, Accepted::New(_));
    tracing::debug!(channel = name, event = %id, duplicate, request_id = %request_id, "stored");
    measures::stored(name, duplicate);
    let mut answer = json_answer(StatusCode::OK, &Stored { id: id.to_string(), duplicate });
    if duplicate {
        answer.headers_mut().insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    answer
}

/// The answer to a provider that tells of something else than a message: it need not say it again,
/// and nobody has to look at it.
fn passed_over(channel: &InboundChannel, reject: &Reject, request_id: &RequestId) -> Answer {
    let name = &channel.mail.channel.id;
    tracing::debug!(channel = name, cause = %reject, request_id = %request_id, "passed over");
    measures::passed_over(name);
    reject.answer(request_id)
}

/// The answer to a carrier that asked whether it may send.
fn shaken_hands(
    channel: &InboundChannel,
    shaken: HandshakeAnswer,
    request_id: &RequestId,
) -> Answer {
    let (name, HandshakeAnswer { handshake, answer }) = (&channel.mail.channel.id, shaken);
    tracing::info!(channel = name, handshake, request_id = %request_id, "shook hands");
    measures::shook_hands(name, handshake);
    answer
}

fn unstored(cause: &dyn fmt::Display) -> Reject {
    Reject::unavailable(cause, STORE_RETRY_AFTER)
}

impl fmt::Debug for InboundPorts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundPorts").finish_non_exhaustive()
    }
}

impl fmt::Debug for InboundSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboundSource").field("channels", &self.channel_ids()).finish()
    }
}
