//! Damage of the folder, as an operator meets it: named, with the command that mends it. And who
//! else may read what is in it: nobody.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, binary, write_config};
use serde_json::{Value, json};
use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Command, Output},
};

const CHANNELS: &str = r#"[queue]
backup_dir = "backups"

[[channel]]
id = "open"
type = "webhook"
verify = "none"

[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{ insecure_inline = "of the damage test" }]
"#;

#[test]
fn a_damaged_event_is_told_by_a_code_and_its_place_by_the_log() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNELS)?)?;
    let ids = send(&gateway.address, 3)?;
    harm(folder.path(), "needle-1")?;
    let mut connection = Connection::open(&gateway.address)?;
    for what in ["", "/raw"] {
        let target = format!("/v1/events/{}{what}", ids.get(1).context("an id")?);
        let answer = connection.request("GET", &target, &[], b"")?;
        ensure!(answer.status == 500, "status {}", answer.status);
        assert_eq!(answer.code(), "damaged");
    }
    for id in [ids.first(), ids.last()].into_iter().flatten() {
        let answer = connection.request("GET", &format!("/v1/events/{id}"), &[], b"")?;
        ensure!(answer.status == 200, "status {}", answer.status);
    }
    let metrics = connection.request("GET", "/metrics", &[], b"")?;
    let metrics = String::from_utf8(metrics.body)?;
    ensure!(metrics.contains("headgate_queue_damaged_reads_total 2\n"), "{metrics}");
    let place = "`00000000000000000001.seg` is damaged at offset ";
    let logged = gateway.logged();
    ensure!(logged.iter().any(|line| line.contains(place)), "it logged {logged:?}");
    Ok(())
}

#[test]
fn a_start_over_damage_names_the_command_that_mends_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), CHANNELS)?;
    let gateway = Gateway::start(&config)?;
    let ids = send(&gateway.address, 3)?;
    gateway.stop()?;
    harm(folder.path(), "needle-1")?;
    refused_with(&config, "`00000000000000000001.seg` is damaged at offset ")?;
    let gateway = mended(&config, "00000000000000000001.seg")?;
    assert_eq!(listed(&gateway.address)?, [&ids[2..], &ids[..1]].concat());
    Ok(())
}

#[test]
fn a_missing_state_is_no_silent_new_beginning() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = write_config(folder.path(), CHANNELS)?;
    let gateway = Gateway::start(&config)?;
    let mut ids = send(&gateway.address, 3)?;
    gateway.stop()?;
    fs::remove_file(folder.path().join("data/headgate.db"))?;
    refused_with(&config, "data/headgate.db` is missing or empty")?;
    let gateway = mended(&config, "headgate.db")?;
    ids.reverse();
    assert_eq!(listed(&gateway.address)?, ids);
    Ok(())
}

#[test]
fn everything_that_is_kept_is_its_owners_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    // An operator's own folder may be open to others; what is made in it is not.
    let data = folder.path().join("data");
    fs::create_dir(&data)?;
    fs::set_permissions(&data, fs::Permissions::from_mode(0o755))?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNELS)?)?;
    send(&gateway.address, 3)?;
    let mut connection = Connection::open(&gateway.address)?;
    let refused = connection.request("POST", "/v1/webhook/hub", &[], b"{}")?;
    ensure!(refused.status == 401, "status {}", refused.status);
    let url = format!("http://{}", gateway.address);
    ensure!(headgate(&["backup", "--url", &url])?.status.success(), "no backup");
    let export = folder.path().join("export.jsonl");
    let partial = folder.path().join("export.jsonl.partial");
    fs::write(&partial, "what a killed export left")?;
    fs::set_permissions(&partial, fs::Permissions::from_mode(0o644))?;
    let out = export.to_str().context("UTF-8")?;
    ensure!(headgate(&["export", "--url", &url, "--out", out])?.status.success(), "no export");
    gateway.kill()?;
    let mut open = Vec::new();
    let kept = ["index.db-wal", "headgate.db-wal", "quarantine", "spool", "lock"];
    for name in kept {
        ensure!(data.join(name).exists(), "`{name}` is not there to look at");
    }
    for path in [data, folder.path().join("backups"), export] {
        open_to_others(&path, &mut open)?;
    }
    assert_eq!(open, [folder.path().join("data")], "others may read these");
    Ok(())
}

/// This path and those below it that others than their owner may read or write.
fn open_to_others(path: &Path, found: &mut Vec<PathBuf>) -> Result<()> {
    let metadata = path.metadata()?;
    if metadata.permissions().mode() & 0o077 != 0 {
        found.push(path.to_owned());
    }
    if metadata.is_dir() {
        for entry in fs::read_dir(path)? {
            open_to_others(&entry?.path(), found)?;
        }
    }
    Ok(())
}

/// Sends so many events and answers their ids.
fn send(address: &str, events: usize) -> Result<Vec<String>> {
    let mut connection = Connection::open(address)?;
    let mut ids = Vec::new();
    for number in 0..events {
        let body = json!({ "text": format!("needle-{number}") }).to_string().into_bytes();
        let answer = connection.request("POST", "/v1/webhook/open", &[], &body)?;
        ensure!(answer.status == 200, "status {}", answer.status);
        let answer = answer.json()?;
        ids.push(answer.get("id").and_then(Value::as_str).context("an id")?.to_owned());
    }
    Ok(ids)
}

/// The ids of all events, newest first.
fn listed(address: &str) -> Result<Vec<String>> {
    let page = Connection::open(address)?.request("GET", "/v1/events", &[], b"")?.json()?;
    let events = page.get("events").and_then(Value::as_array).context("events")?;
    let id = |event: &Value| event.get("id").and_then(Value::as_str).map(str::to_owned);
    Ok(events.iter().filter_map(id).collect())
}

/// Turns one bit of this text in the log.
fn harm(folder: &Path, text: &str) -> Result<()> {
    let path = folder.join("data/log/00000000000000000001.seg");
    let mut bytes = fs::read(&path)?;
    let at = bytes.windows(text.len()).rposition(|window| window == text.as_bytes());
    *bytes.get_mut(at.context("it is in the log")?).context("in it")? ^= 1;
    Ok(fs::write(&path, bytes)?)
}

fn refused_with(config: &Path, why: &str) -> Result<()> {
    for _ in 0..2 {
        let Err(error) = Gateway::start(config) else { anyhow::bail!("it started over damage") };
        let said = format!("{error:#}");
        ensure!(said.contains(why), "it said: {said}");
        ensure!(said.contains("`headgate repair --data-dir "), "it said: {said}");
        ensure!(said.contains("exit status: 1"), "it said: {said}");
    }
    Ok(())
}

/// Looks at what is damaged, repairs it, and starts.
fn mended(config: &Path, file: &str) -> Result<Gateway> {
    let config_text = config.to_str().context("UTF-8")?;
    let looked = headgate(&["repair", "--config", config_text])?;
    let said = String::from_utf8(looked.stdout)?;
    assert_eq!(looked.status.code(), Some(1));
    ensure!(said.contains(file) && said.contains("nothing was changed; `--yes`"), "said: {said}");
    let repaired = headgate(&["repair", "--config", config_text, "--yes"])?;
    ensure!(repaired.status.success(), "{repaired:?}");
    Gateway::start(config)
}

fn headgate(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?);
    for name in ["DATA_DIR", "URL", "CONFIG", "KEY"] {
        command.env_remove(format!("HEADGATE_{name}"));
    }
    Ok(command.args(arguments).output()?)
}
