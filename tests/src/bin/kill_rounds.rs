//! Runs the kill test for as many rounds as asked, by hand.

use anyhow::Result;
use clap::Parser;
use headgate_tests::kill::{self, Plan};

/// Kills Headgate at random moments under load and checks what is left.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often to kill it.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// The seed of bodies and moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Make the index anew between some of the rounds.
    #[arg(long)]
    reindex: bool,
    /// Remove old events: what `[queue] retention` is set to, as TOML. Gone is then legal for the
    /// oldest events, and for no other.
    #[arg(long, value_name = "TOML")]
    retention: Option<String>,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let Arguments { rounds, seed, reindex, retention } = arguments;
    let plan = Plan { rounds, seed, reindex, retention };
    let report = kill::run(&plan, folder.path())?;
    println!("{report:#?}");
    Ok(())
}
