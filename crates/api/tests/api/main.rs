//! The API as its callers see it.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by a panic")]

mod failing;
mod world;

mod access;
mod attachments;
mod dead_letters;
mod events;
mod export;
mod faults;
mod filters;
mod lease;
mod openapi;
mod operations;
mod rejections;
mod replays;
mod schedules;
mod settle;
mod stream;
mod subscriptions;
