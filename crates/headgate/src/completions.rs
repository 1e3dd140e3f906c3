//! `headgate completions`: what a shell needs to complete the command line.

use crate::{
    cli::{Cli, CompletionsArguments, Shell},
    failure::Failure,
    output,
};
use clap::CommandFactory;
use clap_complete::{generate, shells};

/// Prints the script for a shell.
pub fn run(arguments: CompletionsArguments) -> Result<(), Failure> {
    output::bytes(&script(arguments.shell))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut command = Cli::command();
    let name = command.get_name().to_owned();
    let mut script = Vec::new();
    match shell {
        Shell::Bash => generate(shells::Bash, &mut command, name, &mut script),
        Shell::Zsh => generate(shells::Zsh, &mut command, name, &mut script),
        Shell::Fish => generate(shells::Fish, &mut command, name, &mut script),
    }
    script
}
