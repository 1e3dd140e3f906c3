//! Where the envelopes of Socket Mode go.

use super::message::Envelope;
use headgate_event::{BoxFuture, StoreError};
use serde_json::value::RawValue;

/// Where envelopes go.
pub trait Deliver: Send + Sync {
    /// Stores an envelope. `Ok` means that it is durable, so that it may be acknowledged; with the
    /// answer that the acknowledgement is to carry, where the envelope takes one.
    ///
    /// It is called again for what Slack sends again: repeats are for the store to know.
    fn deliver(&self, envelope: Envelope) -> BoxFuture<'_, Result<Delivered, StoreError>>;
}

/// The answer to an envelope that is stored; none is the empty one.
pub type Delivered = Option<Box<RawValue>>;
