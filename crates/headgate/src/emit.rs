//! `headgate emit`: stores an app event over the API of a gateway.

use crate::{
    cli::EmitArguments, client::ClientError, config::Environment, failure::Failure, output,
};
use headgate_event::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::io::Read;

const PATH: &str = "/v1/events";

/// The event as the API takes it; the payload stays the text it is. To the API null is what is
/// left out.
#[derive(Serialize)]
struct Event<'a> {
    #[serde(rename = "type")]
    event_type: &'a str,
    payload: &'a RawValue,
    event_id: Option<&'a str>,
    timestamp: Option<Timestamp>,
    flow_id: Option<&'a str>,
    flow_type: Option<&'a str>,
    proposal_id: Option<&'a str>,
    deal_id: Option<&'a str>,
    session_id: Option<&'a str>,
    thread_key: Option<&'a str>,
    dedupe_key: Option<&'a str>,
    metadata: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Emitted {
    id: String,
    event_id: String,
    duplicate: bool,
}

/// Emits one event and says under which id it is stored.
pub async fn run(arguments: &EmitArguments, environment: &Environment) -> Result<(), Failure> {
    let text = match arguments.payload.as_str() {
        "-" => from_input().map_err(|error| anyhow::anyhow!("cannot read the payload: {error}"))?,
        text => text.to_owned(),
    };
    let payload = json("payload", &text)?;
    let metadata = arguments.metadata.as_ref().map(|text| json("metadata", text)).transpose()?;
    let event = Event {
        event_type: &arguments.event_type,
        payload: &payload,
        event_id: arguments.event_id.as_deref(),
        timestamp: arguments.timestamp,
        flow_id: arguments.flow_id.as_deref(),
        flow_type: arguments.flow_type.as_deref(),
        proposal_id: arguments.proposal_id.as_deref(),
        deal_id: arguments.deal_id.as_deref(),
        session_id: arguments.session_id.as_deref(),
        thread_key: arguments.thread_key.as_deref(),
        dedupe_key: arguments.dedupe_key.as_deref(),
        metadata,
    };
    let body = serde_json::to_string(&event).map_err(unexpected)?;
    let reply = arguments.client.client(environment)?.post_text(PATH, body).await?;
    if arguments.json {
        return output::line(std::str::from_utf8(&reply.body).unwrap_or_default());
    }
    let emitted: Emitted = serde_json::from_slice(&reply.body).map_err(unexpected)?;
    let Emitted { id, event_id, duplicate } = emitted;
    let how = if duplicate { "was stored before" } else { "is stored" };
    output::line(&format!("{event_id} {how} as {id}"))
}

fn json(name: &str, text: &str) -> Result<Box<RawValue>, Failure> {
    serde_json::from_str(text)
        .map_err(|error| Failure::usage(format!("--{name}: expected JSON, found: {error}")))
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}

fn from_input() -> std::io::Result<String> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    Ok(text)
}
