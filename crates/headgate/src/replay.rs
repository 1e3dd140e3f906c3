//! `headgate replay`: stored events are given to a subscription again.

mod progress;

use crate::{
    cli::{
        OneReplayArguments, ReplayArguments, ReplayBeginArguments, ReplayCommand,
        ReplayListArguments,
    },
    client::{CallPath, Client, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use progress::Progress;
use serde::Deserialize;
use serde_json::{Map, Value, json, value::RawValue};
use std::{io::IsTerminal, time::Duration};

const PATH: &str = "/v1/replays";
/// How often it is asked how far a replay is.
const LOOK_EVERY: Duration = Duration::from_millis(500);
/// How long the gateway may take to count what is asked for.
const COUNT_WAIT: Duration = Duration::from_secs(120);

#[derive(Deserialize)]
struct Page {
    replays: Vec<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Counted {
    matched: u64,
    complete: bool,
}

/// How far a replay is.
#[derive(Deserialize)]
struct Status {
    id: String,
    subscription: String,
    state: String,
    matched: Option<u64>,
    delivered: u64,
    settled: u64,
    dead: u64,
    progress: f64,
    created_at: String,
}

/// Does what was asked for.
pub async fn run(arguments: &ReplayArguments, environment: &Environment) -> Result<(), Failure> {
    match &arguments.command {
        None => begin(&arguments.begin, environment).await,
        Some(ReplayCommand::List(arguments)) => list(arguments, environment).await,
        Some(ReplayCommand::Get(arguments)) => show(arguments, environment).await,
        Some(ReplayCommand::Cancel(arguments)) => cancel(arguments, environment).await,
    }
}

async fn begin(arguments: &ReplayBeginArguments, environment: &Environment) -> Result<(), Failure> {
    let body = body(arguments)?;
    let client = arguments.client.client(environment)?;
    let reply = client.post(PATH, &body, COUNT_WAIT).await?;
    let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
    let watched = std::io::stderr().is_terminal() && !arguments.json;
    if arguments.dry_run {
        if arguments.json {
            return output::line(text);
        }
        let Counted { matched, complete } = read(text)?;
        let least = if complete { "" } else { "at least " };
        return output::line(&format!("{least}{matched} events would be replayed"));
    }
    let begun: Status = read(text)?;
    if arguments.wait || watched {
        return watch(&client, &begun.id, arguments).await;
    }
    output::line(if arguments.json { text } else { &begun.id })
}

/// Waits for the end of a replay, and shows how far it is where someone looks.
async fn watch(client: &Client, id: &str, arguments: &ReplayBeginArguments) -> Result<(), Failure> {
    let path = CallPath::new(PATH).segment(id);
    let mut progress = Progress::on_terminal();
    loop {
        let reply = client.fetch(path.as_str()).await?;
        let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
        let status: Status = read(text)?;
        progress.show(status.progress, &counts(&status));
        if status.state != "running" {
            progress.end();
            return output::line(&if arguments.json { text.to_owned() } else { row(&status) });
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

fn body(arguments: &ReplayBeginArguments) -> Result<Value, Failure> {
    let mut body = Map::new();
    body.insert("subscription".to_owned(), json!(arguments.subscription));
    let events = arguments.events.object();
    let chosen = [!arguments.ids.is_empty(), arguments.dead_letters];
    if chosen.contains(&true) && !events.is_empty() {
        return Err(Failure::usage("expected ids or `--dead-letters`, or filters, found both"));
    }
    match chosen {
        [true, _] => body.insert("ids".to_owned(), json!(arguments.ids)),
        [_, true] => body.insert("dead_letters".to_owned(), json!(true)),
        _ if events.is_empty() && !arguments.all => {
            return Err(Failure::usage(
                "expected event ids, `--dead-letters`, `--since` or another filter, or `--all`, \
                 found none",
            ));
        }
        _ => body.insert("events".to_owned(), Value::Object(events)),
    };
    if let Some(rate) = &arguments.rate {
        body.insert("rate".to_owned(), json!(rate));
    }
    body.insert("dry_run".to_owned(), json!(arguments.dry_run));
    Ok(Value::Object(body))
}

async fn list(arguments: &ReplayListArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let reply = client.fetch(PATH).await?;
    let page: Page = serde_json::from_slice(&reply.body).map_err(unexpected)?;
    for replay in &page.replays {
        if arguments.json {
            output::line(replay.get())?;
        } else {
            output::line(&row(&read(replay.get())?))?;
        }
    }
    Ok(())
}

async fn show(arguments: &OneReplayArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let reply = client.fetch(CallPath::new(PATH).segment(&arguments.id).as_str()).await?;
    tell(&reply.body, arguments)
}

async fn cancel(arguments: &OneReplayArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let reply = client.delete(CallPath::new(PATH).segment(&arguments.id).as_str()).await?;
    tell(&reply.body, arguments)
}

fn tell(body: &[u8], arguments: &OneReplayArguments) -> Result<(), Failure> {
    let text = std::str::from_utf8(body).map_err(unexpected)?;
    if arguments.json {
        return output::line(text);
    }
    output::line(&row(&read(text)?))
}

/// One replay in one line: which, when, to whom, and how far.
fn row(status: &Status) -> String {
    let Status { id, subscription, state, created_at, .. } = status;
    format!("{id}  {created_at}  {subscription:<16}  {state:<9}  {}", counts(status))
}

fn counts(status: &Status) -> String {
    let Status { matched, delivered, settled, dead, .. } = status;
    let of = matched.map(|matched| format!(" of {matched}")).unwrap_or_default();
    let dead = if *dead == 0 { String::new() } else { format!(", {dead} dead") };
    format!("{delivered}{of} delivered, {settled} settled{dead}")
}

fn read<'a, T: Deserialize<'a>>(text: &'a str) -> Result<T, ClientError> {
    serde_json::from_str(text).map_err(unexpected)
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replay_is_told_in_one_line() {
        let mut status = Status {
            id: "01KAJ3V3W20000000000000001".to_owned(),
            subscription: "agent".to_owned(),
            state: "running".to_owned(),
            matched: Some(1200),
            delivered: 300,
            settled: 280,
            dead: 2,
            progress: 0.235,
            created_at: "2026-11-21T01:02:03.456Z".to_owned(),
        };
        insta::assert_snapshot!("replay_row", row(&status));
        (status.matched, status.dead) = (None, 0);
        assert_eq!(counts(&status), "300 delivered, 280 settled");
    }
}
