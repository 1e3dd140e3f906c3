//! Taking deliveries of a subscription: a long poll.

use crate::{
    access::Who,
    api::Shared,
    body,
    error::ApiError,
    parameters::Parameters,
    shown::{self, Shown, View},
    subscriptions,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::{
    Event,
    limits::{LEASE_DELIVERIES_DEFAULT, LEASE_DELIVERIES_MAX, LEASE_MS_MAX, LEASE_WAIT_MS_MAX},
};
use headgate_queue::{LeaseAsk, QueueError};
use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{ops::RangeInclusive, time::Duration};

/// What is wanted of a lease.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "LeaseAsk")]
pub(crate) struct Ask {
    /// At most so many deliveries; 10 when it is left out.
    #[schemars(range(min = 1, max = LEASE_DELIVERIES_MAX))]
    max: Option<u64>,
    /// How long to wait for the first one; not at all when it is left out.
    #[schemars(range(min = 0, max = LEASE_WAIT_MS_MAX))]
    wait_ms: Option<u64>,
    /// How long each is leased; as long as the subscription says when it is left out.
    #[schemars(range(min = 1, max = LEASE_MS_MAX))]
    lease_ms: Option<u64>,
}

/// What was leased.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Deliveries {
    /// Events, each with its `delivery`.
    deliveries: Vec<Shown>,
}

/// `POST /v1/subscriptions/{name}/lease`: without a body, what there is at once.
pub(crate) async fn lease(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    let view = View::of(&Parameters::of(&uri, &[shown::PARAMETER])?)?;
    let ask: Ask = body::object_or_empty(body).await?;
    let max = within("max", ask.max, 1..=LEASE_DELIVERIES_MAX as u64)?;
    let wait_ms = within("wait_ms", ask.wait_ms, 0..=LEASE_WAIT_MS_MAX)?.unwrap_or(0);
    let lease_ms = within("lease_ms", ask.lease_ms, 1..=LEASE_MS_MAX)?;
    let ask = LeaseAsk {
        max: max.map_or(LEASE_DELIVERIES_DEFAULT, |max| max as usize),
        wait: Duration::from_millis(wait_ms),
        lease: lease_ms.map(Duration::from_millis),
        bytes: None,
    };
    subscriptions::check(&api, &name, &who).await?;
    let deliveries = until_stopped(&api, &name, ask).await?;
    let deliveries =
        deliveries.into_iter().map(|event| Shown { event: api.served(event), view }).collect();
    Ok(Json(Deliveries { deliveries }).into_response())
}

/// Waits for deliveries, and no longer than until the program is about to stop.
async fn until_stopped(api: &Shared, name: &str, ask: LeaseAsk) -> Result<Vec<Event>, QueueError> {
    let leased = api.queue.lease(name, ask);
    tokio::select! {
        biased;
        leased = leased => leased,
        () = api.stopped(), if !ask.wait.is_zero() => Ok(Vec::new()),
    }
}

/// A number of a body, when it is in its range.
pub(crate) fn within(
    field: &str,
    number: Option<u64>,
    range: RangeInclusive<u64>,
) -> Result<Option<u64>, ApiError> {
    match number {
        Some(found) if !range.contains(&found) => {
            let (least, most) = (range.start(), range.end());
            let message = format!("`{field}` is {found}, expected {least}..={most}");
            Err(ApiError::invalid("invalid_body", message))
        }
        within => Ok(within),
    }
}
