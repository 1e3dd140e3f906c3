//! What an application is told when its events are stored, or not.

use crate::{api::Shared, error::ApiError};
use axum::{
    Json,
    response::{IntoResponse, Response},
};
use headgate_event::{Accepted, EventId, StoreError};
use http::{HeaderName, HeaderValue, StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;

const DUPLICATE: HeaderName = HeaderName::from_static("headgate-duplicate");

/// Whether one event was sent or an array.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    One,
    Batch,
}

/// An event that is stored.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Emitted {
    /// The id of the event.
    #[schemars(with = "String")]
    id: EventId,
    /// The application's id of the event, or the one that was made.
    event_id: String,
    /// Whether it was stored before.
    duplicate: bool,
}

/// Events that are stored, in the order in which they were sent.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EmittedBatch {
    /// One for each event of the batch.
    events: Vec<Emitted>,
}

impl Shape {
    /// Where an event is, for an error: nothing where there is only one.
    pub(super) fn place(self, place: usize) -> String {
        match self {
            Self::One => String::new(),
            Self::Batch => format!("event {place} of the batch: "),
        }
    }
}

/// The answer to a call that is stored.
pub(super) async fn emitted(
    api: &Shared,
    shape: Shape,
    accepted: impl Iterator<Item = (String, Accepted)>,
) -> Result<Response, ApiError> {
    let mut events = Vec::new();
    for (event_id, accepted) in accepted {
        events.push(match accepted {
            Accepted::New(id) => Emitted { id, event_id, duplicate: false },
            Accepted::Duplicate(id) => {
                let event_id = stored_event_id(api, id).await.unwrap_or(event_id);
                Emitted { id, event_id, duplicate: true }
            }
        });
    }
    if shape == Shape::Batch {
        return Ok(Json(EmittedBatch { events }).into_response());
    }
    let one =
        events.pop().ok_or_else(|| ApiError::invalid("invalid_batch", "expected an event"))?;
    let duplicate = one.duplicate;
    let mut answer = Json(one).into_response();
    if duplicate {
        answer.headers_mut().insert(DUPLICATE, HeaderValue::from_static("true"));
    }
    Ok(answer)
}

/// The application's id of an event that is stored; none when it cannot be read any more.
async fn stored_event_id(api: &Shared, id: EventId) -> Option<String> {
    let stored = api.queue.event(id).await.ok()??;
    stored.event.app().map(|data| data.event_id.clone())
}

/// Why nothing of a call was stored.
pub(super) fn unstored(error: StoreError, shape: Shape) -> ApiError {
    match error {
        StoreError::Unavailable { reason, retry_after } => {
            let message = "the queue is not available, please try again";
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                .with_header(header::RETRY_AFTER, retry_after.as_secs().max(1).into())
                .with_cause(reason)
        }
        StoreError::TooLarge { .. } => {
            ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "event_too_large", error.to_string())
        }
        StoreError::TooMany { .. } => ApiError::invalid("invalid_batch", error.to_string()),
        StoreError::Conflict { place, stored } => {
            let holder = match stored {
                Some(id) => format!(
                    "event `{id}`, which has another `event_id` or other content, or was erased"
                ),
                None => "another event of the batch, which has another `event_id` or other content"
                    .to_owned(),
            };
            let place = shape.place(place);
            let message = format!("{place}its `event_id` or `Idempotency-Key` belongs to {holder}");
            ApiError::new(StatusCode::CONFLICT, "event_conflict", message)
        }
    }
}
