//! What fuzzers call of what is private here. Behind a feature that no program has.

use crate::{
    Payload, SigningSecret,
    directory::Directory,
    text,
    verify::{Check, Keys, Peer},
};
use headgate_event::{Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};

/// The check of a request against one secret.
pub fn verify(
    request: &RawRequest,
    secret: &Secret,
    now: Timestamp,
) -> Result<Verification, Reject> {
    let signing = SigningSecret { secret: secret.clone(), api_app_id: None };
    let keys = Keys::new(&[signing]);
    Check { keys: &keys, certificate: None, peer: Peer::Other }.verify(request, now)
}

/// The payload in a request.
#[must_use]
pub fn payload(request: &RawRequest) -> Payload {
    Payload::of_request(request)
}

/// A text without its markup, and the users that it mentions.
#[must_use]
pub fn markup(text: &str) -> (String, Vec<String>) {
    text::with_mentions(text, &Directory::default())
}
