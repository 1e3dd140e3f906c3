//! A replay goes on after the process was killed, and so does what was taken up again.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, write_config};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const EVENTS: usize = 120;

const TABLES: &str = r#"
[[channel]]
id = "open"
type = "webhook"
verify = "none"

[[subscription]]
name = "agent"
start = "earliest"
lease = "1s"
retry = { attempts = 50, first = "10ms", longest = "20ms" }
"#;

fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let mut connection = Connection::open(&gateway.address)?;
    connection.request(method, path, &[], body.as_bytes())?.json()
}

fn lease(gateway: &Gateway, max: usize) -> Result<Vec<Value>> {
    let ask = json!({"max": max, "wait_ms": 2_000});
    let leased = call(gateway, "POST", "/v1/subscriptions/agent/lease", &ask)?;
    Ok(leased["deliveries"].as_array().context("a list")?.clone())
}

fn ids(events: &[Value]) -> Vec<Value> {
    events.iter().map(|event| event["delivery"]["id"].clone()).collect()
}

fn settle(gateway: &Gateway, body: &Value) -> Result<Value> {
    call(gateway, "POST", "/v1/subscriptions/agent/settle", body)
}

#[test]
fn a_replay_that_was_killed_gives_every_event_until_it_is_settled_and_none_after() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), TABLES)?;
    let mut gateway = Gateway::start(&config)?;
    for n in 0..EVENTS {
        call(&gateway, "POST", "/v1/webhook/open", &json!({ "n": n }))?;
    }
    let mut live = 0;
    while live < EVENTS {
        let events = lease(&gateway, 50)?;
        let bury: Vec<Value> =
            ids(&events[..1]).into_iter().map(|id| json!({ "id": id })).collect();
        settle(&gateway, &json!({ "ack": ids(&events[1..]), "bury": bury }))?;
        live += events.len();
    }
    let redriven = json!({"subscription": "agent", "all": true});
    let redriven = call(&gateway, "POST", "/v1/dead-letters/redrive", &redriven)?;
    let redriven = redriven["redriven"].as_u64().context("a number")?;
    let ask = json!({"subscription": "agent", "events": {"filter": "data.body.n >= 20"}});
    let replay = call(&gateway, "POST", "/v1/replays", &ask)?;
    let path = format!("/v1/replays/{}", replay["id"].as_str().context("an id")?);
    // How often each event was acknowledged, as one of the replay and as a live one.
    let mut acknowledged: BTreeMap<(String, String), usize> = BTreeMap::new();
    for round in 0.. {
        ensure!(round < 200, "it does not end: {}", call(&gateway, "GET", &path, &Value::Null)?);
        let events = lease(&gateway, 15)?;
        let some = &events[..events.len().min(9)];
        for event in some {
            let key = |name: &str| event[name].as_str().unwrap_or_default().to_owned();
            *acknowledged.entry((key("origin"), key("id"))).or_default() += 1;
        }
        let settled = settle(&gateway, &json!({ "ack": ids(some) }))?;
        ensure!(settled["errors"] == json!([]), "{settled}");
        if round % 4 == 2 {
            gateway.kill()?;
            gateway = Gateway::start(&config)?;
        }
        let status = call(&gateway, "GET", &path, &Value::Null)?;
        if status["state"] == "done" && lease(&gateway, 1)?.is_empty() {
            ensure!(status["settled"] == EVENTS - 20, "{status}");
            break;
        }
    }
    ensure!(acknowledged.values().all(|times| *times == 1), "settled and given again");
    let of = |origin: &str| acknowledged.keys().filter(|(known, _)| known == origin).count();
    ensure!(of("replay") == EVENTS - 20, "{} of the replay", of("replay"));
    ensure!(of("live") as u64 == redriven, "{} of {redriven} redriven", of("live"));
    Ok(())
}
