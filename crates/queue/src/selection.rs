//! Which events a list or a subscription wants.

mod filter;
mod index;
mod keys;

pub use filter::{Filter, FilterError};

use headgate_event::{ChannelType, Correlation, Event, EventType};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Which events are wanted: those that fit every field that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
pub struct Selection {
    /// Any of these types.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub types: Vec<EventType>,
    /// Any of these channels, by id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// Any of these providers, by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub providers: Vec<String>,
    /// For each of these keys any of its values. A key without values wants everything.
    #[serde(flatten, with = "keys")]
    #[schemars(with = "keys::Form")]
    pub keys: BTreeMap<KeyName, Vec<String>>,
    /// What holds of them besides.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub filter: Option<Filter>,
}

/// A key of events that has many values, few events a value, and that many events lack.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum KeyName {
    /// The provider's name of what happened.
    ProviderEvent,
    /// What belongs together.
    ThreadKey,
    /// The run of a flow.
    FlowId,
    /// The kind of flow.
    FlowType,
    /// The proposal.
    ProposalId,
    /// The deal.
    DealId,
    /// The session.
    SessionId,
    /// The application's id of its event.
    EventId,
}

/// What a selection looks at of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Selectable<'a> {
    /// What happened.
    pub event_type: &'a str,
    /// The id of the channel.
    pub channel: &'a str,
    /// Who sent it.
    pub provider: Option<&'a str>,
    /// The provider's name of what happened.
    pub provider_event: Option<&'a str>,
    /// What belongs together.
    pub thread_key: Option<&'a str>,
    /// The application's correlation ids.
    pub correlation: &'a Correlation,
    /// The application's id of its event.
    pub event_id: Option<&'a str>,
    /// The event itself, where there is more than its keys.
    pub event: Option<&'a Event>,
}

impl Selection {
    /// Whether this event is wanted; of one of which only the keys are there, whether it may be.
    #[must_use]
    pub fn wants<'a>(&self, event: impl Into<Selectable<'a>>) -> bool {
        let event = event.into();
        self.wants_kind(event.event_type, event.channel, event.provider)
            && self.wanted_keys().all(|(name, values)| {
                event
                    .key(name)
                    .is_some_and(|found| values.iter().any(|wanted| name.fits(wanted, found)))
            })
            && event.event.is_none_or(|event| self.filter.as_ref().is_none_or(|it| it.fits(event)))
    }

    /// Whether events of this type, channel and provider are wanted, as far as these decide.
    pub(crate) fn wants_kind(
        &self,
        event_type: &str,
        channel: &str,
        provider: Option<&str>,
    ) -> bool {
        (self.types.is_empty() || self.types.iter().any(|wanted| wanted.as_str() == event_type))
            && (self.channels.is_empty() || self.channels.iter().any(|wanted| wanted == channel))
            && (self.providers.is_empty()
                || provider.is_some_and(|name| self.providers.iter().any(|wanted| wanted == name)))
    }

    /// The keys that decide, with the values that are wanted.
    pub(crate) fn wanted_keys(&self) -> impl Iterator<Item = (KeyName, &[String])> {
        let keys = self.keys.iter().filter(|(_, values)| !values.is_empty());
        keys.map(|(name, values)| (*name, values.as_slice()))
    }
}

impl KeyName {
    /// All of them, in their order.
    pub const ALL: [Self; 8] = [
        Self::ProviderEvent,
        Self::ThreadKey,
        Self::FlowId,
        Self::FlowType,
        Self::ProposalId,
        Self::DealId,
        Self::SessionId,
        Self::EventId,
    ];

    /// Whether a value is wanted. A name of the provider's may end with `*`, which stands for any
    /// end.
    #[must_use]
    pub fn fits(self, wanted: &str, found: &str) -> bool {
        match self.prefix(wanted) {
            Some(prefix) => found.starts_with(prefix),
            None => wanted == found,
        }
    }

    /// How values begin that are wanted, where only that is said.
    pub(crate) fn prefix(self, wanted: &str) -> Option<&str> {
        wanted.strip_suffix('*').filter(|_| self == Self::ProviderEvent)
    }

    /// The name of the event's field.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ProviderEvent => "provider_event",
            Self::ThreadKey => "thread_key",
            Self::FlowId => "flow_id",
            Self::FlowType => "flow_type",
            Self::ProposalId => "proposal_id",
            Self::DealId => "deal_id",
            Self::SessionId => "session_id",
            Self::EventId => "event_id",
        }
    }
}

impl<'a> Selectable<'a> {
    /// The event's value of a key.
    #[must_use]
    pub fn key(&self, name: KeyName) -> Option<&'a str> {
        let correlation = self.correlation;
        match name {
            KeyName::ProviderEvent => self.provider_event,
            KeyName::ThreadKey => self.thread_key,
            KeyName::FlowId => correlation.flow_id.as_deref(),
            KeyName::FlowType => correlation.flow_type.as_deref(),
            KeyName::ProposalId => correlation.proposal_id.as_deref(),
            KeyName::DealId => correlation.deal_id.as_deref(),
            KeyName::SessionId => correlation.session_id.as_deref(),
            KeyName::EventId => self.event_id,
        }
    }
}

impl<'a> From<&'a Event> for Selectable<'a> {
    fn from(event: &'a Event) -> Self {
        Self {
            event_type: event.event_type().as_str(),
            channel: &event.channel().id,
            provider: event.provider(),
            provider_event: event.provider_event(),
            thread_key: event.thread_key(),
            correlation: event.correlation(),
            event_id: event_id(event),
            event: Some(event),
        }
    }
}

/// The application's id of its event; the data of other events is not looked at.
fn event_id(event: &Event) -> Option<&str> {
    let is_app = event.channel().kind == ChannelType::App;
    is_app.then(|| event.app()).flatten().map(|data| data.event_id.as_str())
}
