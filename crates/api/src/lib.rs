//! The HTTP API: events to read, subscriptions to lease and settle, a stream to listen to.
//!
//! [`router`] makes an `axum` router over any [`Queue`](headgate_queue::Queue). The socket, the
//! timers and the public routes that senders use are the server's; what an event is and how it is
//! stored is not known here. A call is let in by [`Access`]: by an API key and its scopes, or,
//! while there are no keys, from the same machine only.

mod router;
pub use router::router;

mod openapi;
pub use openapi::document as openapi_document;

mod api;
pub use api::{Api, ApiOptions, Measure, Readiness, StreamRules, Zones};

mod access;
pub use access::{Access, ApiKey, Bounds, KeySecret, Scope, ScopeError};

mod metrics;
pub use metrics::{SUBSCRIPTION_GAUGES, SubscriptionGauge};

mod channels;
pub use channels::ChannelView;

mod health;
pub use health::{ChannelReadiness, Reception, ZonesView};

mod links;
pub use links::{Links, ReadAttachment};

mod rejections;
pub use rejections::{Rejections, Releaser, Releasing, Unreleased};

mod schedules;
pub use schedules::{
    Filled, Paused, ScheduleAsk, ScheduleFault, ScheduleQuery, ScheduleSource, ScheduleView,
    ScheduledRun, Schedules,
};

mod emit;
pub use emit::AppOptions;

mod answer;
mod attachments;
mod backups;
mod body;
mod bus;
mod calls;
mod cursor;
mod dead_letters;
mod error;
mod event_deliveries;
mod event_query;
mod events;
mod export;
mod filters;
mod keys;
mod lease;
mod parameters;
mod replays;
mod settle;
mod shown;
mod stream;
mod subscriptions;

#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
