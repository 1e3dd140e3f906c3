//! What tests share: a clock that stands still until it is told, and a Slack that does whatever
//! Slack may do. For development only.

mod clock;
pub use clock::ManualClock;

pub mod slack;
