//! Socket Mode: events over WebSockets that we open, for those without a public URL.
//!
//! [`pool`] is the protocol: a state machine that knows neither sockets nor the clock.
//! [`SocketMode`] carries it out: it opens the connections, hands envelopes to a [`Deliver`] and
//! acknowledges them once that says that they are stored. [`ChannelDelivery`] is the one that
//! makes the events of a Slack channel of them.

mod message;
pub use message::{DisconnectReason, Envelope, EnvelopeKind, Hello, Message, Part};

mod ack;

pub mod pool;

mod deliver;
pub use deliver::{Deliver, Delivered};

mod channel;
pub use channel::ChannelDelivery;

mod spec;
pub use spec::{SLACK_API, SocketSpec, SocketSpecError};

mod url;

mod transport;

mod connection;

mod measures;

mod watch;
pub use watch::{SocketMode, SocketStatus};

mod run;
pub use run::SocketPorts;
