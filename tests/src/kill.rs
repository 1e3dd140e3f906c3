//! `kill -9` at random moments under load, and what must hold afterwards.
//!
//! Senders send signed deliveries and send again what was not answered; consumers lease, settle
//! most and leave some. The program is killed at a random moment of every round and started again
//! on the same folder. In the end every acknowledged event is there, once, with its exact bytes;
//! what was settled never came again; what was not settled does. With retention the oldest events
//! may be gone, and only they.

use crate::{Connection, Gateway, binary, senders, write_config};
use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

const SECRET: &str = "a secret of the kill test";
const SENDERS: u64 = 8;
const CONSUMERS: u64 = 2;
/// The index is made anew after every so many rounds.
const REINDEX_EVERY: u64 = 5;

/// What a run does.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// How often the program is killed.
    pub rounds: u64,
    /// The seed of bodies and moments.
    pub seed: u64,
    /// Whether the index is made anew between some of the rounds.
    pub reindex: bool,
    /// What `[queue] retention` is set to, as TOML; nothing is removed without it.
    pub retention: Option<String>,
}

/// What a run has seen.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Kills.
    pub rounds: u64,
    /// Deliveries that were acknowledged.
    pub acknowledged: usize,
    /// Deliveries that a kill left unanswered at least once.
    pub sent_again: u64,
    /// Of those, the ones that turned out to be stored already.
    pub duplicates: u64,
    /// Deliveries whose settling was confirmed.
    pub settled: usize,
    /// Deliveries that were left and leased again.
    pub leased_again: usize,
    /// Times that the index was made anew.
    pub reindexed: u64,
    /// Acknowledged events that retention has removed.
    pub removed: usize,
}

#[derive(Default)]
struct Ledger {
    /// Event id by delivery guid, once acknowledged.
    acknowledged: BTreeMap<u64, String>,
    /// Deliveries that got no answer and are to be sent again.
    unanswered: BTreeSet<u64>,
    /// Events whose ack was confirmed.
    settled: BTreeSet<String>,
    /// Events whose ack was sent and not answered.
    acks_cut_off: BTreeSet<String>,
    sent_again: u64,
    duplicates: u64,
    violations: Vec<String>,
}

struct Run {
    ledger: Mutex<Ledger>,
    next: AtomicU64,
    stop: AtomicBool,
    seed: u64,
    /// Whether the oldest events may be gone.
    removes: bool,
}

/// Kills the program as often as planned and checks what is left.
pub fn run(plan: &Plan, folder: &Path) -> Result<Report> {
    let config = configuration(folder, plan.retention.as_deref())?;
    let Plan { rounds, seed, .. } = *plan;
    let mut reindexed = 0;
    let run = Arc::new(Run {
        ledger: Mutex::default(),
        next: AtomicU64::new(0),
        stop: AtomicBool::new(false),
        seed,
        removes: plan.retention.is_some(),
    });
    for round in 0..rounds {
        let gateway = Gateway::start(&config).with_context(|| format!("round {round}"))?;
        let address = gateway.address.clone();
        run.stop.store(false, Ordering::SeqCst);
        let workers = spawn_workers(&run, &address, round);
        let alive = 30 + mix(seed ^ round) % 370;
        thread::sleep(Duration::from_millis(alive));
        gateway.kill()?;
        run.stop.store(true, Ordering::SeqCst);
        for worker in workers {
            let _ = worker.join();
        }
        if plan.reindex && (round + 1).is_multiple_of(REINDEX_EVERY) {
            reindex(&config).with_context(|| format!("the reindex after round {round}"))?;
            reindexed += 1;
        }
    }
    let gateway = Gateway::start(&config).context("the start after the last kill")?;
    Ok(Report { rounds, reindexed, ..finish(&run, &gateway)? })
}

/// Makes the index anew while nothing runs.
fn reindex(config: &Path) -> Result<()> {
    let mut command = Command::new(binary()?);
    command.arg("reindex").arg("--config").arg(config).env_remove("HEADGATE_DATA_DIR");
    let ended = command.output()?;
    ensure!(ended.status.success(), "it ended with {ended:?}");
    Ok(())
}

