//! A Slack that tests can tell what to do: it sends events, sends them again, and keeps a ledger.
//!
//! - [`EventsApi`] is its HTTP side: what it would send when, signed, and what it makes of the
//!   answers. It has no clock; tests replay hours of retries in a moment.
//! - [`Workspace`] is its Socket Mode, without a socket: which connections there are, what each is
//!   sent, what is acknowledged.
//! - [`FakeSlack`] serves such a workspace on loopback, with every failure of a network.
//! - [`Ledger`] says in the end which events were lost or doubled.
//!
//! It is written from Slack's documentation and what others saw of it, not from our receiver.

mod ledger;
pub use ledger::{Discrepancy, Ledger};

mod events_api;
pub use events_api::{EventsApi, Outcome, SignedRequest};

mod workspace;
pub use workspace::{ConnectionId, Sent, Workspace, WorkspaceOptions};

mod server;
pub use server::{FakeSlack, Fault, Handshake, OpenAnswer};
