//! `headgate schedules`: the schedules of a gateway, to look at, to run, to pause and to delete.
//! When an expression is due is `headgate cron`'s to say.

mod named;
mod view;

use crate::{
    cli::{
        OneSchedule, SchedulesBackfillArguments, SchedulesCommand, SchedulesListArguments,
        SchedulesRunArguments, SchedulesShowArguments,
    },
    client::{CallPath, Client, ClientError, Reply},
    clock::SystemClock,
    config::Environment,
    failure::Failure,
    output,
};
use headgate_event::{Clock, limits::LIST_EVENTS_MAX};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json, value::RawValue};
use std::time::Duration;
use view::View;

const PATH: &str = "/v1/schedules";

/// How much longer than another a call may take that makes many runs.
const BACKFILL_WAIT: Duration = Duration::from_secs(120);

/// A page as the gateway gives it; schedules stay the text they are.
#[derive(Deserialize)]
struct Page {
    schedules: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Ran {
    id: String,
    duplicate: bool,
}

#[derive(Deserialize)]
struct Backfilled {
    fired: u64,
    duplicates: u64,
}

/// Does what was asked for.
pub async fn run(command: &SchedulesCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        SchedulesCommand::List(arguments) => list(arguments, environment).await,
        SchedulesCommand::Show(arguments) => show(arguments, environment).await,
        SchedulesCommand::Run(arguments) => fire(arguments, environment).await,
        SchedulesCommand::Pause(arguments) => {
            turn(&arguments.one, "pause", &json!({}), environment).await
        }
        SchedulesCommand::Resume(arguments) => {
            let body = json!({ "catch_up": arguments.catch_up });
            turn(&arguments.one, "resume", &body, environment).await
        }
        SchedulesCommand::Delete(arguments) => delete(&arguments.one, environment).await,
        SchedulesCommand::Backfill(arguments) => backfill(arguments, environment).await,
    }
}

async fn list(
    arguments: &SchedulesListArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let (mut cursor, mut left) = (None, arguments.limit);
    loop {
        let path = CallPath::new(PATH)
            .parameters("channel", &arguments.channel)
            .parameter("limit", &left.min(LIST_EVENTS_MAX as u64).to_string())
            .parameter("runs", "1")
            .parameters("cursor", &cursor);
        let page: Page = read(&client.fetch(path.as_str()).await?)?;
        left = left.saturating_sub(page.schedules.len() as u64);
        let mut views = Vec::new();
        for schedule in &page.schedules {
            if arguments.json {
                output::line(schedule.get())?;
            } else {
                views.push(serde_json::from_str(schedule.get()).map_err(unexpected)?);
            }
        }
        let rows = view::table(&views, SystemClock.now());
        rows.iter().try_for_each(|row| output::line(row))?;
        cursor = page.next_cursor;
        // A page without schedules would otherwise be asked for again and again.
        if left == 0 || cursor.is_none() || page.schedules.is_empty() {
            return Ok(());
        }
    }
}

async fn show(
    arguments: &SchedulesShowArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let (client, path) = found(&arguments.one, environment).await?;
    let path = path.parameter("runs", &arguments.runs.to_string());
    let reply = client.fetch(path.as_str()).await?;
    if arguments.one.json {
        return output::line(text(&reply)?);
    }
    let view: View = read(&reply)?;
    view.told(SystemClock.now()).iter().try_for_each(|line| output::line(line))
}

async fn fire(arguments: &SchedulesRunArguments, environment: &Environment) -> Result<(), Failure> {
    let (client, path) = found(&arguments.one, environment).await?;
    let body = arguments.key.as_ref().map_or(json!({}), |key| json!({ "idempotency_key": key }));
    let reply = client.post(path.segment("run").as_str(), &body, Duration::ZERO).await?;
    if arguments.one.json {
        return output::line(text(&reply)?);
    }
    let Ran { id, duplicate } = read(&reply)?;
    output::line(&format!("{id}{}", if duplicate { "  made by this key before" } else { "" }))
}

/// Pauses or resumes.
async fn turn(
    one: &OneSchedule,
    verb: &str,
    body: &Value,
    environment: &Environment,
) -> Result<(), Failure> {
    let (client, path) = found(one, environment).await?;
    let reply = client.post(path.segment(verb).as_str(), body, Duration::ZERO).await?;
    if one.json {
        return output::line(text(&reply)?);
    }
    let view: View = read(&reply)?;
    output::line(&format!("{}: {}", view.place(), view.next_in_words(SystemClock.now())))
}

async fn delete(one: &OneSchedule, environment: &Environment) -> Result<(), Failure> {
    let (client, path) = found(one, environment).await?;
    client.delete(path.as_str()).await?;
    if one.json {
        return output::line(&json!({ "deleted": 1 }).to_string());
    }
    output::line("deleted 1")
}

async fn backfill(
    arguments: &SchedulesBackfillArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let (client, path) = found(&arguments.one, environment).await?;
    let body = json!({ "from": arguments.from, "to": arguments.to });
    let reply = client.post(path.segment("backfill").as_str(), &body, BACKFILL_WAIT).await?;
    if arguments.one.json {
        return output::line(text(&reply)?);
    }
    let Backfilled { fired, duplicates } = read(&reply)?;
    output::line(&format!("fired {fired}, {duplicates} had fired before"))
}

/// The gateway, and the path of the schedule that is meant.
async fn found(
    one: &OneSchedule,
    environment: &Environment,
) -> Result<(Client, CallPath), Failure> {
    let client = one.client.client(environment)?;
    let id = named::id(&client, &one.schedule).await?;
    Ok((client, CallPath::new(PATH).segment(&id)))
}

fn read<T: DeserializeOwned>(reply: &Reply) -> Result<T, ClientError> {
    serde_json::from_slice(&reply.body).map_err(unexpected)
}

fn text(reply: &Reply) -> Result<&str, ClientError> {
    std::str::from_utf8(&reply.body).map_err(unexpected)
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
