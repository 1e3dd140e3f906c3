//! Mail by SMTP: Postfix's `smtp-source` sends to `smtp-sink` (what the tool itself can do, nothing
//! is stored), to Headgate and to Postfix (both store before they answer), in turns.

mod latency;
mod memory;
mod reading;
mod receivers;
mod source;

use crate::{disk, folder, ingest::build_headgate};
use anyhow::Result;
use receivers::{Kind, Receiver};
use source::Load;
use std::{
    path::{Path, PathBuf},
    time::Duration,
};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Messages of 2 KiB in each measurement.
    pub(crate) messages: usize,
    pub(crate) span: Duration,
    pub(crate) rounds: usize,
    /// Where Postfix's programs are.
    pub(crate) postfix: PathBuf,
    /// A binary in the place of the one that the tree makes.
    pub(crate) headgate: Option<PathBuf>,
}

/// The programs that are run.
#[derive(Debug)]
struct Programs<'a> {
    postfix: &'a Path,
    headgate: PathBuf,
}

/// Prints all of it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let headgate = match &plan.headgate {
        Some(headgate) => headgate.clone(),
        None => build_headgate()?,
    };
    let programs = Programs { postfix: &plan.postfix, headgate };
    reading::run()?;
    for round in 1..=plan.rounds {
        let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
        println!("\nround {round} of {}, load {}", plan.rounds, load.trim());
        turn(plan, &programs)?;
    }
    memory::run(&programs)
}

fn turn(plan: &Plan, programs: &Programs<'_>) -> Result<()> {
    let folder = folder::temporary()?;
    let sync = disk::measure(folder.path())?;
    println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    for load in Load::all(plan.messages) {
        println!("\n{load}\n{:10} {:>9} {:>9}", "receiver", "mails/s", "MiB/s");
        let mut rates = Vec::new();
        for kind in [Kind::Sink, Kind::Headgate, Kind::Postfix] {
            let folder = folder::temporary()?;
            let receiver = Receiver::start(kind, programs, folder.path())?;
            let rate = source::send(programs.postfix, &receiver, &load)?;
            let mib = rate * load.bytes as f64 / f64::from(1 << 20);
            println!("{:10} {rate:>9.0} {mib:>9.1}", kind.name());
            rates.push(rate);
        }
        if let [sink, ours, postfix] = rates.as_slice() {
            println!(
                "headgate / smtp-sink {:.2}{}, headgate / postfix {:.1}{}",
                ours / sink,
                if load.is_small_and_kept() { " (aim 0.40)" } else { "" },
                ours / postfix,
                if load.is_small_and_kept() { " (aim 10)" } else { "" },
            );
        }
    }
    latency::run(plan, programs)
}
