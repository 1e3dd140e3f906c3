//! Copies of a folder: a backup taken under load and restored, an export taken and imported.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Connection, Gateway, binary, senders, write_config};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
    sync::{
        Condvar, Mutex, PoisonError,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

const SECRET: &str = "of the backup test";
const SENDERS: usize = 4;
/// Events that are acknowledged before the backup begins.
const BEFORE: usize = 300;
const PATIENCE: Duration = Duration::from_secs(60);

/// What was answered so far: bodies by event id, and events whose ack was confirmed.
#[derive(Default)]
struct Ledger {
    stored: Mutex<BTreeMap<String, Vec<u8>>>,
    settled: Mutex<BTreeSet<String>>,
    more: Condvar,
    next: AtomicUsize,
    stop: AtomicBool,
}

impl Ledger {
    fn stored(&self) -> BTreeMap<String, Vec<u8>> {
        self.stored.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn settled(&self) -> BTreeSet<String> {
        self.settled.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many are stored, and a quarter of that is settled.
    fn reached(&self, events: usize) -> Result<()> {
        let short = |stored: &mut BTreeMap<String, Vec<u8>>| {
            let settled = self.settled.lock().unwrap_or_else(PoisonError::into_inner);
            stored.len() < events || settled.len() < events / 4
        };
        let stored = self.stored.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.more.wait_timeout_while(stored, PATIENCE, short);
        let (stored, waited) = waited.unwrap_or_else(PoisonError::into_inner);
        ensure!(!waited.timed_out(), "only {} events were stored", stored.len());
        Ok(())
    }
}

#[test]
fn a_backup_under_load_is_restored_whole() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let gateway = Gateway::start(&config)?;
    let ledger = Ledger::default();
    let (stored, settled, made) = thread::scope(|scope| -> Result<_> {
        for _ in 0..SENDERS {
            scope.spawn(|| send_until_stopped(&gateway.address, &ledger));
        }
        scope.spawn(|| consume_until_stopped(&gateway.address, &ledger));
        let _stop = Stop(&ledger);
        ledger.reached(BEFORE)?;
        let before = (ledger.stored(), ledger.settled());
        let url = format!("http://{}", gateway.address);
        let made = headgate(&["backup", "--url", &url, "--json"])?;
        ensure!(made.status.success(), "{made:?}");
        // It goes on after the backup as before it.
        ledger.reached(before.0.len() + 50)?;
        Ok((before.0, before.1, made))
    })?;
    gateway.kill()?;
    let report: Value = serde_json::from_slice(&made.stdout)?;
    let made = report.get("folder").and_then(Value::as_str).context("a folder")?;
    fs::remove_dir_all(folder.path().join("data"))?;
    fs::rename(made, folder.path().join("data"))?;

    let gateway = Gateway::start(&config)?;
    // How many files may be open is for the machine to say.
    for line in gateway.logged().iter().filter(|line| !line.contains("fewer files may be open")) {
        ensure!(!line.contains("\"WARN\"") && !line.contains("\"ERROR\""), "it said {line}");
    }
    let listed = all_ids(&gateway.address)?;
    let known: BTreeSet<&String> = listed.iter().collect();
    ensure!(known.len() == listed.len(), "an event is there twice");
    let mut connection = Connection::open(&gateway.address)?;
    for (id, body) in &stored {
        ensure!(known.contains(id), "event {id} is not in the backup");
        let raw = connection.request("GET", &format!("/v1/events/{id}/raw"), &[], b"")?;
        ensure!(raw.status == 200 && raw.body == *body, "the bytes of {id}");
    }
    let leased = drain(&gateway.address)?;
    let again: Vec<&String> = leased.iter().filter(|id| settled.contains(*id)).collect();
    ensure!(again.is_empty(), "settled and given again: {again:?}");
    for id in stored.keys().filter(|id| !leased.contains(*id)) {
        // What was settled between is consistent too: it is never simply gone.
        ensure!(ledger.settled().contains(id), "{id} is neither settled nor given");
    }
    let (id, _) = send(&mut connection, 1_000_000)?;
    ensure!(listed.iter().all(|old| *old < id), "a new event's id is not the newest");
    Ok(())
}

#[test]
fn a_backup_without_a_folder_for_it_is_refused() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNEL)?)?;
    let mut connection = Connection::open(&gateway.address)?;
    let refused = connection.request("POST", "/v1/backups", &[], b"{}")?;
    ensure!(refused.status == 409, "status {}", refused.status);
    assert_eq!(refused.json()?.pointer("/error/code"), Some(&json!("no_backup_dir")));
    Ok(())
}