fn configuration(folder: &Path, retention: Option<&str>) -> Result<PathBuf> {
    let queue = retention.map(|value| format!("[queue]\nretention = {value}\n\n"));
    let queue = queue.unwrap_or_default();
    let tables = format!(
        r#"{queue}[[channel]]
id = "hub"
type = "webhook"
provider = "github"
secrets = [{{ insecure_inline = "{SECRET}" }}]

[[subscription]]
name = "agent"
channels = ["hub"]
start = "earliest"
lease = "1s"
retry = {{ attempts = 1000, first = "10ms", longest = "100ms" }}
"#
    );
    write_config(folder, &tables)
}

fn spawn_workers(run: &Arc<Run>, address: &str, round: u64) -> Vec<thread::JoinHandle<()>> {
    let mut workers = Vec::new();
    for worker in 0..SENDERS + CONSUMERS {
        let (run, address) = (Arc::clone(run), address.to_owned());
        let seed = mix(run.seed ^ (round << 8) ^ worker);
        workers.push(thread::spawn(move || {
            // An error is the kill: the loop ends and the ledger holds what was unanswered.
            let _ = if worker < SENDERS {
                run.send_until_stopped(&address)
            } else {
                run.consume_until_stopped(&address, seed)
            };
        }));
    }
    workers
}

impl Run {
    fn ledger(&self) -> MutexGuard<'_, Ledger> {
        self.ledger.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn send_until_stopped(&self, address: &str) -> Result<()> {
        let mut connection = Connection::open(address)?;
        while !self.stop.load(Ordering::SeqCst) {
            let again = self.ledger().unanswered.pop_first();
            let number = again.unwrap_or_else(|| self.next.fetch_add(1, Ordering::SeqCst));
            self.send(&mut connection, number, again.is_some())?;
        }
        Ok(())
    }

    /// Sends one delivery; without an answer it is to be sent again.
    fn send(&self, connection: &mut Connection, number: u64, again: bool) -> Result<()> {
        let sent = self.send_once(connection, number, again);
        if sent.is_err() {
            self.ledger().unanswered.insert(number);
        }
        sent
    }

    fn send_once(&self, connection: &mut Connection, number: u64, again: bool) -> Result<()> {
        let body = body(self.seed, number);
        let answer = connection.request(
            "POST",
            "/v1/webhook/hub",
            &[
                ("content-type", "application/json"),
                ("x-github-event", "push"),
                ("x-github-delivery", &guid(number)),
                ("x-hub-signature-256", &senders::github(SECRET, &body)),
            ],
            &body,
        )?;
        self.check_is_200("a delivery", answer.status)?;
        let answer = answer.json()?;
        let id = answer.get("id").and_then(Value::as_str).context("an id")?;
        let duplicate = answer.get("duplicate") == Some(&json!(true));
        let mut ledger = self.ledger();
        ledger.sent_again += u64::from(again);
        ledger.duplicates += u64::from(duplicate);
        if duplicate && !again {
            ledger.violations.push(format!("{number} was sent once and called a duplicate"));
        }
        ledger.acknowledged.insert(number, id.to_owned());
        Ok(())
    }

    fn consume_until_stopped(&self, address: &str, mut seed: u64) -> Result<()> {
        let mut connection = Connection::open(address)?;
        while !self.stop.load(Ordering::SeqCst) {
            let leased = lease(self, &mut connection, 50)?;
            self.check_none_settled(&leased);
            let mut kept = Vec::new();
            for delivery in leased {
                seed = mix(seed);
                match seed % 10 {
                    // Left to its lease.
                    0 => {}
                    1 => settle(self, &mut connection, &json!({"retry": [{"id": delivery.1}]}))
                        .map(drop)?,
                    _ => kept.push(delivery),
                }
            }
            self.acknowledge(&mut connection, kept)?;
        }
        Ok(())
    }

