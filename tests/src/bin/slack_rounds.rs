//! Restarts the program while Slack sends, for as many rounds as asked, by hand.

use anyhow::Result;
use clap::Parser;
use headgate_tests::slack::{self, Plan};

/// Restarts Headgate at random moments while Slack sends over HTTP and Socket Mode, and checks that
/// every event is stored once.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often to restart it.
    #[arg(long, default_value_t = 100)]
    rounds: u64,
    /// The seed of the moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let Arguments { rounds, seed } = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let report = slack::run(&Plan { rounds, seed }, folder.path())?;
    println!("{report:#?}");
    Ok(())
}
