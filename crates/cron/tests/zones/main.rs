//! Time zones and the way from civil times to instants, against tables and all zones of the world.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod choice;
mod counts;
mod every_turn;
mod hostile;
mod lints;
mod names;
mod table;
mod times;
mod tzif;
