//! Releasing: one rejection, or those of a filter, oldest first.
//!
//! An event is stored before its rejection leaves, so a power cut between the two leaves both; it
//! is then known as a duplicate where its sender gives deliveries an id. A caller that hangs up
//! between the two leaves neither: what was begun goes on without it.

use super::{
    Rejections, Releasing, Unreleased,
    ask::{BulkAsk, ReleaseAsk},
    body_not_kept, id_of, parts, unknown,
};
use crate::{
    api::Shared,
    body,
    cursor::{self, ListDigest},
    error::ApiError,
    parameters::Parameters,
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::{
    Accepted,
    limits::{RELEASE_REFUSED_SHOWN_MAX, STORE_RETRY_AFTER},
};
use headgate_quarantine::{Kept, Order, Query, RejectionId};
use http::{HeaderValue, StatusCode, Uri, header};
use schemars::JsonSchema;
use serde::Serialize;

/// What is said of a request that waited for an answer alone.
const NO_EVENT: &str = "the request proves itself, and is none that an event is made of";

/// The event that a rejection has become.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Released {
    /// Its id.
    id: String,
    /// Whether it was stored before.
    duplicate: bool,
}

/// What became of those that one call looked at.
#[derive(Debug, Default, Serialize, JsonSchema)]
#[schemars(rename = "ReleaseCounts")]
pub(crate) struct Counts {
    /// Whether it is only said what would happen.
    dry_run: bool,
    /// Those that are events now, or would be.
    released: u64,
    /// Those of them whose event was there already.
    duplicates: u64,
    /// Those that stay.
    refused: u64,
    /// The first of those that stay.
    still_refused: Vec<Stays>,
    /// What to give as `cursor` for those that were not looked at; null when none is left.
    next_cursor: Option<String>,
}

/// A rejection that stays one.
#[derive(Debug, Serialize, JsonSchema)]
#[schemars(rename = "StillRefused")]
struct Stays {
    /// The rejection.
    #[schemars(with = "String")]
    id: RejectionId,
    /// Why, as a sender would be told.
    code: String,
    /// The same in a sentence.
    message: String,
}

/// `POST /v1/rejections/{id}/release`.
pub(crate) async fn release(
    State(api): State<Shared>,
    Path(id): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: ReleaseAsk = body::object_or_empty(body).await?;
    let rejection = id_of(&id)?;
    parts(&api)?;
    let how = Releasing { ignore_age: ask.ignore_age, dry_run: false };
    to_its_end(async move { one(&api, rejection, how).await }).await
}

async fn one(api: &Shared, id: RejectionId, how: Releasing) -> Result<Response, ApiError> {
    let (rejections, name) = (parts(api)?, id.to_string());
    let _one_at_a_time = api.release.lock().await;
    let kept = rejections.quarantine.rejection(id).await?.ok_or_else(|| unknown(&name))?;
    let channel = kept.summary.channel.clone();
    if kept.body.is_none() {
        return Err(body_not_kept(&kept));
    }
    let accepted = attempt(rejections, kept, how).await.map_err(|why| stays(&channel, why))?;
    let Some(accepted) = accepted else {
        let message = "the event of the rejection has no id";
        return Err(ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message));
    };
    let duplicate = !matches!(accepted, Accepted::New(_));
    Ok(Json(Released { id: accepted.id().to_string(), duplicate }).into_response())
}

/// `POST /v1/rejections/release`: so many of a filter, and a cursor for the rest.
pub(crate) async fn release_all(
    State(api): State<Shared>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let mut ask: BulkAsk = body::object_or_empty(body).await?;
    parts(&api)?;
    let (filter, limit) = (ask.filter()?, ask.limit()?);
    let order = ListDigest::of_rejections("release", &filter);
    let last =
        match &ask.cursor {
            Some(text) => Some(cursor::read(text, order).map_err(|error| {
                ApiError::invalid("invalid_cursor", format!("`cursor`: {error}"))
            })?),
            None => None,
        };
    let how = Releasing { ignore_age: ask.ignore_age, dry_run: ask.dry_run };
    let query = Query { filter, order: Order::OldestAfter(last), limit };
    to_its_end(async move { page(&api, query, order, how).await }).await
}

/// Releases a page, whose cursors are of this list.
async fn page(
    api: &Shared,
    query: Query,
    order: ListDigest,
    how: Releasing,
) -> Result<Response, ApiError> {
    let rejections = parts(api)?;
    let mut last = match query.order {
        Order::OldestAfter(place) | Order::NewestBefore(place) => place,
    };
    let _one_at_a_time = api.release.lock().await;
    let page = rejections.quarantine.list(query).await?;
    let mut counts = Counts { dry_run: how.dry_run, ..Counts::default() };
    for summary in &page.rejections {
        let outcome = next(rejections, summary.id, how).await;
        if let Err(error) = counts.add(summary.id, outcome) {
            // What was done is told; the next call begins here and meets the fault first.
            if counts.released + counts.refused == 0 {
                return Err(error);
            }
            counts.next_cursor = last.map(|place| cursor::write(place, order));
            return Ok(Json(counts).into_response());
        }
        last = Some(summary.id.place());
    }
    counts.next_cursor = page.next.map(|place| cursor::write(place, order));
    Ok(Json(counts).into_response())
}

