//! The commands as a person or a script runs them: the built program, a gateway that runs, what
//! they print, and their exit codes.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod completions;
mod cron;
mod cron_batch;
mod cron_documents;
mod dead_letters;
#[cfg(feature = "dev")]
mod dev;
mod events;
mod health;
mod house;
mod listen;
mod providers;
mod reload;
mod replay;
mod run;
mod schedules;
mod send;
mod serve;
mod storage;
mod usage;
mod verify;
