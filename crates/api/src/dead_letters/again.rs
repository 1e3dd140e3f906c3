//! Taking dead letters up again, and deleting them: some by their deliveries, all, or those whose
//! events fit.

use super::edit::{self, Edit, Edited};
use crate::{
    access::Who,
    api::Shared,
    body,
    error::ApiError,
    event_query::EventQueryAsk,
    parameters::{Parameters, invalid},
};
use axum::{
    Extension, Json,
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use headgate_event::limits::{DRAFTS_PER_ACCEPT_MAX, LETTERS_PER_CALL_MAX, LIST_EVENTS_MAX};
use headgate_queue::{DeadLetter, DeadLetterQuery, EventQuery, LetterVerb, QueueError};
use http::Uri;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Which dead letters to take up again: `deliveries`, `all`, those whose events fit `events`, or
/// `edits`.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
pub(crate) struct RedriveAsk {
    /// Of which subscription.
    subscription: String,
    /// These, by their delivery ids.
    deliveries: Option<Vec<String>>,
    /// All of them.
    all: bool,
    /// Those whose events fit this.
    events: Option<EventQueryAsk>,
    /// These with another body, each as an event of its own.
    edits: Option<Vec<Edit>>,
}

/// What was taken up again.
#[derive(Serialize, JsonSchema)]
pub(crate) struct Redriven {
    /// How many come again.
    redriven: usize,
    /// The events that were made of edited ones.
    edited: Vec<Edited>,
    /// Those that do not.
    errors: Vec<Refused>,
    /// Whether nothing was left out: one call takes up so many at most.
    complete: bool,
}

/// What was deleted.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "DeletedLetters")]
pub(crate) struct Deleted {
    /// How many are gone.
    deleted: usize,
    /// Those that are not.
    errors: Vec<Refused>,
    /// Whether nothing was left out: one call deletes so many at most.
    complete: bool,
}

/// Why one letter stays.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LetterRefused")]
struct Refused {
    /// The delivery as it was named.
    delivery: String,
    /// `not_dead`, `underway` or `event_gone`; of an edited one also `not_editable` or
    /// `invalid_body`.
    code: &'static str,
    /// The same in a sentence.
    message: String,
}

/// Which letters are meant.
enum Which {
    These(Vec<String>),
    Fitting(EventQuery),
    All,
}

/// What became of them.
struct Done {
    done: usize,
    errors: Vec<Refused>,
    complete: bool,
}

/// `POST /v1/dead-letters/redrive`: each letter for itself.
pub(crate) async fn redrive(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    uri: Uri,
    body: Body,
) -> Result<Response, ApiError> {
    Parameters::none(&uri)?;
    let mut ask: RedriveAsk = body::object(body).await?;
    let which = ask.which()?;
    if let Some(edits) = ask.edits.take() {
        return Ok(Json(make(&api, &who, &ask.subscription, edits).await?).into_response());
    }
    let Done { done, errors, complete } =
        settle(&api, &ask.subscription, which, LetterVerb::Redrive).await?;
    let edited = Vec::new();
    Ok(Json(Redriven { redriven: done, edited, errors, complete }).into_response())
}

/// Makes events of edited letters, one after the other.
async fn make(
    api: &Shared,
    who: &Who,
    subscription: &str,
    edits: Vec<Edit>,
) -> Result<Redriven, ApiError> {
    let (mut edited, mut errors) = (Vec::new(), Vec::new());
    for one in edits {
        let delivery = one.delivery.clone();
        match edit::edit(api, who, subscription, one).await? {
            Ok(made) => edited.push(made),
            Err((code, message)) => errors.push(Refused { delivery, code, message }),
        }
    }
    Ok(Redriven { redriven: 0, edited, errors, complete: true })
}

/// `DELETE /v1/dead-letters?subscription=`: by `delivery`, which may repeat, or `all=true`.
pub(crate) async fn delete(State(api): State<Shared>, uri: Uri) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &["subscription", "delivery", "all"])?;
    let subscription = parameters.one("subscription")?.ok_or_else(|| {
        invalid("subscription", "expected the name of a subscription, found none")
    })?;
    let these: Vec<String> = parameters.all("delivery").map(str::to_owned).collect();
    let which = match (parameters.one("all")?, these.is_empty()) {
        (None, false) => Which::These(these),
        (Some("true"), true) => Which::All,
        (None, true) => return Err(invalid("delivery", "expected one, or `all=true`, found none")),
        (Some("true"), false) => return Err(invalid("all", "expected no `delivery`, found one")),
        (Some(found), _) => {
            let shown: String = found.chars().take(40).collect();
            return Err(invalid("all", format!("expected `true`, found `{shown}`")));
        }
    };
    let Done { done, errors, complete } =
        settle(&api, subscription, which, LetterVerb::Delete).await?;
    Ok(Json(Deleted { deleted: done, errors, complete }).into_response())
}