/// Does the work also when nobody waits for its answer any more.
async fn to_its_end(
    work: impl Future<Output = Result<Response, ApiError>> + Send + 'static,
) -> Result<Response, ApiError> {
    tokio::spawn(work).await.unwrap_or_else(|stopped| {
        let message = "the rejections could not be released";
        let error = ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message);
        Err(error.with_cause(stopped))
    })
}

/// What became of one of many: released, or the reason why it stays.
enum Outcome {
    Released(Option<Accepted>),
    Stays {
        code: String,
        message: String,
    },
    /// Somebody else took it out meanwhile.
    Gone,
}

async fn next(
    rejections: &Rejections,
    id: RejectionId,
    how: Releasing,
) -> Result<Outcome, ApiError> {
    let Some(kept) = rejections.quarantine.rejection(id).await? else { return Ok(Outcome::Gone) };
    if kept.body.is_none() {
        let error = body_not_kept(&kept);
        let (code, message) = (error.code().to_owned(), error.message().to_owned());
        return Ok(Outcome::Stays { code, message });
    }
    let channel = kept.summary.channel.clone();
    match attempt(rejections, kept, how).await {
        Ok(accepted) => Ok(Outcome::Released(accepted)),
        Err(Attempt::Failed(error)) => Err(error),
        Err(Attempt::Unreleased(Unreleased::Refused { code, message })) => {
            Ok(Outcome::Stays { code, message })
        }
        Err(Attempt::Unreleased(Unreleased::UnknownChannel)) => {
            let message = unknown_channel(&channel);
            Ok(Outcome::Stays { code: "unknown_channel".to_owned(), message })
        }
        Err(Attempt::Unreleased(Unreleased::NoEvent)) => {
            Ok(Outcome::Stays { code: "no_event".to_owned(), message: NO_EVENT.to_owned() })
        }
        Err(why) => Err(stays(&channel, why)),
    }
}

/// Why an attempt to release did not succeed.
enum Attempt {
    Unreleased(Unreleased),
    Failed(ApiError),
}

/// Releases a rejection whose body is kept.
async fn attempt(
    rejections: &Rejections,
    kept: Kept,
    how: Releasing,
) -> Result<Option<Accepted>, Attempt> {
    let (id, channel) = (kept.summary.id, kept.summary.channel.clone());
    let accepted = rejections.releaser.release(kept, how).await.map_err(Attempt::Unreleased)?;
    if let Some(accepted) = accepted {
        let event = accepted.id();
        tracing::info!(rejection = %id, channel, event = %event, "released from quarantine");
        let left = rejections.quarantine.released(id).await;
        left.map_err(|error| Attempt::Failed(error.into()))?;
    }
    Ok(accepted)
}

fn stays(channel: &str, why: Attempt) -> ApiError {
    match why {
        Attempt::Failed(error) => error,
        Attempt::Unreleased(Unreleased::UnknownChannel) => {
            ApiError::new(StatusCode::CONFLICT, "unknown_channel", unknown_channel(channel))
        }
        Attempt::Unreleased(Unreleased::Refused { code, message }) => {
            let message = format!("the request is still refused: {code}: {message}");
            ApiError::new(StatusCode::CONFLICT, "still_refused", message)
        }
        Attempt::Unreleased(Unreleased::NotStored { cause }) => {
            let message = "the event could not be stored, please try again";
            let seconds = HeaderValue::from(STORE_RETRY_AFTER.as_secs());
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message)
                .with_header(header::RETRY_AFTER, seconds)
                .with_cause(cause)
        }
        Attempt::Unreleased(Unreleased::NoEvent) => {
            ApiError::new(StatusCode::CONFLICT, "no_event", NO_EVENT)
        }
    }
}

fn unknown_channel(channel: &str) -> String {
    format!("channel `{channel}` is not configured any more")
}

impl Counts {
    fn add(&mut self, id: RejectionId, outcome: Result<Outcome, ApiError>) -> Result<(), ApiError> {
        match outcome? {
            Outcome::Released(accepted) => {
                self.released += 1;
                let known = accepted.is_some_and(|one| !matches!(one, Accepted::New(_)));
                self.duplicates += u64::from(known);
            }
            Outcome::Stays { code, message } => {
                self.refused += 1;
                if self.still_refused.len() < RELEASE_REFUSED_SHOWN_MAX {
                    self.still_refused.push(Stays { id, code, message });
                }
            }
            Outcome::Gone => {}
        }
        Ok(())
    }
}