#[test]
fn an_export_is_imported_with_ids_bytes_and_dedupe() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path())?;
    let gateway = Gateway::start(&config)?;
    let mut connection = Connection::open(&gateway.address)?;
    let sent: Vec<(String, Vec<u8>)> =
        (0..40).map(|number| send(&mut connection, number)).collect::<Result<_>>()?;
    let before = events(&gateway.address, &sent)?;
    let [first, second] = ["first.jsonl", "second.jsonl"].map(|name| folder.path().join(name));
    let url = format!("http://{}", gateway.address);
    let online = headgate(&["export", "--url", &url, "--out", text(&first)?])?;
    ensure!(online.status.success(), "{online:?}");
    gateway.stop()?;
    let data = folder.path().join("data");
    fs::rename(&data, folder.path().join("old"))?;

    let cut = folder.path().join("cut.jsonl");
    let whole = fs::read(&first)?;
    fs::write(&cut, whole.get(..whole.len() - 200).context("long")?)?;
    let config_text = text(&config)?;
    let refused = headgate(&["import", text(&cut)?, "--config", config_text])?;
    assert_eq!(refused.status.code(), Some(1));
    ensure!(!data.exists(), "something of a cut file was taken");
    for expected in ["imported 40 events into", "imported 0 events into"] {
        let imported = headgate(&["import", text(&first)?, "--config", config_text])?;
        let said = String::from_utf8(imported.stdout)?;
        ensure!(said.starts_with(expected), "it said {said}");
    }
    let offline = headgate(&["export", "--config", config_text, "--out", text(&second)?])?;
    ensure!(offline.status.success(), "{offline:?}");
    ensure!(fs::read(&second)? == whole, "the export of the import is another");

    let gateway = Gateway::start(&config)?;
    ensure!(events(&gateway.address, &sent)? == before, "an event is another");
    let mut connection = Connection::open(&gateway.address)?;
    for (number, (id, _)) in sent.iter().enumerate() {
        ensure!(send(&mut connection, number)?.0 == *id, "event {number} is no repeat");
    }
    Ok(())
}

/// Ends the workers however the test goes on.
struct Stop<'a>(&'a Ledger);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.stop.store(true, Ordering::SeqCst);
    }
}

fn send_until_stopped(address: &str, ledger: &Ledger) -> Result<()> {
    let mut connection = Connection::open(address)?;
    while !ledger.stop.load(Ordering::SeqCst) {
        let number = ledger.next.fetch_add(1, Ordering::SeqCst);
        let (id, body) = send(&mut connection, number)?;
        ledger.stored.lock().unwrap_or_else(PoisonError::into_inner).insert(id, body);
        ledger.more.notify_all();
    }
    Ok(())
}

/// Leases all the time and settles every second delivery.
fn consume_until_stopped(address: &str, ledger: &Ledger) -> Result<()> {
    let mut connection = Connection::open(address)?;
    while !ledger.stop.load(Ordering::SeqCst) {
        let ask = br#"{"max": 20, "wait_ms": 100, "lease_ms": 3600000}"#;
        let path = "/v1/subscriptions/agent/lease";
        let leased = connection.request("POST", path, &[], ask)?.json()?;
        let deliveries = deliveries(&leased)?;
        let acked: Vec<_> = deliveries.into_iter().step_by(2).collect();
        let ids: Vec<&String> = acked.iter().map(|(delivery, _)| delivery).collect();
        let body = json!({ "ack": ids }).to_string().into_bytes();
        let path = "/v1/subscriptions/agent/settle";
        let answer = connection.request("POST", path, &[], &body)?;
        ensure!(answer.status == 200, "settling: {}", answer.status);
        let mut settled = ledger.settled.lock().unwrap_or_else(PoisonError::into_inner);
        settled.extend(acked.into_iter().map(|(_, event)| event));
        drop(settled);
        ledger.more.notify_all();
    }
    Ok(())
}

