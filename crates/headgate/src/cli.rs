//! The command line: what can be asked for, in words. What is done about it is in the modules of
//! the same names.

mod client_arguments;
mod commands;
mod cron_arguments;
#[cfg(feature = "dev")]
mod dev_arguments;
mod email_arguments;
mod emit_arguments;
mod moment;
mod provider_arguments;
mod rejection_arguments;
mod replay_arguments;
mod schedule_arguments;
mod storage_arguments;

pub use client_arguments::ClientArguments;
pub use commands::{
    CheckArguments, CompletionsArguments, EventsCommand, EventsEraseArguments, EventsGetArguments,
    EventsListArguments, HealthArguments, KeyArguments, ListenArguments, SendArguments,
    ServeArguments, Shell, TailArguments, Work,
};
pub use cron_arguments::{
    CronArguments, CronCommand, CronExplainArguments, CronNextArguments, CronZonesArguments,
};
#[cfg(feature = "dev")]
pub use dev_arguments::{DevCommand, FakeSlackArguments};
pub use email_arguments::{EmailCheckDnsArguments, EmailCommand, EmailParseArguments};
pub use emit_arguments::EmitArguments;
pub use provider_arguments::{
    ChannelsCommand, ChannelsForgetArguments, ChannelsShowArguments, FixtureArguments,
    OwnProvidersArguments, ProvidersCheckArguments, ProvidersCommand, ProvidersListArguments,
    ProvidersNewArguments, ProvidersShowArguments, RenderArguments, VerifyArguments,
};
pub use rejection_arguments::{
    RejectionFilter, RejectionsCommand, RejectionsDeleteArguments, RejectionsGetArguments,
    RejectionsListArguments, RejectionsReleaseArguments,
};
pub use replay_arguments::{
    DeadLettersCommand, DeadLettersDeleteArguments, DeadLettersListArguments,
    DeadLettersRedriveArguments, EventArguments, OneReplayArguments, ReplayArguments,
    ReplayBeginArguments, ReplayCommand, ReplayListArguments, SubscriptionsCommand,
    SubscriptionsTestArguments,
};
pub use schedule_arguments::{
    OneSchedule, SchedulesBackfillArguments, SchedulesCommand, SchedulesDeleteArguments,
    SchedulesListArguments, SchedulesPauseArguments, SchedulesResumeArguments,
    SchedulesRunArguments, SchedulesShowArguments,
};

pub use storage_arguments::{
    BackupArguments, ExportArguments, ImportArguments, PlaceArguments, ReindexArguments,
    RepairArguments,
};

use clap::{Parser, Subcommand};

