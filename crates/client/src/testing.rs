//! For the tests of your handlers: events of every type out of nothing.
//!
//! ```
//! use headgate_client::testing;
//! use serde_json::json;
//!
//! let event = testing::event("email.received", json!({"subject": "Printer on fire"}));
//! assert_eq!(event.email().map(|email| email.subject.as_str()), Some("Printer on fire"));
//! ```

use headgate_event::{Event, EventId, SCHEMA, Timestamp};
use serde_json::{Map, Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// The moment at which every made event happened.
const AT: &str = "2026-11-21T01:02:03.456Z";

/// An event of a type, whose data is what such an event has with `data` over it.
///
/// # Panics
///
/// When the type is no name of an event, or `data` no object.
#[must_use]
pub fn event(event_type: &str, data: Value) -> Event {
    event_with(event_type, data, Value::Object(Map::new()))
}

/// The same with other members of the event itself over what is made.
///
/// # Panics
///
/// When the type is no name of an event, or what is given does not make one.
#[must_use]
#[expect(clippy::expect_used, reason = "it is for tests, and says so under `Panics`")]
pub fn event_with(event_type: &str, data: Value, members: Value) -> Event {
    let channel = channel_type(event_type);
    let mut made = made_data(event_type, channel);
    merge(&mut made, data);
    let random = getrandom::u64().map_or(0, u128::from);
    let mut event = json!({
        "schema": SCHEMA,
        "id": EventId::from_parts(Timestamp::from_unix_s(1_795_222_923), random).to_string(),
        "type": event_type,
        "created_at": AT,
        "channel": {"id": format!("test-{channel}"), "label": "Test", "type": channel},
        "verification": {
            "verdict": "verified", "method": "internal", "covers": "body+time",
            "detail": null, "key": null,
        },
        "data": made,
        "prompt_ready": format!("{event_type} at {AT}"),
        "prompt_ready_version": 1,
    });
    merge(&mut event, members);
    serde_json::from_value(event).expect("what is given makes an event")
}

/// The event of a file, or of the folder that `headgate fixture EVENT_ID --to FOLDER` makes: one
/// that has a single file that ends in `event.json`.
///
/// # Panics
///
/// When there is no such file, or it holds no event.
#[must_use]
pub fn load_event(path: impl AsRef<Path>) -> Event {
    let path = path.as_ref();
    let file = if path.is_dir() { only_event(path) } else { path.to_owned() };
    let read = fs::read_to_string(&file).map_err(|error| error.to_string());
    let event = read.and_then(|text| serde_json::from_str(&text).map_err(|e| e.to_string()));
    event.unwrap_or_else(|error| panic!("expected an event in `{}`: {error}", file.display()))
}

fn only_event(folder: &Path) -> PathBuf {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let ends = |name: &String| name == "event.json" || name.ends_with(".event.json");
    let mut found: Vec<String> = names.filter(ends).collect();
    found.sort_unstable();
    match found.as_slice() {
        [name] => folder.join(name),
        _ => panic!(
            "expected one file that ends in `event.json` in `{}`, found {found:?}",
            folder.display()
        ),
    }
}

fn merge(made: &mut Value, given: Value) {
    if let (Some(made), Value::Object(given)) = (made.as_object_mut(), given) {
        made.extend(given);
    }
}

fn channel_type(event_type: &str) -> &'static str {
    match event_type {
        "webhook.received" => "webhook",
        "email.received" => "email",
        "slack.event" => "slack",
        "cron.fired" => "cron",
        _ => "app",
    }
}

fn made_data(event_type: &str, channel: &str) -> Value {
    match channel {
        "webhook" => json!({
            "method": "POST", "path": "/v1/webhook/test-webhook", "query": "",
            "headers": {"content-type": "application/json"}, "body_encoding": "json",
            "body": {}, "body_raw_b64": "", "body_size_bytes": 2,
            "content_type": "application/json", "remote_ip": "127.0.0.1",
        }),
        "email" => json!({
            "message_id": "<test@example.com>", "from": "alice@example.com",
            "to": ["support@example.com"], "cc": [], "bcc": [], "subject": "Hello",
            "text": "Hello.\n", "html": null, "attachments": [], "received_at": AT,
        }),
        "slack" => json!({
            "team_id": "T0TEST", "team_name": null, "event_type": "message",
            "event_ts": "1795219200.000100", "channel_id": "C0TEST", "user_id": "U0TEST",
            "text": "Hello", "thread_ts": null, "raw": {},
        }),
        "cron" => json!({
            "schedule_id": "00000000-0000-5000-8000-000000000000", "cron_expr": "0 9 * * *",
            "timezone": "UTC", "scheduled_at": AT, "fired_at": AT, "payload": {},
        }),
        _ => json!({
            "event_id": "test", "event_type": event_type, "timestamp": AT, "flow_id": null,
            "flow_type": null, "proposal_id": null, "deal_id": null, "session_id": null,
            "payload": {}, "metadata": {},
        }),
    }
}
