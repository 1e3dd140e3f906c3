//! `headgate dead-letters`: the deliveries of a subscription that never come again.

use crate::{
    cli::DeadLettersArguments,
    client::{CallPath, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use headgate_event::limits::LIST_EVENTS_MAX;
use serde::Deserialize;
use serde_json::value::RawValue;

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

/// Lists them, those of the newest events first.
pub async fn run(
    arguments: &DeadLettersArguments,
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
