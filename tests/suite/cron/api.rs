//! Schedules over the API: made, changed, paused, run by hand; those of the file are only read.

use super::{count, listed, start};
use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway, Response,
    cron::{Fired, consume, moment, now, stored},
    request,
};
use serde_json::{Value, json};

/// Calls the schedules; the path is what comes after `/v1/schedules`.
fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Result<Response> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let target = format!("/v1/schedules{path}");
    request(&gateway.address, method, &target, &[], body.as_bytes())
}

/// The same, and it has this status.
fn called(gateway: &Gateway, method: &str, path: &str, body: Value, status: u16) -> Result<Value> {
    let answer = call(gateway, method, path, &body)?;
    let code = answer.code();
    ensure!(answer.status == status, "{method} {path}: {} {code}", answer.status);
    if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
}

/// Makes a schedule; its path.
fn made(gateway: &Gateway, name: &str, key: &str, due: &str) -> Result<String> {
    let ask = json!({"channel": "timers", "name": name, key: due});
    let made = called(gateway, "POST", "", ask, 201)?;
    Ok(format!("/{}", made["id"].as_str().context("an id")?))
}

fn has(name: &'static str) -> impl Fn(&[Fired]) -> bool {
    move |fired| count(fired, name) > 0
}

#[test]
fn a_schedule_is_made_fires_is_changed_and_taken_away() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[])?;
    let path = made(&gateway, "by call", "every", "1s")?;
    consume(&gateway, "agent", has("by call"))?;
    let ask =
        json!({"channel": "timers", "name": "by call", "every": "1s", "payload": {"n": 1.50}});
    assert_eq!(called(&gateway, "POST", "", ask.clone(), 409)?["error"]["code"], "schedule_exists");
    let changed = called(&gateway, "PUT", &path, ask, 200)?;
    assert_eq!(changed["payload"], json!({"n": 1.5}));
    let said = |fired: &[Fired]| fired.iter().any(|fired| *fired.data("payload") != Value::Null);
    consume(&gateway, "agent", said)?;
    gateway.kill()?;
    let gateway = start(folder.path(), &[])?;
    assert_eq!(listed(&gateway)?["by call"]["payload"], json!({"n": 1.5}), "after a kill");
    consume(&gateway, "agent", has("by call"))?;
    called(&gateway, "DELETE", &path, Value::Null, 204)?;
    assert_eq!(
        called(&gateway, "GET", &path, Value::Null, 404)?["error"]["code"],
        "unknown_schedule"
    );
    gateway.kill()?;
    let gateway = start(folder.path(), &[("beat", "every = \"1s\"")])?;
    let fired = consume(&gateway, "agent", |fired| count(fired, "beat") >= 2)?;
    let since = fired.iter().find(|fired| fired.name == "beat").context("a beat")?.second;
    let late = fired.iter().any(|fired| fired.name == "by call" && fired.second >= since);
    ensure!(!late, "it fires after it was taken away");
    Ok(())
}

#[test]
fn a_pause_outlives_a_kill_and_ends_without_a_backlog() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let schedules = [("beat", "every = \"1s\""), ("paused", "every = \"1s\"")];
    let mut gateway = start(folder.path(), &schedules)?;
    let id = |gateway: &Gateway| -> Result<String> {
        Ok(format!("/{}", listed(gateway)?["paused"]["id"].as_str().context("an id")?))
    };
    let path = id(&gateway)?;
    consume(&gateway, "agent", has("paused"))?;
    let paused = called(&gateway, "POST", &format!("{path}/pause"), Value::Null, 200)?;
    assert_eq!((&paused["paused"], &paused["next"]), (&json!(true), &json!([])));
    let before = count(&stored(&gateway.address)?, "paused");
    gateway.kill()?;
    gateway = start(folder.path(), &schedules)?;
    consume(&gateway, "agent", |fired| count(fired, "beat") >= 3)?;
    assert_eq!(listed(&gateway)?["paused"]["paused"], true);
    assert_eq!(count(&stored(&gateway.address)?, "paused"), before, "it fired during the pause");
    let resumed_at = now();
    called(&gateway, "POST", &format!("{path}/resume"), Value::Null, 200)?;
    let fired = consume(&gateway, "agent", |fired| {
        fired.iter().any(|fired| fired.name == "paused" && fired.second > resumed_at)
    })?;
    let fired = fired.iter().filter(|fired| fired.name == "paused" && fired.second >= resumed_at);
    ensure!(fired.count() > 0, "it does not fire again");
    let all = stored(&gateway.address)?;
    let paused: Vec<_> = all.iter().filter(|fired| fired.name == "paused").collect();
    let backlog = paused.iter().skip(before).filter(|fired| fired.second < resumed_at);
    ensure!(backlog.count() == 0, "what was due during the pause fired");
    Ok(())
}

