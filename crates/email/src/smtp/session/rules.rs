//! What a session may cost, and what it is told from outside.

use crate::smtp::data::BareNewlines;
use headgate_event::limits;
use std::{net::SocketAddr, time::Duration};

/// What every session of a listener keeps to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRules {
    /// The name of this host, as its greeting says it.
    pub host: String,
    /// Whether a session may, or must, change to TLS.
    pub tls: TlsOffer,
    /// The largest message, in bytes; a channel may take less.
    pub message_bytes_max: usize,
    /// The most recipients of one message.
    pub recipients_max: usize,
    /// The most refused commands of one session.
    pub errors_max: u32,
    /// The most messages of one session.
    pub messages_max: u32,
    /// The most bytes of one session.
    pub bytes_max: u64,
    /// How long a client may take for one command.
    pub idle_timeout: Duration,
    /// How long a message may stand still.
    pub body_idle_timeout: Duration,
    /// How long either may take while connections are scarce.
    pub idle_timeout_under_load: Duration,
    /// How long a message may take before its rate counts.
    pub body_grace_timeout: Duration,
    /// The slowest rate of a message beyond its grace, in bytes a second.
    pub body_bytes_per_second_min: u64,
}

/// What a session says of STARTTLS.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TlsOffer {
    /// There is none.
    #[default]
    None,
    /// A client may use it.
    Offered,
    /// No message is taken without it.
    Required,
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Where it connects from.
    pub address: SocketAddr,
    /// Whether the connection is TLS from its first byte.
    pub secured: bool,
    /// What becomes of its bare line ends.
    pub bare_newlines: BareNewlines,
}

/// What holds at this moment for all sessions.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Whether connections are scarce.
    pub load: Load,
    /// Whether there is room for messages.
    pub disk: Disk,
}

/// How scarce connections are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Load {
    /// There are enough.
    #[default]
    Ordinary,
    /// Nearly all are taken: slow clients have less patience to expect.
    Heavy,
}

/// How much room there is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Disk {
    /// Enough.
    #[default]
    Free,
    /// Too little for another message.
    Low,
}

impl SessionRules {
    /// The limits of `headgate_event::limits`, without TLS.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            host: host.into(),
            tls: TlsOffer::None,
            message_bytes_max: limits::SMTP_MESSAGE_BYTES_DEFAULT,
            recipients_max: limits::SMTP_RECIPIENTS_MAX,
            errors_max: limits::SMTP_ERRORS_MAX,
            messages_max: limits::SMTP_SESSION_MESSAGES_MAX,
            bytes_max: limits::SMTP_SESSION_BYTES_MAX,
            idle_timeout: limits::SMTP_IDLE_TIMEOUT,
            body_idle_timeout: limits::SMTP_BODY_IDLE_TIMEOUT,
            idle_timeout_under_load: limits::SMTP_IDLE_TIMEOUT_UNDER_LOAD,
            body_grace_timeout: limits::SMTP_BODY_GRACE_TIMEOUT,
            body_bytes_per_second_min: limits::SMTP_BODY_BYTES_PER_SECOND_MIN,
        }
    }
}
