//! Schedules: what there is and when it is due next; making, changing, pausing and running them.
//!
//! When one is due is not decided here but behind [`Schedules`].

mod ask;
mod port;
mod view;

pub use ask::ScheduleAsk;
pub(crate) use ask::{BackfillAsk, ResumeAsk, RunAsk};
pub use port::{Filled, Paused, ScheduleFault, ScheduleQuery, Schedules};
pub use view::{ScheduleSource, ScheduleView, ScheduledRun};

use crate::{api::Shared, body, cursor, error::ApiError, parameters::Parameters};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::{
    EventId,
    limits::{LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX, NEXT_RUNS_MAX, STORE_RETRY_AFTER},
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use schemars::JsonSchema;
use serde::Serialize;

/// How many next runs are shown unless the caller asks otherwise.
pub(crate) const RUNS_DEFAULT: usize = 5;
/// The header that names a run, as in the draft of the IETF.
const KEY_HEADER: &str = "idempotency-key";

/// A page of schedules.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Schedules")]
pub(crate) struct Listed {
    /// By channel and name.
    schedules: Vec<ScheduleView>,
    /// What to give as `cursor` for the next page; null at the end.
    next_cursor: Option<String>,
}

/// A run that somebody asked for.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Ran {
    /// The event.
    #[schemars(with = "String")]
    id: EventId,
    /// Whether the same run was made before.
    duplicate: bool,
}

/// What a backfill made.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "Backfilled")]
pub(crate) struct Filling {
    /// Runs that had not fired.
    fired: u64,
    /// Runs that had fired before: nothing fires twice.
    duplicates: u64,
}

/// `GET /v1/schedules`: by channel and name.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &["channel", "limit", "runs", "cursor"])?;
    let limit = parameters.number("limit", 1..=LIST_EVENTS_MAX as u64)?;
    let limit = limit.map_or(LIST_EVENTS_DEFAULT, |limit| limit as usize);
    let after = parameters.one("cursor")?.map(after).transpose()?;
    let query = ScheduleQuery {
        channel: parameters.one("channel")?.map(str::to_owned),
        after,
        limit: limit + 1,
        runs: runs(&parameters)?,
    };
    let mut schedules = port(&api)?.list(query).await;
    let more = schedules.len() > limit;
    schedules.truncate(limit);
    let last = schedules.last().filter(|_| more);
    let next_cursor = last.map(|last| cursor::named::write([&last.channel, &last.name, &last.id]));
    Ok(Json(Listed { schedules, next_cursor }).into_response())
}

/// `GET /v1/schedules/{id}`.
pub(crate) async fn show(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &["runs"])?;
    let runs = runs(&parameters)?;
    let view = port(&api)?.show(&id, runs).ok_or_else(|| unknown(&id))?;
    Ok(Json(view).into_response())
}

/// `POST /v1/schedules`: 201 when it is made.
pub(crate) async fn make(
    State(api): State<Shared>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: ScheduleAsk = body::object(body).await?;
    let name = ask.name.clone();
    let view = port(&api)?.make(ask).await.map_err(|fault| refused(&name, fault))?;
    Ok((StatusCode::CREATED, Json(view)).into_response())
}

/// `PUT /v1/schedules/{id}`: what the body leaves out is the default.
pub(crate) async fn change(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: ScheduleAsk = body::object(body).await?;
    let view = port(&api)?.change(&id, ask).await.map_err(|fault| refused(&id, fault))?;
    Ok(Json(view).into_response())
}

/// `DELETE /v1/schedules/{id}`.
pub(crate) async fn delete(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    port(&api)?.delete(&id).await.map_err(|fault| refused(&id, fault))?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// `POST /v1/schedules/{id}/pause`: also one from the configuration, until it is resumed.
pub(crate) async fn pause(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    body::nothing(body).await?;
    set_paused(&api, &id, Paused::Yes).await
}

/// `POST /v1/schedules/{id}/resume`.
pub(crate) async fn resume(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: ResumeAsk = body::object_or_empty(body).await?;
    let paused = if ask.catch_up { Paused::NoAndCatchUp } else { Paused::No };
    set_paused(&api, &id, paused).await
}

/// `POST /v1/schedules/{id}/run`.
pub(crate) async fn run(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: RunAsk = body::object_or_empty(body).await?;
    let key = key(&headers, ask.idempotency_key)?;
    let accepted =
        port(&api)?.run(&id, key.as_deref()).await.map_err(|fault| refused(&id, fault))?;
    let duplicate = !matches!(accepted, headgate_event::Accepted::New(_));
    Ok(Json(Ran { id: accepted.id(), duplicate }).into_response())
}

/// `POST /v1/schedules/{id}/backfill`.
pub(crate) async fn backfill(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let BackfillAsk { from, to } = body::object(body).await?;
    let made = port(&api)?.backfill(&id, (from, to)).await;
    let Filled { fired, duplicates } = made.map_err(|fault| refused(&id, fault))?;
    Ok(Json(Filling { fired, duplicates }).into_response())
}

async fn set_paused(api: &Shared, id: &str, paused: Paused) -> Result<Response, ApiError> {
    let view = port(api)?.pause(id, paused).await.map_err(|fault| refused(id, fault))?;
    Ok(Json(view).into_response())
}

/// The key of a run, by the header or the body; both have to say the same.
fn key(headers: &HeaderMap, body: Option<String>) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(body) };
    let text = value.to_str().ok().filter(|_| values.next().is_none());
    let fits = text.filter(|text| body.as_deref().is_none_or(|body| body == *text));
    fits.map(|text| Some(text.to_owned())).ok_or_else(|| {
        let expected = "expected one value, the same as in the body when both are given";
        ApiError::invalid("invalid_header", format!("header `{KEY_HEADER}`: {expected}"))
    })
}

/// The place that a cursor names.
fn after(cursor: &str) -> Result<[String; 3], ApiError> {
    cursor::named::read(cursor).map_err(|error| {
        ApiError::invalid("invalid_cursor", format!("query parameter `cursor`: {error}"))
    })
}

fn runs(parameters: &Parameters) -> Result<usize, ApiError> {
    let runs = parameters.number("runs", 0..=NEXT_RUNS_MAX as u64)?;
    Ok(runs.map_or(RUNS_DEFAULT, |runs| runs as usize))
}

fn port(api: &Shared) -> Result<&dyn Schedules, ApiError> {
    api.schedules.as_deref().ok_or_else(|| {
        ApiError::not_found("schedules_off", "this gateway fires no schedules".to_owned())
    })
}

fn unknown(id: &str) -> ApiError {
    let shown: String = id.chars().take(80).collect();
    ApiError::not_found("unknown_schedule", format!("there is no schedule `{shown}`"))
}

fn refused(id: &str, fault: ScheduleFault) -> ApiError {
    match fault {
        ScheduleFault::Unknown => unknown(id),
        ScheduleFault::Configured(message) => {
            ApiError::new(StatusCode::CONFLICT, "configured", message)
        }
        ScheduleFault::Exists(message) => {
            ApiError::new(StatusCode::CONFLICT, "schedule_exists", message)
        }
        ScheduleFault::Invalid(message) => ApiError::invalid("invalid_schedule", message),
        ScheduleFault::Unavailable { cause } => {
            let message = "schedules cannot be stored, please try again";
            let seconds = HeaderValue::from(STORE_RETRY_AFTER.as_secs().max(1));
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                .with_header(header::RETRY_AFTER, seconds)
                .with_cause(cause)
        }
    }
}
