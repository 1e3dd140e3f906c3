//! `headgate email`: messages and domains looked at without a gateway.

mod parse;

use crate::{cli::EmailCommand, failure::Failure};

/// Does what is asked for.
pub fn run(command: &EmailCommand) -> Result<(), Failure> {
    match command {
        EmailCommand::Parse(arguments) => parse::run(arguments),
    }
}
