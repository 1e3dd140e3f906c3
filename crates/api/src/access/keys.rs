//! API keys: what they open, and the check of the one that a call brings.

use super::Who;
use crate::error::ApiError;
use headgate_event::Secret;
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{collections::BTreeSet, fmt, str::FromStr, sync::Arc};
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
    /// What the caller sends as bearer.
    pub secret: Secret,
    /// What it opens.
    pub scopes: BTreeSet<Scope>,
}

/// The keys as the check needs them.
#[derive(Debug)]
pub(crate) struct KeyRing(Vec<RingKey>);

struct RingKey {
    name: Arc<str>,
    digest: [u8; 32],
    scopes: BTreeSet<Scope>,
}

impl KeyRing {
    pub(super) fn new(keys: Vec<ApiKey>) -> Self {
        let ring = keys.into_iter().map(|key| RingKey {
            digest: digest(key.secret.expose()),
            name: key.name.into(),
            scopes: key.scopes,
        });
        Self(ring.collect())
    }

    pub(super) fn check(&self, scope: Scope, headers: &HeaderMap) -> Result<Who, ApiError> {
        let presented = digest(bearer(headers)?);
        let key = self.matching(&presented).ok_or_else(|| {
            unauthorized("wrong_key", "the bearer is none of the configured API keys")
        })?;
        if key.opens(scope) {
            return Ok(Who { name: Some(Arc::clone(&key.name)) });
        }
        let message = format!("key `{}` lacks the scope `{scope}`, which this needs", key.name);
        Err(ApiError::new(StatusCode::FORBIDDEN, "missing_scope", message))
    }

    /// The key with this digest. Every key is compared, so that the time tells nothing.
    fn matching(&self, presented: &[u8; 32]) -> Option<&RingKey> {
        let mut found = None;
        for key in &self.0 {
            let same: Choice = key.digest.ct_eq(presented);
            if bool::from(same) {
                found = Some(key);
            }
        }
        found
    }
}

impl RingKey {
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
