//! A webhook channel: its provider, its secrets, and how a proven request becomes an event.

mod figures;
mod redact;
mod spec;
mod split;

use figures::Figures;
pub(crate) use spec::prepare;
pub use spec::{ChannelSpec, ChannelSpecError, ChannelSpecErrorKind, DedupePolicy};
use split::Items;

use crate::{
    content::Content,
    headers,
    identity::{self, Form, Identity, Names, Reading, Split},
    provider::Provider,
    render::Received,
    scheme::{Check, Terms},
};
use bytes::Bytes;
use headgate_event::{
    Channel, Correlation, Dedupe, Draft, EventType, Timestamp, Verification,
    data::WebhookParts,
    limits::PROMPT_BYTES_MAX,
    prompt::{self, About, Prompt, PromptKey},
};
use headgate_http::{Decoded, EncodingDefect, IpNet, Origin, Rate, RawRequest, Reject, Verified};
use http::{HeaderMap, StatusCode, header};
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
    pub(crate) terms: Terms,
    pub(crate) figures: Figures,
    /// Whether the events of one body become one event each.
    splits: bool,
    dedupe: DedupePolicy,
    rate: Option<Arc<Rate>>,
    allow_ips: Vec<IpNet>,
}

/// A body, or one item of it, on its way to an event.
struct Part<'a> {
    identity: &'a Identity,
    content: &'a Content,
    /// Why it is not shown as its sender meant it.
    defect: Option<&'static str>,
    /// The bytes without their encoding.
    came: &'a Bytes,
    /// The same without a secret that stands in them.
    clean: Option<&'a Bytes>,
    /// The bytes that are kept.
    raw: &'a Bytes,
    coded: Option<&'a Decoded>,
    /// Whether it holds several events, of which only the first one's id is known.
    is_batch: bool,
}

impl WebhookChannel {
    /// Whether a request from there may come at all, before its body is read. The rate counts
    /// nothing yet: see [`admit`](Self::admit).
    pub(crate) fn let_in(&self, origin: Option<Origin>, now: Timestamp) -> Result<(), Reject> {
        let allows = |address| self.allow_ips.iter().any(|network| network.contains(&address));
        let allowed = origin.is_some_and(|from| from.is_certain && allows(from.address));
        if !self.allow_ips.is_empty() && !allowed {
            let message = "requests from this address are not taken here";
            let reject = Reject::new(StatusCode::FORBIDDEN, "address_not_allowed", message);
            return Err(match origin {
                Some(Origin { address, is_certain: true }) => reject.with_cause(address),
                Some(Origin { address, .. }) => {
                    reject.with_cause(format!("`{address}` does not say for whom it forwards"))
                }
                None => reject,
            });
        }
        self.rate.as_ref().map_or(Ok(()), |rate| rate.look(now)).map_err(Reject::too_many)
    }

    /// Goes on with what is left of the rate of the channel that it takes the place of, unless it
    /// has another rate: a reload shall not let a burst through.
    pub(crate) fn go_on_from(&mut self, before: &Self) {
        if let (Some(rate), Some(used)) = (&mut self.rate, &before.rate)
            && rate.is_like(used)
        {
            *rate = Arc::clone(used);
        }
    }

    /// Counts a request that proved itself, when the channel takes so many.
    pub(crate) fn admit(&self, now: Timestamp) -> Result<(), Reject> {
        self.rate.as_ref().map_or(Ok(()), |rate| rate.take(now)).map_err(Reject::too_many)
    }

    /// The events of a request that proved itself. They take no part of the request with them but
    /// the body, whose memory stays accounted to the request. Refused is only a body that becomes
    /// too large when its encoding is undone.
    pub(crate) fn drafts(
        &self,
        verified: &Verified,
        key: &PromptKey,
    ) -> Result<Vec<Draft>, Reject> {
        let request = verified.request();
        let decoded = request.decoded(self.body_bytes_max)?;
        let identity = &self.provider.identity;
        let split = identity.split.as_deref();
        let items = split
            .filter(|_| self.splits || identity.knows_first_alone)
            .map(|split| Items::of(&decoded.body, split));
        if let (Some(split), Some(items)) = (split, &items)
            && self.splits
            && let Some(bodies) = items.bodies()
        {
            let of = bodies.len();
            let bodies = bodies.into_iter().enumerate();
            return Ok(bodies
                .map(|(at, item)| self.item(verified, split, item, (at, of), key))
                .collect());
        }
        let secret = self.provider.scheme.secret_in_body();
        let clean = secret.and_then(|path| redact::redacted(&decoded.body, path));
        let content_type = content_type(&request.headers);
        let seen = clean.as_ref().unwrap_or(&decoded.body);
        let content = Content::read(content_type.as_deref(), seen, &identity.form);
        let part = Part {
            identity,
            defect: defect(&decoded, &content),
            content: &content,
            came: &decoded.body,
            clean: clean.as_ref(),
            raw: &request.body,
            coded: Some(&decoded),
            is_batch: identity.knows_first_alone && items.is_some_and(|items| items.are_several()),
        };
        Ok(vec![self.draft(verified, &part, key)])
    }

