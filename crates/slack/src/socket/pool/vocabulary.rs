//! What goes into the pool and what comes out of it.

use super::super::message::{DisconnectReason, Envelope};
use serde_json::value::RawValue;
use std::time::Duration;

/// One connection, from the wish to open it until it is gone. None is ever used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub(super) u64);

/// One envelope on its way to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StoringId(pub(super) u64);

/// What happened.
#[derive(Debug)]
pub enum Input {
    /// The handshake of a connection is done.
    Connected(LinkId),
    /// A connection did not come about.
    Refused(LinkId, Refusal),
    /// A message, text or binary, whole.
    Message(LinkId, bytes::Bytes),
    /// The answer to a ping.
    Pong(LinkId),
    /// A connection is gone, however it went.
    Closed(LinkId),
    /// An envelope is on disk. With the answer that its acknowledgement may carry.
    Stored(StoringId, Option<Box<RawValue>>),
    /// An envelope could not be stored.
    Unstored(StoringId),
    /// Nothing but that time went on.
    Tick,
    /// Somebody mended what stood in the way: a token, the configuration.
    Resume,
    /// No connection is wanted any more.
    Stop,
}

/// Why a connection did not come about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Slack wants to be left alone for so long; it may not say how long.
    RateLimited(Option<Duration>),
    /// Only a person can mend it. The code is Slack's, such as `invalid_auth`.
    Fatal(String),
    /// It may pass. What happened, in words that tell no secret.
    Passing(String),
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    /// Ask for a URL and connect to it.
    Open(LinkId),
    /// Store an envelope, and say [`Input::Stored`] once it is durable.
    Store(StoringId, Envelope),
    /// Send this text on this connection: it acknowledges an envelope that is stored.
    Acknowledge(LinkId, String),
    /// Send a ping.
    Ping(LinkId),
    /// Begin to close, and go on reading until the other side closes too.
    Close(LinkId),
    /// Forget the connection at once, whatever state it is in.
    Drop(LinkId),
    /// A person has to know this.
    Alarm(Alarm),
    /// Count this.
    Count(Counted),
}

/// What a person has to know. It is over when a connection says `hello`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Alarm {
    /// Socket Mode is switched off for the app.
    #[error("Socket Mode is switched off for this app (`link_disabled`)")]
    LinkDisabled,
    /// Slack refuses the token or the app.
    #[error("`apps.connections.open` is refused: `{0}`")]
    Refused(String),
    /// The app has more connections than it may have.
    #[error("the app has too many connections, {} by the last `hello`", told(*.0))]
    TooManyWebsockets(Option<u32>),
}

fn told(connections: Option<u32>) -> String {
    connections.map_or_else(|| "an unknown number".to_owned(), |count| count.to_string())
}

/// What is counted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Counted {
    /// A connection ended, or has to be replaced.
    Ended(Ending),
    /// An envelope is left to Slack's retries: the store did not take it.
    Unstored,
    /// An envelope is left to Slack's retries: too many are being stored.
    Overflowed,
    /// An envelope is stored, but the connection that brought it is gone: it will come again.
    Unacknowledged,
    /// An envelope is stored and has no id to acknowledge.
    WithoutId,
    /// A configured answer was left out: Slack would drop an acknowledgement of its size.
    AnswerTooLarge,
}

/// Why a connection ended, or has to be replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// It did not come about.
    Refused(Refusal),
    /// It took too long to open, or to say `hello`.
    Silent,
    /// Most of its life is over.
    Aged,
    /// Slack said so.
    Told(DisconnectReason),
    /// The other side closed it, or it broke.
    Closed,
    /// It answers no pings.
    HalfOpen,
}

impl Ending {
    /// The word for it in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Refused(Refusal::RateLimited(_)) => "rate_limited",
            Self::Refused(Refusal::Fatal(_)) => "refused",
            Self::Refused(Refusal::Passing(_)) => "unreachable",
            Self::Silent => "silent",
            Self::Aged => "aged",
            Self::Told(reason) => reason.as_str(),
            Self::Closed => "closed",
            Self::HalfOpen => "half_open",
        }
    }
}
