//! How providers prove themselves, as far as several of them do it alike.

mod basic;
mod ecdsa;
mod rsa;

pub(super) use basic::{basic, is_user_and_password};
pub(super) use ecdsa::ecdsa;
pub(super) use rsa::{RsaHeader, rsa};

use super::provider::{Check, SecretError, Window};
use headgate_event::{Covers, Secret, Timestamp, Verdict, Verification};
use headgate_http::{RawRequest, Reject, Verify};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

/// The keys of a channel whose sender signs by HMAC-SHA256.
pub(super) struct Keys(Vec<Hmac<Sha256>>);

impl Keys {
    pub(super) fn new<'a>(keys: impl Iterator<Item = &'a [u8]>) -> Self {
        #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
        Self(keys.map(|key| Hmac::new_from_slice(key).expect("any length")).collect())
    }

    /// The keys that are the secrets as they are written; none of them may be empty.
    pub(super) fn of_texts(
        secrets: &[Secret],
        expected: &'static str,
    ) -> Result<Self, (usize, SecretError)> {
        if let Some(at) = secrets.iter().position(|one| one.expose().trim_ascii().is_empty()) {
            return Err((at, SecretError { expected, found: "nothing" }));
        }
        Ok(Self::new(secrets.iter().map(Secret::expose)))
    }

    /// The place of the key that made one of these signatures over `pieces`.
    pub(super) fn signer(&self, pieces: &[&[u8]], signatures: &[[u8; 32]]) -> Option<usize> {
        self.digests(pieces)
            .into_iter()
            .position(|made| signatures.iter().any(|one| bool::from(made.ct_eq(one))))
    }

    /// What each key makes of `pieces`.
    pub(super) fn digests(&self, pieces: &[&[u8]]) -> Vec<[u8; 32]> {
        let digest = |key: &Hmac<Sha256>| {
            let mut mac = key.clone();
            for piece in pieces {
                mac.update(piece);
            }
            mac.finalize().into_bytes().into()
        };
        self.0.iter().map(digest).collect()
    }
}

/// A check whose secrets need several ways: the first that holds counts; otherwise the first
/// refusal of a proof that was sent, or of one that was not.
pub(super) struct AnyOf(pub(super) Vec<Check>);

impl Verify for AnyOf {
    fn verify(&self, request: &RawRequest, now: Timestamp) -> Result<Verification, Reject> {
        let mut refusal: Option<Reject> = None;
        for (at, check) in self.0.iter().enumerate() {
            match check.verify(request, now) {
                Ok(verification) => {
                    return Ok(Verification { key: u32::try_from(at).ok(), ..verification });
                }
                Err(reject) => {
                    let missing = |reject: &Reject| reject.code().starts_with("missing_");
                    if refusal.as_ref().is_none_or(|first| missing(first) && !missing(&reject)) {
                        refusal = Some(reject);
                    }
                }
            }
        }
        Err(refusal.unwrap_or_else(|| {
            Reject::unauthorized("no_secret", "there is no secret to check this request by")
        }))
    }
}

/// One check for each secret, each made by `one`.
pub(super) fn each(
    secrets: &[Secret],
    one: impl Fn(&Secret) -> Result<Check, SecretError>,
) -> Result<Check, (usize, SecretError)> {
    let checks = secrets.iter().enumerate().map(|(at, secret)| one(secret).map_err(|e| (at, e)));
    Ok(Box::new(AnyOf(checks.collect::<Result<_, _>>()?)))
}

/// What a provider's proof says.
pub(super) fn proved(method: &'static str, covers: Covers, key: usize) -> Verification {
    Verification {
        verdict: Verdict::Verified.into(),
        method: method.into(),
        covers: covers.into(),
        detail: None,
        key: u32::try_from(key).ok(),
    }
}

/// The value of a header that has to be there once.
pub(super) fn header<'r>(
    request: &'r RawRequest,
    name: &str,
    missing: &'static str,
) -> Result<&'r [u8], Reject> {
    let value = request.single_header(name)?.filter(|value| !value.is_empty());
    value.ok_or_else(|| {
        Reject::unauthorized(missing, format!("header `{name}` is missing or empty"))
    })
}

/// Seconds since 1970: digits and nothing else.
pub(super) fn seconds(text: &[u8], place: &str) -> Result<Timestamp, Reject> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    let number = std::str::from_utf8(text).ok().filter(|_| digits).and_then(|t| t.parse().ok());
    number.map(Timestamp::from_unix_s).ok_or_else(|| {
        let message = format!("{place} is not a number of seconds since 1970");
        Reject::unauthorized("malformed_timestamp", message)
    })
}

/// Refuses a signed time outside of the window.
pub(super) fn admit(signed: Timestamp, now: Timestamp, window: Window) -> Result<(), Reject> {
    let (ours, theirs) = (now.unix_s(), signed.unix_s());
    let (code, most) = if ours > theirs {
        ("timestamp_too_old", window.past.as_secs())
    } else {
        ("timestamp_in_future", window.future.as_secs())
    };
    if ours.abs_diff(theirs) <= most {
        return Ok(());
    }
    let message = format!("the signed time is more than {most} s from ours");
    Err(Reject::unauthorized(code, message)
        .with_cause(format!("signed at {signed}, checked at {now}")))
}

/// What is said when no secret made the signature.
pub(super) fn mismatch() -> Reject {
    let message = "no signature was made with a secret of this channel over what was received";
    Reject::unauthorized("signature_mismatch", message)
}
