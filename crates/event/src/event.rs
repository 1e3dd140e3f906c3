//! The event itself: immutable, cheap to clone, one JSON shape for every reader.

use crate::{
    Channel, ChannelType, Correlation, Delivery, EventId, EventType, Open, Origin, Timestamp,
    Verification,
    data::{AppData, CronData, EmailData, SlackData, WebhookData},
};
use serde::de;
use serde_json::value::RawValue;
use std::{
    fmt,
    sync::{Arc, OnceLock},
};

mod wire;

/// The name and version of the wire shape.
pub const SCHEMA: &str = "headgate.event.v1";

/// A normalized, immutable event.
///
/// Cloning is cheap. Two events are equal when all their content is; the hash is that of the id.
#[derive(Clone)]
pub struct Event {
    inner: Arc<Inner>,
    origin: Open<Origin>,
    delivery: Option<Arc<Delivery>>,
}

struct Inner {
    content: Content,
    typed: OnceLock<Typed>,
}

/// What an event is made of, without what its delivery adds.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) id: EventId,
    pub(crate) event_type: EventType,
    pub(crate) created_at: Timestamp,
    pub(crate) channel: Channel,
    pub(crate) provider: Option<String>,
    pub(crate) provider_event: Option<String>,
    pub(crate) verification: Verification,
    pub(crate) dedupe_key: Option<String>,
    pub(crate) thread_key: Option<String>,
    pub(crate) correlation: Correlation,
    pub(crate) data: Box<RawValue>,
    pub(crate) metadata: Box<RawValue>,
    pub(crate) prompt_ready: String,
    pub(crate) prompt_ready_version: u32,
}

enum Typed {
    Webhook(Box<WebhookData>),
    Email(Box<EmailData>),
    Slack(Box<SlackData>),
    Cron(Box<CronData>),
    App(Box<AppData>),
    Malformed,
}

impl Event {
    pub(crate) fn new(content: Content) -> Self {
        let inner = Arc::new(Inner { content, typed: OnceLock::new() });
        Self { inner, origin: Origin::Live.into(), delivery: None }
    }

    /// The same event as one delivery of it.
    #[must_use]
    pub fn delivered(&self, origin: Origin, delivery: Delivery) -> Self {
        Self {
            inner: Arc::clone(&self.inner),
            origin: origin.into(),
            delivery: Some(Arc::new(delivery)),
        }
    }

    /// The same event with other data of a message: links to what belongs to it are made when it
    /// is served.
    #[must_use]
    pub fn with_email(&self, data: &EmailData) -> Self {
        let Ok(data) = serde_json::value::to_raw_value(data) else { return self.clone() };
        let content = Content { data, ..self.inner.content.clone() };
        let inner = Arc::new(Inner { content, typed: OnceLock::new() });
        Self { inner, origin: self.origin.clone(), delivery: self.delivery.clone() }
    }

    /// Its id, for ever the same.
    #[must_use]
    pub fn id(&self) -> EventId {
        self.inner.content.id
    }

    /// What happened.
    #[must_use]
    pub fn event_type(&self) -> &EventType {
        &self.inner.content.event_type
    }

    /// Whether it comes for the first time or by a replay.
    #[must_use]
    pub fn origin(&self) -> &Open<Origin> {
        &self.origin
    }

    /// When it was received.
    #[must_use]
    pub fn created_at(&self) -> Timestamp {
        self.inner.content.created_at
    }

    /// The way it came in.
    #[must_use]
    pub fn channel(&self) -> &Channel {
        &self.inner.content.channel
    }

    /// Who sends to a webhook channel.
    #[must_use]
    pub fn provider(&self) -> Option<&str> {
        self.inner.content.provider.as_deref()
    }

    /// The provider's name of what happened.
    #[must_use]
    pub fn provider_event(&self) -> Option<&str> {
        self.inner.content.provider_event.as_deref()
    }

    /// How it was proved genuine.
    #[must_use]
    pub fn verification(&self) -> &Verification {
        &self.inner.content.verification
    }

    /// What makes a sender's retry known.
    #[must_use]
    pub fn dedupe_key(&self) -> Option<&str> {
        self.inner.content.dedupe_key.as_deref()
    }

    /// What belongs together.
    #[must_use]
    pub fn thread_key(&self) -> Option<&str> {
        self.inner.content.thread_key.as_deref()
    }

    /// The application's correlation ids.
    #[must_use]
    pub fn correlation(&self) -> &Correlation {
        &self.inner.content.correlation
    }

    /// The `data` as JSON, whatever its shape.
    #[must_use]
    pub fn data(&self) -> &RawValue {
        &self.inner.content.data
    }

    /// What is kept beside the data, as a JSON object.
    #[must_use]
    pub fn metadata(&self) -> &RawValue {
        &self.inner.content.metadata
    }

    /// The text a model reads.
    #[must_use]
    pub fn prompt_ready(&self) -> &str {
        &self.inner.content.prompt_ready
    }

    /// The version of the rules by which [`prompt_ready`](Self::prompt_ready) was made.
    #[must_use]
    pub fn prompt_ready_version(&self) -> u32 {
        self.inner.content.prompt_ready_version
    }

    /// The delivery, when the event was leased or pushed.
    #[must_use]
    pub fn delivery(&self) -> Option<&Delivery> {
        self.delivery.as_deref()
    }

    /// The data of a webhook; none for other types and for malformed data.
    #[must_use]
    pub fn webhook(&self) -> Option<&WebhookData> {
        if let Typed::Webhook(data) = self.typed() { Some(data) } else { None }
    }

    /// The data of a message; none for other types and for malformed data.
    #[must_use]
    pub fn email(&self) -> Option<&EmailData> {
        if let Typed::Email(data) = self.typed() { Some(data) } else { None }
    }

    /// The data of a Slack event; none for other types and for malformed data.
    #[must_use]
    pub fn slack(&self) -> Option<&SlackData> {
        if let Typed::Slack(data) = self.typed() { Some(data) } else { None }
    }

    /// The data of a schedule that fired; none for other types and for malformed data.
    #[must_use]
    pub fn cron(&self) -> Option<&CronData> {
        if let Typed::Cron(data) = self.typed() { Some(data) } else { None }
    }

    /// The data of an app event; none for other types and for malformed data.
    #[must_use]
    pub fn app(&self) -> Option<&AppData> {
        if let Typed::App(data) = self.typed() { Some(data) } else { None }
    }

    fn typed(&self) -> &Typed {
        self.inner.typed.get_or_init(|| {
            let content = &self.inner.content;
            let data = content.data.get();
            let typed = match &content.event_type {
                t if *t == EventType::WEBHOOK_RECEIVED => read(data).map(Typed::Webhook),
                t if *t == EventType::EMAIL_RECEIVED => read(data).map(Typed::Email),
                t if *t == EventType::SLACK_EVENT => read(data).map(Typed::Slack),
                t if *t == EventType::CRON_FIRED => read(data).map(Typed::Cron),
                _ if content.channel.kind == ChannelType::App => read(data).map(Typed::App),
                _ => None,
            };
            typed.unwrap_or(Typed::Malformed)
        })
    }
}

fn read<T: de::DeserializeOwned>(data: &str) -> Option<Box<T>> {
    serde_json::from_str(data).ok().map(Box::new)
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("id", &self.id())
            .field("type", &self.event_type().as_str())
            .field("channel", &self.channel().id)
            .field("delivery", &self.delivery)
            .finish_non_exhaustive()
    }
}
