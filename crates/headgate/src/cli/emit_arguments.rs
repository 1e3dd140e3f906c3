//! The arguments of `emit`.

use super::ClientArguments;
use clap::Args;

/// The arguments of `emit`.
#[derive(Args, Clone, Debug)]
pub struct EmitArguments {
    /// The gateway.
    #[command(flatten)]
    pub client: ClientArguments,
    /// What happened, such as `proposal.received`
    #[arg(value_name = "TYPE")]
    pub event_type: String,
    /// The payload, any JSON; `-` reads it from standard input
    #[arg(long, value_name = "JSON", default_value = "{}")]
    pub payload: String,
    /// The id of the event; one is made when it is left out. The same id again stores nothing
    #[arg(long, value_name = "ID")]
    pub event_id: Option<String>,
    /// The run of a flow that it belongs to
    #[arg(long, value_name = "ID")]
    pub flow_id: Option<String>,
    /// The session that it belongs to
    #[arg(long, value_name = "ID")]
    pub session_id: Option<String>,
    /// What belongs together
    #[arg(long, value_name = "KEY")]
    pub thread_key: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