impl RedriveAsk {
    fn which(&self) -> Result<Which, ApiError> {
        let invalid = |message: &str| Err(ApiError::invalid("invalid_body", message));
        if self.subscription.is_empty() {
            return invalid("`subscription`: expected the name of a subscription, found none");
        }
        if let Some(edits) = &self.edits {
            let alone = self.deliveries.is_none() && !self.all && self.events.is_none();
            return match edits.len() {
                _ if !alone => invalid("expected `edits` alone, found more beside it"),
                1..=DRAFTS_PER_ACCEPT_MAX => Ok(Which::These(Vec::new())),
                found => {
                    let message =
                        format!("`edits`: expected 1 to {DRAFTS_PER_ACCEPT_MAX}, found {found}");
                    Err(ApiError::invalid("too_many_ids", message))
                }
            };
        }
        match (&self.deliveries, self.all, &self.events) {
            (Some(these), false, None) if these.len() <= LETTERS_PER_CALL_MAX => {
                Ok(Which::These(these.clone()))
            }
            (Some(these), false, None) => {
                let found = these.len();
                let message =
                    format!("`deliveries`: expected at most {LETTERS_PER_CALL_MAX}, found {found}");
                Err(ApiError::invalid("too_many_ids", message))
            }
            (None, true, None) => Ok(Which::All),
            (None, false, Some(events)) => Ok(Which::Fitting(events.query("events")?)),
            (None, false, None) => {
                invalid("expected one of `deliveries`, `all`, `events` and `edits`, found none")
            }
            _ => {
                invalid("expected one of `deliveries`, `all`, `events` and `edits`, found several")
            }
        }
    }
}

async fn settle(
    api: &Shared,
    subscription: &str,
    which: Which,
    verb: LetterVerb,
) -> Result<Done, ApiError> {
    let (these, complete) = match which {
        Which::These(these) => (these, true),
        Which::All => found(api, subscription, None).await?,
        Which::Fitting(query) => found(api, subscription, Some(query)).await?,
    };
    let answers = api.queue.settle_letters(subscription, these.clone(), verb).await?;
    let mut done = Done { done: 0, errors: Vec::new(), complete };
    for (delivery, answer) in these.into_iter().zip(answers) {
        match answer {
            Ok(()) => done.done += 1,
            Err(error) => {
                let (code, message) = (error.code(), error.to_string());
                done.errors.push(Refused { delivery, code, message });
            }
        }
    }
    Ok(done)
}

/// The deliveries of the letters that fit, as many as one call takes, and whether that is all.
async fn found(
    api: &Shared,
    subscription: &str,
    query: Option<EventQuery>,
) -> Result<(Vec<String>, bool), ApiError> {
    let (mut found, mut before) = (Vec::new(), None);
    loop {
        let limit = LIST_EVENTS_MAX;
        let page = api.queue.dead_letters(subscription, DeadLetterQuery { before, limit });
        let page = page.await?;
        for letter in &page.dead_letters {
            if found.len() == LETTERS_PER_CALL_MAX {
                return Ok((found, false));
            }
            if fits(api, letter, query.as_ref()).await? {
                found.push(letter.delivery.to_string());
            }
        }
        before = page.next;
        if before.is_none() {
            return Ok((found, true));
        }
    }
}

async fn fits(
    api: &Shared,
    letter: &DeadLetter,
    query: Option<&EventQuery>,
) -> Result<bool, ApiError> {
    let Some(query) = query else { return Ok(true) };
    let Some(id) = letter.event_id else { return Ok(false) };
    match api.queue.event(id).await {
        Ok(stored) => Ok(stored.is_some_and(|stored| query.fits(&stored.event))),
        // What is not there, or cannot be read, fits nothing.
        Err(QueueError::Erased { .. } | QueueError::Damaged { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}
