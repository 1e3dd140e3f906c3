//! Schedules and their firing, as a user relies on them: what is due fires once, what is missed is
//! told, whatever the clock, the store and the configuration do.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod backlogs;
mod by_hand;
mod changes;
mod clock;
mod dice;
mod held;
mod many;
mod missed;
mod model;
mod parked;
mod prompts;
mod rules;
mod shell;
mod simulated;
mod timings;
mod world;
