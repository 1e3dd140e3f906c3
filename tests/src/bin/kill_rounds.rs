//! Runs the kill test for as many rounds as asked, by hand.

use anyhow::Result;
use clap::Parser;

/// Kills Headgate at random moments under load and checks what is left.
#[derive(Debug, Parser)]
struct Arguments {
    /// How often to kill it.
    #[arg(long, default_value_t = 200)]
    rounds: u64,
    /// The seed of bodies and moments.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let folder = tempfile::tempdir()?;
    let report = headgate_tests::kill::run(arguments.rounds, arguments.seed, folder.path())?;
    println!("{report:#?}");
    Ok(())
}
