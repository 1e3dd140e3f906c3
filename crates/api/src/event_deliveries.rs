//! How one event stands with the subscriptions that want it, and what came of its attempts.

use crate::{api::Shared, error::ApiError, events, parameters::Parameters};
use axum::{
    Json,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_queue::EventDelivery;
use http::Uri;
use schemars::JsonSchema;
use serde::Serialize;

/// The deliveries of one event.
#[derive(Serialize, JsonSchema)]
pub(crate) struct EventDeliveries {
    /// By the names of their subscriptions.
    deliveries: Vec<EventDelivery>,
}

/// `GET /v1/events/{id}/deliveries`.
pub(crate) async fn list(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let id = events::event_id(&id)?;
    let found = api.attempts.deliveries_of(id).await?;
    let deliveries = found.ok_or_else(|| events::unknown(id))?;
    Ok(Json(EventDeliveries { deliveries }).into_response())
}
