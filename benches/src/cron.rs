//! Schedules: the next time, a million of them loaded, and firing into the durable queue.
//!
//! Every figure stands beside its aim. What is due is computed in this process; events go to the
//! embedded queue as they do in the gateway.

mod fire;
mod load;
mod made;
mod next;
mod ports;

use anyhow::Result;
use std::time::Duration;

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Schedules that are loaded.
    pub(crate) schedules: usize,
    /// Calls for each expression in each zone.
    pub(crate) calls: usize,
    /// Schedules that fire each second.
    pub(crate) rate: usize,
    /// How long they fire.
    pub(crate) span: Duration,
    /// Schedules that are due in one second.
    pub(crate) at_once: usize,
}

/// Prints all of it. The memory of the load is told first, because what the others leave behind
/// would be in it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    load::run(plan.schedules)?;
    next::run(plan.calls)?;
    fire::steadily(plan.rate, plan.span)?;
    fire::at_once(plan.at_once)
}

/// The part of sorted figures that is below `share` of them.
fn share<T: Copy + Default>(sorted: &[T], share: f64) -> T {
    let at = (sorted.len().saturating_sub(1)) as f64 * share;
    sorted.get(at as usize).copied().unwrap_or_default()
}
