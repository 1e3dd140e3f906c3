//! The real program, started, used, killed and asked again, as a user would.
//!
//! Nothing here links Headgate: the tests start its binary and speak HTTP to it. Some speak to the
//! fakes of `headgate-testkit`, which judge it elsewhere and are judged here.

mod client;
pub mod cron;
mod gateway;
pub mod kill;
mod mail;
mod proxy;
pub mod senders;
pub mod sink;
pub mod slack;

pub use client::{Connection, Response, request};
pub use gateway::{Gateway, binary, python, write_config, write_config_of_server};
pub use mail::MailConnection;
pub use proxy::Proxy;
