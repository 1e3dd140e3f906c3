//! What a subscription would get of the events that are stored: a dry run.

use crate::{
    api::Shared, body, error::ApiError, event_query::EventQueryAsk, parameters::Parameters,
    subscriptions::status,
};
use axum::{
    Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::{Event, EventId, Timestamp, limits::TEST_SAMPLES_MAX};
use headgate_queue::{EventQuery, ListQuery};
use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What to try.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "SubscriptionTestAsk")]
pub(crate) struct TestAsk {
    /// Other filters than those of the subscription.
    events: Option<EventQueryAsk>,
    /// Only events received at or after this moment.
    since: Option<Timestamp>,
    /// Only events received before this moment.
    until: Option<Timestamp>,
}

/// What a subscription would get.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "SubscriptionTest")]
pub(crate) struct Tested {
    /// How many events it would get.
    matched: u64,
    /// How many it would not.
    left_out: u64,
    /// Whether all were looked at: what has to be looked into is looked at up to a bound.
    complete: bool,
    /// Why no event can ever fit; null when some may.
    fits_nothing: Option<String>,
    /// The newest that it would get.
    samples: Vec<Sample>,
}

/// One event, as short as can be.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "EventSample")]
struct Sample {
    /// Its id.
    id: EventId,
    /// What happened.
    r#type: String,
    /// The channel, by id.
    channel: String,
    /// The provider's name of what happened.
    provider_event: Option<String>,
    /// When it was received.
    created_at: Timestamp,
    /// The first line of what a model reads.
    headline: String,
}

/// `POST /v1/subscriptions/{name}/test`.
pub(crate) async fn test(
    State(api): State<Shared>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let ask: TestAsk = body::object_or_empty(body).await?;
    let mut query = match &ask.events {
        Some(events) => events.query("events")?,
        None => {
            let selection = status(&api, &name).await?.spec.selection;
            EventQuery { selection, ..EventQuery::default() }
        }
    };
    query.since = query.since.max(ask.since);
    query.until = match (query.until, ask.until) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    };
    let fits_nothing = query.selection.fits_nothing();
    let all = EventQuery { selection: Default::default(), ..query.clone() };
    let (counted, all) = (api.queue.count(query.clone()).await?, api.queue.count(all).await?);
    let list = ListQuery {
        selection: query.selection,
        since: query.since,
        until: query.until,
        before: None,
        limit: TEST_SAMPLES_MAX,
    };
    let samples = api.queue.list(list).await?.events.iter().map(Sample::of).collect();
    let seen = if counted.complete { all.matched } else { counted.scanned };
    let left_out = seen.saturating_sub(counted.matched);
    let (matched, complete) = (counted.matched, counted.complete);
    Ok(Json(Tested { matched, left_out, complete, fits_nothing, samples }).into_response())
}

impl Sample {
    fn of(event: &Event) -> Self {
        Self {
            id: event.id(),
            r#type: event.event_type().as_str().to_owned(),
            channel: event.channel().id.clone(),
            provider_event: event.provider_event().map(str::to_owned),
            created_at: event.created_at(),
            headline: event.prompt_ready().lines().next().unwrap_or_default().to_owned(),
        }
    }
}
