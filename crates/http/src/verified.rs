//! A request that proved itself. There is one way to make one: the check that passes.

use crate::{RawRequest, Reject};
use headgate_event::{Timestamp, Verification};

/// A check of where a request comes from.
pub trait Verify {
    /// How the request proves itself, or why it does not. `now` decides about its age.
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject>;
}

/// A request that proved itself as far as its channel asks.
#[derive(Debug)]
pub struct Verified {
    request: RawRequest,
    verification: Verification,
}

/// A request that did not, with the reason.
#[derive(Debug)]
pub struct Refused {
    /// The request as it came.
    pub request: RawRequest,
    /// Why it was refused.
    pub reject: Reject,
}

impl Verified {
    /// Lets the request through when `check` does.
    pub fn check(
        request: RawRequest,
        check: &(impl Verify + ?Sized),
        now: Timestamp,
    ) -> Result<Self, Box<Refused>> {
        match check.verify(&request, now) {
            Ok(verification) => Ok(Self { request, verification }),
            Err(reject) => Err(Box::new(Refused { request, reject })),
        }
    }

    /// The request.
    #[must_use]
    pub fn request(&self) -> &RawRequest {
        &self.request
    }

    /// How it proved itself.
    #[must_use]
    pub fn verification(&self) -> &Verification {
        &self.verification
    }

    /// Both parts.
    #[must_use]
    pub fn into_parts(self) -> (RawRequest, Verification) {
        (self.request, self.verification)
    }
}