/// Everything that the subscription still gives.
fn drain(address: &str) -> Result<BTreeSet<String>> {
    let mut connection = Connection::open(address)?;
    let mut all = BTreeSet::new();
    loop {
        let ask = br#"{"max": 200, "lease_ms": 3600000}"#;
        let path = "/v1/subscriptions/agent/lease";
        let leased = connection.request("POST", path, &[], ask)?.json()?;
        let deliveries = deliveries(&leased)?;
        if deliveries.is_empty() {
            return Ok(all);
        }
        let ids: Vec<&String> = deliveries.iter().map(|(delivery, _)| delivery).collect();
        let body = json!({ "ack": ids }).to_string().into_bytes();
        let settle = "/v1/subscriptions/agent/settle";
        connection.request("POST", settle, &[], &body)?.json()?;
        for (_, event) in deliveries {
            ensure!(all.insert(event.clone()), "{event} was given twice");
        }
    }
}

/// Deliveries with their events.
fn deliveries(leased: &Value) -> Result<Vec<(String, String)>> {
    let all = leased.get("deliveries").and_then(Value::as_array).context("deliveries")?;
    let text = |event: &Value, at: &str| event.pointer(at)?.as_str().map(str::to_owned);
    let pair = |event: &Value| text(event, "/delivery/id").zip(text(event, "/id"));
    all.iter().map(|event| pair(event).context("a delivery")).collect()
}

fn send(connection: &mut Connection, number: usize) -> Result<(String, Vec<u8>)> {
    let filler = "filler ".repeat(number % 700);
    let body = format!("{{ \"n\": {number}.50,\r\n \"text\": \"{filler}\" }}").into_bytes();
    let answer = connection.request(
        "POST",
        "/v1/webhook/hub",
        &[
            ("content-type", "application/json"),
            ("x-github-event", "push"),
            ("x-github-delivery", &format!("delivery-{number}")),
            ("x-hub-signature-256", &senders::github(SECRET, &body)),
        ],
        &body,
    )?;
    ensure!(answer.status == 200, "status {}", answer.status);
    let id = answer.json()?.get("id").and_then(Value::as_str).context("id")?.to_owned();
    Ok((id, body))
}

fn events(address: &str, sent: &[(String, Vec<u8>)]) -> Result<Vec<Value>> {
    let mut connection = Connection::open(address)?;
    let mut events = Vec::new();
    for (id, body) in sent {
        events.push(connection.request("GET", &format!("/v1/events/{id}"), &[], b"")?.json()?);
        let raw = connection.request("GET", &format!("/v1/events/{id}/raw"), &[], b"")?;
        ensure!(raw.body == *body, "the bytes of {id}");
    }
    Ok(events)
}

fn all_ids(address: &str) -> Result<Vec<String>> {
    let mut connection = Connection::open(address)?;
    let (mut ids, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/v1/events?limit=500{cursor}");
        let page = connection.request("GET", &target, &[], b"")?.json()?;
        let events = page.get("events").and_then(Value::as_array).context("events")?;
        let id = |event: &Value| event.get("id").and_then(Value::as_str).map(str::to_owned);
        ids.extend(events.iter().filter_map(id));
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(ids),
        }
    }
}

fn headgate(arguments: &[&str]) -> Result<Output> {
    let mut command = Command::new(binary()?);
    for name in ["DATA_DIR", "URL", "CONFIG", "KEY"] {
        command.env_remove(format!("HEADGATE_{name}"));
    }
    Ok(command.args(arguments).output()?)
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().context("a path in UTF-8")
}

const CHANNEL: &str = r#"
[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{ insecure_inline = "of the backup test" }]

[[subscription]]
name = "agent"
start = "earliest"
"#;

fn configuration(folder: &Path) -> Result<PathBuf> {
    write_config(folder, &format!("[queue]\nbackup_dir = \"backups\"\n{CHANNEL}"))
}
