//! The program: its configuration, how its parts are wired, its command line, and how it stops.
//!
//! Everything that decides what an event is, whether it is genuine and where it is kept lives in
//! the other crates; here they are put together. `main` only calls [`run`].

pub mod cli;
pub mod config;

pub mod backup;
pub mod channels;
pub mod check;
pub mod completions;
pub mod cron;
pub mod dead_letters;
#[cfg(feature = "dev")]
pub mod dev;
pub mod email;
pub mod emit;
pub mod events;
pub mod export;
pub mod fixture;
pub mod health;
pub mod import;
pub mod listen;
pub mod providers;
pub mod reindex;
pub mod rejections;
pub mod render;
pub mod repair;
pub mod replay;
pub mod schedule_commands;
pub mod send;
pub mod serve;
pub mod subscriptions;
pub mod tail;
pub mod verify;

pub mod captured;
pub mod captures;
pub mod carriers;
pub mod client;
pub mod clock;
pub mod failure;
pub mod fetcher;
pub mod output;
pub mod schedules;
pub mod signals;
pub mod telemetry;
pub mod zones;

mod event_query;
mod open_files;
mod place;
mod run;

pub use run::run;