/// Takes in webhooks, proves them, stores them before it says yes, and hands them to your
/// consumers until they say done.
#[derive(Debug, Parser)]
#[command(name = "headgate", version, after_help = AFTER_HELP, max_term_width = 100)]
pub struct Cli {
    /// What to log: `error`, `warn`, `info`, `debug`, `trace`, or a filter such as
    /// `info,headgate_queue=debug`
    #[arg(long, global = true, env = "RUST_LOG", default_value = "info", value_name = "FILTER")]
    pub log: String,

    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run the gateway
    ///
    /// Without --config, `headgate.toml` in this folder is taken when there is one. Without any
    /// configuration a demo runs: the open channel `demo` on 127.0.0.1:8080, mail to anyone at
    /// localhost on 127.0.0.1:2525, without keys.
    ///
    /// On a terminal the prompt of each event is printed as it comes. Logs go to stderr, as JSON
    /// when stderr is no terminal. SIGTERM and SIGINT stop it: it finishes what it has begun; a
    /// second signal cuts. SIGHUP reads the configuration and its secrets anew; when anything is
    /// wrong with them, nothing changes and the log says what it is.
    Serve(ServeArguments),
    /// Say everything that is wrong with a configuration
    Check(CheckArguments),
    /// Show events as they come
    ///
    /// Prints the prompt of each event on a terminal, and one event a line as JSON otherwise. It
    /// settles nothing. When the connection breaks it goes on after the last event that it showed;
    /// `listen` is for consumers.
    Tail(Box<TailArguments>),
    /// Look at stored events, or erase one
    #[command(subcommand)]
    Events(EventsCommand),
    /// Run a command, or call a URL, for each event of a subscription until it succeeds
    Listen(ListenArguments),
    /// Look at deliveries that never come again, take them up again or forget them
    #[command(subcommand)]
    DeadLetters(DeadLettersCommand),
    /// Give stored events to a subscription again
    ///
    /// By ids, `--dead-letters`, or what the subscription wants and filters let through. Live
    /// events go first. On a terminal it shows how far the replay is until it ends; stopping that
    /// does not stop the replay, which outlives a restart of the gateway too.
    Replay(Box<ReplayArguments>),
    /// Try out what a subscription would get
    #[command(subcommand)]
    Subscriptions(SubscriptionsCommand),
    /// Look at refused requests, release or delete them
    #[command(subcommand)]
    Rejections(RejectionsCommand),
    /// Look at schedules, run, pause and resume them
    #[command(subcommand)]
    Schedules(SchedulesCommand),
    /// Say when a cron expression is due, and what it means
    #[command(subcommand)]
    Cron(CronCommand),
    /// Read messages as a channel would, and look at what a domain says of mail
    #[command(subcommand)]
    Email(EmailCommand),
    /// Say whether a gateway lives, and whether it is ready
    ///
    /// Prints the gateway's own answer. Exit code 0 when it lives (with --ready: when it is ready
    /// too), 1 when not: for the health check of a container, which has no curl. With --config the
    /// listener on this machine is asked, and with TLS its certificate has to be good for the name
    /// in `public_url`.
    Health(HealthArguments),
    /// What to develop against
    #[cfg(feature = "dev")]
    #[command(subcommand)]
    Dev(DevCommand),
    /// Emit an event of an application, as its own code would over the API
    Emit(EmitArguments),
    /// Send a correctly signed sample webhook, or a sample message
    Send(SendArguments),
    /// Write every event with its exact bytes to a file
    ///
    /// The file is JSON lines: a first one that says so, one an event, and a last one with their
    /// count and checksum, so that `import` sees when something is missing. While no gateway runs
    /// the folder is read; otherwise the gateway is asked, which needs an `admin` key.
    Export(ExportArguments),
    /// Take the events of an exported file into an empty folder, while no gateway runs
    ///
    /// They keep their ids, order, times and exact bytes. The whole file is checked before the
    /// first event is stored. A folder that has events takes only files whose events come after
    /// them; events at the beginning of the file that are there already are passed over, so that an
    /// import that was interrupted can be run again.
    Import(ImportArguments),
    /// Copy events, subscriptions and what is settled to a folder, also while the gateway runs
    ///
    /// A running gateway makes `backup-<time>` under the `backup_dir` of its configuration. To
    /// restore, copy that folder to where `data_dir` points and start.
    Backup(BackupArguments),
    /// Make the index of stored events anew from the log, while no gateway runs
    ///
    /// The index is derived from the log, so nothing can be lost by it. A gateway does the same
    /// when it starts and finds the index missing, broken or of another version.
    Reindex(ReindexArguments),
    /// Say what is damaged in the folder, and mend it when told so, while no gateway runs
    ///
    /// Reads every segment through and shows what is damaged, which events are lost and what would
    /// be done. Nothing is changed without --yes. Exit code 1 when something is damaged.
    Repair(RepairArguments),
    /// Say why a captured request is taken or refused
    Verify(VerifyArguments),
    /// Print the prompt of an event or of a captured request
    Render(RenderArguments),
    /// Show who can send, and how they prove themselves
    #[command(subcommand)]
    Providers(ProvidersCommand),
    /// Look at a channel of the configuration
    #[command(subcommand)]
    Channels(ChannelsCommand),
    /// Write a stored event as a test case: what came, its event and its prompt
    Fixture(FixtureArguments),
    /// Print a script by which a shell completes the commands of this program
    ///
    /// For bash: `headgate completions bash > /etc/bash_completion.d/headgate`.
    Completions(CompletionsArguments),
}

const AFTER_HELP: &str = "Exit codes: 0 done, 1 failed, 2 wrong usage or configuration.";
