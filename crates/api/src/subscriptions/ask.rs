//! The body that makes a subscription.

use crate::{
    error::ApiError,
    filters::{self, FilterName},
};
use headgate_event::{EventId, Span, Timestamp};
use headgate_queue::{AckMode, KeyName, RetryPolicy, Start, SubscriptionSpec};
use serde::{Deserialize, Deserializer, de};
use std::fmt;

/// What a subscription shall be; what is left out is the default.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
pub(super) struct Ask {
    channels: Vec<String>,
    types: Vec<String>,
    providers: Vec<String>,
    provider_event: Vec<String>,
    thread_key: Vec<String>,
    flow_id: Vec<String>,
    flow_type: Vec<String>,
    proposal_id: Vec<String>,
    deal_id: Vec<String>,
    session_id: Vec<String>,
    start: StartAsk,
    retry: RetryAsk,
    lease: Option<Span>,
    ack: AckMode,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields, expecting = "a JSON object")]
struct RetryAsk {
    attempts: Option<u64>,
    first: Option<Span>,
    longest: Option<Span>,
}

/// `"now"`, `"earliest"`, `{"after": id}`, `{"at": time}`, or the id or the time alone.
#[derive(Debug, Default)]
struct StartAsk(Start);

impl Ask {
    /// The subscription of this name.
    pub(super) fn spec(self, name: &str) -> Result<SubscriptionSpec, ApiError> {
        let wanted = |filter| self.wanted(filter).iter().map(String::as_str);
        let selection = filters::selection(wanted).map_err(|error| {
            let message = format!("`{}`: {}", error.filter.field(), error.why);
            ApiError::invalid("invalid_subscription", message)
        })?;
        let mut spec = SubscriptionSpec::new(name);
        spec.selection = selection;
        spec.start = self.start.0;
        spec.retry = self.retry.over(spec.retry);
        spec.lease_ms = self.lease.map_or(spec.lease_ms, Span::as_ms);
        spec.ack = self.ack;
        spec.check()
            .map_err(|error| ApiError::invalid("invalid_subscription", error.to_string()))?;
        Ok(spec)
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
