//! A provider whose requests carry what another one says: Amazon SES hands its mail to Amazon SNS,
//! which proves itself in its own way. For whoever takes what is carried.

use crate::{
    Provider, SecretError, Terms, handshake::Stage, scheme::Check, source::shake::in_body,
};
use headgate_event::{Timestamp, Verification, limits::STORE_RETRY_AFTER};
use headgate_http::{Answer, RawRequest, Reject, Verified, Verify};
use std::{fmt, sync::Arc};

/// The proof of a carrier, as one channel asks for it, and its handshakes.
pub struct Carrier {
    provider: Arc<Provider>,
    terms: Terms,
    check: Check,
}

/// A handshake that is done.
#[derive(Debug)]
pub struct Shaken {
    /// Its name in the provider's file.
    pub name: String,
    /// What the sender is answered.
    pub answer: Answer,
}

impl Carrier {
    /// The carrier of a channel. What it needs fetched is counted and kept for this channel alone.
    pub fn new(provider: &Arc<Provider>, channel: &str, terms: Terms) -> Result<Self, SecretError> {
        let fetched = terms.fetched.of_channel(channel);
        let terms = Terms { fetched, ..terms };
        let check = provider.scheme.check(provider.name(), &terms).map_err(|(_, error)| error)?;
        Ok(Self { provider: Arc::clone(provider), terms, check })
    }

    /// Fetches what the check of a request needs and is not at hand: 503 where it cannot be had.
    /// What is wrong with its address is said by the check.
    pub async fn bring(&self, request: &RawRequest, now: Timestamp) -> Result<(), Reject> {
        match self.check.wants(request, now) {
            Ok(Some(wanted)) => {
                let brought = self.terms.fetched.bring(wanted, now).await;
                brought.map_err(|error| Reject::unavailable(error, STORE_RETRY_AFTER))
            }
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// The handshake that a proved request is, once what it asks for was visited; none where it
    /// carries something.
    pub async fn shake(
        &self,
        verified: &Verified,
        now: Timestamp,
    ) -> Option<Result<Shaken, Reject>> {
        let shaken = in_body(&self.provider, &self.terms, Stage::Proved, verified.request())?;
        let shaken = match shaken {
            Ok(shaken) => shaken,
            Err(reject) => return Some(Err(reject)),
        };
        if let Some(url) = &shaken.visit
            && let Err(error) = self.terms.fetched.visit(url, now).await
        {
            return Some(Err(Reject::unavailable(error, STORE_RETRY_AFTER)));
        }
        Some(Ok(Shaken { name: shaken.name, answer: shaken.answer }))
    }
}

impl Verify for Carrier {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        self.check.verify(request, now)
    }
}

impl fmt::Debug for Carrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Carrier").field("provider", &self.provider.name()).finish_non_exhaustive()
    }
}
