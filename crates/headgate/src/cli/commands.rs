//! The arguments of each command.

use super::{ClientArguments, OwnProvidersArguments, moment::moment};
use crate::config::FILE_DEFAULT;
use clap::{
    Args, Subcommand, ValueEnum, ValueHint,
    builder::{NonEmptyStringValueParser, RangedI64ValueParser, RangedU64ValueParser},
    value_parser,
};
use headgate_event::{
    Span, SpanError, Timestamp,
    limits::{LEASE_DELIVERIES_MAX, LEASE_MS_MAX},
};
use std::{net::SocketAddr, path::PathBuf, time::Duration};

/// The arguments of `serve`.
#[derive(Args, Clone, Debug, Default)]
pub struct ServeArguments {
    /// The configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub config: Option<PathBuf>,
    /// Listen here instead; port 0 takes any free port and says which
    #[arg(long, env = "HEADGATE_LISTEN", value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
    /// Keep the queue in this folder instead
    #[arg(long, env = "HEADGATE_DATA_DIR", value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    pub data_dir: Option<PathBuf>,
}

/// The arguments of `check`.
#[derive(Args, Clone, Debug)]
pub struct CheckArguments {
    /// The configuration
    #[arg(long, env = "HEADGATE_CONFIG", value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(default_value = FILE_DEFAULT)]
    pub config: PathBuf,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `tail`.
#[derive(Args, Clone, Debug)]
pub struct TailArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
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
    /// Begin right after the event with this id instead of with the next one that comes
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
    /// Print one event a line as JSON, also on a terminal
    #[arg(long)]
    pub json: bool,
}

/// What can be done with stored events.
#[derive(Clone, Debug, Subcommand)]
pub enum EventsCommand {
    /// List events, newest first
    List(Box<EventsListArguments>),
    /// Show one event
    Get(EventsGetArguments),
    /// Erase the content of one event everywhere, for ever
    ///
    /// Its id, place and times stay. It asks nothing. Needs a key with the scope `admin`.
    Erase(EventsEraseArguments),
}

/// The arguments of `events list`.
#[derive(Args, Clone, Debug)]
pub struct EventsListArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
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
    /// At most so many events; as many pages are read as it takes
    #[arg(long, value_name = "N", default_value_t = 50, value_parser = count())]
    pub limit: u64,
    /// Print one event a line as JSON
    #[arg(long)]
    pub json: bool,
}

/// The keys by which events are selected.
#[derive(Args, Clone, Debug)]
pub struct KeyArguments {
    /// Only events with this name of the provider's; this and what follows may be repeated
    #[arg(long, value_name = "NAME")]
    pub provider_event: Vec<String>,
    /// Only events that belong together by this key
    #[arg(long, value_name = "KEY")]
    pub thread_key: Vec<String>,
    /// Only events of this run of a flow
    #[arg(long, value_name = "ID")]
    pub flow_id: Vec<String>,
    /// Only events of this kind of flow
    #[arg(long, value_name = "TYPE")]
    pub flow_type: Vec<String>,
    /// Only events of this proposal
    #[arg(long, value_name = "ID")]
    pub proposal_id: Vec<String>,
    /// Only events of this deal
    #[arg(long, value_name = "ID")]
    pub deal_id: Vec<String>,
    /// Only events of this session
    #[arg(long, value_name = "ID")]
    pub session_id: Vec<String>,
}

impl KeyArguments {
    /// The values of each key, by the name of its query parameter.
    #[must_use]
    pub fn parameters(&self) -> [(&'static str, &[String]); 7] {
        [
            ("provider_event", &self.provider_event),
            ("thread_key", &self.thread_key),
            ("flow_id", &self.flow_id),
            ("flow_type", &self.flow_type),
            ("proposal_id", &self.proposal_id),
            ("deal_id", &self.deal_id),
            ("session_id", &self.session_id),
        ]
    }
}

/// The arguments of `events get`.
#[derive(Args, Clone, Debug)]
pub struct EventsGetArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The id of the event
    pub id: String,
    /// Print the event as JSON instead of its prompt
    #[arg(long, conflicts_with = "raw")]
    pub json: bool,
    /// Write the exact bytes that came
    #[arg(long)]
    pub raw: bool,
}

