//! `headgate subscriptions`: trying out what a subscription would get.

use crate::{
    cli::{SubscriptionsCommand, SubscriptionsTestArguments},
    client::{CallPath, ClientError},
    config::Environment,
    failure::Failure,
    output,
};
use serde::Deserialize;
use serde_json::Value;
use std::time::Duration;

/// How long the gateway may take to look.
const LOOK_WAIT: Duration = Duration::from_secs(120);

/// What a subscription would get.
#[derive(Deserialize)]
struct Tested {
    matched: u64,
    left_out: u64,
    complete: bool,
    fits_nothing: Option<String>,
    samples: Vec<Sample>,
}

#[derive(Deserialize)]
struct Sample {
    id: String,
    created_at: String,
    channel: String,
    headline: String,
}

/// Does what was asked for.
pub async fn run(command: &SubscriptionsCommand, environment: &Environment) -> Result<(), Failure> {
    let SubscriptionsCommand::Test(arguments) = command;
    test(arguments, environment).await
}

async fn test(
    arguments: &SubscriptionsTestArguments,
    environment: &Environment,
) -> Result<(), Failure> {
    let mut body = arguments.events.times();
    if arguments.events.filters() {
        body.insert("events".to_owned(), Value::Object(arguments.events.object()));
    }
    let client = arguments.client.client(environment)?;
    let path = CallPath::new("/v1/subscriptions").segment(&arguments.name).segment("test");
    let reply = client.post(path.as_str(), &Value::Object(body), LOOK_WAIT).await?;
    let text = std::str::from_utf8(&reply.body).map_err(unexpected)?;
    if arguments.json {
        return output::line(text);
    }
    output::line(&told(&serde_json::from_str(text).map_err(unexpected)?))
}

fn told(tested: &Tested) -> String {
    let Tested { matched, left_out, complete, fits_nothing, samples } = tested;
    let least = if *complete { "" } else { " of those that were looked at; there are more" };
    let mut told = format!("{matched} would be delivered, {left_out} would not{least}");
    if let Some(why) = fits_nothing {
        told += &format!("\nnothing can ever fit: {why}");
    }
    for Sample { id, created_at, channel, headline } in samples {
        let headline: String = headline.chars().filter(|one| !one.is_control()).collect();
        told += &format!("\n{id}  {created_at}  {channel:<16}  {headline}");
    }
    told
}

fn unexpected(error: impl std::fmt::Display) -> ClientError {
    ClientError::Unexpected { reason: error.to_string() }
}
