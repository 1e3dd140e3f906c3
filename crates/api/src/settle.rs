//! Saying what became of deliveries.

use crate::{
    access::Who, api::Shared, body, error::ApiError, lease::within, parameters::Parameters,
    subscriptions,
};
use axum::{
    Extension, Json,
    body::Body,
    extract::{Path, State},
    response::{IntoResponse, Response},
};
use headgate_event::limits::{LEASE_MS_MAX, REASON_BYTES_MAX, RETRY_AFTER_MS_MAX, SETTLE_IDS_MAX};
use headgate_queue::{Settlement, Verb};
use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeSet, time::Duration};

/// What became of deliveries, each named by its delivery id.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "SettleAsk")]
pub(crate) struct Ask {
    /// Done: they never come again.
    ack: Vec<String>,
    /// They come again later.
    retry: Vec<RetryAsk>,
    /// Their leases go on.
    extend: Vec<ExtendAsk>,
    /// They never come again and are dead letters.
    bury: Vec<BuryAsk>,
}

/// Give it again, after the policy's wait or after this long.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct RetryAsk {
    /// The delivery.
    pub(crate) id: String,
    /// How long to wait, instead of the policy's wait.
    #[serde(default)]
    #[schemars(range(min = 0, max = RETRY_AFTER_MS_MAX))]
    after_ms: Option<u64>,
    /// Why, for the operator.
    #[serde(default)]
    reason: Option<String>,
}

/// Let the lease last this long from the present moment.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct ExtendAsk {
    /// The delivery.
    pub(crate) id: String,
    /// How long.
    #[schemars(range(min = 1, max = LEASE_MS_MAX))]
    lease_ms: u64,
}

/// Never give it again.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct BuryAsk {
    /// The delivery.
    pub(crate) id: String,
    /// Why, for the operator.
    #[serde(default)]
    reason: Option<String>,
}

/// What was settled.
#[derive(Debug, Serialize, JsonSchema)]
pub(crate) struct Settled {
    /// How many deliveries were settled.
    settled: usize,
    /// Those that were not.
    errors: Vec<Unsettled>,
}

/// Why one delivery was not settled.
#[derive(Debug, Serialize, JsonSchema)]
struct Unsettled {
    /// The delivery as it was named.
    id: String,
    /// `unknown_delivery`, `lease_expired`, `already_settled` or `repeated_id`.
    code: &'static str,
    /// The same in a sentence.
    message: String,
}

/// `POST /v1/subscriptions/{name}/settle`: each id for itself; nothing at all happens when the
/// call as such is wrong.
pub(crate) async fn settle(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    Path(name): Path<String>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    subscriptions::check(&api, &name, &who).await?;
    let ask: Ask = body::object(body).await?;
    let (settlements, mut errors) = once_each(settlements(ask)?);
    let ids: Vec<String> = settlements.iter().map(|settlement| settlement.id.clone()).collect();
    let results = api.queue.settle(&name, settlements).await?;
    let settled = results.iter().filter(|result| result.is_ok()).count();
    for (id, result) in ids.into_iter().zip(results) {
        if let Err(error) = result {
            errors.push(Unsettled { id, code: error.code(), message: error.to_string() });
        }
    }
    Ok(Json(Settled { settled, errors }).into_response())
}

fn settlements(ask: Ask) -> Result<Vec<Settlement>, ApiError> {
    let ids = ask.ack.len() + ask.retry.len() + ask.extend.len() + ask.bury.len();
    if ids > SETTLE_IDS_MAX {
        let message = format!("expected at most {SETTLE_IDS_MAX} ids in one call, found {ids}");
        return Err(ApiError::invalid("too_many_ids", message));
    }
    let mut settlements: Vec<Settlement> =
        ask.ack.into_iter().map(|id| Settlement { id, verb: Verb::Ack }).collect();
    for (at, retry) in ask.retry.into_iter().enumerate() {
        settlements.push(retry.settlement(&format!("retry[{at}].after_ms"))?);
    }
    for (at, extend) in ask.extend.into_iter().enumerate() {
        settlements.push(extend.settlement(&format!("extend[{at}].lease_ms"))?);
    }
    settlements.extend(ask.bury.into_iter().map(BuryAsk::settlement));
    Ok(settlements)
}

/// What is said of each delivery first, in the order `ack`, `retry`, `extend`, `bury`; whatever
/// else the call says of it is an error.
fn once_each(settlements: Vec<Settlement>) -> (Vec<Settlement>, Vec<Unsettled>) {
    let mut seen = BTreeSet::new();
    let mut errors = Vec::new();
    let mut first = Vec::with_capacity(settlements.len());
    for settlement in settlements {
        if seen.insert(settlement.id.clone()) {
            first.push(settlement);
        } else {
            let message = format!("delivery `{}` is named before in this call", settlement.id);
            errors.push(Unsettled { id: settlement.id, code: "repeated_id", message });
        }
    }
    (first, errors)
}

impl RetryAsk {
    /// The settlement; `place` names the number when it is out of its range.
    pub(crate) fn settlement(self, place: &str) -> Result<Settlement, ApiError> {
        let after = within(place, self.after_ms, 0..=RETRY_AFTER_MS_MAX)?;
        let after = after.map(Duration::from_millis);
        Ok(Settlement { id: self.id, verb: Verb::Retry { after, reason: cut(self.reason) } })
    }
}

impl ExtendAsk {
    /// The settlement; `place` names the number when it is out of its range.
    pub(crate) fn settlement(self, place: &str) -> Result<Settlement, ApiError> {
        within(place, Some(self.lease_ms), 1..=LEASE_MS_MAX)?;
        let lease = Duration::from_millis(self.lease_ms);
        Ok(Settlement { id: self.id, verb: Verb::Extend { lease } })
    }
}

impl BuryAsk {
    /// The settlement.
    pub(crate) fn settlement(self) -> Settlement {
        Settlement { id: self.id, verb: Verb::Bury { reason: cut(self.reason) } }
    }
}

/// A reason is for people: a long one is cut rather than refused.
fn cut(reason: Option<String>) -> Option<String> {
    reason.map(|mut reason| {
        reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
        reason
    })
}
