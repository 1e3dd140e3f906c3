//! What a call says of a push: its secrets are taken, kept, and never shown.

use crate::{api::Shared, error::ApiError};
use headgate_event::{
    Secret, Span,
    limits::{PUSH_IN_FLIGHT_DEFAULT, PUSH_TIMEOUT_MS_DEFAULT},
};
use headgate_push::{Credentials, Keyring, Pushes};
use headgate_queue::{PushFormat, PushSpec};
use schemars::JsonSchema;
use serde::Deserialize;
use std::{collections::BTreeMap, fmt};

/// Where events are posted to; what is left out is the default.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "PushAsk")]
pub(super) struct PushAsk {
    /// An `http` or `https` URL.
    url: String,
    /// What is signed with, each as `whsec_` and base64; those that were given before when they are
    /// left out. They are never shown again.
    secrets: Option<Vec<String>>,
    /// Headers to send beside our own; those that were given before when they are left out. Their
    /// values are never shown again.
    headers: Option<BTreeMap<String, String>>,
    /// How long one attempt may take, such as `15s`.
    #[schemars(with = "Option<String>")]
    timeout: Option<Span>,
    /// How many events may be on their way at one time.
    #[schemars(range(min = 1, max = 1_000))]
    max_in_flight: Option<u64>,
    /// At most so many attempts a second.
    #[schemars(range(min = 1, max = 100_000))]
    rate: Option<u64>,
    /// The certificates, in PEM, of which one must have signed the endpoint's; those that the
    /// system trusts when it is left out.
    ca: Option<String>,
    /// As what an event is sent.
    #[serde(default)]
    format: PushFormat,
}

/// What is signed with, as a call tells it.
#[derive(Default)]
pub(super) struct Told {
    secrets: Option<Vec<Secret>>,
    headers: Option<BTreeMap<String, Secret>>,
}

impl PushAsk {
    /// What may be shown of it, and what may not.
    pub(super) fn parted(self) -> (PushSpec, Told) {
        let whole = |number: u64| u32::try_from(number).unwrap_or(u32::MAX);
        let spec = PushSpec {
            url: self.url,
            headers: Vec::new(),
            timeout_ms: self.timeout.map_or(PUSH_TIMEOUT_MS_DEFAULT, Span::as_ms),
            max_in_flight: self.max_in_flight.map_or(PUSH_IN_FLIGHT_DEFAULT, whole),
            rate: self.rate.map(whole),
            ca: self.ca,
            format: self.format,
        };
        let secrets = self.secrets.map(|texts| texts.into_iter().map(Secret::new).collect());
        let secret = |(name, value): (String, String)| (name, Secret::new(value));
        let headers = self.headers.map(|headers| headers.into_iter().map(secret).collect());
        (spec, Told { secrets, headers })
    }
}

impl Told {
    /// Checks a push and what it is signed with, and keeps that beside what fits the push that it
    /// was: `Ok` means durable. [`Change::end`] is for when the subscription is stored.
    pub(super) async fn keep(
        self,
        api: &Shared,
        name: &str,
        before: Option<&PushSpec>,
        spec: &mut PushSpec,
    ) -> Result<Change, ApiError> {
        let pushes = pushes(api)?;
        pushes.check(spec).map_err(|error| wrong(error.field(), &error))?;
        let Self { secrets, headers } = self;
        // What is kept of a subscription that did not push is not its own.
        let known = match before {
            Some(before) => pushes.kept(name, before).await?,
            None => None,
        };
        let ring_before = before.zip(known.clone()).map(|(push, known)| Keyring::of(push, known));
        let (texts, known) = known.map(Credentials::into_parts).unwrap_or_default();
        let texts = secrets.unwrap_or(texts);
        let credentials = Credentials::new(texts, headers.unwrap_or(known));
        let credentials = credentials.map_err(|error| wrong(error.field(), &error))?;
        spec.headers = credentials.header_names();
        let after = Keyring::of(spec, credentials);
        let both = after.clone().and(&ring_before.unwrap_or_default());
        pushes.keep(name, Some(&both)).await?;
        let leaves_some = both != after;
        Ok(Change { after, leaves_some })
    }
}

/// What is to be kept once a subscription is stored.
pub(super) struct Change {
    after: Keyring,
    /// Whether something else is kept until then.
    leaves_some: bool,
}

impl Change {
    /// The subscription is stored: what fits the push that it was is forgotten.
    pub(super) async fn end(self, api: &Shared, name: &str) -> Result<(), ApiError> {
        if self.leaves_some {
            pushes(api)?.keep(name, Some(&self.after)).await?;
        }
        Ok(())
    }
}

/// Forgets what a subscription was signed with.
pub(super) async fn forget(api: &Shared, name: &str) -> Result<(), ApiError> {
    match &api.pushes {
        Some(pushes) => Ok(pushes.keep(name, None).await?),
        None => Ok(()),
    }
}

/// Tells the operator that what a subscription was signed with could not be forgotten. It fits no
/// push that there is, and goes with the next change or with the subscription.
pub(super) fn unless_forgotten(name: &str, forgotten: Result<(), ApiError>) {
    if let Err(error) = forgotten {
        tracing::warn!(
            subscription = name,
            error = error.message(),
            "what the push was signed with before is kept until the subscription is changed again"
        );
    }
}

/// Tells pushes that a subscription is another one.
pub(super) fn tell(api: &Shared) {
    api.pushes.iter().for_each(Pushes::changed);
}

fn pushes(api: &Shared) -> Result<&Pushes, ApiError> {
    let none = || ApiError::invalid("invalid_subscription", "`push`: nothing is pushed here");
    api.pushes.as_ref().ok_or_else(none)
}

fn wrong(field: &str, error: &dyn fmt::Display) -> ApiError {
    ApiError::invalid("invalid_subscription", format!("`push.{field}`: {error}"))
}

impl fmt::Debug for PushAsk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PushAsk").field("url", &self.url).finish_non_exhaustive()
    }
}