/// The arguments of `events erase`.
#[derive(Args, Clone, Debug)]
pub struct EventsEraseArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The id of the event
    pub id: String,
    /// Print what is left of it as JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `listen`.
#[derive(Args, Clone, Debug)]
#[command(after_help = LISTEN_HELP)]
pub struct ListenArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// The subscription to lease from
    #[arg(long, value_name = "NAME", value_parser = NonEmptyStringValueParser::new())]
    pub subscription: String,
    /// What to do for each event.
    #[command(flatten)]
    pub work: Work,
    /// How many events to work on at one time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = concurrency())]
    pub concurrency: u16,
    /// How long each event is leased; extended for as long as the work takes
    #[arg(long, value_name = "DURATION", default_value = "60s", value_parser = lease)]
    pub lease: Duration,
    /// How long work in hand may go on after SIGTERM or SIGINT
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub grace: Duration,
    /// Print a line of JSON for each event that was worked on, beside what the command prints
    #[arg(long)]
    pub json: bool,
}

/// What to do for each event.
#[derive(Args, Clone, Debug)]
#[group(required = true, multiple = false)]
pub struct Work {
    /// Run this with `sh -c`, the event as JSON on its stdin
    #[arg(long, value_name = "COMMAND", value_parser = NonEmptyStringValueParser::new())]
    pub exec: Option<String>,
    /// POST the event as JSON to this URL
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub forward: Option<String>,
}

/// The arguments of `send`.
#[derive(Args, Clone, Debug)]
pub struct SendArguments {
    /// Who to send as: `github`, `slack`, `stripe`, `email`; `providers list` shows those of
    /// webhooks
    pub provider: String,
    /// What to send; left out, the provider's first sample. `--list` shows all
    pub event: Option<String>,
    /// Where to send it, such as http://127.0.0.1:8080/v1/webhook/demo, or for `email`
    /// smtp://127.0.0.1:2525/ann@localhost (`smtp+starttls://` and `smtps://` speak TLS)
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, required_unless_present = "list")]
    pub to: Option<String>,
    /// The environment variable that holds the secret to sign with; left out, nothing is signed
    #[arg(long, value_name = "NAME", requires = "to")]
    pub secret_env: Option<String>,
    /// Show the samples of the provider and send nothing
    #[arg(long)]
    pub list: bool,
    /// Provider files of the user's own.
    #[command(flatten)]
    pub own: OwnProvidersArguments,
    /// What the provider asks for beside secrets (`providers show` says it); may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    pub setting: Vec<String>,
    /// The public URL of the gateway, for providers that sign theirs; that of --to when left out
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url)]
    pub public_url: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// The arguments of `health`.
#[derive(Args, Clone, Debug)]
pub struct HealthArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// Ask whether it can do its work, not only whether it lives
    #[arg(long)]
    pub ready: bool,
}

/// The arguments of `completions`.
#[derive(Args, Clone, Copy, Debug)]
pub struct CompletionsArguments {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

/// The shells that can be told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Shell {
    /// The shell of most Linux systems
    Bash,
    /// The shell of macOS
    Zsh,
    /// A friendly one
    Fish,
}

fn count() -> RangedU64ValueParser<u64> {
    value_parser!(u64).range(1..)
}

fn concurrency() -> RangedI64ValueParser<u16> {
    value_parser!(u16).range(1..=LEASE_DELIVERIES_MAX as i64)
}

fn duration(text: &str) -> Result<Duration, SpanError> {
    text.parse().map(|Span(span)| span)
}

fn lease(text: &str) -> Result<Duration, String> {
    let span = duration(text).map_err(|error| error.to_string())?;
    let most = Duration::from_millis(LEASE_MS_MAX);
    if span < Duration::from_secs(1) || span > most {
        return Err("expected a duration from `1s` to `12h`".to_owned());
    }
    Ok(span)
}

const LISTEN_HELP: &str = "\
With --exec the event's JSON is on stdin, its prompt in HEADGATE_PROMPT, and HEADGATE_EVENT_ID,
HEADGATE_EVENT_TYPE and HEADGATE_CHANNEL name it. Exit code 0 settles the event; anything else makes
it come again later. With --forward any 2xx settles it; otherwise it comes again, after Retry-After
where the answer has one. The lease is extended for as long as the work takes.";
