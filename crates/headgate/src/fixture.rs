//! `headgate fixture`: a stored event as a test case, as `fixtures/webhooks` holds them and as the
//! SDKs load them.
//!
//! What proved a request is not stored, so the case of a webhook is one for identity and prompt;
//! the headers that were redacted are left out of it, and a secret in its body is as the event shows
//! it.

use crate::{cli::FixtureArguments, config::Environment, failure::Failure, output};
use anyhow::Context;
use headgate_event::{
    BodyEncoding, Event, EventType, Open, data::WebhookData, prompt::redact::REDACTED,
};
use serde_json::Value;
use std::fs;

/// What a body that was written anew has no longer.
const OF_THE_BYTES: [&str; 2] = ["content-encoding", "content-length"];

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
    let clean = clean(data, body);
    let mut request = format!("{} {}{query}\n", data.method, data.path);
    for (name, value) in data.headers.iter().filter(|(_, value)| !value.contains(REDACTED)) {
        if clean.is_none() || !OF_THE_BYTES.contains(&name.as_str()) {
            request.push_str(&format!("{name}: {value}\n"));
        }
    }
    request.push('\n');
    [request.as_bytes(), clean.unwrap_or(body)].concat()
}

/// The body as the event shows it, where that lacks a secret which the bytes have.
fn clean<'a>(data: &'a WebhookData, body: &[u8]) -> Option<&'a [u8]> {
    let shown = data.body.get();
    let count = |text: &str| text.matches(REDACTED).count();
    let is_json = matches!(data.body_encoding, Open::Known(BodyEncoding::Json));
    let lacks = is_json && count(shown) > count(&String::from_utf8_lossy(body));
    lacks.then_some(shown.as_bytes())
}

/// What the files are called: the provider's name of what happened, or the type of the event.
fn name(event: &Event) -> String {
    let nameless = if event.webhook().is_some() { "event" } else { event.event_type().as_str() };
    event.provider_event().unwrap_or(nameless).replace(['/', ':'], "_")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn data(body: &str) -> WebhookData {
        let event = serde_json::json!({
            "method": "POST", "path": "/v1/webhook/graph", "query": "",
            "headers": {"content-type": "application/json", "content-length": "53"},
            "body_encoding": "json", "body": serde_json::value::RawValue::from_string(body.to_owned())
                .expect("JSON"),
            "body_raw_b64": "", "body_size_bytes": 53, "content_type": "application/json",
            "remote_ip": null,
        });
        serde_json::from_str(&event.to_string()).expect("data")
    }

    /// Symptom: the test case of a notification of Microsoft Graph held its `clientState`. Cause:
    /// the raw bytes were written, which keep what the event does not show.
    #[test]
    fn a_secret_in_the_body_is_not_in_its_test_case() {
        let raw = br#"{"value": [{"clientState": "s3cret", "id": "first"}]}"#;
        let shown = r#"{"value":[{"clientState":"[redacted]","id":"first"}]}"#;
        let request = String::from_utf8(request(&data(shown), raw)).expect("text");
        assert_eq!(
            request,
            format!("POST /v1/webhook/graph\ncontent-type: application/json\n\n{shown}")
        );
    }

    #[test]
    fn a_body_without_a_secret_is_as_it_came() {
        let raw = br#"{"note": "[redacted]",  "id": 1.0}"#;
        let shown = r#"{"note":"[redacted]","id":1.0}"#;
        let request = String::from_utf8(request(&data(shown), raw)).expect("text");
        assert!(request.ends_with(std::str::from_utf8(raw).expect("text")), "{request}");
        assert!(request.contains("content-length: 53"));
    }
}
