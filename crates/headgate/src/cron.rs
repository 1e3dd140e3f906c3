//! `headgate cron`: when expressions are due, what they mean, and by which zone data. Not for the
//! schedules of a gateway, which `headgate schedules` shows.

mod asked;
mod batch;
mod explain;
mod next;
pub(crate) mod words;
mod zones;

use crate::{
    cli::CronCommand, clock::SystemClock, config::Environment, failure::Failure, output,
    zones::of_system,
};
use headgate_event::{Clock, Timestamp};
use std::{io, sync::Arc};

/// Answers what was asked.
pub fn run(command: &CronCommand, environment: &Environment) -> Result<(), Failure> {
    let zones = of_system(environment);
    match command {
        CronCommand::Next(arguments) if arguments.batch => {
            let (input, output) = (io::stdin().lock(), io::stdout().lock());
            output::written(batch::answer_all(input, output, Arc::new(zones), &SystemClock))
        }
        CronCommand::Next(arguments) => next::run(arguments, &zones),
        CronCommand::Explain(arguments) => explain::run(arguments, &zones),
        CronCommand::Zones(arguments) => zones::run(arguments, &zones),
    }
}

/// The time that was named, or the present.
fn or_now(named: Option<Timestamp>) -> Timestamp {
    named.unwrap_or_else(|| SystemClock.now())
}
