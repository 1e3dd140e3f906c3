//! The arguments of `email`.

use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// What can be asked about mail.
#[derive(Clone, Debug, Subcommand)]
pub enum EmailCommand {
    /// Print the `data` of the event that a message would be, as JSON
    ///
    /// What only its delivery tells is null: envelope, tag, and who is believed to have sent it.
    Parse(EmailParseArguments),
}

/// The arguments of `email parse`.
#[derive(Args, Clone, Debug)]
pub struct EmailParseArguments {
    /// Messages as they were sent; `-` is stdin
    #[arg(value_name = "FILE", required = true, value_hint = ValueHint::FilePath)]
    pub files: Vec<PathBuf>,
    /// Print one line for each file, with its name
    #[arg(long)]
    pub jsonl: bool,
}
