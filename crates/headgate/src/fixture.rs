//! `headgate fixture`: a stored event as a test case, as `fixtures/webhooks` holds them and as the
//! SDKs load them.
//!
//! What proved a request is not stored, so the case of a webhook is one for identity and prompt;
//! the headers that were redacted are left out of it.

use crate::{cli::FixtureArguments, config::Environment, failure::Failure, output};
use anyhow::Context;
use headgate_event::{Event, EventType, data::WebhookData};
use serde_json::Value;
use std::fs;

/// Writes the files.
pub async fn run(arguments: &FixtureArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = format!("/v1/events/{}", arguments.id);
    let shown = client.fetch(&path).await?.body;
    let event: Event = serde_json::from_slice(&shown).context("expected an event")?;
    let pretty: Value = serde_json::from_slice(&shown).context("expected JSON")?;
    let mut files = vec![
        ("event.json", format!("{pretty:#}\n").into_bytes()),
        ("prompt.txt", event.prompt_ready().as_bytes().to_vec()),
    ];
    let raw = format!("{path}/raw");
    if let Some(data) = event.webhook() {
        files.insert(0, ("http", request(data, &client.fetch(&raw).await?.body)));
    } else if *event.event_type() == EventType::EMAIL_RECEIVED {
        files.insert(0, ("eml", client.fetch(&raw).await?.body.to_vec()));
    }
    let name = name(&event);
    fs::create_dir_all(&arguments.to)?;
    for (ending, bytes) in files {
        let file = arguments.to.join(format!("{name}.{ending}"));
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        output::line(&file.display().to_string())?;
    }
    Ok(())
}

/// The request as it came, without what was redacted.
fn request(data: &WebhookData, body: &[u8]) -> Vec<u8> {
    let query = if data.query.is_empty() { String::new() } else { format!("?{}", data.query) };
    let mut request = format!("{} {}{query}\n", data.method, data.path);
    for (name, value) in data.headers.iter().filter(|(_, value)| !value.contains("[redacted]")) {
        request.push_str(&format!("{name}: {value}\n"));
    }
    request.push('\n');
    [request.as_bytes(), body].concat()
}

/// What the files are called: the provider's name of what happened, or the type of the event.
fn name(event: &Event) -> String {
    let nameless = if event.webhook().is_some() { "event" } else { event.event_type().as_str() };
    event.provider_event().unwrap_or(nameless).replace(['/', ':'], "_")
}
