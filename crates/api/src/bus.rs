//! The bus: what applications emitted, as they emitted it.

use crate::{
    access::Who,
    api::Shared,
    cursor::{self, ListDigest},
    error::ApiError,
    events::before,
    parameters::{Parameters, invalid},
};
use axum::{
    Extension, Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::{
    Event, EventType,
    data::AppData,
    limits::{APP_ID_BYTES_MAX, LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX},
};
use headgate_queue::{Damaged, KeyName, ListQuery, Selection};
use http::Uri;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::value::RawValue;

/// A page of the bus.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "BusEvents")]
pub(crate) struct Listed<'a> {
    /// Newest first.
    #[schemars(with = "Vec<AppData>")]
    events: Vec<&'a RawValue>,
    /// Events of this page that are stored and cannot be read.
    #[serde(skip_serializing_if = "<[Damaged]>::is_empty")]
    damaged: &'a [Damaged],
    /// What to give as `cursor` for the next page; null at the end.
    next_cursor: Option<String>,
}

/// `GET /events`: newest first.
pub(crate) async fn list(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    uri: Uri,
) -> Result<Response, ApiError> {
    who.check_channel(&api.app.channel.id)?;
    let known = ["flow_id", "event_type", "session_id", "limit", "cursor"];
    let parameters = Parameters::of(&uri, &known)?;
    let mut query = everything(&api);
    if let Some(text) = parameters.one("event_type")? {
        let event_type: EventType = text.parse().map_err(|error| invalid("event_type", error))?;
        query.selection.types.push(event_type);
    }
    for name in [KeyName::FlowId, KeyName::SessionId] {
        if let Some(text) = parameters.one(name.as_str())? {
            let found = text.len();
            if !(1..=APP_ID_BYTES_MAX).contains(&found) {
                let why = format!("expected 1 to {APP_ID_BYTES_MAX} bytes, found {found}");
                return Err(invalid(name.as_str(), why));
            }
            query.selection.keys.insert(name, vec![text.to_owned()]);
        }
    }
    if let Some(limit) = parameters.number("limit", 1..=LIST_EVENTS_MAX as u64)? {
        query.limit = limit as usize;
    }
    query.before = before(&parameters, ListDigest::of_events(&query))?;
    let page = api.queue.list(query.clone()).await?;
    let next_cursor = page.next.map(|place| cursor::write(place, ListDigest::of_events(&query)));
    let events = page.events.iter().map(Event::data).collect();
    Ok(Json(Listed { events, damaged: &page.damaged, next_cursor }).into_response())
}

/// `GET /events/{event_id}`.
pub(crate) async fn show(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    Path(event_id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    who.check_channel(&api.app.channel.id)?;
    let shown: String = event_id.chars().take(80).collect();
    let mut query = everything(&api);
    query.limit = 1;
    query.selection.keys.insert(KeyName::EventId, vec![event_id]);
    let page = api.queue.list(query).await?;
    let event = page.events.first().ok_or_else(|| {
        ApiError::not_found("unknown_event", format!("there is no app event `{shown}`"))
    })?;
    Ok(Json(event.data()).into_response())
}

/// All that applications emitted.
fn everything(api: &Shared) -> ListQuery {
    let channels = vec![api.app.channel.id.clone()];
    let selection = Selection { channels, ..Selection::default() };
    ListQuery { selection, limit: LIST_EVENTS_DEFAULT, ..ListQuery::default() }
}
