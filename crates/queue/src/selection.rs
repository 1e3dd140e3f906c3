//! Which events a list or a subscription wants.

use headgate_event::EventType;
use serde::{Deserialize, Serialize};

/// Which events are wanted: those that fit every field that is not empty.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}

impl Selection {
    /// Whether an event with this type, channel and provider is wanted.
    #[must_use]
    pub fn wants(&self, event_type: &str, channel: &str, provider: Option<&str>) -> bool {
        (self.types.is_empty() || self.types.iter().any(|wanted| wanted.as_str() == event_type))
            && (self.channels.is_empty() || self.channels.iter().any(|wanted| wanted == channel))
            && (self.providers.is_empty()
                || provider.is_some_and(|name| self.providers.iter().any(|wanted| wanted == name)))
    }
}
