//! `headgate fixture`: a stored webhook as a test case, as `fixtures/webhooks` holds them.
//!
//! What proved the request is not stored, so its case is one for identity and prompt; the headers
//! that were redacted are left out of it.

use crate::{cli::FixtureArguments, config::Environment, failure::Failure, output};
use anyhow::Context;
use headgate_event::Event;
use serde_json::Value;
use std::fs;

/// Writes the files.
pub async fn run(arguments: &FixtureArguments, environment: &Environment) -> Result<(), Failure> {
    let client = arguments.client.client(environment)?;
    let path = format!("/v1/events/{}", arguments.id);
    let shown = client.fetch(&path).await?.body;
    let raw = client.fetch(&format!("{path}/raw")).await?.body;
    let event: Event = serde_json::from_slice(&shown).context("expected an event")?;
    let data = event.webhook().ok_or_else(|| {
        Failure::usage(format!(
            "expected an event `webhook.received`, found `{}`",
            event.event_type()
        ))
    })?;
    let query = if data.query.is_empty() { String::new() } else { format!("?{}", data.query) };
    let mut request = format!("{} {}{query}\n", data.method, data.path);
    for (name, value) in data.headers.iter().filter(|(_, value)| !value.contains("[redacted]")) {
        request.push_str(&format!("{name}: {value}\n"));
    }
    let mut request = request.into_bytes();
    request.push(b'\n');
    request.extend_from_slice(&raw);
    let name = event.provider_event().unwrap_or("event").replace(['/', ':'], "_");
    let pretty: Value = serde_json::from_slice(&shown).context("expected JSON")?;
    let pretty = format!("{pretty:#}\n");
    fs::create_dir_all(&arguments.to)?;
    let files: [(&str, &[u8]); 3] = [
        ("http", &request),
        ("event.json", pretty.as_bytes()),
        ("prompt.txt", event.prompt_ready().as_bytes()),
    ];
    for (ending, bytes) in files {
        let file = arguments.to.join(format!("{name}.{ending}"));
        fs::write(&file, bytes).with_context(|| file.display().to_string())?;
        output::line(&file.display().to_string())?;
    }
    Ok(())
}
