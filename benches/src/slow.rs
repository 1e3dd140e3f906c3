//! A healthy client beside thousands of slow ones: its latency with and without them, in turns.

use crate::{
    folder,
    ingest::{Kind, build_headgate, command},
    load::{self, End, Requests},
    process::Server,
};
use anyhow::Result;
use std::{process::Command, sync::Arc, time::Duration};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) slow: usize,
    pub(crate) connections: usize,
    pub(crate) span: Duration,
    pub(crate) rounds: usize,
}

/// Prints a line for each server and round, and the middle of all rounds at the end.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let headgate = build_headgate()?;
    println!(
        "{} connections of a healthy sender, {} slow connections (half of them heads, half bodies)",
        plan.connections, plan.slow
    );
    println!(
        "{:22} {:>9} {:>9} {:>9} {:>9} {:>8} {:>9} {:>9}",
        "server", "p50 ms", "with", "p99 ms", "with", "ratio", "RSS MiB", "with"
    );
    let mut ratios = Vec::new();
    for _ in 0..plan.rounds {
        for kind in [Kind::Log, Kind::Headgate] {
            let folder = folder::temporary()?;
            let server = Server::start(command(kind, &headgate, folder.path())?)?;
            let ratio = one(plan, kind, &server)?;
            if kind == Kind::Headgate {
                ratios.push(ratio);
            }
        }
    }
    ratios.sort_by(f64::total_cmp);
    let middle = ratios.get(ratios.len() / 2).copied().unwrap_or_default();
    println!("p99 with / without, headgate, median of rounds: {middle:.2} (aim 1.20)");
    Ok(())
}

fn one(plan: &Plan, kind: Kind, server: &Server) -> Result<f64> {
    let requests = Arc::new(Requests::push(1024)?);
    let load = || load::run(&server.address, plan.connections, End::After(plan.span), &requests);
    load()?; // warm
    let (alone, alone_mib) = (load()?, server.resident_mib()?);
    let mut drip = Command::new(std::env::current_exe()?);
    drip.args(["drip", "--to", &server.address, "--connections", &plan.slow.to_string()]);
    let slow = Server::start(drip)?;
    let (beside, beside_mib) = (load()?, server.resident_mib()?);
    drop(slow);
    let ratio = beside.latency_ms(0.99) / alone.latency_ms(0.99);
    println!(
        "{:22} {:>9.2} {:>9.2} {:>9.2} {:>9.2} {ratio:>8.2} {alone_mib:>9.0} {beside_mib:>9.0}",
        kind.name(),
        alone.latency_ms(0.5),
        beside.latency_ms(0.5),
        alone.latency_ms(0.99),
        beside.latency_ms(0.99),
    );
    Ok(ratio)
}
