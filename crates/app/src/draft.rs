//! The draft of an emission.

use crate::{Audit, Catalog, Emission, Form, words};
use headgate_event::{
    AppContent, AppIdentity, Channel, DataText, Dedupe, Draft, SentContent, Timestamp,
    Verification,
    cloudevents::METADATA,
    data::AppParts,
    limits::{DEDUPE_WINDOW_DEFAULT, PROMPT_BYTES_MAX},
    prompt::{self, About, PromptKey},
};
use serde_json::Value;
use std::{collections::BTreeMap, sync::Arc};

/// Who emits, and when.
#[derive(Clone, Debug)]
pub struct Emitter<'a> {
    /// The channel of app events.
    pub channel: &'a Arc<Channel>,
    /// How the application proved itself.
    pub verification: &'a Verification,
    /// What may be emitted, and what it means.
    pub catalog: &'a Catalog,
    /// What the fences of prompts are made with.
    pub prompt_key: &'a PromptKey,
    /// The moment of receiving.
    pub now: Timestamp,
}

/// What an event gets that the application does not give.
#[derive(Clone, Debug)]
pub struct Chance {
    /// Random bits, of which an id is made.
    pub random: [u8; 16],
    /// The name of the event by the request that it came with.
    pub request: Option<String>,
}

impl Emission {
    /// Whether its type is for the record.
    #[must_use]
    pub fn audit(&self, catalog: &Catalog) -> Audit {
        catalog.of(&self.event_type).map_or(Audit::No, |entry| entry.audit)
    }

    /// The draft of the event, with its prompt.
    #[must_use]
    pub fn draft(self, emitter: &Emitter<'_>, chance: Chance) -> Draft {
        let made = || uuid::Builder::from_random_bytes(chance.random).into_uuid().to_string();
        let event_id = self.event_id.clone().unwrap_or_else(made);
        let identity = self.identity(&event_id, chance.request);
        let about = About {
            channel: emitter.channel,
            verification: emitter.verification,
            created_at: emitter.now,
        };
        let rendering = words::rendering(&self, &event_id, emitter);
        let prompt = prompt::render(&about, &rendering, emitter.prompt_key, PROMPT_BYTES_MAX);
        let data = AppParts {
            event_id: &event_id,
            event_type: self.event_type.as_str(),
            timestamp: self.timestamp.unwrap_or(emitter.now),
            correlation: &self.correlation,
            metadata: &self.metadata,
            fill: self.payload.fill,
        };
        let data = data.data();
        let dedupe = self.dedupe_key.map(|key| Dedupe { key, window: DEDUPE_WINDOW_DEFAULT });
        Draft {
            event_type: self.event_type,
            created_at: emitter.now,
            channel: Arc::clone(emitter.channel),
            provider: None,
            provider_event: None,
            verification: emitter.verification.clone(),
            dedupe,
            identity: Some(identity),
            thread_key: self.thread_key,
            correlation: self.correlation,
            data,
            metadata: metadata(self.context),
            prompt,
            raw: self.payload.raw,
        }
    }

    /// What the event is known by, its own id before all else. One without an id is known by its
    /// request: the id that is made for it is another at each try.
    fn identity(&self, event_id: &str, request: Option<String>) -> AppIdentity {
        let source = self.context.as_ref().filter(|_| self.form == Form::CloudEvent);
        let source = source.and_then(|context| context.get("source")).and_then(Value::as_str);
        let own = AppIdentity::name(event_id, source);
        let made = self.event_id.is_none();
        let names = match request {
            Some(request) if made => vec![request, own],
            Some(request) => vec![own, request],
            None => vec![own],
        };
        let payload = DataText::shown(self.payload.fill, &self.payload.raw);
        let content = SentContent {
            event_type: self.event_type.as_str(),
            payload: payload.as_ref().map_or("", |payload| payload.get()),
            correlation: &self.correlation,
            metadata: &self.metadata,
            thread_key: self.thread_key.as_deref(),
            dedupe_key: self.dedupe_key.as_deref(),
            context: self.context.as_ref(),
        };
        let content = AppContent { digest: content.digest(), timestamp: self.timestamp };
        AppIdentity { event_id: event_id.to_owned(), names, content }
    }
}

fn metadata(context: Option<Value>) -> BTreeMap<String, Value> {
    context.map(|context| (METADATA.to_owned(), context)).into_iter().collect()
}
