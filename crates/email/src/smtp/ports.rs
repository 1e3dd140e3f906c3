//! What the receiver asks of others: who an address belongs to, and to store a message.

use super::address::Address;
use crate::Terms;
use bytes::Bytes;
use headgate_event::{Channel, EventId, Timestamp, data::Envelope};
use headgate_http::BodyHold;
use std::{fmt, future::Future, sync::Arc};

/// Knows which channels an address belongs to. It answers at once, from memory.
pub trait Recipients: Send + Sync + fmt::Debug {
    /// The channels that take mail to this address from this sender (none for a bounce).
    fn route(&self, to: &Address, from: Option<&Address>) -> Routed;
}

/// What an address leads to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Routed {
    /// To these channels, at least one.
    To(Vec<Match>),
    /// To none: `550 5.1.1`.
    Unknown,
    /// To none that takes mail from this sender: `550 5.7.1`.
    Denied,
}

/// A channel that takes mail to an address, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// The channel.
    pub channel: Arc<Channel>,
    /// The configured address that matched, as it was configured.
    pub matched_address: String,
    /// What stands behind the first `+` of the local part.
    pub tag: Option<String>,
    /// The largest message that the channel takes, in bytes.
    pub bytes_max: usize,
    /// On which terms it takes messages.
    pub terms: Terms,
}

/// A recipient that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recipient {
    /// The address of RCPT.
    pub address: Address,
    /// Its channels, at least one.
    pub matches: Vec<Match>,
}

/// A message and where it goes.
#[derive(Clone, Debug)]
pub struct Letter {
    /// How it was handed over, as an event tells it.
    pub envelope: Envelope,
    /// The sender of MAIL; none for a bounce.
    pub from: Option<Address>,
    /// The recipients that were accepted, each once, at least one. Two of them may lead to the same
    /// channel.
    pub recipients: Vec<Recipient>,
    /// When its last byte came.
    pub received_at: Timestamp,
    /// The message, byte for byte, without the dots that SMTP stuffs into it.
    pub message: Bytes,
    /// What it holds of the memory for bodies.
    pub hold: BodyHold,
}

/// Stores messages.
pub trait Mailbox: Send + Sync + 'static {
    /// Stores a message for all of its channels, or for none. [`Delivered::Stored`] promises that
    /// it is on disk: the sender forgets the message with our `250`.
    fn deliver(&self, letter: Letter) -> impl Future<Output = Delivered> + Send;

    /// Whether there is room on the disk. Asked before each message, so it answers at once.
    fn has_room(&self) -> bool;
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Delivered {
    /// It is on disk: `250`.
    Stored(EventId),
    /// It is not, and that is our fault: `451`.
    TryAgain,
    /// It is not, because the disk is nearly full: `452`.
    DiskLow,
    /// It never will be: `550 5.7.1` with this reason, which the sender reads.
    Refused(String),
}
