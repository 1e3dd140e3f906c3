//! How a sender proves itself. Each scheme is one file below; this is the list of them.
//!
//! A scheme is read from a provider file, then prepared once for each channel with its secrets.

mod basic;
mod by_header;
mod by_secret;
mod jwt;
mod none;
mod signed;
mod standard_webhooks;
mod token;

mod about;
mod headers;
mod known;
mod settings;

pub(crate) use about::About;
use headers::{Headers, Names};
use known::Known;
pub use settings::{Settings, Terms};
pub(crate) use settings::{lists, text as setting};

use crate::{
    Wanted,
    provider::{Problems, ProviderText, VerifyTable},
};
use headgate_event::{Covers, Secret, Timestamp};
use headgate_http::{RawRequest, Reject, Verify};
use http::{HeaderName, HeaderValue, Method};
use std::{fmt, time::Duration};

/// The check of one channel, with its secrets prepared.
pub(crate) type Check = Box<dyn Proof>;

/// A check that may need something fetched first.
pub(crate) trait Proof: Verify + Send + Sync {
    /// What has to be fetched before the request can be checked; none when it is at hand.
    fn wants(&self, _: &RawRequest, _: Timestamp) -> Result<Option<Wanted>, Reject> {
        Ok(None)
    }
}

/// How far a signed time may be from ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tolerance {
    /// How old a signed time may be.
    pub past: Duration,
    /// How far ahead of ours a signed time may be.
    pub future: Duration,
}

/// Why a secret cannot be used. Its text never shows the secret.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Nothing is in it.
    #[error("the secret is empty")]
    Empty,
    /// It does not have the form that the provider gives its secrets.
    #[error("expected {expected}, found {found}")]
    Form {
        /// What the provider's secrets look like.
        expected: String,
        /// What is wrong with this one.
        found: String,
    },
}

/// A request that is to be signed.
#[derive(Debug)]
pub(crate) struct Unsigned<'a> {
    /// The method it will be sent with.
    pub(crate) method: &'a Method,
    /// The path it will be sent to.
    pub(crate) path: &'a str,
    /// The query it will be sent with.
    pub(crate) query: &'a str,
    /// Its headers so far.
    pub(crate) headers: &'a [(HeaderName, HeaderValue)],
    /// Its body.
    pub(crate) body: &'a [u8],
    /// The id of the message, for schemes that sign one.
    pub(crate) id: &'a str,
}

/// The proof of a request.
#[derive(Debug, Default)]
pub(crate) struct Signed {
    /// The headers that prove it.
    pub(crate) headers: Vec<(HeaderName, HeaderValue)>,
    /// The signature, where it belongs into the body.
    pub(crate) in_body: Option<String>,
}

/// A way of proving where a request comes from, as one provider uses it.
pub(crate) trait Scheme: fmt::Debug + Send + Sync {
    /// Prepares the check of a channel. `method` is what a verification is called.
    fn check(&self, method: &str, terms: &Terms) -> Result<Check, (usize, SecretError)>;

    /// The proof of a request by a secret, or by the private half of what a channel has.
    fn sign(
        &self,
        request: &Unsigned<'_>,
        terms: &Terms,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Signed, SecretError>;

    /// What it looks at in a request, for people.
    fn about(&self, request: &RawRequest, terms: &Terms) -> About;

    /// How a sender proves itself, in one line for people.
    fn describe(&self) -> String;

    /// What the proof covers.
    fn covers(&self) -> Covers;

    /// Whether it has secrets at all.
    fn takes_secrets(&self) -> bool;

    /// The settings with which a channel needs no secrets; none where it always does.
    fn settings_for_secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    /// Whether it proves anything.
    fn proves(&self) -> bool {
        true
    }

    /// Whether the URL is signed by which senders reach the channel.
    fn needs_url(&self) -> bool {
        false
    }

    /// Whether a time is signed, so that a tolerance means something.
    fn signs_time(&self) -> bool;

    /// How far a signed time may be from ours.
    fn tolerance(&self) -> Option<Tolerance> {
        None
    }

    /// Whether a header is proof, so that its value is not passed on.
    fn is_proof(&self, header: &HeaderName) -> bool;

    /// Where the body holds a secret that proves it, which is not passed on: a path, in which `*`
    /// stands for every item of an array.
    fn secret_in_body(&self) -> Option<&str> {
        None
    }

    /// Whether the proof covers the value of a header.
    fn covers_header(&self, header: &HeaderName) -> bool;
}

/// The schemes that a provider file may name.
const SCHEMES: &str = "`hmac`, `url-form-hmac`, `sha256-concat`, `ed25519`, `ecdsa`, `rsa-cert`, \
                       `jwt`, `standard-webhooks`, `token`, `basic`, `by-secret`, `by-header` or \
                       `none`";

/// Reads the `[verify]` table by its `scheme`.
pub(crate) fn read(text: &ProviderText<'_>, problems: &mut Problems) -> Option<Box<dyn Scheme>> {
    let scheme = text.table::<VerifyTable<SchemeName>>(problems)?.verify.scheme;
    match scheme.get_ref().as_str() {
        name @ ("hmac" | "url-form-hmac" | "sha256-concat" | "ed25519" | "ecdsa" | "rsa-cert") => {
            signed::read(text, name, problems)
        }
        "standard-webhooks" => standard_webhooks::read(text, problems),
        "jwt" => jwt::read(text, problems),
        "token" => token::read(text, problems),
        "basic" => basic::read(text, problems),
        "by-secret" => by_secret::read(text, problems),
        "by-header" => by_header::read(text, problems),
        "none" => none::read(text, problems),
        other => {
            problems.add(scheme.span(), format!("expected scheme {SCHEMES}, found `{other}`"));
            None
        }
    }
}

/// The one key that every `[verify]` table has; the others are read by its scheme.
#[derive(serde::Deserialize)]
struct SchemeName {
    scheme: toml::Spanned<String>,
}

/// A header that carries proof, when its value is one that a header can have.
fn header_value(name: HeaderName, value: &[u8]) -> Result<(HeaderName, HeaderValue), SecretError> {
    let wrong = || SecretError::Form {
        expected: format!("a value that header `{name}` can carry"),
        found: "control characters".to_owned(),
    };
    let value = HeaderValue::from_bytes(value).map_err(|_| wrong())?;
    Ok((name, value))
}
