//! The index is derived: without it, every answer of the running program is as it was.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, binary, senders, write_config};
use serde_json::{Value, json};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const EVENTS: usize = 120;

/// The events that are erased: of every kind that is sent.
const ERASED: [usize; 5] = [4, 9, 14, 19, 117];

/// An event that was sent: its id and its body.
type Sent = (String, Vec<u8>);

/// Every list that there can be of the events that are sent, most of them of more than one page.
const LISTS: [&str; 14] = [
    "",
    "channel=hub",
    "channel=hub&channel=open",
    "provider=github",
    "type=webhook.received",
    "provider_event=push",
    "provider_event=issues.opened&provider_event=issues.closed",
    "thread_key=acme/sdk%232",
    "thread_key=acme/sdk%231&provider_event=issues.opened",
    "thread_key=nobody",
    "session_id=nobody",
    "channel=hub&provider_event=push",
    "since=2020-01-01T00:00:00Z",
    "until=2020-01-01T00:00:00Z",
];

#[test]
fn every_answer_is_as_before_without_the_tables_of_the_index() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let (gateway, sent) = begun(&config)?;
    let before = answers(&gateway.address, &sent)?;
    shows_something(&before)?;
    gateway.stop()?;
    drop_all_tables(&folder.path().join("data/index.db"))?;
    let gateway = Gateway::start(&config)?;
    compare(&answers(&gateway.address, &sent)?, &before)?;
    gateway.kill()?;
    fs::remove_file(folder.path().join("data/index.db"))?;
    let gateway = Gateway::start(&config)?;
    compare(&answers(&gateway.address, &sent)?, &before)
}

#[test]
fn every_answer_is_as_before_after_a_reindex() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let (gateway, sent) = begun(&config)?;
    let before = answers(&gateway.address, &sent)?;
    gateway.kill()?;
    let reindexed = reindex(&config, &["--json"])?;
    ensure!(reindexed.status.success(), "{reindexed:?}");
    let said: Value = serde_json::from_slice(&reindexed.stdout)?;
    assert_eq!(said.get("events"), Some(&json!(sent.len())));
    let again = reindex(&config, &[])?;
    let said = String::from_utf8(again.stdout)?;
    ensure!(said.starts_with(&format!("indexed {} events in `", sent.len())), "it said: {said}");
    let gateway = Gateway::start(&config)?;
    compare(&answers(&gateway.address, &sent)?, &before)?;
    // What comes afterwards is indexed as ever.
    let (id, _) = send(&mut Connection::open(&gateway.address)?, EVENTS)?;
    let newest = get(&gateway.address, "/v1/events?limit=1")?;
    assert_eq!(newest.pointer("/events/0/id"), Some(&json!(id)));
    Ok(())
}

#[test]
fn a_reindex_beside_a_running_gateway_is_refused_and_harms_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let (gateway, sent) = begun(&config)?;
    let before = answers(&gateway.address, &sent)?;
    let refused = reindex(&config, &[])?;
    let said = String::from_utf8(refused.stderr)?;
    assert_eq!(refused.status.code(), Some(1));
    ensure!(said.contains("belongs to another running headgate (process "), "it said: {said}");
    compare(&answers(&gateway.address, &sent)?, &before)
}

#[test]
fn a_reindex_where_no_queue_is_makes_none() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let refused = reindex(&config, &[])?;
    let said = String::from_utf8(refused.stderr)?;
    assert_eq!(refused.status.code(), Some(1));
    ensure!(said.contains("cannot find a log in the folder `"), "it said: {said}");
    ensure!(!folder.path().join("data").exists(), "it made a folder");
    Ok(())
}

fn reindex(config: &Path, more: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?);
    command.arg("reindex").arg("--config").arg(config).args(more);
    Ok(command.env_remove("HEADGATE_DATA_DIR").output()?)
}

