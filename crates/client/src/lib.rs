//! The Rust SDK of Headgate: write one async handler, and nothing else.
//!
//! ```no_run
//! use headgate_client::{Client, Event};
//!
//! # async fn consume() -> Result<(), headgate_client::ClientError> {
//! let mut client = Client::builder().url("http://127.0.0.1:8080").subscription("demo").build()?;
//! client.on_event(|event: Event| async move {
//!     println!("{}", event.prompt_ready());
//! });
//! client.run().await
//! # }
//! ```
//!
//! An event is acknowledged when its handler is through, and comes again when it returns an error.
//! Its lease is renewed while the handler runs. [`Client::run`] connects again by itself; what no
//! further try can mend (a wrong key, no such subscription) it returns. What is in hand when it
//! [stops](Client::stopper) is finished, or given back.
//!
//! The crate opens sockets and reads the monotonic clock of tokio. What is in hand, when a lease is
//! renewed, what is said again after a line broke: all of that is `hand`, which does neither.

mod verdict;
pub use verdict::{Bury, Handled, RetryAfter, Verdict};

mod hand;

mod error;
pub use error::ClientError;

mod backoff;
pub use backoff::Backoff;

mod address;
mod arrival;
mod http;
mod line;
mod poll;
mod stream;

mod handlers;
mod limits;
mod work;

mod consumer;

mod client;
pub use client::{Builder, Client, Stopper, Transport, Unhandled};

mod emit;
pub use emit::{AppEvent, Emitted};

mod list;
pub use list::{Filter, Page};

mod replay;
pub use replay::Replay;

pub mod testing;

pub use headgate_event::{
    BodyEncoding, Channel, ChannelType, Correlation, Covers, Delivery, Event, EventId, EventType,
    Open, Origin, Timestamp, Verification, data,
};
