//! Delivery: pushes to a sink on this machine, how long an event takes to its consumer, and what
//! an order costs. Queue, pushes and sink share this process and its cores.

mod fan_out;
mod latency;
mod order;
mod sink;
mod stand;

use crate::{disk, folder, load};
use anyhow::Result;
use std::time::Duration;

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Deliveries of each measurement.
    pub(crate) deliveries: usize,
    /// Endpoints of the wide fan-out.
    pub(crate) endpoints: usize,
    /// How long latency is measured.
    pub(crate) span: Duration,
    /// How often what is compared takes turns.
    pub(crate) rounds: usize,
}

/// Prints all of it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let folder = folder::temporary()?;
    let sync = disk::measure(folder.path())?;
    println!("fdatasync p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    load::runtime()?.block_on(async {
        let rate = fan_out::run(plan).await?;
        latency::run(plan, rate).await?;
        order::run(plan).await
    })
}
