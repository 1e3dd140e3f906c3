//! A refused request looked at again: by the secrets that its channel has, at the time it came.

use super::{SlackSource, Taken};
use crate::verify::{Check, ClientCertificate, Peer};
use headgate_event::{Accepted, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verified, Verify};

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
    /// It still does not prove itself.
    Refused(Reject),
    /// It proves itself, and could not be stored: our fault, and it may pass.
    NotStored(Reject),
    /// It proves itself, and is nothing that is stored: a question of Slack's whose answer is all
    /// that it is for, or what the app itself did where that is dropped.
    NoEvent,
}

/// The signature alone. A certificate was shown by the connection, which is gone.
struct SignatureAlone<'a> {
    check: Check<'a>,
    age: AgeRule,
    /// Whether the channel asks for a certificate.
    certificate: Option<&'a ClientCertificate>,
}

impl SlackSource {
    /// Whether a refused request would be taken. `request.arrival` says when it came.
    pub fn try_release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<(), NotReleased> {
        self.prove_again(channel, request, age).map(drop)
    }

    /// Makes the event of a refused request that proves itself by now, and stores it like any
    /// other: Slack's own retry may have come before it. `rejection` is its id, which the event
    /// bears.
    pub async fn release(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
        rejection: &str,
    ) -> Result<Accepted, NotReleased> {
        let verified = self.prove_again(channel, request, age)?;
        let channel = self.channels.load().get(channel).cloned();
        let channel = channel.ok_or(NotReleased::UnknownChannel)?;
        match self.store(&channel, verified, Some(rejection)).await {
            Ok(Taken::Stored(stored, _)) => Ok(stored.accepted),
            Ok(Taken::Answered(_)) => Err(NotReleased::NoEvent),
            Err(reject) => Err(NotReleased::NotStored(reject)),
        }
    }

    fn prove_again(
        &self,
        channel: &str,
        request: RawRequest,
        age: AgeRule,
    ) -> Result<Verified, NotReleased> {
        let channel = self.channels.load().get(channel).cloned();
        let channel = channel.ok_or(NotReleased::UnknownChannel)?;
        let came = request.arrival.received_at;
        let check = Check { keys: &channel.keys, certificate: None, peer: Peer::Other };
        let certificate = channel.certificate.as_ref();
        Verified::check(request, &SignatureAlone { check, age, certificate }, came)
            .map_err(|refused| NotReleased::Refused(refused.reject))
    }
}

impl Verify for SignatureAlone<'_> {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let mut unjudged = Vec::new();
        let verification = match (self.check.verify(request, now), self.age) {
            (Ok(verification), _) => verification,
            (Err(_), AgeRule::Any) => {
                unjudged.push("the age of the signed time");
                self.check.at_any_age(request)?
            }
            (Err(reject), AgeRule::Channel) => return Err(reject),
        };
        unjudged.extend(self.certificate.map(|_| "the client's certificate"));
        if unjudged.is_empty() {
            return Ok(verification);
        }
        let what = unjudged.join(" and ");
        let detail = Some(format!("released by an admin: {what} was not judged"));
        Ok(Verification { detail, ..verification })
    }
}
