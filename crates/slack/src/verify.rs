//! Whether Slack signed a request: version `v0` of its signatures, over the bytes as they came.
//!
//! The signed text is `v0:{timestamp}:{body}`, the key is the signing secret as it is written
//! (Slack, "Verifying requests from Slack"). Not for what a body says, except which app it names.

use crate::payload::Payload;
use headgate_event::{
    Covers, Secret, Timestamp, Verdict, Verification, limits::SLACK_SIGNED_AGE_S_MAX,
};
use headgate_http::{RawRequest, Reject, Verify};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub(crate) const SIGNATURE: &str = "x-slack-signature";
pub(crate) const TIMESTAMP: &str = "x-slack-request-timestamp";
const VERSION: &[u8] = b"v0=";

/// The code of what has no certificate, or somebody else's.
pub(crate) const CERTIFICATE: &str = "client_certificate";

/// What a verification is called.
pub(crate) const METHOD: &str = "slack";

/// A signing secret, and the app whose it is.
#[derive(Clone, Debug)]
pub struct SigningSecret {
    /// The secret as Slack shows it; its characters are the key, not what they say in hex.
    pub secret: Secret,
    /// The id of the app (`A0123ABCD`). What this secret signs must name no other; with none given
    /// any app may be named.
    pub api_app_id: Option<String>,
}

/// The secrets of a channel, prepared, in the order in which they are configured.
#[derive(Clone)]
pub(crate) struct Keys(Vec<Key>);

/// A secret whose inner state is prepared, so that a request does not pay for it.
#[derive(Clone)]
struct Key {
    mac: Hmac<Sha256>,
    api_app_id: Option<String>,
}

/// A second proof besides the signature: what a proxy that ends TLS says of the certificate with
/// which Slack called it.
#[derive(Clone, Debug)]
pub struct ClientCertificate {
    /// The header in which the proxy names the certificate, and which it takes from its clients.
    pub header: http::HeaderName,
    /// What it has to say, such as `platform-tls-client.slack.com`.
    pub name: String,
}

/// The check of one request of a channel.
#[derive(Clone, Copy)]
pub(crate) struct Check<'a> {
    pub(crate) keys: &'a Keys,
    pub(crate) certificate: Option<&'a ClientCertificate>,
    /// Whether the peer that brought the request is a trusted proxy.
    pub(crate) peer: Peer,
}

/// Who brought a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Peer {
    /// A proxy that is believed.
    Proxy,
    /// Anybody else.
    Other,
}

/// What a request shows as proof.
pub(crate) struct Presented<'a> {
    signature: [u8; 32],
    /// The time as it was sent, which is signed so.
    text: &'a [u8],
    time: Timestamp,
}

impl Keys {
    pub(crate) fn new(secrets: &[SigningSecret]) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        let key = |signing: &SigningSecret| Key {
            mac: Hmac::new_from_slice(signing.secret.expose()).expect("any length"),
            api_app_id: signing.api_app_id.clone(),
        };
        Self(secrets.iter().map(key).collect())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The key that made the signature. When several did, one whose app the body names.
    fn matching(&self, presented: &Presented<'_>, request: &RawRequest) -> Result<usize, Reject> {
        let made = |key: &Key| {
            bool::from(key.sign(presented.text, &request.body).ct_eq(&presented.signature))
        };
        let mut signers = self.0.iter().enumerate().filter(|(_, key)| made(key)).peekable();
        if signers.peek().is_none() {
            return Err(Reject::unauthorized(
                "signature_mismatch",
                "no signature was made with a secret of this channel over what was received",
            ));
        }
        let mut named = None;
        let mut fits = |key: &Key| {
            key.api_app_id.as_ref().is_none_or(|app| {
                let named = named.get_or_insert_with(|| Payload::of_request(request).app());
                named.as_ref().is_none_or(|named| named == app)
            })
        };
        let signer = signers.find(|(_, key)| fits(key)).map(|(at, _)| at);
        signer.ok_or_else(|| {
            let message = "the body names another app than the one whose secret signed it";
            Reject::unauthorized("wrong_app", message)
        })
    }
}

impl Key {
    fn sign(&self, time: &[u8], body: &[u8]) -> [u8; 32] {
        let mut mac = self.mac.clone();
        for piece in [b"v0:", time, b":", body] {
            mac.update(piece);
        }
        mac.finalize().into_bytes().into()
    }
}

