//! A configured way in.

use crate::{
    Open,
    limits::{CHANNEL_ID_BYTES_MAX, CHANNEL_LABEL_BYTES_MAX},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What kind of source receives for a channel.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum ChannelType {
    /// Signed HTTP requests of a provider.
    Webhook,
    /// Mail to an address.
    Email,
    /// A Slack app.
    Slack,
    /// Schedules.
    Cron,
    /// Events that an application emits over the API.
    App,
}

/// A configured way in, as every event names it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Channel {
    /// The id in the configuration and in URLs: `a-z`, `0-9`, `-` and `_`.
    pub id: String,
    /// The name people read; the id when none is configured.
    pub label: String,
    /// What kind of source receives for it.
    #[serde(rename = "type")]
    pub kind: Open<ChannelType>,
}

/// Why a channel cannot be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChannelError {
    /// The id has a character or a length that URLs and file names do not take.
    #[error(
        "channel id `{id}` is not 1 to {CHANNEL_ID_BYTES_MAX} of `a-z`, `0-9`, `-`, `_`, \
         beginning with a letter or digit"
    )]
    Id {
        /// The id as found.
        id: String,
    },
    /// The label is empty, too long or has control characters.
    #[error(
        "label of channel `{id}` is not 1 to {CHANNEL_LABEL_BYTES_MAX} bytes without control \
         characters"
    )]
    Label {
        /// The id of the channel.
        id: String,
    },
}

impl Channel {
    /// A channel, when its id and label are fit for URLs, file names and one line of a prompt.
    pub fn new(id: &str, label: &str, kind: ChannelType) -> Result<Self, ChannelError> {
        if !is_name(id, CHANNEL_ID_BYTES_MAX) {
            return Err(ChannelError::Id { id: id.chars().take(80).collect() });
        }
        let fits = !label.trim().is_empty() && label.len() <= CHANNEL_LABEL_BYTES_MAX;
        if !fits || label.chars().any(char::is_control) {
            return Err(ChannelError::Label { id: id.to_owned() });
        }
        Ok(Self { id: id.to_owned(), label: label.to_owned(), kind: kind.into() })
    }
}

/// Whether `text` is a name as channels and subscriptions have them.
#[must_use]
pub fn is_name(text: &str, bytes_max: usize) -> bool {
    let fits =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    (1..=bytes_max).contains(&text.len())
        && text.bytes().all(fits)
        && text.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric())
}

impl fmt::Display for ChannelType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
            Self::Slack => "slack",
            Self::Cron => "cron",
            Self::App => "app",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_does_not_fit_a_url_is_refused() {
        for id in ["", "Billing", "a b", "a/b", "-a", "ü", &"a".repeat(65)] {
            assert!(Channel::new(id, "x", ChannelType::Webhook).is_err(), "{id}");
        }
        assert!(Channel::new("nevo-prs_2", "x", ChannelType::Webhook).is_ok());
    }

    #[test]
    fn a_label_cannot_hold_a_line_break() {
        assert!(Channel::new("a", "two\nlines", ChannelType::Webhook).is_err());
        assert!(Channel::new("a", " ", ChannelType::Webhook).is_err());
    }
}
