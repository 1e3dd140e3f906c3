//! The arguments of the commands that give stored events again: dead letters, replays, and trying
//! out filters.

use super::{ClientArguments, KeyArguments, moment::moment};
use clap::{Args, Subcommand, builder::NonEmptyStringValueParser, value_parser};
use headgate_event::Timestamp;

/// What can be done with dead letters.
#[derive(Clone, Debug, Subcommand)]
pub enum DeadLettersCommand {
    /// List the dead letters of a subscription, those of the newest events first
    List(DeadLettersListArguments),
    /// Deliver the events of dead letters again, with a first attempt
    ///
    /// Each is taken up for itself; what is no dead letter is said, and the exit code is 1.
    Redrive(Box<DeadLettersRedriveArguments>),
    /// Forget dead letters; their events stay
    Delete(DeadLettersDeleteArguments),
}

/// The arguments of `dead-letters list`.
#[derive(Args, Clone, Debug)]
pub struct DeadLettersListArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The subscription
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub subscription: String,
    /// At most so many; as many pages are read as it takes
    #[arg(long, value_name = "N", default_value_t = 50)]
    #[arg(value_parser = value_parser!(u64).range(1..))]
    pub limit: u64,
    /// Print one dead letter a line as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `dead-letters redrive`.
#[derive(Args, Clone, Debug)]
pub struct DeadLettersRedriveArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The subscription
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub subscription: String,
    /// The deliveries that died, as `dead-letters list --json` names them
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub deliveries: Vec<String>,
    /// All whose events the filters let through
    #[arg(long)]
    pub all: bool,
    /// Which events.
    #[command(flatten)]
    pub events: EventArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `dead-letters delete`.
#[derive(Args, Clone, Debug)]
pub struct DeadLettersDeleteArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The subscription
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub subscription: String,
    /// The deliveries that died
    #[arg(required_unless_present = "all", conflicts_with = "all")]
    pub deliveries: Vec<String>,
    /// All of them
    #[arg(long)]
    pub all: bool,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// Which stored events.
#[derive(Args, Clone, Debug)]
pub struct EventArguments {
    /// Only events of this channel; may be repeated, which means any of them
    #[arg(long, value_name = "ID")]
    pub channel: Vec<String>,
    /// Only events of this type; may be repeated
    #[arg(long = "type", value_name = "TYPE")]
    pub types: Vec<String>,
    /// Only events of this provider; may be repeated
    #[arg(long, value_name = "NAME")]
    pub provider: Vec<String>,
    /// Only events with these keys.
    #[command(flatten)]
    pub keys: KeyArguments,
    /// Only events of which this holds, such as 'data.body.action == "opened"'
    #[arg(long, value_name = "EXPRESSION")]
    pub filter: Option<String>,
    /// Only events received at or after this time: 2026-11-21T01:02:03Z, 2026-11-21, or 7d, which is
    /// so long ago
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub since: Option<Timestamp>,
    /// Only events received before this time, written in the same ways
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub until: Option<Timestamp>,
}

/// The arguments of `replay`.
#[derive(Args, Clone, Debug)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct ReplayArguments {
    /// What to do with replays that there are.
    #[command(subcommand)]
    pub command: Option<ReplayCommand>,
    /// What to replay.
    #[command(flatten)]
    pub begin: ReplayBeginArguments,
}

/// The arguments of `replay` that begin one.
#[derive(Args, Clone, Debug)]
pub struct ReplayBeginArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The subscription that gets the events
    #[arg(long, value_name = "NAME", required = true)]
    pub subscription: Option<String>,
    /// The ids of the events, whatever the subscription wants
    #[arg(conflicts_with_all = ["all", "dead_letters"])]
    pub ids: Vec<String>,
    /// All events that the subscription wants; with filters, those that fit
    #[arg(long)]
    pub all: bool,
    /// The events of its dead letters; the letters stay
    #[arg(long, conflicts_with = "all")]
    pub dead_letters: bool,
    /// Which events.
    #[command(flatten)]
    pub events: EventArguments,
    /// How fast at most: 100/s, 30/m, 10/h
    #[arg(long, value_name = "RATE")]
    pub rate: Option<String>,
    /// Only say how many events it would be
    #[arg(long)]
    pub dry_run: bool,
    /// Wait for its end, also where no terminal shows how far it is
    #[arg(long, conflicts_with = "dry_run")]
    pub wait: bool,
    /// Print JSON, and on a terminal too wait for nothing
    #[arg(long)]
    pub json: bool,
}

/// What can be done with replays that there are.
#[derive(Clone, Debug, Subcommand)]
pub enum ReplayCommand {
    /// List replays, the newest first
    List(ReplayListArguments),
    /// Show how far a replay is
    Get(OneReplayArguments),
    /// End a replay before its end
    Cancel(OneReplayArguments),
}

/// The arguments of `replay list`.
#[derive(Args, Clone, Debug)]
pub struct ReplayListArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// Print one a line as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `replay get` and `replay cancel`.
#[derive(Args, Clone, Debug)]
pub struct OneReplayArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The id of the replay
    pub id: String,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with subscriptions.
#[derive(Clone, Debug, Subcommand)]
pub enum SubscriptionsCommand {
    /// Say what a subscription would get of the stored events; nothing is changed
    Test(Box<SubscriptionsTestArguments>),
}

/// The arguments of `subscriptions test`.
#[derive(Args, Clone, Debug)]
pub struct SubscriptionsTestArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The name of the subscription
    pub name: String,
    /// Other filters than its own.
    #[command(flatten)]
    pub events: EventArguments,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
