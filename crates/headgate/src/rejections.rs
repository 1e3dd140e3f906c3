//! `headgate rejections`: refused requests, to look at, to release and to delete.

mod release;

use crate::{
    cli::{
        RejectionFilter, RejectionsCommand, RejectionsDeleteArguments, RejectionsGetArguments,
        RejectionsListArguments,
    },
    client::{CallPath, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use headgate_event::limits::LIST_EVENTS_MAX;
use serde::Deserialize;
use serde_json::{json, value::RawValue};

const PATH: &str = "/v1/rejections";

/// A page as the gateway gives it; rejections stay the text they are.
#[derive(Deserialize)]
struct Page {
    rejections: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Summary {
    id: String,
    channel: String,
    received_at: String,
    remote_ip: Option<String>,
    method: String,
    path: String,
    code: String,
    cause: String,
    body_size_bytes: u64,
    body_kept: bool,
}

#[derive(Deserialize)]
struct Deleted {
    deleted: u64,
}

/// Does what was asked for.
pub async fn run(command: &RejectionsCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        RejectionsCommand::List(arguments) => list(arguments, environment).await,
        RejectionsCommand::Get(arguments) => show(arguments, environment).await,
        RejectionsCommand::Release(arguments) => release::run(arguments, environment).await,
        RejectionsCommand::Delete(arguments) => delete(arguments, environment).await,
    }
}

async fn list(
    arguments: &RejectionsListArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let (mut cursor, mut left) = (None, arguments.limit);
    loop {
        let path = filtered(CallPath::new(PATH), &arguments.filter)
            .parameter("limit", &left.min(LIST_EVENTS_MAX as u64).to_string())
            .parameters("cursor", &cursor);
        let reply = client.fetch(path.as_str()).await?;
        let page: Page = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        for rejection in &page.rejections {
            left = left.saturating_sub(1);
            if arguments.json {
                output::line(rejection.get())?;
            } else {
                output::line(&row(&serde_json::from_str(rejection.get()).map_err(unexpected)?))?;
            }
        }
        cursor = page.next_cursor;
        // A page without rejections would otherwise be asked for again and again.
        if left == 0 || cursor.is_none() || page.rejections.is_empty() {
            return Ok(());
        }
    }
}

async fn show(
    arguments: &RejectionsGetArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new(PATH).segment(&arguments.id);
    if arguments.raw {
        let reply = client.fetch(path.segment("raw").as_str()).await?;
        return output::bytes(&reply.body);
    }
    let reply = client.fetch(path.as_str()).await?;
    let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
    if arguments.json {
        return output::line(text);
    }
    output::line(&told(&serde_json::from_str(text).map_err(unexpected)?))
}

async fn delete(
    arguments: &RejectionsDeleteArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    if !arguments.all && !arguments.filter.is_all() {
        return Err(Failure::usage("expected ids, or `--all` with a filter, found both"));
    }
    let client = arguments.client.client(environment)?;
    let mut deleted = 0;
    for id in &arguments.ids {
        client.delete(CallPath::new(PATH).segment(id).as_str()).await?;
        deleted += 1;
    }
    if arguments.all {
        let path = filtered(CallPath::new(PATH), &arguments.filter);
        let all = arguments.filter.is_all();
        let path = if all { path.parameter("all", "true") } else { path };
        let reply = client.delete(path.as_str()).await?;
        let told: Deleted = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        deleted = told.deleted;
    }
    if arguments.json {
        return output::line(&json!({ "deleted": deleted }).to_string());
    }
    output::line(&format!("deleted {deleted}"))
}

fn filtered(path: CallPath, filter: &RejectionFilter) -> CallPath {
    path.parameters("channel", &filter.channel)
        .parameters("code", &filter.code)
        .parameters("since", &filter.since.map(|at| at.to_string()))
        .parameters("until", &filter.until.map(|at| at.to_string()))
}

/// One rejection in one line: when, where, from whom, and why it was refused.
fn row(rejection: &Summary) -> String {
    let Summary { id, channel, received_at, remote_ip, code, body_size_bytes, .. } = rejection;
    let from = remote_ip.as_deref().unwrap_or("-");
    format!("{id}  {received_at}  {channel:<16}  {code:<20}  {from:<15}  {body_size_bytes} bytes")
}

/// All of a rejection but its headers and body, which strangers wrote: `--raw` and `--json` have
/// them.
fn told(rejection: &Summary) -> String {
    let Summary { id, channel, received_at, method, path, code, cause, .. } = rejection;
    let from = rejection.remote_ip.as_deref().unwrap_or("unknown");
    let kept = if rejection.body_kept { "" } else { ", too many for the quarantine: not kept" };
    let path: String = path.chars().flat_map(char::escape_debug).collect();
    let cause: String = cause.chars().flat_map(char::escape_debug).collect();
    let hint = format!(
        "headgate rejections get {id} --raw | headgate verify - --channel {channel} \
         --config headgate.toml --at {received_at}"
    );
    format!(
        "id        {id}\n\
         channel   {channel}\n\
         received  {received_at} from {from}\n\
         request   {method} {path}\n\
         refused   {code}: {cause}\n\
         body      {} bytes{kept}\n\n\
         why it is refused, step by step:\n\n  {hint}",
        rejection.body_size_bytes
    )
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary() -> Summary {
        Summary {
            id: "01KAJ3V3W20000000000000001".to_owned(),
            channel: "billing".to_owned(),
            received_at: "2026-11-21T01:02:03.456Z".to_owned(),
            remote_ip: Some("203.0.113.7".to_owned()),
            method: "POST".to_owned(),
            path: "/v1/webhook/billing/\u{1b}[31m".to_owned(),
            code: "signature_mismatch".to_owned(),
            cause: "no signature of this request matches".to_owned(),
            body_size_bytes: 1204,
            body_kept: true,
        }
    }

    #[test]
    fn a_rejection_is_told_without_obeying_it() {
        insta::assert_snapshot!("rejection_row", row(&summary()));
        insta::assert_snapshot!("rejection_told", told(&summary()));
        let large = Summary { body_kept: false, ..summary() };
        assert!(told(&large).contains("1204 bytes, too many for the quarantine: not kept"));
    }
}
