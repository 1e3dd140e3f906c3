//! What tests share: a clock that stands still until it is told, a DNS that says what a table says,
//! and a Slack that does whatever Slack may do. For development only.

mod clock;
pub use clock::ManualClock;

pub mod dns;

pub mod slack;