#[test]
fn a_run_by_hand_with_the_same_key_is_one_event() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let schedules = [("yearly", "cron = \"0 0 1 1 *\"")];
    let mut gateway = start(folder.path(), &schedules)?;
    let one = listed(&gateway)?["yearly"].clone();
    let path = format!("/{}/run", one["id"].as_str().context("an id")?);
    let key = json!({"idempotency_key": "deploy-7"});
    let first = called(&gateway, "POST", &path, key.clone(), 200)?;
    assert_eq!(first["duplicate"], false);
    gateway.kill()?;
    gateway = start(folder.path(), &schedules)?;
    let again = called(&gateway, "POST", &path, key, 200)?;
    assert_eq!((&again["id"], &again["duplicate"]), (&first["id"], &json!(true)));
    let target = format!("/v1/schedules{path}");
    let header = [("idempotency-key", "deploy-7")];
    let by_header = request(&gateway.address, "POST", &target, &header, b"")?.json()?;
    assert_eq!(by_header["id"], first["id"]);
    let other = called(&gateway, "POST", &path, Value::Null, 200)?;
    ensure!(other["id"] != first["id"], "a run without a key is a run of its own");
    let fired = stored(&gateway.address)?;
    assert_eq!(fired.len(), 2);
    ensure!(fired.iter().all(|fired| fired.data("trigger") == "manual"), "{fired:?}");
    let until = &listed(&gateway)?["yearly"]["dealt_with_until"];
    assert_eq!(until, &one["dealt_with_until"], "a run by hand moves no cursor");
    Ok(())
}

#[test]
fn a_backfill_makes_the_runs_of_a_span_once() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("hourly", "cron = \"0 * * * *\"")])?;
    let id = listed(&gateway)?["hourly"]["id"].clone();
    let path = format!("/{}/backfill", id.as_str().context("an id")?);
    let hour = now() / 3_600 * 3_600 - 48 * 3_600;
    let span = |hours: i64| json!({"from": moment(hour), "to": moment(hour + hours * 3_600)});
    let made = called(&gateway, "POST", &path, span(5), 200)?;
    assert_eq!(made, json!({"fired": 6, "duplicates": 0}), "both ends are in it");
    let again = called(&gateway, "POST", &path, span(7), 200)?;
    assert_eq!(again, json!({"fired": 2, "duplicates": 6}));
    let fired = stored(&gateway.address)?;
    let backfilled = fired.iter().filter(|fired| fired.data("trigger") == "backfill");
    let seconds: Vec<i64> = backfilled.map(|fired| fired.second).collect();
    assert_eq!(seconds, (0..8).map(|n| hour + n * 3_600).collect::<Vec<_>>());
    Ok(())
}

#[test]
fn what_the_file_says_is_only_read_over_the_api() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path(), &[("yearly", "cron = \"0 0 1 1 *\"")])?;
    let before = listed(&gateway)?;
    let path = format!("/{}", before["yearly"]["id"].as_str().context("an id")?);
    let ask = json!({"channel": "timers", "name": "yearly", "every": "1s"});
    for (method, path, body, code) in [
        ("PUT", path.as_str(), ask.clone(), "configured"),
        ("DELETE", path.as_str(), Value::Null, "configured"),
        ("POST", "", ask, "schedule_exists"),
    ] {
        assert_eq!(called(&gateway, method, path, body, 409)?["error"]["code"], code, "{method}");
    }
    ensure!(listed(&gateway)? == before, "something changed");
    Ok(())
}
