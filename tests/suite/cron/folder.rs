//! The folder of data: a backup holds what schedules need, and the index is no part of it.

use super::{Fired, by_name, consume, count, ensure_whole, listed, moment, now, stored};
use crate::reindex::drop_all_tables;
use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, binary, request, write_config};
use serde_json::{Value, json};
use std::{fs, path::Path, process::Command};

/// A beat of the file, a yearly one that is paused, and two made over the API.
fn start(folder: &Path) -> Result<Gateway> {
    let schedules =
        [("beat", "every = \"1s\"\ncatchup = \"all\""), ("yearly", "cron = \"0 0 1 1 *\"")];
    let tables = format!("[queue]\nbackup_dir = \"backups\"\n\n{}", super::timers(&schedules));
    Gateway::start(&write_config(folder, &tables)?)
}

fn post(gateway: &Gateway, path: &str, body: &str) -> Result<Value> {
    let target = format!("/v1/schedules{path}");
    let answer = request(&gateway.address, "POST", &target, &[], body.as_bytes())?;
    ensure!(matches!(answer.status, 200 | 201), "{path}: {} {}", answer.status, answer.code());
    answer.json()
}

fn fill(gateway: &Gateway) -> Result<()> {
    for (name, due) in [("by call", "1s"), ("rare", "24h")] {
        let ask = json!({"channel": "timers", "name": name, "every": due, "catchup": "all"});
        post(gateway, "", &ask.to_string())?;
    }
    let yearly = listed(gateway)?["yearly"]["id"].as_str().context("an id")?.to_owned();
    post(gateway, &format!("/{yearly}/pause"), "")?;
    post(gateway, &format!("/{yearly}/run"), r#"{"idempotency_key": "once"}"#)?;
    consume(gateway, "agent", |fired| count(fired, "beat") >= 2 && count(fired, "by call") >= 2)?;
    Ok(())
}

/// What does not go on by itself: definitions, pauses, and cursors of what is seldom due.
fn still(gateway: &Gateway) -> Result<Vec<Value>> {
    let mut all = listed(gateway)?;
    for name in ["beat", "by call"] {
        let one = all.get_mut(name).and_then(Value::as_object_mut).context(name)?;
        one.retain(|key, _| !["fires", "dealt_with_until", "next"].contains(&key.as_str()));
    }
    Ok(all.into_values().collect())
}

/// The schedules go on from where they were: to this second nothing is missing and nothing twice.
fn goes_on(gateway: &Gateway) -> Result<()> {
    let last = now();
    let reached = |fired: &[Fired]| {
        let come = |name| fired.iter().any(|fired| fired.name == name && fired.second >= last);
        come("beat") && come("by call")
    };
    consume(gateway, "agent", reached)?;
    let fired = stored(&gateway.address)?;
    for (name, seconds) in by_name(&fired)? {
        ensure_whole(name, &seconds, 1)?;
    }
    let yearly = listed(gateway)?["yearly"]["id"].as_str().context("an id")?.to_owned();
    let run = post(gateway, &format!("/{yearly}/run"), r#"{"idempotency_key": "once"}"#)?;
    assert_eq!(run["duplicate"], true, "its key is forgotten: {}", moment(last));
    Ok(())
}

#[test]
fn a_backup_holds_cursors_pauses_and_schedules_made_over_the_api() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path())?;
    fill(&gateway)?;
    let before = still(&gateway)?;
    let url = format!("http://{}", gateway.address);
    let mut backup = Command::new(binary()?);
    for name in ["DATA_DIR", "URL", "CONFIG", "KEY"] {
        backup.env_remove(format!("HEADGATE_{name}"));
    }
    let backup = backup.args(["backup", "--url", &url, "--json"]).output()?;
    ensure!(backup.status.success(), "{backup:?}");
    let report: Value = serde_json::from_slice(&backup.stdout)?;
    gateway.kill()?;
    fs::remove_dir_all(folder.path().join("data"))?;
    let made = report["folder"].as_str().context("a folder")?;
    fs::rename(made, folder.path().join("data"))?;
    let gateway = start(folder.path())?;
    assert_eq!(still(&gateway)?, before);
    goes_on(&gateway)
}

#[test]
fn schedules_go_on_when_all_index_tables_are_dropped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = start(folder.path())?;
    fill(&gateway)?;
    let before = still(&gateway)?;
    gateway.kill()?;
    drop_all_tables(&folder.path().join("data/index.db"))?;
    let gateway = start(folder.path())?;
    assert_eq!(still(&gateway)?, before);
    goes_on(&gateway)
}
