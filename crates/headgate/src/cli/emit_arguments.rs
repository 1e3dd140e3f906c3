//! The arguments of `emit`.

use super::{ClientArguments, moment::moment};
use clap::Args;
use headgate_event::Timestamp;

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
    /// When it happened, such as 2026-11-21T01:02:03Z; now when it is left out
    #[arg(long, value_name = "TIME", value_parser = moment)]
    pub timestamp: Option<Timestamp>,
    /// The run of a flow that it belongs to
    #[arg(long, value_name = "ID")]
    pub flow_id: Option<String>,
    /// The kind of that flow
    #[arg(long, value_name = "TYPE")]
    pub flow_type: Option<String>,
    /// The proposal that it belongs to
    #[arg(long, value_name = "ID")]
    pub proposal_id: Option<String>,
    /// The deal that it belongs to
    #[arg(long, value_name = "ID")]
    pub deal_id: Option<String>,
    /// The session that it belongs to
    #[arg(long, value_name = "ID")]
    pub session_id: Option<String>,
    /// What belongs together
    #[arg(long, value_name = "KEY")]
    pub thread_key: Option<String>,
    /// What an event that was sent before is known by, for seven days
    #[arg(long, value_name = "KEY")]
    pub dedupe_key: Option<String>,
    /// What else is to stand with it: a JSON object
    #[arg(long, value_name = "JSON")]
    pub metadata: Option<String>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}
