//! Replays: giving stored events to a subscription again.

use crate::{
    api::Shared, body, error::ApiError, event_query::EventQueryAsk, parameters::Parameters,
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::EventId;
use headgate_queue::{ReplayAsk, ReplayError, ReplayEvents, ReplayPace, ReplayStatus};
use http::{StatusCode, Uri};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to replay: `ids`, `dead_letters`, or the events that fit `events`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "ReplayAsk")]
pub(crate) struct Ask {
    /// The subscription that gets them.
    subscription: String,
    /// These events, whatever the subscription wants.
    ids: Option<Vec<EventId>>,
    /// The events of its dead letters; the letters stay.
    dead_letters: bool,
    /// Of the events that the subscription wants those that fit this; an empty object is all.
    events: Option<EventQueryAsk>,
    /// How fast at most, such as `100/s`, `30/m` or `10/h`; else as fast as consumers take them.
    rate: Option<ReplayPace>,
    /// Only count.
    dry_run: bool,
}

/// All replays that run, and the newest of those that ended.
#[derive(Serialize, JsonSchema)]
pub(crate) struct ReplayList {
    /// The newest first.
    replays: Vec<ReplayStatus>,
}

/// `POST /v1/replays`: 201 when it is begun, 200 when it was only counted.
pub(crate) async fn begin(
    State(api): State<Shared>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: Ask = body::object(body).await?;
    let dry_run = ask.dry_run;
    let ask = ask.read()?;
    if dry_run {
        return Ok(Json(api.queue.plan_replay(ask).await?).into_response());
    }
    let status = api.queue.begin_replay(ask).await?;
    tracing::info!(replay = %status.id, subscription = status.subscription, "a replay is begun");
    Ok((StatusCode::CREATED, Json(status)).into_response())
}

/// `GET /v1/replays`.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let replays = api.queue.replays().await?;
    Ok(Json(ReplayList { replays }).into_response())
}

/// `GET /v1/replays/{id}`.
pub(crate) async fn show(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let id = replay_id(&id)?;
    let all = api.queue.replays().await?;
    let found = all.into_iter().find(|replay| replay.id == id);
    Ok(Json(found.ok_or(ReplayError::Unknown { id })?).into_response())
}

/// `DELETE /v1/replays/{id}`: ends it; one that has ended is 409.
pub(crate) async fn cancel(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    Ok(Json(api.queue.cancel_replay(replay_id(&id)?).await?).into_response())
}

fn replay_id(text: &str) -> Result<EventId, ApiError> {
    text.parse().map_err(|error| ApiError::invalid("invalid_id", format!("{error}")))
}

impl Ask {
    fn read(self) -> Result<ReplayAsk, ApiError> {
        let invalid = |message: &str| Err(ApiError::invalid("invalid_body", message));
        if self.subscription.is_empty() {
            return invalid("`subscription`: expected the name of a subscription, found none");
        }
        let events = match (self.ids, self.dead_letters, self.events) {
            (Some(ids), false, None) => ReplayEvents::Ids(ids),
            (None, true, None) => ReplayEvents::DeadLetters,
            (None, false, Some(events)) => ReplayEvents::Fitting(events.query("events")?),
            (None, false, None) => {
                return invalid(
                    "expected one of `ids`, `dead_letters` and `events`, found none; \
                     `\"events\": {}` is all events",
                );
            }
            _ => {
                return invalid(
                    "expected one of `ids`, `dead_letters` and `events`, found several",
                );
            }
        };
        Ok(ReplayAsk { subscription: self.subscription, events, pace: self.rate })
    }
}

impl From<ReplayError> for ApiError {
    fn from(error: ReplayError) -> Self {
        let message = error.to_string();
        match error {
            ReplayError::Queue(error) => error.into(),
            ReplayError::Nothing => Self::invalid("nothing_to_replay", message),
            ReplayError::UnknownEvent { .. } => Self::invalid("unknown_event", message),
            ReplayError::TooManyEvents { .. } => Self::invalid("too_many_events", message),
            ReplayError::TooMany { .. } => {
                Self::new(StatusCode::CONFLICT, "too_many_replays", message)
            }
            ReplayError::Unknown { .. } => Self::not_found("unknown_replay", message),
            ReplayError::Ended { .. } => Self::new(StatusCode::CONFLICT, "replay_ended", message),
        }
    }
}
