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
    limits::{CAPTURES_MAX, HANDSHAKE_BYTES_MAX, STORE_RETRY_AFTER},
};
use headgate_http::{Answer, RawRequest, Reject, RequestId};
use http::Request;
use metrics::counter;
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

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

/// What was handed over, by channel; the newest last.
#[derive(Debug, Default)]
pub(super) struct Captures(Mutex<BTreeMap<String, Vec<Captured>>>);

impl WebhookSource {
    /// What senders handed over to a channel in handshakes, the newest last.
    #[must_use]
    pub fn captured(&self, channel: &str) -> Vec<Captured> {
        let captures = self.captures.0.lock().unwrap_or_else(PoisonError::into_inner);
        captures.get(channel).cloned().unwrap_or_default()
    }

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
            Ok(shaken) => self.answer_shaken(channel, shaken, self.ports.clock.now()),
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
        self.answer_shaken(channel, shaken, now)
    }

    fn answer_shaken(&self, channel: &WebhookChannel, shaken: Shaken, now: Timestamp) -> Answer {
        let id = channel.channel.id.clone();
        let Shaken { name, captured, answer, .. } = shaken;
        counter!(
            "headgate_webhook_handshakes_total",
            "channel" => id.clone(),
            "handshake" => name.clone()
        )
        .increment(1);
        tracing::info!(channel = id, handshake = name, "shook hands");
        if let Some(value) = captured {
            let show = format!("headgate channels show {id}");
            tracing::warn!(channel = id, "a sender handed over a secret: `{show}` shows it");
            let mut captures = self.captures.0.lock().unwrap_or_else(PoisonError::into_inner);
            let kept = captures.entry(id).or_default();
            // A repeat is kept once, at its newest time.
            kept.retain(|known| known.value.expose() != value.expose());
            if kept.len() >= CAPTURES_MAX {
                kept.remove(0);
            }
            kept.push(Captured { handshake: name, value, at: now });
        }
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
