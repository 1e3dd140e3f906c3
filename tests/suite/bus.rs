//! App events through the real program: emitted, read on the bus, and known again for as long as
//! they are stored, whatever happens in between.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, Response, binary, write_config};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

const CATALOG: &str = r#"[[catalog]]
type = "proposal.received"
description = "A buyer sent a proposal"

[[catalog]]
type = "deal.created"
audit = true
"#;

fn emit(address: &str, headers: &[(&str, &str)], event: &Value) -> Result<(u16, Value)> {
    let body = event.to_string();
    let mut connection = Connection::open(address)?;
    answered(&connection.request("POST", "/v1/events", headers, body.as_bytes())?)
}

fn get(address: &str, target: &str) -> Result<(u16, Value)> {
    answered(&Connection::open(address)?.request("GET", target, &[], b"")?)
}

fn answered(answer: &Response) -> Result<(u16, Value)> {
    Ok((answer.status, serde_json::from_slice(&answer.body).context("JSON")?))
}

fn code(answer: &Value) -> Option<&str> {
    answer.pointer("/error/code").and_then(Value::as_str)
}

#[test]
fn an_app_event_goes_round_and_is_known_again_for_ever() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), "")?;
    let gateway = Gateway::start(&config)?;
    let event = json!({
        "type": "proposal.received", "event_id": "evt-1", "payload": {"price": 12.50},
        "flow_id": "flow-1", "session_id": "s-1", "timestamp": "2026-01-02T03:04:05.678+01:00"
    });
    let (status, first) = emit(&gateway.address, &[], &event)?;
    assert_eq!(
        (status, &first["event_id"], &first["duplicate"]),
        (200, &json!("evt-1"), &json!(false))
    );
    emit(&gateway.address, &[], &json!({"type": "deal.created", "payload": null}))?;
    // Nothing that is stored is forgotten by a crash, or with the index.
    gateway.kill()?;
    let gateway = Gateway::start(&config)?;
    known_again(&gateway.address, &event, &first)?;
    gateway.kill()?;
    fs::remove_file(folder.path().join("data/index.db"))?;
    let gateway = Gateway::start(&config)?;
    known_again(&gateway.address, &event, &first)?;
    gateway.stop()?;
    reindex(&config)?;
    let gateway = Gateway::start(&config)?;
    known_again(&gateway.address, &event, &first)?;
    let (status, shown) = get(&gateway.address, "/events/evt-1")?;
    let expected = json!({
        "event_id": "evt-1", "event_type": "proposal.received",
        "timestamp": "2026-01-02T02:04:05.678Z", "flow_id": "flow-1", "flow_type": null,
        "proposal_id": null, "deal_id": null, "session_id": "s-1",
        "payload": {"price": 12.50}, "metadata": {}
    });
    assert_eq!((status, shown), (200, expected));
    let (_, listed) = get(&gateway.address, "/events?flow_id=flow-1&session_id=s-1")?;
    assert_eq!(listed.pointer("/events/0/event_id"), Some(&json!("evt-1")));
    assert_eq!(listed.pointer("/events/1"), None);
    assert_eq!(get(&gateway.address, "/events/evt-2")?.0, 404);
    Ok(())
}

/// The same event again is a repeat, with its time or without; another under its id is refused.
fn known_again(address: &str, event: &Value, first: &Value) -> Result<()> {
    let mut timeless = event.clone();
    timeless.as_object_mut().context("an object")?.remove("timestamp");
    for same in [event, &timeless] {
        let (status, again) = emit(address, &[], same)?;
        assert_eq!((status, &again["id"], &again["duplicate"]), (200, &first["id"], &json!(true)));
    }
    let mut other = event.clone();
    other["payload"] = json!({"price": 13});
    let (status, refused) = emit(address, &[], &other)?;
    assert_eq!((status, code(&refused)), (409, Some("event_conflict")));
    // All or none: the first of the batch would have been fine.
    let batch = json!([{"type": "deal.created", "event_id": "fresh", "payload": 1}, other]);
    let (status, refused) = emit(address, &[], &batch)?;
    assert_eq!((status, code(&refused)), (409, Some("event_conflict")));
    assert_eq!(get(address, "/events/fresh")?.0, 404);
    Ok(())
}

fn reindex(config: &Path) -> Result<()> {
    let mut command = Command::new(binary()?);
    let done = command.arg("reindex").arg("--config").arg(config).status()?;
    ensure!(done.success(), "reindex: {done}");
    Ok(())
}

#[test]
fn a_request_with_an_idempotency_key_is_made_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), "")?)?;
    let key = [("idempotency-key", "order 7")];
    let batch = json!([{"type": "a.b", "payload": 1}, {"type": "a.b", "payload": 1}]);
    let (status, first) = emit(&gateway.address, &key, &batch)?;
    assert_eq!(status, 200);
    let ids = |answer: &Value| {
        [answer["events"][0]["event_id"].clone(), answer["events"][1]["event_id"].clone()]
    };
    ensure!(ids(&first)[0] != ids(&first)[1], "two events: {first}");
    let (_, again) = emit(&gateway.address, &key, &batch)?;
    assert_eq!(ids(&again), ids(&first));
    let other = json!([{"type": "a.b", "payload": 2}]);
    assert_eq!(emit(&gateway.address, &key, &other)?.0, 409);
    let (_, listed) = get(&gateway.address, "/events")?;
    assert_eq!(listed["events"].as_array().map(Vec::len), Some(2));
    Ok(())
}

#[test]
fn a_catalog_closes_the_set_of_types() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CATALOG)?)?;
    let of_type = |name: &str| json!({"type": name, "payload": {}});
    assert_eq!(emit(&gateway.address, &[], &of_type("deal.created"))?.0, 200);
    let (status, refused) = emit(&gateway.address, &[], &of_type("deal.craeted"))?;
    assert_eq!((status, code(&refused)), (422, Some("unknown_type")));
    let said = refused.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    ensure!(said.contains("the nearest: `deal.created`"), "it says: {said}");
    let (status, refused) = emit(&gateway.address, &[], &of_type("slack.event"))?;
    assert_eq!((status, code(&refused)), (422, Some("reserved_type")));
    let mut connection = Connection::open(&gateway.address)?;
    let envelope = br#"{"kind": "created", "payload": 0}"#;
    let taken = connection.request("POST", "/v1/events?format=envelope", &[], envelope)?;
    assert_eq!(taken.status, 200, "envelopes are always taken");
    Ok(())
}
