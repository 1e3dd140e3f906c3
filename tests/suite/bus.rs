//! App events through the real program: emitted, read on the bus, and known again for as long as
//! they are stored, whatever happens in between.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, Response, binary, python, write_config};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
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
fn another_event_under_the_same_idempotency_key_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), "")?)?;
    let key = [("idempotency-key", "order 8")];
    let event = |id: &str| json!({"type": "a.b", "event_id": id, "payload": 1});
    let (status, first) = emit(&gateway.address, &key, &event("evt-1"))?;
    assert_eq!((status, &first["duplicate"]), (200, &json!(false)));
    let (status, refused) = emit(&gateway.address, &key, &event("evt-2"))?;
    assert_eq!((status, code(&refused)), (409, Some("event_conflict")));
    let said = refused.pointer("/error/message").and_then(Value::as_str).unwrap_or_default();
    let stored = first["id"].as_str().context("an id")?;
    ensure!(said.contains(stored) && said.contains("another `event_id`"), "it says: {said}");
    let (status, again) = emit(&gateway.address, &key, &event("evt-1"))?;
    assert_eq!((status, &again["id"]), (200, &first["id"]));
    assert_eq!(get(&gateway.address, "/events/evt-2")?.0, 404);
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

#[test]
fn a_reload_changes_the_catalog_and_a_bad_one_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CATALOG)?)?;
    let of_type = |name: &str| json!({"type": name, "event_id": name, "payload": {}});
    let taken = |name: &str| -> Result<u16> { Ok(emit(&gateway.address, &[], &of_type(name))?.0) };
    assert_eq!((taken("proposal.received")?, taken("order.placed")?), (200, 422));
    let other = "[[catalog]]\ntype = \"order.placed\"\ndescription = \"Somebody ordered\"\n";
    write_config(folder.path(), other)?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    assert_eq!((taken("order.placed")?, taken("deal.created")?), (200, 422));
    let (_, shown) = get(&gateway.address, "/v1/events?limit=1")?;
    let prompt = shown.pointer("/events/0/prompt_ready").and_then(Value::as_str);
    ensure!(prompt.is_some_and(|text| text.contains("Somebody ordered")), "{shown}");
    // What was emitted before stays, and is known again, although its type is not taken any more.
    assert_eq!(get(&gateway.address, "/events/proposal.received")?.0, 200);
    write_config(folder.path(), "[[catalog]]\ntype = \"No Type\"\n")?;
    gateway.hang_up()?;
    let problem = gateway.said("wrong in the configuration")?;
    ensure!(problem.contains("No Type"), "{problem}");
    gateway.said("not reloaded")?;
    assert_eq!(taken("order.placed")?, 200);
    Ok(())
}

#[test]
fn the_cloudevents_package_reads_and_writes_ours() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), "")?)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/cloud_events.py");
    let url = format!("http://{}", gateway.address);
    let judged = Command::new(python()?).arg(script).arg(&url).output()?;
    ensure!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr));
    assert_eq!(String::from_utf8(judged.stdout)?.trim(), "9");
    Ok(())
}

