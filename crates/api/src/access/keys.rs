//! API keys: what they open, and the check of the one that a call brings.

use super::{Bounds, Who};
use crate::error::ApiError;
use headgate_event::{Secret, Timestamp};
use headgate_http::{Rate, RateLimit};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fmt,
    str::FromStr,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};
use subtle::{Choice, ConstantTimeEq};

/// What a key opens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scope {
    /// Reading events, channels, subscriptions and metrics, and the live tail.
    Read,
    /// Leasing and settling deliveries, also over a stream.
    Consume,
    /// Emitting app events.
    Emit,
    /// Making, changing, pausing and ending subscriptions, and all that the others open.
    Admin,
}

/// A text that is not a scope.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a scope: expected `read`, `consume`, `emit` or `admin`")]
pub struct ScopeError {
    text: String,
}

/// A key that opens the API.
#[derive(Clone, Debug)]
pub struct ApiKey {
    /// Its name, for people.
    pub name: String,
    /// What the caller sends as bearer: any of these, so that one can take the place of another.
    pub secrets: Vec<KeySecret>,
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
    /// What it is bound to.
    pub bounds: Bounds,
    /// How many calls it may make in a time; as many as it likes where there is none.
    pub rate: Option<RateLimit>,
}

/// What a caller has to know.
#[derive(Clone, Debug)]
pub enum KeySecret {
    /// The secret itself.
    Plain(Secret),
    /// The SHA-256 of it, where only its holder has it.
    Sha256([u8; 32]),
}

/// The keys as the check needs them.
#[derive(Debug)]
pub(crate) struct KeyRing(Vec<Arc<RingKey>>);

/// One key as the check needs it, and what became of it.
pub(crate) struct RingKey {
    pub(crate) name: Arc<str>,
    pub(crate) secrets: Vec<RingSecret>,
    pub(crate) scopes: BTreeSet<Scope>,
    pub(crate) bounds: Bounds,
    pub(crate) limit: Option<RateLimit>,
    /// What is left of it: of the same rate before, not a full one.
    pub(crate) rate: Option<Arc<Rate>>,
}

/// One secret of a key.
pub(crate) struct RingSecret {
    digest: [u8; 32],
    /// When it was used last, in milliseconds since 1970; 0 when it was not, since the start.
    pub(crate) used_ms: AtomicI64,
}

impl ApiKey {
    /// A key with one secret that is bound to nothing.
    #[must_use]
    pub fn new(name: impl Into<String>, secret: Secret, scopes: BTreeSet<Scope>) -> Self {
        let secrets = vec![KeySecret::Plain(secret)];
        Self { name: name.into(), secrets, scopes, bounds: Bounds::default(), rate: None }
    }
}

impl KeySecret {
    /// What it is compared by.
    #[must_use]
    pub fn digest(&self) -> [u8; 32] {
        match self {
            Self::Plain(secret) => digest(secret.expose()),
            Self::Sha256(digest) => *digest,
        }
    }
}

impl KeyRing {
    /// The keys, with what became of those that were there before.
    pub(super) fn new(keys: Vec<ApiKey>, before: Option<&Self>) -> Self {
        let before: &[Arc<RingKey>] = before.map_or(&[], |ring| &ring.0);
        Self(keys.into_iter().map(|key| Arc::new(RingKey::new(key, before))).collect())
    }

    /// All keys, in the order of the configuration.
    pub(super) fn keys(&self) -> &[Arc<RingKey>] {
        &self.0
    }

    pub(super) fn check(
        &self,
        scope: Scope,
        headers: &HeaderMap,
        now: Timestamp,
    ) -> Result<Who, ApiError> {
        let presented = digest(bearer(headers)?);
        let (key, secret) = self.matching(&presented).ok_or_else(|| {
            unauthorized("wrong_key", "the bearer is none of the configured API keys")
        })?;
        secret.used_ms.fetch_max(now.unix_ms(), Ordering::Relaxed);
        if key.opens(scope) {
            return Ok(Who { key: Some(Arc::clone(key)) });
        }
        let message = format!("key `{}` lacks the scope `{scope}`, which this needs", key.name);
        Err(ApiError::new(StatusCode::FORBIDDEN, "missing_scope", message))
    }

    /// The key with this digest. Every secret is compared, so that the time tells nothing.
    fn matching(&self, presented: &[u8; 32]) -> Option<(&Arc<RingKey>, &RingSecret)> {
        let mut found = None;
        for key in &self.0 {
            for secret in &key.secrets {
                let same: Choice = secret.digest.ct_eq(presented);
                if bool::from(same) {
                    found = Some((key, secret));
                }
            }
        }
        found
    }
}

impl RingKey {
    fn new(key: ApiKey, before: &[Arc<Self>]) -> Self {
        let before = before.iter().find(|known| *known.name == *key.name);
        let used_ms = |digest: &[u8; 32]| {
            let secrets = before.map_or(&[][..], |known| &known.secrets);
            let known = secrets.iter().find(|secret| secret.digest == *digest);
            known.map_or(0, |secret| secret.used_ms.load(Ordering::Relaxed))
        };
        let digests = key.secrets.iter().map(KeySecret::digest);
        let secrets =
            digests.map(|digest| RingSecret { used_ms: AtomicI64::new(used_ms(&digest)), digest });
        let same_rate = before.filter(|known| known.limit == key.rate);
        let rate = match same_rate {
            Some(known) => known.rate.clone(),
            None => key.rate.map(Rate::new).map(Arc::new),
        };
        Self {
            secrets: secrets.collect(),
            name: key.name.into(),
            scopes: key.scopes,
            bounds: key.bounds,
            limit: key.rate,
            rate,
        }
    }

    fn opens(&self, scope: Scope) -> bool {
        self.scopes.contains(&scope) || self.scopes.contains(&Scope::Admin)
    }
}

/// The bearer of a call.
fn bearer(headers: &HeaderMap) -> Result<&[u8], ApiError> {
    let expected = "expected the header `Authorization: Bearer <key>`";
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or_else(|| {
        unauthorized("missing_key", format!("{expected}, found no `Authorization`"))
    })?;
    if values.next().is_some() {
        let message = "header `Authorization` is sent more than once";
        return Err(unauthorized("repeated_header", message));
    }
    let (scheme, key) = value.as_bytes().split_at_checked(7).unwrap_or_default();
    let key = key.trim_ascii();
    if !scheme.eq_ignore_ascii_case(b"bearer ") || key.is_empty() {
        return Err(unauthorized("missing_key", format!("{expected}, found something else")));
    }
    Ok(key)
}

/// Keys are compared by digest: of one length, and nothing of a key shows in the time.
fn digest(secret: &[u8]) -> [u8; 32] {
    Sha256::digest(secret).into()
}

fn unauthorized(code: &'static str, message: impl Into<String>) -> ApiError {
    ApiError::new(StatusCode::UNAUTHORIZED, code, message)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"))
}

impl Scope {
    /// The word in the configuration and in errors.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Consume => "consume",
            Self::Emit => "emit",
            Self::Admin => "admin",
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Scope {
    type Err = ScopeError;

    fn from_str(text: &str) -> Result<Self, ScopeError> {
        let all = [Self::Read, Self::Consume, Self::Emit, Self::Admin];
        let found = all.into_iter().find(|scope| scope.as_str() == text);
        found.ok_or_else(|| ScopeError { text: text.chars().take(40).collect() })
    }
}

impl fmt::Debug for RingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RingKey").field("name", &self.name).finish_non_exhaustive()
    }
}
