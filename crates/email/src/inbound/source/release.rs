//! A refused request looked at again: by the secrets and terms that its channel has, at the time it
//! came.

use super::{Brought, Came, InboundSource, NotBrought};
use crate::inbound::channel::{InboundChannel, Proof};
use headgate_event::{Accepted, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use http::StatusCode;
use std::sync::Arc;

/// What is said of the age of a signed time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AgeRule {
    /// The window that holds for every request: it counts from when the request came.
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
    /// It still does not prove itself, or its channel does not take its message.
    Refused(Reject),
    /// It proves itself, and could not be stored: our fault, and it may pass.
    NotStored(Reject),
}

/// A check that takes any age, and says so.
struct Ageless(Proof);

impl InboundSource {
    /// Whether a refused request would be taken. `request.arrival` says when it came.
    pub async fn try_release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(), NotReleased> {
        let (channel, brought) = self.bring_again(channel, request, age).await?;
        self.judge(&channel, &brought).await.map(drop).map_err(not_released)
    }

    /// Makes the event of a refused request that proves itself by now, and stores it like any
    /// other. `rejection` is its id, which the event bears.
    pub async fn release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
        rejection: &str,
    ) -> Result<Accepted, NotReleased> {
        let (channel, brought) = self.bring_again(channel, request, age).await?;
        let stored = self.store(&channel, brought, Some(rejection)).await;
        stored.map_err(|refused| not_released(refused.reject))
    }

    async fn bring_again(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(Arc<InboundChannel>, Brought), NotReleased> {
        let channel = self.channels.load().get(channel).cloned();
        let channel = channel.ok_or(NotReleased::UnknownChannel)?;
        let came = request.arrival.received_at;
        let brought = match self.brought(&channel, request, &channel.check, came).await {
            Err(NotBrought::Refused(refused))
                if age == AgeRule::Any && is_of_age(&refused.reject) =>
            {
                let check: Proof = Arc::new(Ageless(Arc::clone(&channel.ageless)));
                self.brought(&channel, refused.request, &check, came).await
            }
            brought => brought,
        };
        match brought {
            Ok(Came::Message(brought)) => Ok((channel, *brought)),
            Ok(Came::Handshake(_)) => {
                let message = "it is a handshake, which becomes no event";
                let status = StatusCode::UNPROCESSABLE_ENTITY;
                Err(NotReleased::Refused(Reject::new(status, "handshake", message)))
            }
            Err(NotBrought::Refused(refused)) => Err(not_released(refused.reject)),
            Err(NotBrought::Stopped(reject)) => Err(NotReleased::NotStored(reject)),
        }
    }
}

fn is_of_age(reject: &Reject) -> bool {
    matches!(reject.code(), "timestamp_too_old" | "timestamp_in_future")
}

fn not_released(reject: Reject) -> NotReleased {
    if reject.status().is_server_error() {
        NotReleased::NotStored(reject)
    } else {
        NotReleased::Refused(reject)
    }
}

impl Verify for Ageless {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let verification = self.0.verify(request, now)?;
        let detail = "released by an admin: the age of the signed time was not judged";
        Ok(Verification { detail: Some(detail.to_owned()), ..verification })
    }
}
