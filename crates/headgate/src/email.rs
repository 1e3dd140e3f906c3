//! `headgate email`: messages and domains looked at without a gateway.

mod advice;
mod check_dns;
mod parse;

use crate::{cli::EmailCommand, failure::Failure};

/// Does what is asked for.
pub async fn run(command: &EmailCommand) -> Result<(), Failure> {
    match command {
        EmailCommand::Parse(arguments) => parse::run(arguments),
        EmailCommand::CheckDns(arguments) => check_dns::run(arguments).await,
    }
}
