//! The type of an event: what happened, in one dotted name.

use crate::limits::EVENT_TYPE_BYTES_MAX;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::{borrow::Cow, fmt, str::FromStr};

/// The type of an event: one of Headgate's own four, or the name of an app event.
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct EventType(Cow<'static, str>);

/// A text that is not an event type.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not an event type: expected 1 to {EVENT_TYPE_BYTES_MAX} visible characters")]
pub struct EventTypeError {
    text: String,
}

impl EventType {
    /// A request that a webhook channel took.
    pub const WEBHOOK_RECEIVED: Self = Self(Cow::Borrowed("webhook.received"));
    /// A message that an e-mail channel took.
    pub const EMAIL_RECEIVED: Self = Self(Cow::Borrowed("email.received"));
    /// An event, command or interaction of Slack.
    pub const SLACK_EVENT: Self = Self(Cow::Borrowed("slack.event"));
    /// A schedule that was due.
    pub const CRON_FIRED: Self = Self(Cow::Borrowed("cron.fired"));

    /// The name itself.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it is one of the four that only Headgate's own sources make.
    #[must_use]
    pub fn is_source(&self) -> bool {
        [Self::WEBHOOK_RECEIVED, Self::EMAIL_RECEIVED, Self::SLACK_EVENT, Self::CRON_FIRED]
            .contains(self)
    }
}

impl FromStr for EventType {
    type Err = EventTypeError;

    fn from_str(text: &str) -> Result<Self, EventTypeError> {
        let fits = (1..=EVENT_TYPE_BYTES_MAX).contains(&text.len());
        if !fits || !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(EventTypeError { text: text.chars().take(80).collect() });
        }
        Ok(Self(Cow::Owned(text.to_owned())))
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
