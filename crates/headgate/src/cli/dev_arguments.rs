//! The arguments of `dev`.

use clap::{Args, Subcommand, ValueHint};
use headgate_event::Span;
use std::net::SocketAddr;

/// What to develop against.
#[derive(Clone, Debug, Subcommand)]
pub enum DevCommand {
    /// Be a Slack that sends events until it is interrupted, and then says what became of them
    ///
    /// It serves Socket Mode (`apps.connections.open` and what that names), and with --to it sends
    /// signed requests too, as Slack does: cut after 3 s, and again at once, after 1 and 5 minutes.
    /// Exit code 0 when every event was acknowledged.
    FakeSlack(FakeSlackArguments),
}

/// The arguments of `dev fake-slack`.
#[derive(Args, Clone, Debug)]
pub struct FakeSlackArguments {
    /// Serve Socket Mode here; port 0 takes any free port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    pub listen: SocketAddr,
    /// An event each time that so much time went by
    #[arg(long, value_name = "TIME", default_value = "1s")]
    pub every: Span,
    /// Send signed requests there, such as http://127.0.0.1:8080/v1/slack/team
    #[arg(long, value_name = "URL", value_hint = ValueHint::Url, requires = "secret_env")]
    pub to: Option<String>,
    /// The environment variable that holds the signing secret
    #[arg(long, value_name = "NAME", requires = "to")]
    pub secret_env: Option<String>,
}
