//! A dead letter taken up with another body: an event of its own, which says what it was made of.
//!
//! It is proved by whoever edited it and not by the sender, and is told so. It goes to every
//! subscription that wants it, as any event does; the letter goes once it is stored.

use crate::{access::Who, api::Shared, error::ApiError};
use bytes::Bytes;
use headgate_event::{
    DataText, Dedupe, Draft, Event, EventId, EventType, Fill,
    json::Doc,
    limits::{DEDUPE_WINDOW_DEFAULT, PROMPT_BYTES_MAX},
    prompt::{self, About, Rendering, inline},
};
use headgate_queue::{DeadLetterQuery, DeliveryId, LetterVerb, QueueError};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, value::RawValue};
use sha2::{Digest, Sha256};
use std::{collections::BTreeMap, sync::Arc};

/// The fields of a webhook's `data` that its body decides.
const OF_THE_BODY: [&str; 4] = ["body", "body_encoding", "body_raw_b64", "body_size_bytes"];

/// A dead letter with another body.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "LetterEdit")]
pub(crate) struct Edit {
    /// The delivery that died; its event has to be a webhook.
    pub(super) delivery: String,
    /// The body in place of the one that came: any JSON.
    #[schemars(with = "Value")]
    body: Box<RawValue>,
}

/// An event that was made of a dead letter.
#[derive(Serialize, JsonSchema)]
#[schemars(rename = "LetterEdited")]
pub(crate) struct Edited {
    /// The delivery as it was named.
    delivery: String,
    /// The event that was made.
    id: EventId,
}

/// Why no event was made: a code and a sentence.
pub(super) type NotEdited = (&'static str, String);

/// Makes an event of a letter with another body, and takes the letter away.
pub(super) async fn edit(
    api: &Shared,
    who: &Who,
    subscription: &str,
    edit: Edit,
) -> Result<Result<Edited, NotEdited>, ApiError> {
    let Some(event) = event_of(api, subscription, &edit.delivery).await? else {
        let message = format!(
            "`{}` is no dead letter of this subscription whose event is stored",
            edit.delivery
        );
        return Ok(Err(("not_dead", message)));
    };
    let draft = match draft(api, who, &event, &edit) {
        Ok(draft) => draft,
        Err(refused) => return Ok(Err(refused)),
    };
    let unavailable = |error: headgate_event::StoreError| {
        ApiError::from(QueueError::Unavailable {
            reason: error.to_string(),
            retry_after: headgate_event::limits::STORE_RETRY_AFTER,
        })
    };
    let accepted = api.queue.accept(vec![draft]).await.map_err(unavailable)?;
    let ids = vec![edit.delivery.clone()];
    // Who took it up in between has it too: the letter is gone either way.
    api.queue.settle_letters(subscription, ids, LetterVerb::Delete).await?;
    let id = accepted.into_iter().next().map(|accepted| accepted.id());
    let delivery = edit.delivery;
    Ok(id.map(|id| Edited { delivery, id }).ok_or(("not_stored", "nothing was stored".to_owned())))
}

/// The event of a dead letter.
async fn event_of(
    api: &Shared,
    subscription: &str,
    delivery: &str,
) -> Result<Option<Event>, ApiError> {
    let Ok(DeliveryId { seq, .. }) = delivery.parse::<DeliveryId>() else { return Ok(None) };
    let query = DeadLetterQuery { before: Some(seq.saturating_add(1)), limit: 1 };
    let page = api.queue.dead_letters(subscription, query).await?;
    let letter = page.dead_letters.into_iter().next();
    let letter = letter.filter(|letter| letter.delivery.to_string() == delivery);
    let Some(id) = letter.and_then(|letter| letter.event_id) else { return Ok(None) };
    match api.queue.event(id).await {
        Ok(stored) => Ok(stored.map(|stored| stored.event)),
        Err(QueueError::Erased { .. } | QueueError::Damaged { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What makes it known when the same edit is asked for again: the event may have been stored by a
/// call whose second half, taking the letter away, failed.
fn made_once(edit: &Edit) -> String {
    let body = Bytes::copy_from_slice(&Sha256::digest(edit.body.get()));
    format!("edited:{}:{body:x}", edit.delivery)
}

fn draft(api: &Shared, who: &Who, event: &Event, edit: &Edit) -> Result<Draft, NotEdited> {
    if *event.event_type() != EventType::WEBHOOK_RECEIVED {
        let found = event.event_type().as_str();
        let message = format!(
            "expected the body of a webhook (`webhook.received`) to edit, found an event of type \
             `{found}`: redrive it as it is, or emit what it should have been as an event of your \
             own"
        );
        return Err(("not_editable", message));
    }
    let raw = Bytes::from(edit.body.get().to_owned());
    let unreadable = |error: &dyn std::fmt::Display| ("invalid_body", format!("`body`: {error}"));
    let doc = Doc::parse(raw.clone()).map_err(|error| unreadable(&error))?;
    let mut fields: BTreeMap<String, Box<RawValue>> =
        serde_json::from_str(event.data().get()).map_err(|error| unreadable(&error))?;
    fields.retain(|name, _| !OF_THE_BODY.contains(&name.as_str()));
    let data = DataText::from_object(&fields)
        .field("body_encoding", "json")
        .hole("body", Fill::Json)
        .field("body_raw_b64", "")
        .field("body_size_bytes", raw.len());
    let mut metadata: BTreeMap<String, Value> =
        serde_json::from_str(event.metadata().get()).unwrap_or_default();
    metadata.insert("edited_from".to_owned(), Value::from(event.id().to_string()));
    let mut verification = who.verification();
    verification.detail = Some(format!("edited from {}", event.id()));
    let created_at = api.clock.now();
    let channel = event.channel().clone();
    let about = About { channel: &channel, verification: &verification, created_at };
    let outline = prompt::outline(doc.root());
    let sender = event.provider().unwrap_or("webhook");
    let happened = event.provider_event().map(|name| format!(" {}", inline(name)));
    let rendering = Rendering {
        headline: format!("{} {}, edited", inline(sender), happened.unwrap_or_default().trim()),
        facts: outline.facts,
        foreign: outline.foreign,
    };
    let prompt = prompt::render(&about, &rendering, &api.app.prompt_key, PROMPT_BYTES_MAX);
    Ok(Draft {
        event_type: event.event_type().clone(),
        created_at,
        channel: Arc::new(channel),
        provider: event.provider().map(str::to_owned),
        provider_event: event.provider_event().map(str::to_owned),
        verification,
        dedupe: Some(Dedupe { key: made_once(edit), window: DEDUPE_WINDOW_DEFAULT }),
        identity: None,
        thread_key: event.thread_key().map(str::to_owned),
        correlation: event.correlation().clone(),
        data,
        metadata,
        prompt,
        raw,
    })
}