/// A gateway with events of which a consumer has settled some and holds some.
fn begun(config: &Path) -> Result<(Gateway, Vec<Sent>)> {
    let gateway = Gateway::start(config)?;
    let mut connection = Connection::open(&gateway.address)?;
    let mut sent = Vec::new();
    for number in 0..EVENTS {
        sent.push(send(&mut connection, number)?);
    }
    let path = "/v1/subscriptions/agent/lease";
    for number in ERASED {
        let id = &sent.get(number).context("an event")?.0;
        let erased = connection.request("DELETE", &format!("/v1/events/{id}"), &[], b"")?;
        ensure!(erased.status == 200, "erasing {id}: {}", erased.status);
    }
    let leased = connection.request("POST", path, &[], br#"{"max": 40}"#)?.json()?;
    let ids = deliveries(&leased)?;
    let settle = json!({"ack": ids.get(..20), "bury": [{"id": ids.get(20), "reason": "odd"}]});
    let body = settle.to_string().into_bytes();
    let settled =
        connection.request("POST", "/v1/subscriptions/agent/settle", &[], &body)?.json()?;
    assert_eq!(settled.get("settled"), Some(&json!(21)));
    Ok((gateway, sent))
}

/// Sends the event of a number, which is a repeat when it was sent before; its id and its body.
fn send(connection: &mut Connection, number: usize) -> Result<Sent> {
    let (path, name, body) = match number % 4 {
        0 => ("/v1/webhook/open", "", json!({"n": number})),
        1 => ("/v1/webhook/hub", "push", json!({"n": number, "ref": "refs/heads/main"})),
        rest => {
            let action = if rest == 2 { "opened" } else { "closed" };
            let issue = json!({"number": number % 3, "title": "Printer on fire"});
            let repository = json!({"full_name": "acme/sdk"});
            let body = json!({"action": action, "issue": issue, "repository": repository});
            ("/v1/webhook/hub", "issues", body)
        }
    };
    let body = body.to_string().into_bytes();
    let answer = connection.request(
        "POST",
        path,
        &[
            ("content-type", "application/json"),
            ("x-github-event", name),
            ("x-github-delivery", &format!("delivery-{number}")),
            ("x-hub-signature-256", &senders::github("of the reindex test", &body)),
        ],
        &body,
    )?;
    ensure!(answer.status == 200, "status {} to {path}", answer.status);
    let id = answer.json()?.get("id").and_then(Value::as_str).context("id")?.to_owned();
    Ok((id, body))
}

/// All that the index has a part in, by what was asked.
fn answers(address: &str, sent: &[Sent]) -> Result<Vec<(String, Value)>> {
    let mut connection = Connection::open(address)?;
    let mut answers = Vec::new();
    for list in LISTS {
        answers.push((format!("list {list}"), all_pages(&mut connection, list)?));
    }
    for (number, (id, body)) in sent.iter().enumerate() {
        let mut one = connection.request("GET", &format!("/v1/events/{id}"), &[], b"")?.json()?;
        if let Some(error) = one.pointer_mut("/error").and_then(Value::as_object_mut) {
            error.remove("request_id");
        }
        answers.push((format!("event {id}"), one));
        let raw = connection.request("GET", &format!("/v1/events/{id}/raw"), &[], b"")?;
        let erased = ERASED.contains(&number);
        ensure!((raw.status == 410) == erased, "the status of {id}: {}", raw.status);
        ensure!(erased || raw.body == *body, "the bytes of {id}");
        // An open channel knows no repeats.
        if number % 4 != 0 {
            let (again, _) = send(&mut connection, number)?;
            ensure!(again == *id, "event {number} was {id} and is {again}");
        }
    }
    answers.push(("subscription".to_owned(), subscription(address)?));
    Ok(answers)
}

/// How far the subscription is, and everything that it still gives.
fn subscription(address: &str) -> Result<Value> {
    let body = br#"{"max": 500, "lease_ms": 3600000}"#;
    let mut connection = Connection::open(address)?;
    let path = "/v1/subscriptions/agent/lease";
    connection.request("POST", path, &[], body)?;
    let mut status = get(address, "/v1/subscriptions/agent")?;
    let status = status.as_object_mut().context("a status")?;
    status.remove("oldest_unsettled_ms");
    Ok(json!(status))
}

fn all_pages(connection: &mut Connection, list: &str) -> Result<Value> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/v1/events?limit=7&{list}{cursor}");
        let mut page = connection.request("GET", &target, &[], b"")?.json()?;
        let found = page.get_mut("events").and_then(Value::as_array_mut);
        events.append(found.with_context(|| target.clone())?);
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(Value::Array(events)),
        }
    }
}

fn shows_something(answers: &[(String, Value)]) -> Result<()> {
    for (asked, answer) in answers.iter().take(LISTS.len()) {
        let none = asked.contains("nobody") || asked.contains("until");
        let count = answer.as_array().map_or(0, Vec::len);
        ensure!(none == (count == 0), "`{asked}` found {count}");
    }
    Ok(())
}

fn compare(after: &[(String, Value)], before: &[(String, Value)]) -> Result<()> {
    for ((asked, after), (_, before)) in after.iter().zip(before) {
        ensure!(after == before, "{asked}\nbefore: {before}\nafter: {after}");
    }
    ensure!(after.len() == before.len(), "the same was asked");
    Ok(())
}

fn deliveries(leased: &Value) -> Result<Vec<String>> {
    let all = leased.get("deliveries").and_then(Value::as_array).context("deliveries")?;
    let id = |event: &Value| event.pointer("/delivery/id")?.as_str().map(str::to_owned);
    all.iter().map(|event| id(event).context("a delivery's id")).collect()
}

fn get(address: &str, target: &str) -> Result<Value> {
    Connection::open(address)?.request("GET", target, &[], b"")?.json()
}

/// Drops all that can be made anew from the log.
pub(crate) fn drop_all_tables(index: &Path) -> Result<()> {
    let index = rusqlite::Connection::open(index)?;
    let query = "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE 'index_%'";
    let names: Vec<String> =
        index.prepare(query)?.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    ensure!(names.len() > 5, "the tables are {names:?}");
    for name in names {
        index.execute_batch(&format!("DROP TABLE {name}"))?;
    }
    Ok(())
}

fn configuration(folder: &Path) -> Result<PathBuf> {
    let tables = r#"
[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{ insecure_inline = "of the reindex test" }]

[[channel]]
id = "open"
type = "webhook"
verify = "none"

[[subscription]]
name = "agent"
start = "earliest"
"#;
    write_config(folder, tables)
}
