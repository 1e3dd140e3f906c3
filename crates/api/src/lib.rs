//! The HTTP API: events to read, subscriptions to lease and settle, a stream to listen to.
//!
//! [`router`] makes an `axum` router over any [`Queue`](headgate_queue::Queue). The socket, the
//! timers and the public routes that senders use are the server's; what an event is and how it is
//! stored is not known here. A call is let in by [`Access`]: by an API key and its scopes, or,
//! while there are no keys, from the same machine only.

mod router;
pub use router::router;

mod api;
pub use api::{Api, ApiOptions, Readiness, StreamRules};

mod access;
pub use access::{Access, ApiKey, Scope, ScopeError};

mod channels;
pub use channels::ChannelView;

mod rejections;
pub use rejections::{Rejections, Releaser, Releasing, Unreleased};

mod answer;
mod backups;
mod body;
mod cursor;
mod dead_letters;
mod error;
mod events;
mod export;
mod filters;
mod health;
mod lease;
mod metrics;
mod parameters;
mod settle;
mod stream;
mod subscriptions;
