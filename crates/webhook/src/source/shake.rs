//! Handshakes: what is answered without an event, and what of it is kept for the operator.

use super::WebhookSource;
use crate::{
    channel::WebhookChannel,
    explain::answered_challenge,
    handshake::{Asked, Shaken, Stage},
};
use headgate_event::{
    Secret, Timestamp,
    json::Doc,
    limits::{HANDSHAKE_BYTES_MAX, STORE_RETRY_AFTER},
};
use headgate_http::{Answer, RawRequest, Reject, RequestId};
use http::Request;
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
    /// Keeps it, or says why it could not: then the sender is asked to come again.
    fn keep(&self, channel: &str, captured: &Captured) -> Result<(), String>;
}

impl WebhookSource {
    /// The answer to a request whose head says that it is a handshake.
    pub(super) fn shake_by_head<B>(
        &self,
        channel: &WebhookChannel,
        request: &Request<B>,
        id: &RequestId,
    ) -> Option<Answer> {
        let asked = Asked {
            method: request.method(),
            query: request.uri().query().unwrap_or_default(),
            headers: request.headers(),
            body: None,
        };
        let shaken = shake(channel, Stage::Head, asked)?;
        Some(self.told(channel, shaken, id))
    }

    /// The same of a request whose body says it.
    pub(super) fn shake_by_body(
        &self,
        channel: &WebhookChannel,
        request: &RawRequest,
        id: &RequestId,
    ) -> Option<Answer> {
        let shaken = by_body(channel, Stage::Body, request)?;
        Some(self.told(channel, shaken, id))
    }

    fn told(
        &self,
        channel: &WebhookChannel,
        shaken: Result<Shaken, Reject>,
        id: &RequestId,
    ) -> Answer {
        match shaken {
            Ok(shaken) => self.answer_shaken(channel, shaken, self.ports.clock.now(), id),
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
            && let Err(error) = self.ports.fetched.visit(url, now).await
        {
            let reject = Reject::unavailable(error, STORE_RETRY_AFTER);
            return self.refuse(Some(channel), &reject, id);
        }
        self.answer_shaken(channel, shaken, now, id)
    }

    fn answer_shaken(
        &self,
        channel: &WebhookChannel,
        shaken: Shaken,
        now: Timestamp,
        id: &RequestId,
    ) -> Answer {
        let name = &channel.channel.id;
        let Shaken { name: handshake, captured, answer, .. } = shaken;
        if let (Some(value), Some(captures)) = (captured, &self.ports.captures) {
            let captured = Captured { handshake: handshake.clone(), value, at: now };
            if let Err(error) = captures.keep(name, &captured) {
                let reject = Reject::unavailable(error, STORE_RETRY_AFTER);
                return self.refuse(Some(channel), &reject, id);
            }
            let show = format!("headgate channels show {name}");
            tracing::warn!(channel = name, "a sender handed over a secret: `{show}` shows it");
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

fn by_body(
    channel: &WebhookChannel,
    stage: Stage,
    request: &RawRequest,
) -> Option<Result<Shaken, Reject>> {
    if !channel.provider.handshakes.has(stage) || request.body.len() > HANDSHAKE_BYTES_MAX {
        return None;
    }
    let doc = Doc::parse(request.body.clone()).ok();
    let asked = Asked {
        method: &request.method,
        query: &request.query,
        headers: &request.headers,
        body: doc.as_ref().map(Doc::root),
    };
    shake(channel, stage, asked)
}

fn shake(
    channel: &WebhookChannel,
    stage: Stage,
    asked: Asked<'_>,
) -> Option<Result<Shaken, Reject>> {
    let terms = &channel.terms;
    channel.provider.handshakes.shake(stage, asked, &terms.secrets, &terms.settings)
}
