//! What becomes of a message between the receiver and the store.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod world;

mod release;
mod storing;
