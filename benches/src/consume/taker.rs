//! The Rust client as a process of its own, which says its figures and ends.

use super::Figures;
use crate::load;
use anyhow::{Context, Result};
use headgate_client::{Client, Event};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

/// What it is told to do.
#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The gateway.
    url: String,
    /// Whose events.
    subscription: String,
    /// How many.
    events: u64,
    /// How many at one time.
    concurrency: usize,
    /// How long each is worked on, in milliseconds.
    work_ms: u64,
}

/// Consumes, and prints the figures as JSON.
pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let runtime = load::runtime()?;
    let (before_mib, cpu) = (memory_mib("VmRSS:")?, cpu_seconds()?);
    let rate = runtime.block_on(consume(arguments))?;
    let figures = Figures {
        rate,
        cpu_us: (cpu_seconds()? - cpu) / arguments.events as f64 * 1e6,
        before_mib,
        most_mib: memory_mib("VmHWM:")?,
    };
    println!("{}", serde_json::to_string(&figures)?);
    Ok(())
}

async fn consume(arguments: &Arguments) -> Result<f64> {
    let mut client = Client::builder()
        .url(&arguments.url)
        .subscription(&arguments.subscription)
        .concurrency(arguments.concurrency)
        .build()?;
    let (seen, stopper, events) = (Arc::new(AtomicU64::new(0)), client.stopper(), arguments.events);
    let work = Duration::from_millis(arguments.work_ms);
    client.on_event(move |_: Event| {
        let (seen, stopper) = (Arc::clone(&seen), stopper.clone());
        async move {
            if !work.is_zero() {
                tokio::time::sleep(work).await;
            }
            if seen.fetch_add(1, Ordering::Relaxed) + 1 == events {
                stopper.stop();
            }
        }
    });
    let begun = Instant::now();
    client.run().await?;
    Ok(events as f64 / begun.elapsed().as_secs_f64())
}

/// Resident memory: `VmRSS:` at present, `VmHWM:` at most so far.
fn memory_mib(name: &str) -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line =
        status.lines().find(|line| line.starts_with(name)).context("a line of its status")?;
    let kib = line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok());
    Ok(kib.context("a number")? / 1024.0)
}

fn cpu_seconds() -> Result<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<_> = stat.rsplit(')').next().unwrap_or("").split(' ').collect();
    let ticks = |at: usize| fields.get(at).and_then(|text| text.parse::<f64>().ok());
    // Linux counts in hundredths of a second on every architecture we run on.
    Ok((ticks(12).context("utime")? + ticks(13).context("stime")?) / 100.0)
}
