//! `headgate dead-letters`: the deliveries of a subscription that never come again, unless they are
//! taken up.

use crate::{
    cli::{
        DeadLettersCommand, DeadLettersDeleteArguments, DeadLettersListArguments,
        DeadLettersRedriveArguments,
    },
    client::{CallPath, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use headgate_event::limits::LIST_EVENTS_MAX;
use serde::Deserialize;
use serde_json::{Value, json, value::RawValue};
use std::time::Duration;

/// How long the gateway may take to find and take up what is asked for.
const REDRIVE_WAIT: Duration = Duration::from_secs(120);

/// A page as the gateway gives it; letters stay the text they are.
#[derive(Deserialize)]
struct Page {
    dead_letters: Vec<Box<RawValue>>,
    next_cursor: Option<String>,
}

#[derive(Deserialize)]
struct Letter {
    event_id: Option<String>,
    reason: String,
    attempts: u32,
    last_error: Option<String>,
    at: String,
}

/// What became of letters.
#[derive(Deserialize)]
struct Settled {
    #[serde(alias = "redriven", alias = "deleted")]
    done: u64,
    errors: Vec<Refused>,
    complete: bool,
}

/// A letter that stays.
#[derive(Deserialize)]
struct Refused {
    message: String,
}

/// Does what was asked for.
pub async fn run(command: &DeadLettersCommand, environment: &Environment) -> Result<(), Failure> {
    match command {
        DeadLettersCommand::List(arguments) => list(arguments, environment).await,
        DeadLettersCommand::Redrive(arguments) => redrive(arguments, environment).await,
        DeadLettersCommand::Delete(arguments) => delete(arguments, environment).await,
    }
}

async fn redrive(
    arguments: &DeadLettersRedriveArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let events = arguments.events.object();
    if !arguments.all && !events.is_empty() {
        return Err(Failure::usage("expected deliveries, or `--all` with filters, found both"));
    }
    let mut body = json!({ "subscription": arguments.subscription });
    match (arguments.all, events.is_empty()) {
        (false, _) => body["deliveries"] = json!(arguments.deliveries),
        (true, true) => body["all"] = json!(true),
        (true, false) => body["events"] = Value::Object(events),
    }
    let client = arguments.client.client(environment)?;
    let mut done = 0;
    loop {
        let path = "/v1/dead-letters/redrive";
        let reply = client.post(path, &body, REDRIVE_WAIT).await?;
        let settled = told(&reply.body, arguments.json)?;
        done += settled.done;
        // A call takes up so many at most; one that takes up none will not take up the rest.
        if settled.complete || settled.done == 0 {
            return ended("redriven", done, &settled.errors, arguments.json);
        }
    }
}

async fn delete(
    arguments: &DeadLettersDeleteArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/dead-letters")
        .parameter("subscription", &arguments.subscription)
        .parameters("delivery", &arguments.deliveries);
    let path = if arguments.all { path.parameter("all", "true") } else { path };
    let mut done = 0;
    loop {
        let settled = told(&client.delete(path.as_str()).await?.body, arguments.json)?;
        done += settled.done;
        if settled.complete || settled.done == 0 {
            return ended("deleted", done, &settled.errors, arguments.json);
        }
    }
}

/// What an answer says; printed as it came when JSON is asked for.
fn told(body: &[u8], json: bool) -> Result<Settled, Failure> {
    let text = std::str::from_utf8(body).map_err(unexpected)?;
    if json {
        output::line(text)?;
    }
    Ok(serde_json::from_str(text).map_err(unexpected)?)
}

fn ended(verb: &str, done: u64, errors: &[Refused], json: bool) -> Result<(), Failure> {
    if !json {
        output::line(&format!("{verb} {done}"))?;
    }
    match errors.first() {
        None => Ok(()),
        Some(_) => {
            let said: Vec<&str> = errors.iter().map(|error| error.message.as_str()).collect();
            Err(anyhow::anyhow!("{}", said.join("\n")).into())
        }
    }
}

/// Lists them, those of the newest events first.
async fn list(
    arguments: &DeadLettersListArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let (mut cursor, mut left) = (None, arguments.limit);
    loop {
        let path = CallPath::new("/v1/dead-letters")
            .parameter("subscription", &arguments.subscription)
            .parameter("limit", &left.min(LIST_EVENTS_MAX as u64).to_string())
            .parameters("cursor", &cursor);
        let reply = client.fetch(path.as_str()).await?;
        let page: Page = serde_json::from_slice(&reply.body).map_err(unexpected)?;
        for letter in &page.dead_letters {
            left = left.saturating_sub(1);
            if arguments.json {
                output::line(letter.get())?;
            } else {
                output::line(&row(&serde_json::from_str(letter.get()).map_err(unexpected)?))?;
            }
        }
        cursor = page.next_cursor;
        // A page without letters would otherwise be asked for again and again.
        if left == 0 || cursor.is_none() || page.dead_letters.is_empty() {
            return Ok(());
        }
    }
}

/// One letter in one line: its event, when it died, why, and what was said last. Consumers word
/// that, so control characters are shown and not obeyed.
fn row(letter: &Letter) -> String {
    let Letter { event_id, reason, attempts, last_error, at } = letter;
    let event = event_id.as_deref().unwrap_or("(no longer stored)");
    let error = last_error.as_deref().unwrap_or_default();
    let plural = if *attempts == 1 { "" } else { "s" };
    let error: String = error.chars().flat_map(shown).collect();
    format!("{event}  {at}  {reason:<10}  {attempts} attempt{plural}  {error}")
        .trim_end()
        .to_owned()
}

fn shown(character: char) -> Vec<char> {
    if character.is_control() { character.escape_default().collect() } else { vec![character] }
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
