//! The stream, over a real socket and the server loop that serves it.

pub(crate) mod client;

mod connection;
mod durable;
mod event_source;
mod tail;
