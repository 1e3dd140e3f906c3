//! The event as JSON: the one shape that every reader gets, and its JSON Schema.

use super::{Content, Event, SCHEMA};
use crate::{
    Channel, Correlation, Delivery, EventId, EventType, Open, Origin, Timestamp, Verification,
    data::{AppData, CronData, EmailData, SlackData, WebhookData},
};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;
use std::{
    borrow::Cow,
    hash::{Hash, Hasher},
    sync::Arc,
};

/// A normalized, immutable event, as the API, the streams and the pushes give it. Fields are only
/// ever added: tolerate those you do not know.
#[derive(Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Event")]
struct Wire<'a> {
    /// Name and version of this shape: `headgate.event.v1`.
    #[serde(default = "schema_name")]
    schema: Cow<'a, str>,
    /// Its id, for ever the same; ids sort as events were stored.
    id: EventId,
    /// What happened: `webhook.received`, `email.received`, `slack.event`, `cron.fired`, or the
    /// name of an app event.
    #[serde(rename = "type")]
    event_type: Cow<'a, EventType>,
    /// Whether it comes as it came in or by a replay.
    #[serde(default)]
    origin: Cow<'a, Open<Origin>>,
    /// When it was received.
    created_at: Timestamp,
    /// The way it came in.
    channel: Cow<'a, Channel>,
    /// Who sends to a webhook channel.
    #[serde(default)]
    provider: Option<Cow<'a, str>>,
    /// The provider's name of what happened.
    #[serde(default)]
    provider_event: Option<Cow<'a, str>>,
    /// How it was proved genuine.
    verification: Cow<'a, Verification>,
    /// What makes a sender's retry known.
    #[serde(default)]
    dedupe_key: Option<Cow<'a, str>>,
    /// What belongs together.
    #[serde(default)]
    thread_key: Option<Cow<'a, str>>,
    /// The application's correlation ids.
    #[serde(default)]
    correlation: Cow<'a, Correlation>,
    /// What came, in the shape of its type; whatever it is where that could not be made.
    #[schemars(with = "AnyData")]
    data: Cow<'a, RawValue>,
    /// What is kept beside the data.
    #[serde(default = "empty_object")]
    #[schemars(with = "std::collections::BTreeMap<String, serde_json::Value>")]
    metadata: Cow<'a, RawValue>,
    /// The text a model reads: at most 4096 bytes, text from outside fenced.
    prompt_ready: Cow<'a, str>,
    /// The version of the rules by which `prompt_ready` was made.
    prompt_ready_version: u32,
    /// The delivery, when it was leased or pushed; absent otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    delivery: Option<Cow<'a, Delivery>>,
}

/// `data` in the shape of the event's type.
#[derive(JsonSchema)]
#[schemars(untagged)]
#[expect(dead_code, clippy::large_enum_variant, reason = "only its schema is used")]
enum AnyData {
    Webhook(WebhookData),
    Email(EmailData),
    Slack(SlackData),
    Cron(CronData),
    App(AppData),
}

impl JsonSchema for Event {
    fn schema_name() -> Cow<'static, str> {
        Wire::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        Wire::json_schema(generator)
    }
}

impl Event {
    /// The JSON Schema of the wire shape as it is written: what is always there is required.
    #[must_use]
    pub fn json_schema() -> schemars::Schema {
        let settings = schemars::generate::SchemaSettings::draft2020_12().for_serialize();
        settings.into_generator().into_root_schema_for::<Wire<'static>>()
    }

    fn wire(&self) -> Wire<'_> {
        let content = &self.inner.content;
        Wire {
            schema: SCHEMA.into(),
            id: content.id,
            event_type: Cow::Borrowed(&content.event_type),
            origin: Cow::Borrowed(&self.origin),
            created_at: content.created_at,
            channel: Cow::Borrowed(&content.channel),
            provider: content.provider.as_deref().map(Cow::Borrowed),
            provider_event: content.provider_event.as_deref().map(Cow::Borrowed),
            verification: Cow::Borrowed(&content.verification),
            dedupe_key: content.dedupe_key.as_deref().map(Cow::Borrowed),
            thread_key: content.thread_key.as_deref().map(Cow::Borrowed),
            correlation: Cow::Borrowed(&content.correlation),
            data: Cow::Borrowed(&content.data),
            metadata: Cow::Borrowed(&content.metadata),
            prompt_ready: Cow::Borrowed(&content.prompt_ready),
            prompt_ready_version: content.prompt_ready_version,
            delivery: self.delivery.as_deref().map(Cow::Borrowed),
        }
    }
}

fn schema_name() -> Cow<'static, str> {
    SCHEMA.into()
}

#[expect(clippy::expect_used, reason = "`{}` is JSON")]
fn empty_object() -> Cow<'static, RawValue> {
    Cow::Owned(RawValue::from_string("{}".to_owned()).expect("JSON"))
}

impl Serialize for Event {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.wire().serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let wire = Wire::deserialize(deserializer)?;
        let event = Self::new(Content {
            id: wire.id,
            event_type: wire.event_type.into_owned(),
            created_at: wire.created_at,
            channel: wire.channel.into_owned(),
            provider: wire.provider.map(Cow::into_owned),
            provider_event: wire.provider_event.map(Cow::into_owned),
            verification: wire.verification.into_owned(),
            dedupe_key: wire.dedupe_key.map(Cow::into_owned),
            thread_key: wire.thread_key.map(Cow::into_owned),
            correlation: wire.correlation.into_owned(),
            data: wire.data.into_owned(),
            metadata: wire.metadata.into_owned(),
            prompt_ready: wire.prompt_ready.into_owned(),
            prompt_ready_version: wire.prompt_ready_version,
        });
        let delivery = wire.delivery.map(|delivery| Arc::new(delivery.into_owned()));
        Ok(Self { origin: wire.origin.into_owned(), delivery, ..event })
    }
}

impl PartialEq for Event {
    fn eq(&self, other: &Self) -> bool {
        let (a, b) = (self.wire(), other.wire());
        a.id == b.id
            && a.event_type == b.event_type
            && a.origin == b.origin
            && a.created_at == b.created_at
            && a.channel == b.channel
            && a.provider == b.provider
            && a.provider_event == b.provider_event
            && a.verification == b.verification
            && a.dedupe_key == b.dedupe_key
            && a.thread_key == b.thread_key
            && a.correlation == b.correlation
            && a.data.get() == b.data.get()
            && a.metadata.get() == b.metadata.get()
            && a.prompt_ready == b.prompt_ready
            && a.prompt_ready_version == b.prompt_ready_version
            && a.delivery == b.delivery
    }
}

impl Eq for Event {}

impl Hash for Event {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.id().hash(state);
    }
}
