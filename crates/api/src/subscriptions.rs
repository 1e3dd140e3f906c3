//! Subscriptions: what there is, and making, changing, pausing and ending them.

mod ask;
mod push;
mod test;

use crate::{access::Who, api::Shared, body, error::ApiError, parameters::Parameters};
pub(crate) use ask::Ask;
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_queue::{QueueError, SubscriptionStatus};
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::Serialize;
pub(crate) use test::{TestAsk, Tested, test};

/// All subscriptions.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Subscriptions {
    /// By name.
    subscriptions: Vec<SubscriptionStatus>,
}

/// `GET /v1/subscriptions`: all of them, by name.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let subscriptions = api.queue.subscriptions().await?;
    Ok(Json(Subscriptions { subscriptions }).into_response())
}

/// `GET /v1/subscriptions/{name}`.
pub(crate) async fn show(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let status = status(&api, &name).await?;
    who.check_subscription(&status.spec)?;
    Ok(Json(status).into_response())
}

/// `PUT /v1/subscriptions/{name}`: 201 when it is made, 200 when it is changed. What the body
/// leaves out is the default, also when it is changed; its place and its pause stay.
pub(crate) async fn make(
    State(api): State<Shared>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: Ask = body::object_or_empty(body).await?;
    let (mut spec, told) = ask.spec(&name)?;
    let _change = api.subscription_change.lock().await;
    let before = find(&api, &name).await?;
    if let Some(before) = &before {
        refuse_configured(before)?;
        spec.paused = before.spec.paused;
    }
    spec.check().map_err(QueueError::from)?;
    let pushed = before.as_ref().and_then(|before| before.spec.push.as_ref());
    let change = match &mut spec.push {
        Some(push) => Some(told.keep(&api, &name, pushed, push).await?),
        None => None,
    };
    let stored = api.queue.put_subscription(spec).await;
    if let (Err(QueueError::Subscription(_)), Some(_), None) = (&stored, &change, pushed) {
        // There is none whose secrets these could be.
        push::unless_forgotten(&name, push::forget(&api, &name).await);
    }
    let after = stored?;
    // A key may be bound to channels that it does not keep to any more.
    api.tell_streams();
    push::tell(&api);
    // It is stored, and that is the answer: what is left besides signs nothing.
    let forgotten = match change {
        Some(change) => change.end(&api, &name).await,
        None if pushed.is_some() => push::forget(&api, &name).await,
        None => Ok(()),
    };
    push::unless_forgotten(&name, forgotten);
    push::tell(&api);
    let status = if before.is_some() { StatusCode::OK } else { StatusCode::CREATED };
    Ok((status, Json(after)).into_response())
}

/// `DELETE /v1/subscriptions/{name}`: ends it and forgets what it settled.
pub(crate) async fn end(
    State(api): State<Shared>,
    Path(name): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let _change = api.subscription_change.lock().await;
    let before = status(&api, &name).await?;
    refuse_configured(&before)?;
    // First what it is signed with: nothing of it is left for the next of that name.
    push::forget(&api, &name).await?;
    api.queue.delete_subscription(&name).await?;
    push::tell(&api);
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/subscriptions/{name}/pause`: it gives nothing until it is resumed.
pub(crate) async fn pause(
    State(api): State<Shared>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    body::nothing(body).await?;
    set_paused(&api, &name, Paused(true)).await
}

/// `POST /v1/subscriptions/{name}/resume`.
pub(crate) async fn resume(
    State(api): State<Shared>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    body::nothing(body).await?;
    set_paused(&api, &name, Paused(false)).await
}

struct Paused(bool);

/// Also for a configured subscription: pausing is no change of what it is.
async fn set_paused(api: &Shared, name: &str, paused: Paused) -> Result<Response, ApiError> {
    let _change = api.subscription_change.lock().await;
    let mut spec = status(api, name).await?.spec;
    spec.paused = paused.0;
    Ok(Json(api.queue.put_subscription(spec).await?).into_response())
}

/// The subscription of that name, which has to exist.
pub(crate) async fn status(api: &Shared, name: &str) -> Result<SubscriptionStatus, ApiError> {
    find(api, name).await?.ok_or_else(|| ApiError::unknown_subscription(name))
}

async fn find(api: &Shared, name: &str) -> Result<Option<SubscriptionStatus>, ApiError> {
    let all = api.queue.subscriptions().await?;
    Ok(all.into_iter().find(|status| status.spec.name == name))
}

fn refuse_configured(status: &SubscriptionStatus) -> Result<(), ApiError> {
    if !status.spec.configured {
        return Ok(());
    }
    let name = &status.spec.name;
    let message = format!("subscription `{name}` is in the configuration file: change it there");
    Err(ApiError::new(StatusCode::CONFLICT, "configured", message))
}

/// Lets a key consume a subscription; one that is bound to nothing may consume any.
pub(crate) async fn check(api: &Shared, name: &str, who: &Who) -> Result<(), ApiError> {
    if who.bounds().is_none() {
        return Ok(());
    }
    who.check_subscription(&status(api, name).await?.spec)
}