    fn acknowledge(&self, connection: &mut Connection, kept: Vec<(String, String)>) -> Result<()> {
        let ids: Vec<_> = kept.iter().map(|(_, delivery)| delivery).collect();
        let events: Vec<_> = kept.iter().map(|(event, _)| event.clone()).collect();
        self.ledger().acks_cut_off.extend(events.iter().cloned());
        let answer = settle(self, connection, &json!({"ack": ids}))?;
        let failed: BTreeSet<_> = answer
            .get("errors")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(|error| error.get("id")?.as_str().map(str::to_owned))
            .collect();
        let done = kept.into_iter().filter(|(_, delivery)| !failed.contains(delivery));
        let mut ledger = self.ledger();
        ledger.settled.extend(done.map(|(event, _)| event));
        ledger.acks_cut_off.retain(|event| !events.contains(event));
        Ok(())
    }

    /// A kill cuts an answer off; it never turns it into a refusal.
    fn check_is_200(&self, what: &str, status: u16) -> Result<()> {
        if status != 200 {
            self.ledger().violations.push(format!("{what} was answered {status}"));
        }
        ensure!(status == 200, "{what} was answered {status}");
        Ok(())
    }

    fn check_none_settled(&self, leased: &[(String, String)]) {
        let mut ledger = self.ledger();
        for (event, delivery) in leased {
            if ledger.settled.contains(event) {
                let violation = format!("{event} was settled and came again as {delivery}");
                ledger.violations.push(violation);
            }
        }
    }
}

fn finish(run: &Run, gateway: &Gateway) -> Result<Report> {
    let mut connection = Connection::open(&gateway.address)?;
    let unanswered = std::mem::take(&mut run.ledger().unanswered);
    for number in unanswered {
        run.send(&mut connection, number, true)?;
    }
    let stored = list_all(&mut connection)?;
    let removed = check_stored(run, &mut connection, &stored)?;
    let leased_again = check_leases(run, &mut connection, &stored)?;
    let ledger = run.ledger();
    let violations = &ledger.violations;
    let first: Vec<_> = violations.iter().take(5).collect();
    ensure!(violations.is_empty(), "{} violations: {first:#?}", violations.len());
    Ok(Report {
        removed,
        acknowledged: ledger.acknowledged.len(),
        sent_again: ledger.sent_again,
        duplicates: ledger.duplicates,
        settled: ledger.settled.len(),
        leased_again,
        ..Report::default()
    })
}

/// Every acknowledged event is stored once, with its exact bytes, and nothing else is; answers how
/// many retention has removed, which are the oldest.
fn check_stored(run: &Run, connection: &mut Connection, stored: &[Value]) -> Result<usize> {
    let mut acknowledged = run.ledger().acknowledged.clone();
    let all = acknowledged.len();
    let oldest = stored.iter().filter_map(|event| event.get("id")?.as_str()).min();
    if let Some(oldest) = oldest.filter(|_| run.removes) {
        // Ids rise, and retention takes events from the oldest on.
        acknowledged.retain(|_, id| id.as_str() >= oldest);
    }
    let mut by_guid = BTreeMap::new();
    for event in stored {
        let key = event.get("dedupe_key").and_then(Value::as_str).context("a dedupe key")?;
        let id = event.get("id").and_then(Value::as_str).context("an id")?;
        let before = by_guid.insert(key.to_owned(), id.to_owned());
        ensure!(before.is_none(), "{key} is stored twice: {id} and {before:?}");
    }
    ensure!(
        by_guid.len() == acknowledged.len(),
        "{} events are stored, {} were acknowledged",
        by_guid.len(),
        acknowledged.len()
    );
    for (number, id) in &acknowledged {
        let found = by_guid.get(&guid(*number));
        ensure!(found == Some(id), "{number} was acknowledged as {id} and is stored as {found:?}");
        let raw = connection.request("GET", &format!("/v1/events/{id}/raw"), &[], b"")?;
        ensure!(raw.status == 200, "raw of {id} answers {}", raw.status);
        ensure!(raw.body == body(run.seed, *number), "the raw bytes of {id} are not those sent");
    }
    Ok(all - acknowledged.len())
}

