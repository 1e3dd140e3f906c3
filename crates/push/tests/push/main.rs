//! Pushes on the queue in memory, against endpoints that do as they are told.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod bounds;
mod changing;
mod endpoint;
mod gone;
mod large;
mod retrying;
mod world;
