//! Signed URLs of what belongs to a message: its bytes, and what hangs on it. They are made when an
//! event is served, are good for a while, and are stored nowhere.

use crate::{
    Scope,
    access::Caller,
    api::Shared,
    error::ApiError,
    parameters::{Parameters, invalid},
};
use axum::extract::Request;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use headgate_event::{Event, EventId, Timestamp, data::Attachment};
use hmac::{Hmac, KeyInit, Mac};
use http::StatusCode;
use sha2::Sha256;
use std::{fmt, time::Duration};

/// What a signature covers begins with this, so that it can be taken for nothing else.
const PURPOSE: &str = "headgate link 1";
/// By when a URL is used.
const EXPIRES: &str = "expires";
/// What proves it.
const SIGNATURE: &str = "signature";

/// The bytes of an attachment out of the message it hangs on; none when they are not in it.
pub type ReadAttachment = fn(&[u8], &Attachment) -> Option<Vec<u8>>;

/// Makes and checks signed URLs.
#[derive(Clone)]
pub struct Links {
    /// What they are signed with.
    pub key: [u8; 32],
    /// What stands before their path, such as `https://in.example.com`.
    pub base: String,
    /// How long they are good.
    pub lifetime: Duration,
    /// Takes an attachment out of its message.
    pub attachment: ReadAttachment,
}

impl Links {
    /// The event as it is served: one of a message says where its bytes and attachments are.
    #[must_use]
    pub fn served(&self, event: &Event, now: Timestamp) -> Event {
        let Some(data) = event.email() else { return event.clone() };
        let expires = now.plus(self.lifetime).unix_s();
        let mut data = data.clone();
        data.raw_url = Some(self.url(&raw_path(event.id()), expires));
        for (number, attachment) in data.attachments.iter_mut().enumerate() {
            let path = attachment_path(event.id(), number);
            attachment.url = attachment.place.as_ref().map(|_| self.url(&path, expires));
        }
        event.with_email(&data)
    }

    fn url(&self, path: &str, expires: i64) -> String {
        let signature = URL_SAFE_NO_PAD.encode(self.mac(path, expires).finalize().into_bytes());
        format!("{}{path}?{EXPIRES}={expires}&{SIGNATURE}={signature}", self.base)
    }

    #[expect(clippy::expect_used, reason = "HMAC takes keys of any length")]
    fn mac(&self, path: &str, expires: i64) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any length");
        mac.update(format!("{PURPOSE}\n{path}\n{expires}").as_bytes());
        mac
    }

    fn check(
        &self,
        path: &str,
        expires: &str,
        signature: &str,
        now: Timestamp,
    ) -> Result<(), ApiError> {
        let proved = expires.parse::<i64>().ok().zip(URL_SAFE_NO_PAD.decode(signature).ok());
        let proved = proved.filter(|(expires, signature)| {
            self.mac(path, *expires).verify_slice(signature).is_ok()
        });
        let Some((expires, _)) = proved else {
            let message = "the URL is not one that was signed here";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "wrong_signature", message));
        };
        if expires < now.unix_s() {
            let message = "the URL is no longer good: the event, asked for again, has another";
            return Err(ApiError::new(StatusCode::FORBIDDEN, "expired", message));
        }
        Ok(())
    }
}

/// Where the bytes of an event are.
fn raw_path(id: EventId) -> String {
    format!("/v1/events/{id}/raw")
}

/// Where an attachment is; the first is 0.
fn attachment_path(id: EventId, number: usize) -> String {
    format!("/v1/events/{id}/attachments/{number}")
}

/// Lets a caller in who holds a key with the scope `read`, or whose URL is signed for this path.
pub(crate) fn let_in(api: &Shared, request: &Request) -> Result<(), ApiError> {
    let uri = request.uri();
    let links = api.links.as_ref().filter(|_| Parameters::mention(uri, SIGNATURE));
    if links.is_none() {
        let caller = Caller::new(uri, request.headers(), request.extensions());
        let who = api.guard().check(Scope::Read, caller, api.clock.now())?;
        who.check_unbound()?;
        who.take(api.clock.now())?;
    }
    let parameters = Parameters::of(uri, &[EXPIRES, SIGNATURE])?;
    let (expires, signature) = (parameters.one(EXPIRES)?, parameters.one(SIGNATURE)?);
    match (links, expires, signature) {
        (_, None, None) => Ok(()),
        (Some(links), Some(expires), Some(signature)) => {
            links.check(uri.path(), expires, signature, api.clock.now())
        }
        _ => {
            let why = "expected it and the other of `expires` and `signature`, found one alone";
            Err(invalid(if expires.is_some() { EXPIRES } else { SIGNATURE }, why))
        }
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links")
            .field("base", &self.base)
            .field("lifetime", &self.lifetime)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links() -> Links {
        let lifetime = Duration::from_secs(900);
        Links { key: [7; 32], base: "http://a".to_owned(), lifetime, attachment: |_, _| None }
    }

    fn code(checked: Result<(), ApiError>) -> &'static str {
        checked.map_or_else(|error| error.code(), |()| "let in")
    }

    #[test]
    fn a_signature_is_good_for_its_path_and_its_time_alone() {
        let (links, path) = (links(), "/v1/events/01K/raw");
        let url = links.url(path, 1_000);
        let signature = url.rsplit('=').next().expect("a signature");
        let at = Timestamp::from_unix_s;
        let check = |path: &str, expires: &str, signature: &str, now| {
            code(links.check(path, expires, signature, at(now)))
        };
        assert_eq!(check(path, "1000", signature, 1_000), "let in");
        assert_eq!(check(path, "1000", signature, 1_001), "expired");
        assert_eq!(check(path, "1001", signature, 1_000), "wrong_signature");
        assert_eq!(check("/v1/events/01L/raw", "1000", signature, 1_000), "wrong_signature");
        for wrong in ["", "AAAA", "!", &signature[1..]] {
            assert_eq!(check(path, "1000", wrong, 1_000), "wrong_signature", "{wrong}");
        }
        for wrong in ["", "x", "99999999999999999999"] {
            assert_eq!(check(path, wrong, signature, 1_000), "wrong_signature", "{wrong}");
        }
        let other = Links { key: [8; 32], ..links.clone() };
        assert_eq!(code(other.check(path, "1000", signature, at(1_000))), "wrong_signature");
    }
}
