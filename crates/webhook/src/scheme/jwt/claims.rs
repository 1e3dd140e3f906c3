//! What a token has to say: who made it, for whom, about which body, and when.

use crate::scheme::{Settings, Tolerance, lists, setting};
use headgate_event::{Span, Timestamp};
use headgate_http::Reject;
use serde::Deserialize;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};
use std::time::Duration;
use subtle::ConstantTimeEq;

/// How far a clock may be off that says until when a token counts.
const SKEW: Duration = Duration::from_secs(60);
/// How old a token may be whose sender says nothing else: an hour, as usual, and a minute.
const PAST: Duration = Duration::from_secs(3660);

/// What one claim has to say.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectTable {
    claim: String,
    #[serde(default)]
    is: Vec<String>,
    setting: Option<String>,
}

/// What a token has to say.
#[derive(Clone, Debug)]
pub(super) struct Claims {
    expect: Vec<ExpectTable>,
    body_digest: Option<String>,
    pub(super) tolerance: Tolerance,
}

impl Claims {
    pub(super) fn new(
        expect: Vec<ExpectTable>,
        body_digest: Option<String>,
        past: Option<Span>,
        future: Option<Span>,
    ) -> Self {
        let tolerance = Tolerance {
            past: past.map_or(PAST, |span| span.0),
            future: future.map_or(SKEW, |span| span.0),
        };
        Self { expect, body_digest, tolerance }
    }

    /// Whether the body is covered.
    pub(super) fn digests_body(&self) -> bool {
        self.body_digest.is_some()
    }

    /// Whether the claims of a signed token are as they have to be.
    pub(super) fn admit(
        &self,
        claims: &Value,
        settings: &Settings,
        digest: &str,
        now: Timestamp,
    ) -> Result<(), Reject> {
        for expect in &self.expect {
            expect.admit(claims, settings)?;
        }
        if let Some(name) = &self.body_digest {
            let said = text(claims, name).to_ascii_lowercase();
            if !bool::from(said.as_bytes().ct_eq(digest.as_bytes())) {
                let message = format!("claim `{name}` is not the digest of the body");
                return Err(Reject::unauthorized("signature_mismatch", message));
            }
        }
        self.admit_time(claims, now)
    }

    fn admit_time(&self, claims: &Value, now: Timestamp) -> Result<(), Reject> {
        let time =
            |name: &str| claims.get(name).and_then(Value::as_i64).map(Timestamp::from_unix_s);
        let old = |text: String| Err(Reject::unauthorized("timestamp_too_old", text));
        if time("exp").is_some_and(|end| now.since(end) > SKEW && self.tolerance.past < FOREVER) {
            return old("the token has expired".to_owned());
        }
        if time("nbf").is_some_and(|begin| begin.since(now) > self.tolerance.future) {
            let message = "the token does not count yet";
            return Err(Reject::unauthorized("timestamp_in_future", message));
        }
        let Some(made) = time("iat") else {
            let message = "the token does not say when it was made";
            return Err(Reject::unauthorized("missing_timestamp", message));
        };
        let Tolerance { past, future } = self.tolerance;
        if now.since(made) > past {
            return old(format!("the token is older than {} s", past.as_secs_f64()));
        }
        if made.since(now) > future {
            let message = format!("the token is from more than {} s ahead", future.as_secs_f64());
            return Err(Reject::unauthorized("timestamp_in_future", message));
        }
        Ok(())
    }

    /// The claims of a sample.
    pub(super) fn sample(&self, body: &[u8], settings: &Settings, now: Timestamp) -> Value {
        let mut claims = Map::new();
        for expect in &self.expect {
            let named = expect.setting.as_deref().map(|name| setting(settings, name));
            let first = named.and_then(|listed| listed.split(',').next());
            let said = first.or(expect.is.first().map(String::as_str)).unwrap_or_default();
            let value = if said == "true" { Value::Bool(true) } else { said.trim().into() };
            claims.insert(expect.claim.clone(), value);
        }
        if let Some(name) = &self.body_digest {
            claims.insert(name.clone(), hex::encode(Sha256::digest(body)).into());
        }
        claims.insert("iat".to_owned(), now.unix_s().into());
        claims.insert("exp".to_owned(), (now.unix_s() + 3600).into());
        Value::Object(claims)
    }
}

/// A tolerance that means that no age counts, as when an admin releases a request.
const FOREVER: Duration = Duration::from_secs(100 * 365 * 86_400);

impl ExpectTable {
    fn admit(&self, claims: &Value, settings: &Settings) -> Result<(), Reject> {
        let fits = |said: &str| match &self.setting {
            Some(name) => lists(settings, name, said),
            None => self.is.iter().any(|is| is == said),
        };
        let found = match claims.get(&self.claim) {
            Some(Value::Array(items)) => items.iter().filter_map(Value::as_str).any(fits),
            _ => fits(&text(claims, &self.claim)),
        };
        if found {
            return Ok(());
        }
        let message = format!("claim `{}` of the token is not what this channel takes", self.claim);
        Err(Reject::unauthorized("unexpected_value", message))
    }
}

fn text(claims: &Value, name: &str) -> String {
    match claims.get(name) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Bool(truth)) => truth.to_string(),
        Some(Value::Number(number)) => number.to_string(),
        _ => String::new(),
    }
}
