//! Emitting app events: one or several, in any of the shapes that they come in.
//!
//! A call is taken as a whole or not at all, and answered when all of it is durable.

mod answer;
mod read;

pub(crate) use answer::{Emitted, EmittedBatch};

use crate::{access::Who, api::Shared, body, error::ApiError, parameters::Parameters};
use answer::Shape;
use axum::{Extension, body::Body, extract::State, response::Response};
use headgate_app::{Audit, Catalog, Chance, Emission, Emitter};
use headgate_event::{
    AppIdentity, Channel, Draft, Timestamp, Verification,
    limits::{BLOCKING_BYTES_MIN, DRAFTS_PER_ACCEPT_MAX, IDEMPOTENCY_KEY_BYTES_MAX},
    prompt::PromptKey,
};
use http::{HeaderMap, StatusCode, Uri};
use std::sync::Arc;

/// The header that names a request, as in the draft of the IETF.
const KEY_HEADER: &str = "idempotency-key";

/// What the API needs to make events of what applications emit.
#[derive(Clone, Debug)]
pub struct AppOptions {
    /// The channel of app events.
    pub channel: Arc<Channel>,
    /// What the fences of prompts are made with.
    pub prompt_key: PromptKey,
    /// Which types may be emitted.
    pub catalog: Arc<Catalog>,
}

/// What was read of a call.
struct Call {
    emissions: Vec<Emission>,
    shape: Shape,
}

/// `POST /v1/events`.
pub(crate) async fn emit(
    State(api): State<Shared>,
    Extension(who): Extension<Who>,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, ApiError> {
    let parameters = Parameters::of(&uri, &["format"])?;
    who.check_channel(&api.app.channel.id)?;
    let now = api.clock.now();
    let format = read::format(&parameters, &headers)?;
    let key = idempotency_key(&headers)?;
    let bytes = body::whole(body).await?;
    let work = Work {
        headers,
        catalog: api.catalog(),
        verification: who.verification(),
        who: who.name().unwrap_or_default().to_owned(),
        key,
        channel: Arc::clone(&api.app.channel),
        prompt_key: api.app.prompt_key.clone(),
        now,
    };
    let size = bytes.len();
    let prepare = move || work.drafts(format, bytes);
    let prepared = if size < BLOCKING_BYTES_MIN {
        prepare()
    } else {
        // Parsing and rendering so much would hold up the calls of others.
        tokio::task::spawn_blocking(prepare).await.map_err(failed)?
    };
    let Prepared { drafts, shape, audit } = prepared?;
    if audit == Audit::No {
        who.take(now)?;
    }
    let event_ids: Vec<String> = drafts.iter().map(event_id).collect();
    let accepted =
        api.queue.accept(drafts).await.map_err(|error| answer::unstored(error, shape))?;
    answer::emitted(&api, shape, event_ids.into_iter().zip(accepted)).await
}

/// What was made of a call.
struct Prepared {
    drafts: Vec<Draft>,
    shape: Shape,
    /// Whether all of it is for the record, which no rate refuses.
    audit: Audit,
}

/// All that making drafts needs, away from the request.
struct Work {
    headers: HeaderMap,
    catalog: Arc<Catalog>,
    verification: Verification,
    who: String,
    key: Option<String>,
    channel: Arc<Channel>,
    prompt_key: PromptKey,
    now: Timestamp,
}

impl Work {
    fn drafts(self, format: read::Format, body: Vec<u8>) -> Result<Prepared, ApiError> {
        let Call { emissions, shape } =
            read::call(format, &self.headers, body.into(), &self.catalog)?;
        if emissions.is_empty() || emissions.len() > DRAFTS_PER_ACCEPT_MAX {
            let found = emissions.len();
            let message = format!("expected 1 to {DRAFTS_PER_ACCEPT_MAX} events, found {found}");
            return Err(ApiError::invalid("invalid_batch", message));
        }
        let emitter = Emitter {
            channel: &self.channel,
            verification: &self.verification,
            catalog: &self.catalog,
            prompt_key: &self.prompt_key,
            now: self.now,
        };
        let for_record = |it: &Emission| it.audit(&self.catalog) == Audit::Yes;
        let audit = if emissions.iter().all(for_record) { Audit::Yes } else { Audit::No };
        let mut drafts = Vec::with_capacity(emissions.len());
        for (place, emission) in emissions.into_iter().enumerate() {
            emission.check(self.now).map_err(|error| read::refused(error, shape, place))?;
            let request = self.key.as_deref();
            let request = request.map(|key| AppIdentity::request_name(&self.who, key, place));
            drafts.push(emission.draft(&emitter, Chance { random: random()?, request }));
        }
        Ok(Prepared { drafts, shape, audit })
    }
}

fn event_id(draft: &Draft) -> String {
    draft.identity.as_ref().map(|identity| identity.event_id.clone()).unwrap_or_default()
}

fn random() -> Result<[u8; 16], ApiError> {
    let mut random = [0; 16];
    getrandom::fill(&mut random).map_err(failed)?;
    Ok(random)
}

fn failed(error: impl std::fmt::Display) -> ApiError {
    let message = "the event could not be made ready, please try again";
    ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", message).with_cause(error)
}

fn idempotency_key(headers: &HeaderMap) -> Result<Option<String>, ApiError> {
    let mut values = headers.get_all(KEY_HEADER).iter();
    let Some(value) = values.next() else { return Ok(None) };
    let text = value.to_str().ok().filter(|text| values.next().is_none() && !text.is_empty());
    match text {
        Some(text) if text.len() <= IDEMPOTENCY_KEY_BYTES_MAX => Ok(Some(text.to_owned())),
        _ => {
            let message = format!(
                "header `Idempotency-Key`: expected 1 to {IDEMPOTENCY_KEY_BYTES_MAX} visible \
                 characters, once"
            );
            Err(ApiError::invalid("invalid_header", message))
        }
    }
}