/// The value of `x-slack-signature` for a body that is sent at a time.
///
/// ```
/// # use headgate_event::{Secret, Timestamp};
/// let secret = Secret::new("fa2c05deeef5a4077494e89f54394de0");
/// let signature = headgate_slack::sign(&secret, Timestamp::from_unix_s(1531420618), b"test-body");
/// assert!(signature.starts_with("v0=baa91ef62d346e56607bbdd278a8acd5"));
/// ```
#[must_use]
pub fn sign(secret: &Secret, now: Timestamp, body: &[u8]) -> String {
    let keys = Keys::new(&[SigningSecret { secret: secret.clone(), api_app_id: None }]);
    let time = now.unix_s().to_string();
    let digests = keys.0.iter().map(|key| hex::encode(key.sign(time.as_bytes(), body)));
    digests.fold("v0=".to_owned(), |text, digest| text + &digest)
}

impl<'a> Presented<'a> {
    pub(crate) fn read(request: &'a RawRequest) -> Result<Self, Reject> {
        let header = |name: &str, code| {
            let value = request.single_header(name)?;
            value.ok_or_else(|| Reject::unauthorized(code, format!("header `{name}` is missing")))
        };
        let signature = header(SIGNATURE, "missing_signature")?;
        let text = header(TIMESTAMP, "missing_timestamp")?;
        let signature = digest(signature).ok_or_else(|| {
            let form = "`v0=` and 64 lower-case hex digits";
            let message = format!("header `{SIGNATURE}` is not {form}");
            Reject::unauthorized("malformed_signature", message)
        })?;
        let time = seconds(text).ok_or_else(|| {
            let message = format!("header `{TIMESTAMP}` is not a number of seconds since 1970");
            Reject::unauthorized("malformed_timestamp", message)
        })?;
        Ok(Self { signature, text, time })
    }

    pub(crate) fn time(&self) -> Timestamp {
        self.time
    }

    /// Refuses a time outside of the window, which is open as wide to the future as to the past.
    pub(crate) fn admits(&self, now: Timestamp) -> Result<(), Reject> {
        let (ours, theirs) = (now.unix_s(), self.time.unix_s());
        if ours.abs_diff(theirs) <= SLACK_SIGNED_AGE_S_MAX {
            return Ok(());
        }
        let code = if ours > theirs { "timestamp_too_old" } else { "timestamp_in_future" };
        let message = format!("the signed time is more than {SLACK_SIGNED_AGE_S_MAX} s from ours");
        let cause = format!("signed at {}, checked at {now}", self.time);
        Err(Reject::unauthorized(code, message).with_cause(cause))
    }
}

/// A signature, spelled in the one way in which Slack spells it.
fn digest(value: &[u8]) -> Option<[u8; 32]> {
    let text = value.strip_prefix(VERSION)?;
    let mut digest = [0; 32];
    if text.iter().any(u8::is_ascii_uppercase) {
        return None;
    }
    hex::decode_to_slice(text, &mut digest).ok().map(|()| digest)
}

/// Digits and nothing else: what other parsers take besides is not a time that Slack sends.
fn seconds(value: &[u8]) -> Option<Timestamp> {
    let digits = value.iter().all(u8::is_ascii_digit);
    let text = std::str::from_utf8(value).ok().filter(|_| digits)?;
    text.parse().ok().map(Timestamp::from_unix_s)
}

/// The time that a request says it was signed at, believed only of one that proved itself.
pub(crate) fn signed_at(request: &RawRequest) -> Option<Timestamp> {
    seconds(request.single_header(TIMESTAMP).ok()??)
}

impl Check<'_> {
    pub(crate) fn certificate(&self, request: &RawRequest) -> Result<(), Reject> {
        let Some(expected) = self.certificate else { return Ok(()) };
        let shown = request.single_header(expected.header.as_str())?;
        let message = match shown {
            _ if self.peer == Peer::Other => "no trusted proxy says who called it",
            None => "the trusted proxy does not say with what certificate it was called",
            Some(name) if name == expected.name.as_bytes() => return Ok(()),
            Some(_) => "the trusted proxy was called with the certificate of somebody else",
        };
        Err(Reject::unauthorized(CERTIFICATE, message))
    }

    fn signature<'r>(
        &self,
        request: &'r RawRequest,
    ) -> Result<(Presented<'r>, Verification), Reject> {
        self.certificate(request)?;
        let presented = Presented::read(request)?;
        let key = self.keys.matching(&presented, request)?;
        let verification = Verification {
            verdict: Verdict::Verified.into(),
            method: METHOD.into(),
            covers: Covers::BodyAndTime.into(),
            detail: None,
            key: u32::try_from(key).ok(),
        };
        Ok((presented, verification))
    }

    /// The check without a look at the age of the signed time.
    pub(crate) fn at_any_age(&self, request: &RawRequest) -> Result<Verification, Reject> {
        self.signature(request).map(|(_, verification)| verification)
    }
}

impl Verify for Check<'_> {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let (presented, verification) = self.signature(request)?;
        // Only a time that the signature covers says anything, so it is looked at last.
        presented.admits(now)?;
        Ok(verification)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} secrets)", self.0.len())
    }
}
