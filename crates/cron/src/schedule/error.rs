//! Why a schedule cannot be made.

use headgate_event::{
    ChannelType, Open, Timestamp,
    json::DocError,
    limits::{
        CATCHUP_LIMIT_MAX, CATCHUP_WINDOW_MAX, SCHEDULE_JITTER_MAX, SCHEDULE_NAME_BYTES_MAX,
        SCHEDULE_PAYLOAD_BYTES_MAX, SUBSCRIPTION_NAME_BYTES_MAX,
    },
};
use std::time::Duration;

const DAY_SECONDS: u64 = 24 * 3600;

/// Why a schedule cannot be made. Each is to be mended by who wrote it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ScheduleError {
    /// The name is empty, too long or has control characters.
    #[error(
        "schedule name {found:?} is not 1 to {SCHEDULE_NAME_BYTES_MAX} bytes without control \
         characters"
    )]
    Name {
        /// The beginning of the name.
        found: String,
    },
    /// The channel is of another type.
    #[error(
        "schedule `{name}` fires into channel `{id}`, expected a channel of type `cron`, found \
         `{kind}`"
    )]
    Channel {
        /// The name of the schedule.
        name: String,
        /// The id of the channel.
        id: String,
        /// Its type.
        kind: Open<ChannelType>,
    },
    /// The id is no UUID.
    #[error(
        "id of schedule `{name}`: expected a UUID such as \
         `5f0c5bfa-2b3c-4c5e-9d0a-0d0f5a1b2c3d`, found `{found}`"
    )]
    Id {
        /// The name of the schedule.
        name: String,
        /// The beginning of the id.
        found: String,
    },
    /// The payload is larger than an event of a schedule takes.
    #[error(
        "payload of schedule `{name}`: expected at most {SCHEDULE_PAYLOAD_BYTES_MAX} bytes of \
         JSON, found {bytes}"
    )]
    PayloadTooLarge {
        /// The name of the schedule.
        name: String,
        /// The size of the payload.
        bytes: usize,
    },
    /// The payload is not JSON that every parser takes.
    #[error("payload of schedule `{name}` is not JSON that every consumer takes")]
    Payload {
        /// The name of the schedule.
        name: String,
        /// What is the matter with it.
        #[source]
        cause: DocError,
    },
    /// The catch-up window is too long.
    #[error(
        "catch-up window of schedule `{name}`: expected at most `{}d`, found `{}s`",
        CATCHUP_WINDOW_MAX.as_secs() / DAY_SECONDS,
        found.as_secs()
    )]
    Window {
        /// The name of the schedule.
        name: String,
        /// The window.
        found: Duration,
    },
    /// The catch-up limit is none, or too large.
    #[error(
        "catch-up limit of schedule `{name}`: expected 1 to {CATCHUP_LIMIT_MAX}, found `{found}`"
    )]
    Limit {
        /// The name of the schedule.
        name: String,
        /// The limit.
        found: u32,
    },
    /// The jitter is too long.
    #[error(
        "jitter of schedule `{name}`: expected at most `{}h`, found `{}s`",
        SCHEDULE_JITTER_MAX.as_secs() / 3600,
        found.as_secs()
    )]
    Jitter {
        /// The name of the schedule.
        name: String,
        /// The jitter.
        found: Duration,
    },
    /// It would never fire.
    #[error("max_fires of schedule `{name}`: expected 1 or more, found `0`")]
    MaxFires {
        /// The name of the schedule.
        name: String,
    },
    /// It would end before it begins.
    #[error("schedule `{name}` would never fire: it starts at `{start}` and ends at `{end}`")]
    Bounds {
        /// The name of the schedule.
        name: String,
        /// Its start.
        start: Timestamp,
        /// Its end.
        end: Timestamp,
    },
    /// What `overlap` names is no name of a subscription.
    #[error(
        "overlap of schedule `{name}`: expected the name of a subscription, 1 to \
         {SUBSCRIPTION_NAME_BYTES_MAX} of `a-z`, `0-9`, `-`, `_`, found `{subscription}`"
    )]
    Subscription {
        /// The name of the schedule.
        name: String,
        /// What was found.
        subscription: String,
    },
}

impl ScheduleError {
    /// The key of a definition that it is about.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Name { .. } => "name",
            Self::Channel { .. } => "channel",
            Self::Id { .. } => "id",
            Self::PayloadTooLarge { .. } | Self::Payload { .. } => "payload",
            Self::Window { .. } => "catchup_window",
            Self::Limit { .. } => "catchup_limit",
            Self::Jitter { .. } => "jitter",
            Self::MaxFires { .. } => "max_fires",
            Self::Bounds { .. } => "end_at",
            Self::Subscription { .. } => "overlap_subscription",
        }
    }

    pub(super) fn name(found: &str) -> Self {
        Self::Name { found: found.chars().take(80).collect() }
    }

    pub(super) fn id(name: &str, found: &str) -> Self {
        Self::Id { name: name.to_owned(), found: found.chars().take(80).collect() }
    }
}
