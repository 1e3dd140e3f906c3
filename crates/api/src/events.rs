//! The events that are stored: a list, one of them, and its exact bytes.

use crate::{
    access::Who,
    api::Shared,
    cursor::{self, ListDigest},
    error::ApiError,
    filters::{self, FilterName},
    links,
    parameters::{Parameters, invalid},
    shown::{self, Shown, View},
};
use axum::{
    Extension, Json,
    extract::{Path, Request, State},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use headgate_event::{
    EventId, Timestamp,
    limits::{LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX},
};
use headgate_queue::{Damaged, ListQuery, Selection, Seq, Stored};
use http::{HeaderValue, StatusCode, Uri, header};
use schemars::JsonSchema;
use serde::Serialize;
use std::sync::Arc;

const LIST_PARAMETERS: [&str; 5] = ["since", "until", "limit", "cursor", shown::PARAMETER];

/// A page of events.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Events {
    /// Newest first.
    events: Vec<Shown>,
    /// Events of this page that are stored and cannot be read.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    damaged: Vec<Damaged>,
    /// What to give as `cursor` for the next page; null at the end.
    next_cursor: Option<String>,
}

/// `GET /v1/events`: newest first. Filters but `since` and `until` may repeat, which means any.
pub(crate) async fn list(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let known = [&FilterName::PARAMETERS[..], &LIST_PARAMETERS].concat();
    let parameters = Parameters::of(&uri, &known)?;
    let (query, view) = (list_query(&parameters, &who)?, View::of(&parameters)?);
    let page = api.queue.list(query.clone()).await?;
    let next_cursor = page.next.map(|place| cursor::write(place, ListDigest::of_events(&query)));
    let events =
        page.events.into_iter().map(|event| Shown { event: api.served(event), view }).collect();
    let damaged = page.damaged;
    Ok(Json(Events { events, damaged, next_cursor }).into_response())
}

/// `GET /v1/events/{id}`.
pub(crate) async fn show(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let view = View::of(&Parameters::of(&uri, &[shown::PARAMETER])?)?;
    let event = stored(&api, &id).await?.event;
    who.check_event(&event)?;
    let mut answer = Json(Shown { event: api.served(event), view }).into_response();
    let kind = HeaderValue::from_static(view.media_type());
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    Ok(answer)
}

/// `GET /v1/events/{id}/raw`: the bytes as they came, and never as a page that a browser shows.
pub(crate) async fn raw(
    State(api): State<Shared>,
    Path(id): Path<String>,
    request: Request,
) -> Result<Response, ApiError> {
    links::let_in(&api, &request)?;
    let stored = stored(&api, &id).await?;
    let disposition = format!("attachment; filename=\"{}.bin\"", stored.event.id());
    Ok(download(stored.raw, &disposition))
}

/// Bytes that a browser saves and never shows.
pub(crate) fn download(bytes: Bytes, disposition: &str) -> Response {
    let mut answer = bytes.into_response();
    let headers = answer.headers_mut();
    let unspecified = HeaderValue::from_static("application/octet-stream");
    headers.insert(header::CONTENT_TYPE, unspecified);
    let plain = HeaderValue::from_static("attachment");
    let disposition = HeaderValue::from_str(disposition).unwrap_or(plain);
    headers.insert(header::CONTENT_DISPOSITION, disposition);
    answer
}

/// `DELETE /v1/events/{id}`: erases its content everywhere. Again gives the same answer.
pub(crate) async fn erase(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let id = event_id(&id)?;
    // What was begun is finished, also when nobody waits for it any more.
    let queue = Arc::clone(&api.queue);
    let ended = tokio::spawn(async move { queue.erase(id).await }).await;
    let erased = ended.map_err(|error| {
        let message = "erasing ended early, please try again";
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).with_cause(error)
    })??;
    Ok(Json(erased.ok_or_else(|| unknown(id))?).into_response())
}

pub(crate) async fn stored(api: &Shared, id: &str) -> Result<Stored, ApiError> {
    let id = event_id(id)?;
    api.queue.event(id).await?.ok_or_else(|| unknown(id))
}

pub(crate) fn event_id(text: &str) -> Result<EventId, ApiError> {
    text.parse().map_err(|error| ApiError::invalid("invalid_id", format!("{error}")))
}

pub(crate) fn unknown(id: EventId) -> ApiError {
    ApiError::not_found("unknown_event", format!("there is no event `{id}`"))
}

/// The selection that the parameters of the filters make.
pub(crate) fn selection(parameters: &Parameters) -> Result<Selection, ApiError> {
    parameters.one("filter")?;
    filters::selection(|filter| parameters.all(filter.parameter()))
        .map_err(|error| invalid(error.filter.parameter(), error.why))
}

fn list_query(parameters: &Parameters, who: &Who) -> Result<ListQuery, ApiError> {
    let limit = parameters.number("limit", 1..=LIST_EVENTS_MAX as u64)?;
    let mut selection = selection(parameters)?;
    who.narrow(&mut selection)?;
    let mut query = ListQuery {
        selection,
        since: time(parameters, "since")?,
        until: time(parameters, "until")?,
        before: None,
        limit: limit.map_or(LIST_EVENTS_DEFAULT, |limit| limit as usize),
    };
    query.before = before(parameters, ListDigest::of_events(&query))?;
    Ok(query)
}

/// Where the page begins that the parameter `cursor` means.
pub(crate) fn before(parameters: &Parameters, list: ListDigest) -> Result<Option<Seq>, ApiError> {
    let Some(text) = parameters.one("cursor")? else { return Ok(None) };
    cursor::read(text, list).map(Some).map_err(|error| {
        ApiError::invalid("invalid_cursor", format!("query parameter `cursor`: {error}"))
    })
}

/// The moment that a parameter gives.
pub(crate) fn time(parameters: &Parameters, name: &str) -> Result<Option<Timestamp>, ApiError> {
    let Some(text) = parameters.one(name)? else { return Ok(None) };
    text.parse().map(Some).map_err(|error| {
        // In a query `+` is a space, which few people know when they write an offset.
        let hint = if text.contains(' ') { " (write `+` as `%2B`)" } else { "" };
        invalid(name, format!("{error}{hint}"))
    })
}
