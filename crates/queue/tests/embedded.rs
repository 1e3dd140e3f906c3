//! What only the embedded queue promises: its folder, its index, and what damage does to it.

#![expect(clippy::expect_used, reason = "a test that cannot go on has failed")]

#[path = "conformance/bench.rs"]
#[expect(dead_code, reason = "shared with the conformance suite")]
mod bench;

#[path = "embedded/backup.rs"]
mod backup;
#[path = "embedded/clock.rs"]
mod clock;
#[path = "embedded/damage.rs"]
mod damage;
#[path = "embedded/folder.rs"]
mod folder;
#[path = "embedded/index.rs"]
mod index;
#[path = "embedded/large.rs"]
mod large;
#[path = "embedded/metrics.rs"]
mod metrics;
#[path = "embedded/model.rs"]
mod model;
#[path = "embedded/removing.rs"]
mod removing;
#[path = "embedded/repair.rs"]
mod repair;
#[path = "embedded/state.rs"]
mod state;
#[path = "embedded/versions.rs"]
mod versions;
