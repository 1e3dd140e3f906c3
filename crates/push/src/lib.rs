//! Pushing: a consumer inside the program that posts events to the URLs of subscriptions, signed
//! as Standard Webhooks asks.
//!
//! What an answer means (`verdict`), when to try and how often (`gate`), and what is signed
//! are decided without a socket; `transport` is the socket, `endpoint` the task of one
//! subscription, and [`Pushes`] all of them. Nothing is shared between endpoints that one of them
//! could use up: each has its connections, its leases, its breaker and one look-up of its name at
//! a time.

mod address;
mod allowance;
mod body;
mod credentials;
mod endpoint;
mod gate;
mod keyring;
mod lease;
mod line;
mod measures;
mod pushes;
mod resolver;
mod signature;
mod supervisor;
mod target;
mod transport;
mod verdict;

pub use credentials::{Credentials, CredentialsError, SigningSecret};
pub use keyring::Keyring;
pub use pushes::{Configured, Pauser, Present, PushPorts, PushQueue, Pushes};
pub use supervisor::Running;
pub use target::{Reach, Target, TargetError};
