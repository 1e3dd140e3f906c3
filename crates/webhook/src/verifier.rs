//! The check of a provider's requests outside of a channel: for whoever measures it, or takes
//! requests in a way of their own.

use crate::{Provider, SecretError, Terms, scheme::Check};
use headgate_event::{Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use std::fmt;

/// A provider's check with the secrets of one receiver prepared.
pub struct Verifier(Check);

impl Provider {
    /// The check of requests by these terms. What it needs fetched has to be at hand in them.
    pub fn verifier(&self, terms: &Terms) -> Result<Verifier, SecretError> {
        self.scheme.check(self.name(), terms).map(Verifier).map_err(|(_, error)| error)
    }
}

impl Verify for Verifier {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        self.0.verify(request, now)
    }
}

impl fmt::Debug for Verifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verifier").finish_non_exhaustive()
    }
}
