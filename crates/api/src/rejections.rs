//! The quarantine: what was refused, to look at, to release once it proves itself, or to delete.
//!
//! Requests are shown as they came, so every route here is for admins.

mod ask;
mod port;
mod release;
mod view;

pub(crate) use ask::{BulkAsk, ReleaseAsk};
pub use port::{Rejections, Releaser, Releasing, Unreleased};
pub(crate) use release::{Counts, Released, release, release_all};
pub(crate) use view::Whole;

use crate::{
    api::Shared,
    body,
    cursor::{self, ListDigest},
    error::ApiError,
    events,
    parameters::{Parameters, invalid},
};
use ask::FILTER_PARAMETERS;
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::limits::{LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX, STORE_RETRY_AFTER};
use headgate_quarantine::{Kept, Order, QuarantineError, Query, RejectionId, Summary};
use http::{HeaderValue, StatusCode, Uri, header};
use schemars::JsonSchema;
use serde::Serialize;

/// A page of rejections.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Listed {
    /// Newest first.
    rejections: Vec<Summary>,
    /// What to give as `cursor` for the next page; null at the end.
    next_cursor: Option<String>,
}

/// What was deleted.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Deleted {
    /// How many there were.
    deleted: u64,
}

/// `GET /v1/rejections`: newest first. `channel` and `code` may repeat, which means any.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let known = [&FILTER_PARAMETERS[..], &["limit", "cursor"]].concat();
    let parameters = Parameters::of(&uri, &known)?;
    let filter = ask::filter(&parameters)?;
    let list = ListDigest::of_rejections("list", &filter);
    let limit = parameters.number("limit", 1..=LIST_EVENTS_MAX as u64)?;
    let order = Order::NewestBefore(events::before(&parameters, list)?);
    let limit = limit.map_or(LIST_EVENTS_DEFAULT, |limit| limit as usize);
    let page = parts(&api)?.quarantine.list(Query { filter, order, limit }).await?;
    let next_cursor = page.next.map(|place| cursor::write(place, list));
    Ok(Json(Listed { rejections: page.rejections, next_cursor }).into_response())
}

/// `GET /v1/rejections/{id}`: with its headers and its body.
pub(crate) async fn show(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    view::whole(&kept(&api, &id).await?)
}

/// `GET /v1/rejections/{id}/raw`: the request as a file holds it, body byte for byte.
pub(crate) async fn raw(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let kept = kept(&api, &id).await?;
    let file = kept.file().ok_or_else(|| body_not_kept(&kept))?;
    let mut answer = file.into_response();
    let headers = answer.headers_mut();
    let bytes = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, bytes);
    let disposition = format!("attachment; filename=\"{}.http\"", kept.summary.id);
    if let Ok(disposition) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, disposition);
    }
    Ok(answer)
}

/// `POST /v1/rejections/{id}/verify`: why it is refused by the secrets of its channel, step by
/// step, or that it no longer is. Nothing is changed.
pub(crate) async fn verify(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    body::nothing(body).await?;
    let rejection = kept(&api, &id).await?;
    if rejection.body.is_none() {
        return Err(body_not_kept(&rejection));
    }
    let channel = rejection.summary.channel.clone();
    match parts(&api)?.releaser.explain(rejection).await {
        Some(explanation) => Ok(Json(explanation).into_response()),
        None => {
            let message = format!("channel `{channel}` is not configured, or verifies nothing");
            Err(ApiError::new(StatusCode::CONFLICT, "nothing_to_verify", message))
        }
    }
}

/// `DELETE /v1/rejections/{id}`: its bytes are overwritten.
pub(crate) async fn delete(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let rejection: RejectionId = id_of(&id)?;
    if parts(&api)?.quarantine.delete(rejection).await? {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    Err(unknown(&id))
}

/// `DELETE /v1/rejections`: those of a filter, or with `all=true` all of them.
pub(crate) async fn delete_all(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &[&FILTER_PARAMETERS[..], &["all"]].concat())?;
    let filter = ask::filter(&parameters)?;
    match (parameters.one("all")?, filter.is_all()) {
        (Some("true"), true) | (None, false) => {}
        (Some("true"), false) => {
            return Err(invalid("all", "expected no other parameter beside it, found one"));
        }
        (Some(_), _) => return Err(invalid("all", "expected `true`, found another value")),
        (None, true) => {
            return Err(invalid("all", "expected `true`, or a filter, found neither"));
        }
    }
    let deleted = parts(&api)?.quarantine.delete_all(filter).await?;
    Ok(Json(Deleted { deleted }).into_response())
}

/// The quarantine, unless it is switched off.
fn parts(api: &Shared) -> Result<&Rejections, ApiError> {
    api.rejections.as_ref().ok_or_else(|| {
        let message = "the quarantine is switched off in the configuration";
        ApiError::not_found("quarantine_off", message)
    })
}

async fn kept(api: &Shared, id: &str) -> Result<Kept, ApiError> {
    let rejection = id_of(id)?;
    parts(api)?.quarantine.rejection(rejection).await?.ok_or_else(|| unknown(id))
}

fn id_of(text: &str) -> Result<RejectionId, ApiError> {
    text.parse().map_err(|error| ApiError::invalid("invalid_id", format!("{error}")))
}

fn unknown(id: &str) -> ApiError {
    ApiError::not_found("unknown_rejection", format!("there is no rejection `{id}`"))
}

fn body_not_kept(kept: &Kept) -> ApiError {
    let Summary { id, body_size_bytes, .. } = &kept.summary;
    let message = format!(
        "the body of rejection `{id}` is not kept: its {body_size_bytes} bytes were too many for \
         the quarantine"
    );
    ApiError::invalid("body_not_kept", message)
}

impl From<QuarantineError> for ApiError {
    fn from(error: QuarantineError) -> Self {
        let message = "the quarantine is not available, please try again";
        let cause = match std::error::Error::source(&error) {
            Some(source) => format!("{error}: {source}"),
            None => error.to_string(),
        };
        let seconds = HeaderValue::from(STORE_RETRY_AFTER.as_secs());
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
            .with_header(header::RETRY_AFTER, seconds)
            .with_cause(cause)
    }
}
