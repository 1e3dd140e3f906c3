//! From the command line to the command, and from its end to an exit code.

use crate::{
    backup, channels, check,
    cli::{Cli, Command},
    completions,
    config::Environment,
    cron, dead_letters, email, emit, events, export,
    failure::Failure,
    fixture, health, import, listen, providers, reindex, rejections, render, repair, replay,
    schedule_commands, send, serve, subscriptions, tail, telemetry, verify,
};
use anyhow::Context;
use clap::Parser;
use std::{ffi::OsString, process::ExitCode, time::Duration};
use tokio::runtime::{Builder, Runtime};

/// How long the end waits for what runs outside of the program's order, such as a terminal that
/// takes no output.
const END_TIMEOUT: Duration = Duration::from_secs(1);

/// Does what the command line asks for.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come here too, with exit code 0.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    match execute(&cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

fn execute(cli: &Cli) -> Result<(), Failure> {
    telemetry::log(&cli.log)?;
    let environment = &Environment::Process;
    match &cli.command {
        Command::Check(arguments) => check::run(arguments, environment),
        Command::Completions(arguments) => completions::run(*arguments),
        Command::Verify(arguments) => wait(one_thread()?, verify::run(arguments, environment)),
        Command::Render(arguments) => render::run(arguments),
        Command::Providers(command) => providers::run(command),
        Command::Channels(command) => channels::run(command, environment),
        Command::Fixture(arguments) => wait(one_thread()?, fixture::run(arguments, environment)),
        Command::Serve(arguments) => wait(many_threads()?, serve::run(arguments, environment)),
        Command::Tail(arguments) => wait(one_thread()?, tail::run(arguments, environment)),
        Command::Events(command) => wait(one_thread()?, events::run(command, environment)),
        Command::Listen(arguments) => wait(one_thread()?, listen::run(arguments, environment)),
        Command::DeadLetters(command) => {
            wait(one_thread()?, dead_letters::run(command, environment))
        }
        Command::Replay(arguments) => wait(one_thread()?, replay::run(arguments, environment)),
        Command::Subscriptions(command) => {
            wait(one_thread()?, subscriptions::run(command, environment))
        }
        Command::Export(arguments) => wait(many_threads()?, export::run(arguments, environment)),
        Command::Import(arguments) => wait(many_threads()?, import::run(arguments)),
        Command::Backup(arguments) => wait(many_threads()?, backup::run(arguments, environment)),
        Command::Repair(arguments) => wait(many_threads()?, repair::run(arguments)),
        Command::Rejections(command) => wait(one_thread()?, rejections::run(command, environment)),
        Command::Schedules(command) => {
            wait(one_thread()?, schedule_commands::run(command, environment))
        }
        Command::Cron(command) => cron::run(command, environment),
        Command::Emit(arguments) => wait(one_thread()?, emit::run(arguments, environment)),
        Command::Email(command) => wait(one_thread()?, email::run(command)),
        Command::Health(arguments) => wait(one_thread()?, health::run(arguments, environment)),
        Command::Reindex(arguments) => reindex::run(arguments),
        #[cfg(feature = "dev")]
        Command::Dev(command) => wait(one_thread()?, crate::dev::run(command, environment)),
        Command::Send(arguments) => wait(one_thread()?, send::run(arguments, environment)),
    }
}

fn wait(
    runtime: Runtime,
    command: impl Future<Output = Result<(), Failure>>,
) -> Result<(), Failure> {
    let done = runtime.block_on(command);
    runtime.shutdown_timeout(END_TIMEOUT);
    done
}

/// A runtime for the gateway: as many threads as the machine has cores.
fn many_threads() -> anyhow::Result<Runtime> {
    Builder::new_multi_thread().enable_all().build().context("start threads")
}

/// A runtime for a command that mostly waits.
fn one_thread() -> anyhow::Result<Runtime> {
    Builder::new_current_thread().enable_all().build().context("start a runtime")
}
