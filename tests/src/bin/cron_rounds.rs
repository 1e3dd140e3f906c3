//! Kills the program while schedules fire, for as many rounds as asked, by hand.

use anyhow::Result;
use clap::Parser;
use headgate_tests::cron::{self, Plan};

/// Kills Headgate at random moments while schedules fire each second, and checks that every
/// schedule fired once for every second.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often to kill it.
    #[arg(long, default_value_t = 20)]
    rounds: u64,
    /// How many schedules are due every second.
    #[arg(long, default_value_t = 1_000)]
    schedules: usize,
    /// The seed of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { rounds, schedules, seed } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let report = cron::run(&Plan { rounds, schedules, seed }, folder.path())?;
    println!("{report:#?}");
    Ok(())
}