/// What was not settled comes again, what was settled does not.
fn check_leases(run: &Run, connection: &mut Connection, stored: &[Value]) -> Result<usize> {
    let ids = stored.iter().filter_map(|event| event.get("id")?.as_str().map(str::to_owned));
    let mut waiting: BTreeSet<String> = ids.collect();
    let settled = run.ledger().settled.clone();
    waiting.retain(|id| !settled.contains(id));
    let mut leased_again = 0;
    let started = Instant::now();
    while started.elapsed() < Duration::from_secs(120) {
        let leased = lease(run, connection, 500)?;
        if leased.is_empty() && lag(connection)? == 0 {
            break;
        }
        run.check_none_settled(&leased);
        for (event, _) in &leased {
            leased_again += usize::from(waiting.remove(event));
        }
        let ids: Vec<_> = leased.iter().map(|(_, delivery)| delivery).collect();
        settle(run, connection, &json!({"ack": ids}))?;
    }
    ensure!(lag(connection)? == 0, "the subscription is not empty after 120 s");
    // An ack whose answer a kill cut off may have counted; any other event has to come again.
    let ledger = run.ledger();
    let lost: Vec<_> = waiting.difference(&ledger.acks_cut_off).collect();
    let first: Vec<_> = lost.iter().take(5).collect();
    ensure!(lost.is_empty(), "{} never settled and never leased again: {first:?}", lost.len());
    Ok(leased_again)
}

fn lag(connection: &mut Connection) -> Result<u64> {
    let status = connection.request("GET", "/v1/subscriptions/agent", &[], b"")?.json()?;
    status.get("lag").and_then(Value::as_u64).context("a lag")
}

fn list_all(connection: &mut Connection) -> Result<Vec<Value>> {
    let (mut events, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/v1/events?limit=500{cursor}");
        let mut page = connection.request("GET", &target, &[], b"")?.json()?;
        let next = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        if let Some(Value::Array(found)) = page.get_mut("events").map(Value::take) {
            events.extend(found);
        }
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(events),
        }
    }
}

/// Leases; gives pairs of event id and delivery id.
fn lease(run: &Run, connection: &mut Connection, max: usize) -> Result<Vec<(String, String)>> {
    let ask = json!({"max": max, "wait_ms": 200}).to_string();
    let headers = [("content-type", "application/json")];
    let target = "/v1/subscriptions/agent/lease";
    let answer = connection.request("POST", target, &headers, ask.as_bytes())?;
    run.check_is_200("lease", answer.status)?;
    let answer = answer.json()?;
    let deliveries = answer.get("deliveries").and_then(Value::as_array).context("deliveries")?;
    let pair = |event: &Value| {
        let id = event.get("id")?.as_str()?.to_owned();
        Some((id, event.pointer("/delivery/id")?.as_str()?.to_owned()))
    };
    deliveries.iter().map(|event| pair(event).context("an event with its delivery")).collect()
}

fn settle(run: &Run, connection: &mut Connection, settlements: &Value) -> Result<Value> {
    let headers = [("content-type", "application/json")];
    let target = "/v1/subscriptions/agent/settle";
    let body = settlements.to_string();
    let answer = connection.request("POST", target, &headers, body.as_bytes())?;
    run.check_is_200("settle", answer.status)?;
    answer.json()
}

fn guid(number: u64) -> String {
    format!("00000000-0000-4000-8000-{number:012x}")
}

/// The body of a delivery: JSON of a size between a few bytes and 20 KiB, the same each time.
fn body(seed: u64, number: u64) -> Vec<u8> {
    let random = mix(seed ^ number);
    let size = if random.is_multiple_of(20) { random % 20_000 } else { random % 900 };
    let filler: String =
        (0..size).map(|at| char::from(b'a' + (mix(random ^ at) % 26) as u8)).collect();
    json!({"ref": "refs/heads/main", "number": number, "filler": filler}).to_string().into_bytes()
}

/// A step of splitmix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
