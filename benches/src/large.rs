//! Small webhooks beside one connection that keeps sending large bodies: their latency with and
//! without it, in turns.

use crate::{
    disk, folder,
    ingest::{Kind, build_headgate, command},
    load::{self, End, Requests, Seen},
    process::Server,
};
use anyhow::{Result, ensure};
use std::{path::PathBuf, sync::Arc, thread, time::Duration};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) connections: usize,
    pub(crate) large_bytes: usize,
    pub(crate) span: Duration,
    pub(crate) rounds: usize,
    /// A binary in the place of the one that the tree makes.
    pub(crate) headgate: Option<PathBuf>,
}

/// Prints a line for each load and round.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let headgate = match &plan.headgate {
        Some(headgate) => headgate.clone(),
        None => build_headgate()?,
    };
    let small = Arc::new(Requests::push(1024)?);
    let large = Arc::new(Requests::incompressible(plan.large_bytes)?);
    println!(
        "webhooks of 1 KiB over {} connections, beside one that sends bodies of {} KiB, {} s each",
        plan.connections,
        plan.large_bytes >> 10,
        plan.span.as_secs()
    );
    for _ in 0..plan.rounds {
        let folder = folder::temporary()?;
        let sync = disk::measure(folder.path())?;
        println!("\nfdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
        println!(
            "{:10} {:>9} {:>8} {:>8} {:>8} {:>11} {:>12}",
            "small", "answers/s", "p50 ms", "p99 ms", "max ms", "large MiB/s", "large p50 ms"
        );
        let server = Server::start(command(Kind::Headgate, &headgate, folder.path())?)?;
        let end = End::After(plan.span);
        load::run(&server.address, plan.connections, End::After(Duration::from_secs(1)), &small)?;
        let alone = load::run(&server.address, plan.connections, end, &small)?;
        print("alone", plan, &alone, None);
        let (address, large) = (server.address.clone(), Arc::clone(&large));
        let sending = thread::spawn(move || load::run(&address, 1, end, &large));
        let beside = load::run(&server.address, plan.connections, end, &small)?;
        let sent = sending.join().map_err(|_| anyhow::anyhow!("the large load panicked"))??;
        print("beside", plan, &beside, Some(&sent));
        let refused = alone.refused + beside.refused + sent.refused;
        ensure!(refused == 0, "{refused} answers were not 200");
    }
    Ok(())
}

fn print(name: &str, plan: &Plan, small: &Seen, large: Option<&Seen>) {
    let mib = plan.large_bytes as f64 / f64::from(1 << 20);
    let large = large.map_or_else(String::new, |large| {
        format!("{:>11.1} {:>12.0}", large.rate() * mib, large.latency_ms(0.5))
    });
    println!(
        "{name:10} {:>9.0} {:>8.2} {:>8.2} {:>8.1} {large}",
        small.rate(),
        small.latency_ms(0.5),
        small.latency_ms(0.99),
        small.latency_ms(1.0)
    );
}