    /// The event of one item of a body.
    fn item(
        &self,
        verified: &Verified,
        split: &Split,
        item: Bytes,
        (at, of): (usize, usize),
        key: &PromptKey,
    ) -> Draft {
        let secret = self.provider.scheme.secret_in_body();
        let secret = secret.and_then(|path| match (&split.identity, split.arrays.as_slice()) {
            (Some(_), [array]) => redact::in_item(path, &array.path),
            _ => Some(path),
        });
        let clean = secret.and_then(|path| redact::redacted(&item, path));
        let seen = clean.as_ref().unwrap_or(&item);
        let content = Content::read(Some("application/json"), seen, &Form::Text);
        let part = Part {
            identity: split.identity.as_ref().unwrap_or(&self.provider.identity),
            defect: None,
            content: &content,
            came: &item,
            clean: clean.as_ref(),
            raw: &item,
            coded: None,
            is_batch: false,
        };
        let mut draft = self.draft(verified, &part, key);
        let place = serde_json::json!({ "index": at, "of": of });
        draft.metadata.insert("item".to_owned(), place);
        draft
    }

    fn draft(&self, verified: &Verified, part: &Part<'_>, key: &PromptKey) -> Draft {
        let (request, verification) = (verified.request(), verified.verification());
        let content_type = content_type(&request.headers);
        let content_type = content_type.as_deref();
        let content = part.content;
        let body = content.doc.as_deref().map(headgate_event::json::Doc::root);
        let names = part.identity.names(Reading { headers: &request.headers, body });
        let received = Received {
            names: &names,
            content,
            content_type,
            body: part.clean.unwrap_or(part.came),
        };
        let prompt = self.prompt(request, verification, &received, key);
        let path = headers::masked_path(&request.path, PATH_PREFIX);
        let data = WebhookParts {
            method: request.method.as_str(),
            path: &path,
            query: &headers::masked_query(&request.query),
            headers: &headers::shown(&request.headers, &*self.provider.scheme),
            body_encoding: content.encoding,
            body_size_bytes: part.raw.len() as u64,
            content_type,
            remote_ip: Some(&request.arrival.remote.ip().to_string()),
            content_encoding: part.coded.and_then(|coded| coded.content_encoding.as_deref()),
            coded: part.coded.and_then(|coded| coded.coded.clone()),
            clean: part.clean.map(|clean| &**clean),
        };
        Draft {
            identity: None,
            event_type: EventType::WEBHOOK_RECEIVED,
            created_at: request.arrival.received_at,
            channel: Arc::clone(&self.channel),
            provider: self.provider.known_name().map(str::to_owned),
            verification: verification.clone(),
            dedupe: self.dedupe(names.delivery.as_ref(), part),
            metadata: metadata(&names, verification, part.defect),
            provider_event: names.event,
            thread_key: names.thread,
            correlation: Correlation::default(),
            data: data.data(),
            prompt,
            raw: part.raw.clone(),
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

    /// Whether an event without anything to know a repeat by names the one it may repeat.
    pub(crate) fn marks_repeats(&self) -> bool {
        matches!(self.dedupe, DedupePolicy::Window(_))
    }

    /// By what a repeat is known. The id of the first of several events says nothing of the others,
    /// so that a batch is known by all of it.
    fn dedupe(&self, delivery: Option<&String>, part: &Part<'_>) -> Option<Dedupe> {
        let digest = || identity::digest(part.came);
        match self.dedupe {
            DedupePolicy::Window(window) => {
                let key = |id: &String| if part.is_batch { digest() } else { id.clone() };
                delivery.map(|id| Dedupe { key: key(id), window })
            }
            DedupePolicy::Digest(window) => Some(Dedupe { key: digest(), window }),
            DedupePolicy::Off => None,
        }
    }
}

/// The Content-Type as sent, when there is one.
fn content_type(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    headers.get(header::CONTENT_TYPE).map(|value| String::from_utf8_lossy(value.as_bytes()))
}

/// Why the body is not shown as its sender meant it, where it is not.
fn defect(decoded: &Decoded, content: &Content) -> Option<&'static str> {
    let charset = content.foreign_charset.then_some("charset");
    decoded.defect.map(EncodingDefect::as_str).or(charset)
}

/// What the event says of itself besides: which of its fields the proof does not cover, and what
/// stands between its body and its reader.
fn metadata(
    names: &Names,
    verification: &Verification,
    defect: Option<&str>,
) -> BTreeMap<String, Value> {
    let mut metadata = BTreeMap::new();
    if verification.is_verified() && !names.unproved.is_empty() {
        let fields = names.unproved.iter().map(|field| Value::from(*field)).collect();
        metadata.insert("unproved".to_owned(), Value::Array(fields));
    }
    if let Some(defect) = defect {
        metadata.insert("body_defects".to_owned(), vec![defect].into());
    }
    metadata
}
