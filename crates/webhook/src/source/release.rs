//! A refused request looked at again: by the secrets that its channel has, at the time it came.

use super::{Proved, WebhookSource, drafted, prove};
use crate::{
    Explanation, OtherChannel,
    channel::WebhookChannel,
    scheme::{Check, Terms, Tolerance},
};
use headgate_event::{Accepted, Draft, Timestamp, Verification, limits::STORE_RETRY_AFTER};
use headgate_http::{RawRequest, Refused, Reject, Verified, Verify};
use std::{sync::Arc, time::Duration};

/// What is said of the age of a signed time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgeRule {
    /// What the channel says: it counts from when the request came.
    #[default]
    Channel,
    /// Any age is taken, and the event says so.
    Any,
}

/// Why a request stays refused.
#[derive(Clone, Debug)]
pub enum NotReleased {
    /// Its channel is no longer there.
    UnknownChannel,
    /// It still does not prove itself.
    Refused(Reject),
    /// It proves itself, and could not be stored: our fault, and it may pass.
    NotStored(Reject),
}

/// The name of the field of `metadata` that says which rejection an event was.
const RELEASED_FROM: &str = "released_from";

/// A check that takes any age, and says so where the channel's own would not have passed.
struct Ageless(Check);

impl WebhookSource {
    /// Whether a refused request would be taken. `request.arrival` says when it came.
    pub async fn try_release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(), NotReleased> {
        self.prove_again(channel, request, age).await.map(drop)
    }

    /// Makes the event of a refused request that proves itself by now, and stores it like any
    /// other: its sender's own retry may have come before it. `rejection` is its id, which the
    /// event bears.
    pub async fn release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
        rejection: &str,
    ) -> Result<Accepted, NotReleased> {
        let (verified, mut drafts) = self.prove_again(channel, request, age).await?;
        for draft in &mut drafts {
            draft.metadata.insert(RELEASED_FROM.to_owned(), rejection.into());
        }
        let stored = self.store(verified, drafts).await.map_err(NotReleased::NotStored)?;
        stored.first().copied().ok_or_else(|| {
            let cause = "the store took no event";
            NotReleased::NotStored(Reject::unavailable(cause, STORE_RETRY_AFTER))
        })
    }

    /// Why a refused request is refused, or that it is no longer; `None` when its channel is gone
    /// or verifies nothing.
    pub async fn explain(&self, channel: &str, request: RawRequest) -> Option<Explanation> {
        let channels = self.channels.load_full();
        let others = channels.iter().filter(|(id, _)| *id != channel);
        let others = others.map(|(id, other)| OtherChannel {
            id: id.clone(),
            secrets: other.terms.secrets.clone(),
        });
        let others: Vec<_> = others.collect();
        let channel = channels.get(channel).cloned()?;
        if !channel.provider.is_signed() {
            return None;
        }
        let explain = move || {
            let now = request.arrival.received_at;
            channel.provider.explain_among(&request, &channel.terms, &others, now)
        };
        tokio::task::spawn_blocking(explain).await.ok()
    }

    async fn prove_again(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(Verified, Vec<Draft>), NotReleased> {
        let channel = self.channels.load().get(channel).cloned();
        let channel = channel.ok_or(NotReleased::UnknownChannel)?;
        let key = self.ports.prompt_key.clone();
        let came = request.arrival.received_at;
        if let Ok(Some(wanted)) = channel.check.wants(&request, came) {
            let brought = channel.terms.fetched.bring(wanted, came).await;
            brought.map_err(|error| {
                NotReleased::NotStored(Reject::unavailable(error, STORE_RETRY_AFTER))
            })?;
        }
        let work = move || match prove(&channel, request, came, &key) {
            Err(refused) if age == AgeRule::Any && is_of_age(&refused.reject) => {
                drafted(&channel, channel.prove_at_any_age(*refused)?, &key)
            }
            proved => proved,
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(Ok(Proved::Events(verified, drafts))) => Ok((verified, drafts)),
            Ok(Ok(Proved::Shaken(_))) => {
                let message = "it is a handshake, which becomes no event";
                let status = http::StatusCode::UNPROCESSABLE_ENTITY;
                Err(NotReleased::Refused(Reject::new(status, "handshake", message)))
            }
            Ok(Err(refused)) => Err(NotReleased::Refused(refused.reject)),
            Err(stopped) => {
                Err(NotReleased::NotStored(Reject::unavailable(stopped, STORE_RETRY_AFTER)))
            }
        }
    }
}

impl WebhookChannel {
    /// Checks a request again that was refused for its age alone.
    fn prove_at_any_age(self: &Arc<Self>, refused: Refused) -> Result<Verified, Box<Refused>> {
        let any = Tolerance { past: Duration::MAX, future: Duration::MAX };
        let scheme = &self.provider.scheme;
        let terms = Terms { tolerance: Some(any), ..self.terms.clone() };
        let Ok(check) = scheme.check(self.provider.name(), &terms) else {
            return Err(Box::new(refused));
        };
        let came = refused.request.arrival.received_at;
        Verified::check(refused.request, &Ageless(check), came)
    }
}

fn is_of_age(reject: &Reject) -> bool {
    matches!(reject.code(), "timestamp_too_old" | "timestamp_in_future")
}

impl Verify for Ageless {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let verification = self.0.verify(request, now)?;
        let detail = "released by an admin: the age of the signed time was not judged";
        Ok(Verification { detail: Some(detail.to_owned()), ..verification })
    }
}
