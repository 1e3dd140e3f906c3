//! A webhook channel: its provider, its secrets, and how a proven request becomes an event.

mod spec;

pub(crate) use spec::prepare;
pub use spec::{ChannelSpec, ChannelSpecError, ChannelSpecErrorKind, DedupePolicy};

use crate::{
    content::Content,
    headers,
    identity::{self, Names, Reading},
    provider::Provider,
    render::Received,
    scheme::{Check, Tolerance},
};
use headgate_event::{
    Channel, Correlation, Dedupe, Draft, EventType, Secret, Verdict, Verification,
    data::WebhookParts,
    limits::PROMPT_BYTES_MAX,
    prompt::{self, About, Prompt, PromptKey},
};
use headgate_http::{RawRequest, Verified};
use http::{HeaderMap, header};
use serde_json::Value;
use std::{borrow::Cow, collections::BTreeMap, sync::Arc};

/// Where the requests of all channels begin.
pub(crate) const PATH_PREFIX: &str = "/v1/webhook/";

/// A channel, ready to receive.
pub(crate) struct WebhookChannel {
    pub(crate) channel: Arc<Channel>,
    pub(crate) provider: Arc<Provider>,
    pub(crate) check: Check,
    pub(crate) body_bytes_max: usize,
    pub(crate) secrets: Vec<Secret>,
    pub(crate) tolerance: Option<Tolerance>,
    dedupe: DedupePolicy,
}

impl WebhookChannel {
    /// The event of a request that proved itself. It takes no part of the request with it but the
    /// body, whose memory stays accounted to the request.
    pub(crate) fn draft(&self, verified: &Verified, key: &PromptKey) -> Draft {
        let (request, verification) = (verified.request(), verified.verification());
        let content_type = content_type(&request.headers);
        let content_type = content_type.as_deref();
        let identity = &self.provider.identity;
        let content = Content::read(content_type, &request.body, identity.form_field.as_deref());
        let body = content.doc.as_deref().map(headgate_event::json::Doc::root);
        let names = identity.names(Reading { headers: &request.headers, body });
        let received =
            Received { names: &names, content: &content, content_type, body: &request.body };
        let prompt = self.prompt(request, verification, &received, key);
        let path = headers::masked_path(&request.path, PATH_PREFIX);
        let data = WebhookParts {
            method: request.method.as_str(),
            path: &path,
            query: &headers::masked_query(&request.query),
            headers: &headers::shown(&request.headers, &*self.provider.scheme),
            body_encoding: content.encoding,
            body_size_bytes: request.body.len() as u64,
            content_type,
            remote_ip: Some(&request.arrival.remote.ip().to_string()),
        };
        Draft {
            event_type: EventType::WEBHOOK_RECEIVED,
            created_at: request.arrival.received_at,
            channel: Arc::clone(&self.channel),
            provider: self.provider.known_name().map(str::to_owned),
            verification: verification.clone(),
            dedupe: self.dedupe(names.delivery.as_ref(), request),
            metadata: metadata(&names, verification),
            provider_event: names.event,
            thread_key: names.thread,
            correlation: Correlation::default(),
            data: data.data(),
            prompt,
            raw: request.body.clone(),
        }
    }

    fn prompt(
        &self,
        request: &RawRequest,
        verification: &Verification,
        received: &Received<'_>,
        key: &PromptKey,
    ) -> Prompt {
        let about =
            About { channel: &self.channel, verification, created_at: request.arrival.received_at };
        let rendering = self.provider.templates.render(received);
        prompt::render(&about, &rendering, key, PROMPT_BYTES_MAX)
    }

    fn dedupe(&self, delivery: Option<&String>, request: &RawRequest) -> Option<Dedupe> {
        match self.dedupe {
            DedupePolicy::Window(window) => delivery.map(|key| Dedupe { key: key.clone(), window }),
            DedupePolicy::Digest(window) => {
                Some(Dedupe { key: identity::digest(&request.body), window })
            }
            DedupePolicy::Off => None,
        }
    }
}

/// The Content-Type as sent, when there is one.
fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// What the event says of itself besides: which of its fields the proof does not cover.
fn metadata(names: &Names, verification: &Verification) -> BTreeMap<String, Value> {
    let mut metadata = BTreeMap::new();
    if verification.verdict == Verdict::Verified && !names.unproved.is_empty() {
        let fields = names.unproved.iter().map(|field| Value::from(*field)).collect();
        metadata.insert("unproved".to_owned(), Value::Array(fields));
    }
    metadata
}
