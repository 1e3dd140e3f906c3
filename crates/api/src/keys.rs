//! The API keys, as an operator may see them: no secret, and when each was used last.

use crate::{Scope, api::Shared, error::ApiError, parameters::Parameters};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_event::Timestamp;
use http::Uri;
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::atomic::Ordering;

/// The keys that open the API.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Keys {
    /// In the order of the configuration; none while this machine needs none.
    keys: Vec<KeyView>,
}

/// A key.
#[derive(Serialize, JsonSchema)]
struct KeyView {
    /// Its name.
    name: String,
    /// What it opens.
    #[schemars(with = "Vec<String>")]
    scopes: Vec<Scope>,
    /// The subscriptions that it is bound to; none when it is not.
    subscriptions: Vec<String>,
    /// The channels that it is bound to; none when it is not.
    channels: Vec<String>,
    /// How many calls it may make in a time.
    rate: Option<String>,
    /// Its secrets, in the order of the configuration.
    secrets: Vec<SecretView>,
}

/// A secret of a key, without the secret.
#[derive(Serialize, JsonSchema)]
struct SecretView {
    /// When it was used last since the program started; null when it was not.
    last_used_at: Option<Timestamp>,
}

/// `GET /v1/keys`.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let guard = api.guard();
    let keys = guard.keys().iter().map(|key| KeyView {
        name: key.name.to_string(),
        scopes: key.scopes.iter().copied().collect(),
        subscriptions: key.bounds.subscriptions.clone(),
        channels: key.bounds.channels.clone(),
        rate: key.limit.map(|limit| limit.to_string()),
        secrets: key
            .secrets
            .iter()
            .map(|secret| used(secret.used_ms.load(Ordering::Relaxed)))
            .collect(),
    });
    Ok(Json(Keys { keys: keys.collect() }).into_response())
}

fn used(ms: i64) -> SecretView {
    SecretView { last_used_at: (ms > 0).then(|| Timestamp::from_unix_ms(ms)) }
}
