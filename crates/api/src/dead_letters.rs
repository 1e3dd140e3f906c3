//! Dead letters: deliveries that never come again, for an operator to look at.

mod again;
mod edit;

pub(crate) use again::{Deleted, RedriveAsk, Redriven, delete, redrive};

use crate::{
    api::Shared,
    cursor::{self, ListDigest},
    error::ApiError,
    events,
    parameters::{Parameters, invalid},
};
use axum::{
    Json,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_event::limits::{LIST_EVENTS_DEFAULT, LIST_EVENTS_MAX};
use headgate_queue::{DeadLetter, DeadLetterQuery};
use http::Uri;
use schemars::JsonSchema;
use serde::Serialize;

const LIST_PARAMETERS: [&str; 3] = ["subscription", "limit", "cursor"];

/// A page of dead letters.
#[derive(Serialize, JsonSchema)]
pub(crate) struct DeadLetters {
    /// Those of the newest events first.
    dead_letters: Vec<DeadLetter>,
    /// What to give as `cursor` for the next page; null at the end.
    next_cursor: Option<String>,
}

/// `GET /v1/dead-letters?subscription=`: those of the newest events first.
pub(crate) async fn list(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &LIST_PARAMETERS)?;
    let subscription = parameters.one("subscription")?.ok_or_else(|| {
        invalid("subscription", "expected the name of a subscription, found none")
    })?;
    let limit = parameters.number("limit", 1..=LIST_EVENTS_MAX as u64)?;
    let list = ListDigest::of_dead_letters(subscription);
    let query = DeadLetterQuery {
        before: events::before(&parameters, list)?,
        limit: limit.map_or(LIST_EVENTS_DEFAULT, |limit| limit as usize),
    };
    let page = api.queue.dead_letters(subscription, query).await?;
    let next_cursor = page.next.map(|place| cursor::write(place, list));
    Ok(Json(DeadLetters { dead_letters: page.dead_letters, next_cursor }).into_response())
}
