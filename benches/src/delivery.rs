//! Delivery: pushes to a sink on this machine, how long an event takes to its consumer, and what
//! an order costs. Queue, pushes and sink share this process and its cores.

mod fan_out;
mod latency;
mod order;
mod program;
mod sink;
mod stand;

use crate::{disk, folder, load};
use anyhow::Result;
use std::{path::PathBuf, time::Duration};

/// Events a second through the program: half of the pushes that are aimed at.
const HALF_OF_AIM: f64 = 5_000.0;

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
    /// A binary in the place of the one that the tree makes.
    pub(crate) headgate: Option<PathBuf>,
}

/// Prints all of it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let folder = folder::temporary()?;
    let sync = disk::measure(folder.path())?;
    println!("fdatasync p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    load::runtime()?.block_on(async {
        let rate = fan_out::run(plan).await?;
        latency::run(plan, rate).await?;
        program::run(plan, HALF_OF_AIM).await?;
        order::run(plan).await
    })
}
