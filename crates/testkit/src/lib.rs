//! What tests share: a clock that stands still until it is told. For development only.

mod clock;
pub use clock::ManualClock;
