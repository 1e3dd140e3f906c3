//! Handshakes: what is answered without an event, and what of it is kept for the operator.

use super::WebhookSource;
use crate::{
    channel::WebhookChannel,
    explain::answered_challenge,
    handshake::{Asked, Shaken, Stage},
    provider::Provider,
    scheme::Terms,
};
use headgate_event::{
    Secret, Timestamp,
    json::Doc,
    limits::{HANDSHAKE_BYTES_MAX, STORE_RETRY_AFTER},
};
use headgate_http::{Answer, RawRequest, Reject, RequestId};
use http::{Request, StatusCode};
use metrics::counter;

/// What a sender handed over in a handshake, for the operator to put into the configuration.
#[derive(Clone, Debug)]
pub struct Captured {
    /// The handshake, as the provider file calls it.
    pub handshake: String,
    /// What was handed over.
    pub value: Secret,
    /// When.
    pub at: Timestamp,
}

/// Keeps what senders hand over, until the operator has looked.
pub trait CaptureSink: Send + Sync {
    /// Keeps it through a loss of power and says whether it is new, or why it could not. May block.
    fn keep(&self, channel: &str, captured: &Captured) -> Result<bool, NotKept>;
}

/// Why something that was handed over is not kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// So much waits for the operator already that nothing more is taken: anyone can hand over
    /// something, and shall not push out what came before.
    Full,
    /// It could not be written: our fault, and it may pass.
    Failed(String),
}

impl WebhookSource {
    /// The answer to a handshake that nothing proves.
    pub(super) async fn told(
        &self,
        channel: &WebhookChannel,
        shaken: Result<Shaken, Reject>,
        id: &RequestId,
    ) -> Answer {
        match shaken {
            Ok(shaken) => self.answer_shaken(channel, shaken, self.ports.clock.now(), id).await,
            Err(reject) => self.refuse(Some(channel), &reject, id),
        }
    }

    /// The answer to a handshake that proved itself, once what it asks for was visited.
    pub(super) async fn shaken(
        &self,
        channel: &WebhookChannel,
        shaken: Shaken,
        now: Timestamp,
        id: &RequestId,
    ) -> Answer {
        if let Some(url) = &shaken.visit
            && let Err(error) = channel.terms.fetched.visit(url, now).await
        {
            let reject = Reject::unavailable(error, STORE_RETRY_AFTER);
            return self.refuse(Some(channel), &reject, id);
        }
        self.answer_shaken(channel, shaken, now, id).await
    }

    async fn answer_shaken(
        &self,
        channel: &WebhookChannel,
        shaken: Shaken,
        now: Timestamp,
        id: &RequestId,
    ) -> Answer {
        let name = &channel.channel.id;
        let Shaken { name: handshake, captured, answer, .. } = shaken;
        if let Some(value) = captured {
            let captured = Captured { handshake: handshake.clone(), value, at: now };
            if let Err(reject) = self.keep_captured(name, captured).await {
                return self.refuse(Some(channel), &reject, id);
            }
        }
        counter!(
            "headgate_webhook_handshakes_total",
            "channel" => name.clone(),
            "handshake" => handshake.clone()
        )
        .increment(1);
        tracing::info!(channel = name, handshake, "shook hands");
        answer
    }

    /// Keeps what was handed over before it is answered: its sender hands it over once.
    async fn keep_captured(&self, channel: &str, captured: Captured) -> Result<(), Reject> {
        let Some(captures) = self.ports.captures.clone() else { return Ok(()) };
        let name = channel.to_owned();
        let keep = move || captures.keep(&name, &captured);
        let show = || format!("headgate channels show {channel}");
        match tokio::task::spawn_blocking(keep).await {
            Ok(Ok(is_new)) => {
                if is_new {
                    tracing::warn!(channel, "a sender handed over a secret: `{}` shows it", show());
                }
                Ok(())
            }
            Ok(Err(NotKept::Full)) => {
                let message = "so many secrets were handed over that no more are kept";
                let cause = format!("`{}` shows them, `channels forget` makes room", show());
                let status = StatusCode::TOO_MANY_REQUESTS;
                Err(Reject::new(status, "handshakes_full", message).with_cause(cause))
            }
            Ok(Err(NotKept::Failed(error))) => Err(Reject::unavailable(error, STORE_RETRY_AFTER)),
            Err(stopped) => Err(Reject::unavailable(stopped, STORE_RETRY_AFTER)),
        }
    }
}

/// The handshake that a request is whose head says so.
pub(super) fn by_head<B>(
    channel: &WebhookChannel,
    request: &Request<B>,
) -> Option<Result<Shaken, Reject>> {
    let asked = Asked {
        method: request.method(),
        query: request.uri().query().unwrap_or_default(),
        headers: request.headers(),
        body: None,
    };
    shake(&channel.provider, &channel.terms, Stage::Head, asked)
}

/// The handshake that a proved request is.
pub(super) fn once_proved(
    channel: &WebhookChannel,
    request: &RawRequest,
) -> Option<Result<Shaken, Reject>> {
    if channel.provider.handshakes.has_signed(&request.body) {
        return Some(Err(answered_challenge()));
    }
    by_body(channel, Stage::Proved, request)
}

/// The handshake that a request is whose body says so.
pub(super) fn by_body(
    channel: &WebhookChannel,
    stage: Stage,
    request: &RawRequest,
) -> Option<Result<Shaken, Reject>> {
    in_body(&channel.provider, &channel.terms, stage, request)
}

/// The same for a provider and the terms on which its requests are checked.
pub(crate) fn in_body(
    provider: &Provider,
    terms: &Terms,
    stage: Stage,
    request: &RawRequest,
) -> Option<Result<Shaken, Reject>> {
    if !provider.handshakes.has(stage) || request.body.len() > HANDSHAKE_BYTES_MAX {
        return None;
    }
    let doc = Doc::parse(request.body.clone()).ok();
    let asked = Asked {
        method: &request.method,
        query: &request.query,
        headers: &request.headers,
        body: doc.as_ref().map(Doc::root),
    };
    shake(provider, terms, stage, asked)
}

fn shake(
    provider: &Provider,
    terms: &Terms,
    stage: Stage,
    asked: Asked<'_>,
) -> Option<Result<Shaken, Reject>> {
    provider.handshakes.shake(stage, asked, &terms.secrets, &terms.settings)
}