#[test]
fn an_event_is_emitted_from_the_command_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), "")?)?;
    let emitted = |payload: &str| -> Result<(Option<i32>, String)> {
        let mut command = Command::new(binary()?);
        command.args(["emit", "deal.created", "--event-id", "d-1", "--payload", payload]);
        let done = command.arg("--url").arg(format!("http://{}", gateway.address)).output()?;
        let said = [done.stdout, done.stderr].concat();
        Ok((done.status.code(), String::from_utf8(said)?))
    };
    let (code, said) = emitted(r#"{"price": 1.50}"#)?;
    ensure!(code == Some(0) && said.starts_with("d-1 is stored as 01"), "{code:?}: {said}");
    let (code, said) = emitted(r#"{"price": 1.50}"#)?;
    ensure!(code == Some(0) && said.starts_with("d-1 was stored before as 01"), "{said}");
    assert_eq!(emitted("{")?.0, Some(2));
    assert_eq!(emitted("2")?.0, Some(1), "another content");
    Ok(())
}

const KEYS: &str = r#"[[api_key]]
name = "shop"
key = [{ insecure_inline = "the-old-key-of-the-shop" }, { sha256 = "HASH" }]
scopes = ["emit", "read"]
channels = ["app"]
rate = "2/h"

[[api_key]]
name = "boss"
key = { insecure_inline = "the-key-of-the-boss" }
scopes = ["admin"]

[[catalog]]
type = "deal.created"
audit = true

[[catalog]]
type = "package.updated"
"#;

#[test]
fn a_key_is_bound_rotated_rated_and_seen() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let hash = hex::encode(Sha256::digest("the-next-key-of-the-shop"));
    let gateway = Gateway::start(&write_config(folder.path(), &KEYS.replace("HASH", &hash))?)?;
    let ask = |method: &str, target: &str, key: &str, body: &str| -> Result<Response> {
        let bearer = format!("Bearer {key}");
        let headers = [("authorization", bearer.as_str())];
        Connection::open(&gateway.address)?.request(method, target, &headers, body.as_bytes())
    };
    let (old, next) = ("the-old-key-of-the-shop", "the-next-key-of-the-shop");
    let boss = "the-key-of-the-boss";
    let update = r#"{"type": "package.updated", "payload": 1}"#;
    for key in [old, next] {
        assert_eq!(ask("POST", "/v1/events", key, update)?.status, 200);
    }
    // The rate is used up; what is for the record passes it all the same.
    let refused = ask("POST", "/v1/events", next, update)?;
    assert_eq!(
        (refused.status, answered(&refused)?.1.pointer("/error/code")),
        (429, Some(&json!("rate_limited")))
    );
    ensure!(refused.header("retry-after").is_some_and(|wait| wait.parse::<u64>().is_ok()));
    let deal = r#"{"type": "deal.created", "event_id": "d-1", "payload": 1}"#;
    assert_eq!(ask("POST", "/v1/events", next, deal)?.status, 200);
    let shown = answered(&ask("GET", "/v1/events?limit=1", boss, "")?)?.1;
    let method = shown.pointer("/events/0/verification/method");
    assert_eq!(method, Some(&json!("api_key:shop")));
    // Nobody else's wrong key is taken, and the bound one opens nothing beside.
    assert_eq!(ask("GET", "/events", "another", "")?.status, 401);
    let bound = ask("GET", "/v1/subscriptions", next, "")?;
    assert_eq!(
        (bound.status, answered(&bound)?.1.pointer("/error/code")),
        (403, Some(&json!("outside_bounds")))
    );
    let keys = answered(&ask("GET", "/v1/keys", boss, "")?)?.1;
    for place in ["/keys/0/secrets/0/last_used_at", "/keys/0/secrets/1/last_used_at"] {
        ensure!(keys.pointer(place).is_some_and(Value::is_string), "{place}: {keys}");
    }
    let said = gateway.said("an admin call")?;
    ensure!(said.contains("\"boss\"") && said.contains("/v1/keys"), "the log says: {said}");
    Ok(())
}

#[test]
fn the_shipped_catalog_has_every_type_of_an_ad_seller() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/catalogs/ad-seller.toml");
    let path = fs::canonicalize(root)?;
    let data = folder.path().join("data");
    let config = folder.path().join("headgate.toml");
    let text = format!(
        "data_dir = {data:?}\ncatalog_files = [{path:?}]\n[server]\nlisten = \"127.0.0.1:0\"\n"
    );
    fs::write(&config, text)?;
    let gateway = Gateway::start(&config)?;
    let types = [
        ("proposal", &["received", "evaluated", "accepted", "rejected", "countered"][..]),
        ("deal", &["created", "registered", "synced"]),
        ("execution", &["completed"]),
        ("approval", &["requested", "granted", "denied", "timed_out"]),
        ("session", &["created", "resumed", "closed"]),
        ("package", &["created", "updated", "synced"]),
        ("negotiation", &["started", "round", "concluded"]),
    ];
    let named = types
        .iter()
        .flat_map(|(noun, verbs)| verbs.iter().map(move |verb| format!("{noun}.{verb}")));
    let batch: Vec<Value> = named.map(|name| json!({"type": name, "payload": {}})).collect();
    assert_eq!(batch.len(), 22);
    assert_eq!(emit(&gateway.address, &[], &json!(batch))?.0, 200);
    assert_eq!(emit(&gateway.address, &[], &json!({"type": "a.b", "payload": 1}))?.0, 422);
    Ok(())
}
