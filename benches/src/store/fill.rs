//! Filling: does it stay as fast as it began, does it ever stall, what does an event cost on disk?

use super::{Plan, Stand, bytes_of, more};
use crate::{load, process::Server};
use anyhow::{Result, ensure};

/// In how many parts the filling is shown.
const PARTS: u64 = 10;
/// The longest that an answer may take, in milliseconds.
const STALL_AIM_MS: f64 = 250.0;

/// Fills in parts and gives the server that has it all.
pub(super) fn run(plan: &Plan, stand: &Stand) -> Result<Server> {
    let server = stand.start()?;
    println!(
        "\n{:>12} {:>10} {:>8} {:>8} {:>8} {:>11} {:>8}",
        "stored", "events/s", "p50 ms", "p99 ms", "max ms", "CPU s/100k", "RSS MiB"
    );
    let (mut stored, mut rates, mut worst) = (0, Vec::new(), 0.0_f64);
    for _ in 0..PARTS {
        let before = server.cpu_seconds()?;
        let end = more(&stand.requests, plan.events / PARTS);
        let seen = load::run(&server.address, plan.connections, end, &stand.requests)?;
        ensure!(seen.refused == 0, "{} answers were not 200", seen.refused);
        stored += seen.answered;
        println!(
            "{stored:>12} {:>10.0} {:>8.2} {:>8.2} {:>8.1} {:>11.2} {:>8.0}",
            seen.rate(),
            seen.latency_ms(0.5),
            seen.latency_ms(0.99),
            seen.latency_ms(1.0),
            (server.cpu_seconds()? - before) / (seen.answered as f64 / 100_000.0),
            server.resident_mib()?
        );
        rates.push(seen.rate());
        worst = worst.max(seen.latency_ms(1.0));
    }
    let (first, last) = (rates[0], rates[rates.len() - 1]);
    println!("last part / first part {:.2} (aim 0.90)", last / first);
    println!("longest answer {worst:.0} ms (aim {STALL_AIM_MS:.0})");
    let each = |bytes: u64| bytes as f64 / stored as f64;
    println!(
        "bytes an event: log {:.0}, index {:.0}, state {:.1} (body {})",
        each(bytes_of(&stand.data().join("log"), "")?),
        each(bytes_of(&stand.data(), "index.db")?),
        each(bytes_of(&stand.data(), "headgate.db")?),
        plan.body_bytes
    );
    Ok(server)
}
