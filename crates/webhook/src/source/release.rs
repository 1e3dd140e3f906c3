//! A refused request looked at again: by the secrets that its channel has, at the time it came.

use super::{WebhookSource, drafted, prove};
use crate::{
    Explanation,
    channel::WebhookChannel,
    scheme::{Check, Tolerance},
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
        let (verified, mut draft) = self.prove_again(channel, request, age).await?;
        draft.metadata.insert(RELEASED_FROM.to_owned(), rejection.into());
        self.store(verified, draft).await.map_err(NotReleased::NotStored)
    }

    /// Why a refused request is refused, or that it is no longer; `None` when its channel is gone
    /// or verifies nothing.
    pub async fn explain(&self, channel: &str, request: RawRequest) -> Option<Explanation> {
        let channel = self.channels.load().get(channel).cloned()?;
        if !channel.provider.is_signed() {
            return None;
        }
        let explain = move || {
            let now = request.arrival.received_at;
            channel.provider.explain(&request, &channel.secrets, channel.tolerance, now)
        };
        tokio::task::spawn_blocking(explain).await.ok()
    }

    async fn prove_again(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(Verified, Draft), NotReleased> {
        let channel = self.channels.load().get(channel).cloned();
        let channel = channel.ok_or(NotReleased::UnknownChannel)?;
        let key = self.ports.prompt_key.clone();
        let work = move || {
            let came = request.arrival.received_at;
            match prove(&channel, request, came, &key) {
                Err(refused) if age == AgeRule::Any && is_of_age(&refused.reject) => {
                    drafted(&channel, channel.prove_at_any_age(*refused)?, &key)
                }
                proved => proved,
            }
        };
        match tokio::task::spawn_blocking(work).await {
            Ok(proved) => proved.map_err(|refused| NotReleased::Refused(refused.reject)),
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
        let Ok(check) = scheme.check(self.provider.name(), &self.secrets, Some(any)) else {
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
