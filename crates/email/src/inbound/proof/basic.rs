//! HTTP Basic (RFC 7617), as it stands in the URL that a provider is given: `user:password@`.

use super::{SecretError, header, proved};
use crate::inbound::provider::Check;
use base64::{Engine, engine::general_purpose::STANDARD};
use headgate_event::{Covers, Secret, Timestamp, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

/// What such a secret looks like.
const FORM: &str = "`user:password`";
/// RFC 7617, section 2: many clients send nothing before they are asked.
const CHALLENGE: &str = "Basic realm=\"headgate\", charset=\"UTF-8\"";

/// The users of a channel, by the digests of `user:password`.
struct Users(Vec<[u8; 32]>);

/// The check of a channel that gives out users and passwords.
pub(in crate::inbound) fn basic(secrets: &[Secret]) -> Result<Check, (usize, SecretError)> {
    for (at, secret) in secrets.iter().enumerate() {
        check_form(secret).map_err(|error| (at, error))?;
    }
    let digest = |secret: &Secret| Sha256::digest(secret.expose()).into();
    Ok(Box::new(Users(secrets.iter().map(digest).collect())))
}

/// Whether a secret is a user and a password.
pub(in crate::inbound) fn is_user_and_password(secret: &Secret) -> bool {
    check_form(secret).is_ok()
}

/// RFC 7617, section 2: the user's name has no colon, so the first one ends it.
fn check_form(secret: &Secret) -> Result<(), SecretError> {
    let wrong = |found| SecretError { expected: FORM, found };
    match secret.expose().iter().position(|byte| *byte == b':') {
        _ if secret.is_empty() => Err(wrong("nothing")),
        None => Err(wrong("no colon")),
        Some(at) if at + 1 == secret.expose().len() => Err(wrong("no password after the colon")),
        Some(_) => Ok(()),
    }
}

impl Verify for Users {
    fn verify(&self, request: &RawRequest, _: Timestamp) -> Result<Verification, Reject> {
        self.proved(request).map_err(|reject| reject.with_challenge(CHALLENGE))
    }
}

impl Users {
    fn proved(&self, request: &RawRequest) -> Result<Verification, Reject> {
        let value = header(request, "authorization", "missing_credentials")?;
        let sent = credentials(value).ok_or_else(|| {
            let message = "header `authorization` is not `Basic` and credentials in base64";
            Reject::unauthorized("malformed_credentials", message)
        })?;
        let sent: [u8; 32] = Sha256::digest(sent.expose()).into();
        let known = self.0.iter().position(|user| bool::from(user.ct_eq(&sent)));
        let known = known.ok_or_else(|| {
            let message = "the user and password are none of this channel";
            Reject::unauthorized("credentials_mismatch", message)
        })?;
        Ok(proved("basic", Covers::Token, known))
    }
}

/// What was sent: RFC 9110, section 11.1 takes the word `Basic` in any case.
fn credentials(value: &[u8]) -> Option<Secret> {
    let (word, rest) = value.split_at_checked(5)?;
    let encoded = rest.strip_prefix(b" ").filter(|_| word.eq_ignore_ascii_case(b"basic"))?;
    STANDARD.decode(encoded.trim_ascii()).ok().map(Secret::new)
}
