//! Socket Mode: events over WebSockets that we open, for those without a public URL.
//!
//! [`pool`] is the protocol: a state machine that knows neither sockets nor the clock.

mod message;
pub use message::{DisconnectReason, Envelope, EnvelopeKind, Hello, Message};

mod ack;

pub mod pool;
