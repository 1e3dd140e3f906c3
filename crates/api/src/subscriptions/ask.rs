//! The body that makes a subscription.

use super::push::{PushAsk, Told};
use crate::{
    error::ApiError,
    filters::{self, FilterName},
};
use headgate_event::{EventId, Span, Timestamp};
use headgate_queue::{AckMode, KeyName, Order, RetryPolicy, Start, SubscriptionSpec};
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};
use std::{borrow::Cow, fmt};

/// What a subscription shall be; what is left out is the default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "SubscriptionAsk")]
pub(crate) struct Ask {
    /// Any of these channels, by id; all when it is empty.
    channels: Vec<String>,
    /// Any of these types; all when it is empty.
    types: Vec<String>,
    /// Any of these providers; all when it is empty.
    providers: Vec<String>,
    /// Any of these provider's names of what happened; all when it is empty.
    provider_event: Vec<String>,
    /// Any of these threads; all when it is empty.
    thread_key: Vec<String>,
    /// Any of these runs of a flow; all when it is empty.
    flow_id: Vec<String>,
    /// Any of these kinds of flow; all when it is empty.
    flow_type: Vec<String>,
    /// Any of these proposals; all when it is empty.
    proposal_id: Vec<String>,
    /// Any of these deals; all when it is empty.
    deal_id: Vec<String>,
    /// Any of these sessions; all when it is empty.
    session_id: Vec<String>,
    /// Any of these ids that applications gave their events; all when it is empty.
    event_id: Vec<String>,
    /// What holds of its events besides, such as `data.body.action == "opened"`.
    filter: Option<String>,
    /// Where it begins when it is made; without meaning when it is changed.
    start: StartAsk,
    /// When and how often a delivery comes again.
    retry: RetryAsk,
    /// How long a lease lasts unless the consumer asks otherwise, such as `60s`.
    #[schemars(with = "Option<String>")]
    lease: Option<Span>,
    /// Who settles.
    ack: AckMode,
    /// In which order it gives its events.
    order: Order,
    /// Where its events are posted to; nowhere when it is left out.
    push: Option<PushAsk>,
}

/// When and how often a delivery comes again; what is left out is the default.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
#[schemars(rename = "RetryPolicyAsk")]
struct RetryAsk {
    /// Attempts before it is a dead letter.
    #[schemars(range(min = 1, max = 1_000))]
    attempts: Option<u64>,
    /// The wait before the second attempt, such as `5s`; each further wait is three times it.
    #[schemars(with = "Option<String>")]
    first: Option<Span>,
    /// The longest wait, such as `1h`.
    #[schemars(with = "Option<String>")]
    longest: Option<Span>,
}

/// `"now"`, `"earliest"`, `{"after": id}`, `{"at": time}`, or the id or the time alone.
#[derive(Debug, Default)]
struct StartAsk(Start);

impl Ask {
    /// The subscription of this name, and what its push is signed with.
    pub(super) fn spec(self, name: &str) -> Result<(SubscriptionSpec, Told), ApiError> {
        let wanted = |filter| self.wanted(filter).iter().map(String::as_str);
        let selection = filters::selection(wanted).map_err(|error| {
            let message = format!("`{}`: {}", error.filter.field(), error.why);
            ApiError::invalid("invalid_subscription", message)
        })?;
        let mut spec = SubscriptionSpec::new(name);
        spec.selection = selection;
        spec.start = self.start.0;
        let (push, told) = self.push.map(PushAsk::parted).unzip();
        let policy = if push.is_some() { RetryPolicy::of_push() } else { spec.retry };
        spec.retry = self.retry.over(policy);
        spec.lease_ms = self.lease.map_or(spec.lease_ms, Span::as_ms);
        spec.ack = self.ack;
        spec.order = self.order;
        spec.push = push;
        spec.check()
            .map_err(|error| ApiError::invalid("invalid_subscription", error.to_string()))?;
        Ok((spec, told.unwrap_or_default()))
    }
}

impl Ask {
    fn wanted(&self, filter: FilterName) -> &[String] {
        match filter {
            FilterName::Types => &self.types,
            FilterName::Channels => &self.channels,
            FilterName::Providers => &self.providers,
            FilterName::Key(KeyName::ProviderEvent) => &self.provider_event,
            FilterName::Key(KeyName::ThreadKey) => &self.thread_key,
            FilterName::Key(KeyName::FlowId) => &self.flow_id,
            FilterName::Key(KeyName::FlowType) => &self.flow_type,
            FilterName::Key(KeyName::ProposalId) => &self.proposal_id,
            FilterName::Key(KeyName::DealId) => &self.deal_id,
            FilterName::Key(KeyName::SessionId) => &self.session_id,
            FilterName::Key(KeyName::EventId) => &self.event_id,
            FilterName::Expression => self.filter.as_slice(),
        }
    }
}

impl RetryAsk {
    /// The policy with what was asked; a wait left out never contradicts the one that is given.
    fn over(&self, policy: RetryPolicy) -> RetryPolicy {
        let longest_ms = self.longest.map(Span::as_ms);
        let first_ms = self.first.map(Span::as_ms);
        RetryPolicy {
            attempts: self
                .attempts
                .map_or(policy.attempts, |attempts| u32::try_from(attempts).unwrap_or(u32::MAX)),
            first_ms: first_ms
                .unwrap_or_else(|| policy.first_ms.min(longest_ms.unwrap_or(u64::MAX))),
            longest_ms: longest_ms.unwrap_or_else(|| policy.longest_ms.max(first_ms.unwrap_or(0))),
        }
    }
}

impl<'de> Deserialize<'de> for StartAsk {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StartVisitor).map(Self)
    }
}

impl JsonSchema for StartAsk {
    fn schema_name() -> Cow<'static, str> {
        "StartAsk".into()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (id, time) =
            (generator.subschema_for::<EventId>(), generator.subschema_for::<Timestamp>());
        schemars::json_schema!({
            "description": "`now`, `earliest`, an event id or a time.",
            "anyOf": [
                {"type": "string", "enum": ["now", "earliest"]},
                id,
                time,
                {
                    "type": "object",
                    "properties": {"after": id},
                    "required": ["after"],
                    "additionalProperties": false
                },
                {
                    "type": "object",
                    "properties": {"at": time},
                    "required": ["at"],
                    "additionalProperties": false
                }
            ]
        })
    }
}

struct StartVisitor;

impl<'de> de::Visitor<'de> for StartVisitor {
    type Value = Start;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("`now`, `earliest`, an event id, a time, `{\"after\": id}` or `{\"at\": time}`")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Start, E> {
        match text {
            "now" => Ok(Start::Now),
            "earliest" => Ok(Start::Earliest),
            _ => {
                let id = text.parse::<EventId>().map(Start::After).ok();
                let time = || text.parse::<Timestamp>().map(Start::At).ok();
                id.or_else(time).ok_or_else(|| E::invalid_value(de::Unexpected::Str(text), &self))
            }
        }
    }

    fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Start, A::Error> {
        let Some(key) = map.next_key::<String>()? else {
            return Err(de::Error::invalid_length(0, &self));
        };
        let start = match key.as_str() {
            "after" => Start::After(map.next_value()?),
            "at" => Start::At(map.next_value()?),
            other => return Err(de::Error::unknown_field(other, &["after", "at"])),
        };
        match map.next_key::<String>()? {
            None => Ok(start),
            Some(_) => Err(de::Error::invalid_length(2, &self)),
        }
    }
}
