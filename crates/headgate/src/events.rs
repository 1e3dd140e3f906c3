//! `headgate events`: stored events, a list of them or one, and erasing one.

use crate::{
    cli::{EventsCommand, EventsEraseArguments, EventsGetArguments, EventsListArguments},
    client::{CallPath, Client, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use headgate_event::{Event, EventId, limits::LIST_EVENTS_MAX};
use serde::Deserialize;
use serde_json::value::RawValue;

/// A page as the gateway gives it; events stay the text they are.
#[derive(Deserialize)]
struct Page {
    events: Vec<Box<RawValue>>,
    #[serde(default)]
    damaged: Vec<Damaged>,
    next_cursor: Option<String>,
}

/// What is left of an event that was erased.
#[derive(Deserialize)]
struct Erased {
    id: String,
    created_at: String,
    erased_at: String,
}

/// An event of a page that the gateway cannot read.
#[derive(Deserialize)]
struct Damaged {
    id: EventId,
    reason: String,
}

/// Does what was asked for.
pub async fn run(command: &EventsCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        EventsCommand::List(arguments) => list(arguments, environment).await,
        EventsCommand::Get(arguments) => show(arguments, environment).await,
        EventsCommand::Erase(arguments) => erase(arguments, environment).await,
    }
}

async fn list(arguments: &EventsListArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let (mut cursor, mut left) = (None, arguments.limit);
    loop {
        let page = page(&client, arguments, left.min(LIST_EVENTS_MAX as u64), cursor).await?;
        for event in &page.events {
            left = left.saturating_sub(1);
            if arguments.json {
                output::line(event.get())?;
            } else {
                output::line(&row(&read(event.get())?))?;
            }
        }
        for Damaged { id, reason } in &page.damaged {
            eprintln!("{id} cannot be read: {reason}");
        }
        cursor = page.next_cursor;
        // An empty page would otherwise be asked for again and again.
        let empty = page.events.is_empty() && page.damaged.is_empty();
        // With a filter a page ends after so many looks, whatever it found.
        let empty = empty && arguments.filter.is_none();
        if left == 0 || cursor.is_none() || empty {
            return Ok(());
        }
    }
}

async fn page(
    client: &Client,
    arguments: &EventsListArguments,
    limit: u64,
    cursor: Option<String>,
) -> Result<Page, Failure> {
    let path = CallPath::new("/v1/events")
        .parameters("channel", &arguments.channel)
        .parameters("type", &arguments.types)
        .parameters("provider", &arguments.provider)
        .each(arguments.keys.parameters())
        .parameters("filter", &arguments.filter)
        .parameters("since", &arguments.since.map(|at| at.to_string()))
        .parameters("until", &arguments.until.map(|at| at.to_string()))
        .parameter("limit", &limit.to_string())
        .parameters("cursor", &cursor);
    let reply = client.fetch(path.as_str()).await?;
    Ok(serde_json::from_slice(&reply.body).map_err(unexpected)?)
}

/// One event in one line: when, where, its id and its headline.
fn row(event: &Event) -> String {
    let headline = event.prompt_ready().lines().next().unwrap_or_default();
    format!("{}  {}  {:<16}  {headline}", event.id(), event.created_at(), event.channel().id)
}

async fn show(arguments: &EventsGetArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/events").segment(&arguments.id);
    if arguments.raw {
        let reply = client.fetch(path.segment("raw").as_str()).await?;
        return output::bytes(&reply.body);
    }
    let reply = client.fetch(path.as_str()).await?;
    let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
    if arguments.json {
        return output::line(text);
    }
    output::line(read(text)?.prompt_ready())
}

async fn erase(arguments: &EventsEraseArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/events").segment(&arguments.id);
    let reply = client.delete(path.as_str()).await?;
    let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
    if arguments.json {
        return output::line(text);
    }
    let Erased { id, created_at, erased_at } = serde_json::from_str(text).map_err(unexpected)?;
    output::line(&format!("erased {id} of {created_at} at {erased_at}"))
}

fn read(text: &str) -> Result<Event, ClientError> {
    serde_json::from_str(text).map_err(unexpected)
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
