//! The arguments of the commands about the schedules of a gateway.

use super::ClientArguments;
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser, value_parser};
use headgate_event::limits::NEXT_RUNS_MAX;

/// What can be done with the schedules of a gateway.
#[derive(Clone, Debug, Subcommand)]
pub enum SchedulesCommand {
    /// List schedules with their next runs, by channel and name
    List(SchedulesListArguments),
    /// Show one schedule
    Show(SchedulesShowArguments),
    /// Fire a schedule at once, whatever its times are
    ///
    /// Its times stay as they are. Prints the id of the event.
    Run(SchedulesRunArguments),
    /// Let a schedule fire no more until it is resumed, also one from the configuration
    Pause(SchedulesPauseArguments),
    /// Let a paused schedule fire again
    ///
    /// What was due meanwhile does not fire, unless --catch-up is given.
    Resume(SchedulesResumeArguments),
    /// Take away a schedule that was made over the API
    Delete(SchedulesDeleteArguments),
    /// Make the runs that were due in a span of the past
    ///
    /// What fired then does not fire again.
    Backfill(SchedulesBackfillArguments),
}

/// Which schedule, of which gateway.
#[derive(Args, Clone, Debug)]
pub struct OneSchedule {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// Its id, `channel/name`, or a name that only one schedule has
    #[arg(value_name = "SCHEDULE", value_parser = NonEmptyStringValueParser::new())]
    pub schedule: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `schedules list`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesListArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// Only those of this channel
    #[arg(long, value_name = "ID")]
    pub channel: Option<String>,
    /// At most so many; as many pages are read as it takes
    #[arg(long, value_name = "N", default_value_t = 500)]
    #[arg(value_parser = value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Print one schedule a line as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `schedules show`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesShowArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
    /// How many next runs are shown
    #[arg(long, value_name = "N", default_value_t = 5)]
    #[arg(value_parser = value_parser!(u64).range(0..=NEXT_RUNS_MAX as u64))]
    pub runs: u64,
}

/// The arguments of `schedules run`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesRunArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
    /// The same key again is the same run, and makes no second event
    #[arg(long, value_name = "KEY", value_parser = NonEmptyStringValueParser::new())]
    pub key: Option<String>,
}

/// The arguments of `schedules pause`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesPauseArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
}

/// The arguments of `schedules resume`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesResumeArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
    /// What was due meanwhile is caught up, by the schedule's own rules
    #[arg(long)]
    pub catch_up: bool,
}

/// The arguments of `schedules delete`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesDeleteArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
}

/// The arguments of `schedules backfill`.
#[derive(Args, Clone, Debug)]
pub struct SchedulesBackfillArguments {
    /// Which.
    #[command(flatten)]
    pub one: OneSchedule,
    /// The first moment, such as 2026-11-01T00:00:00Z
    #[arg(long, value_name = "TIME")]
    pub from: String,
    /// The last moment, included
    #[arg(long, value_name = "TIME")]
    pub to: String,
}
