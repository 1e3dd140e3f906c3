//! Rolling restarts while Slack sends over HTTP and over Socket Mode, and what must hold then.
//!
//! The program is stopped and started again at random moments. What finds nobody listening, or is
//! cut off, Slack sends again, as it does. In the end each event that it ever sent is stored once.

use crate::{Connection, Gateway, request, write_config};
use anyhow::{Context, Result, ensure};
use chrono::Utc;
use headgate_event::{Secret, Timestamp};
use headgate_testkit::slack::{EventsApi, FakeSlack, Outcome, SignedRequest, WorkspaceOptions};
use serde_json::Value;
use std::{
    path::{Path, PathBuf},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant, SystemTime},
};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
/// Slack's retries come after 0, 60 and 300 seconds; nobody waits that long here.
const RETRIES: [Duration; 3] = [Duration::ZERO, Duration::from_secs(5), Duration::from_secs(25)];
/// How often an event happens on each way.
const EVERY: Duration = Duration::from_millis(8);
/// How long what is left may take in the end.
const PATIENCE: Duration = Duration::from_secs(90);
const SENDERS: usize = 4;

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often the program is restarted.
    pub rounds: u64,
    /// The seed of the moments.
    pub seed: u64,
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Restarts.
    pub rounds: u64,
    /// Events over HTTP.
    pub over_http: usize,
    /// Events over Socket Mode.
    pub over_socket: usize,
    /// Of those over HTTP, the ones that were sent more than once.
    pub http_again: usize,
    /// Of those over Socket Mode, the ones that were sent more than once.
    pub socket_again: usize,
}

/// Slack's side over HTTP, and where the program listens while it does.
struct Http {
    slack: Mutex<EventsApi>,
    address: Mutex<Option<String>>,
    stop: AtomicBool,
}

/// Restarts the program as often as planned and checks what is stored.
pub fn run(plan: &Plan, folder: &Path) -> Result<Report> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let ack_timeout = Duration::from_millis(500);
    let options =
        WorkspaceOptions { ack_timeout, attempts_max: u32::MAX, ..WorkspaceOptions::default() };
    let socket = Arc::new(runtime.block_on(FakeSlack::start(options))?);
    let config = configuration(folder, &socket.api())?;
    let slack = EventsApi::new(Secret::new(SECRET)).retrying_after(RETRIES);
    let (slack, address) = (Mutex::new(slack), Mutex::default());
    let http = Arc::new(Http { slack, address, stop: AtomicBool::new(false) });
    let senders: Vec<_> = (0..SENDERS).map(|_| spawn(&http, Http::send)).collect();
    let emitting = Arc::clone(&socket);
    let events = spawn(&http, move |http| http.emit(&emitting));
    let rolled = roll(plan, &config, &http);
    http.stop.store(true, Ordering::SeqCst);
    let ended = [events].into_iter().chain(senders).all(|thread| thread.join().is_ok());
    ensure!(ended, "a sender failed");
    let gateway = rolled?;
    settle(&http, &socket)?;
    drop(gateway);
    let gateway = Gateway::start(&config)?;
    judge(plan, &gateway, &http, &socket)
}

fn roll(plan: &Plan, config: &Path, http: &Http) -> Result<Gateway> {
    for round in 0..plan.rounds {
        let gateway = Gateway::start(config).with_context(|| format!("round {round}"))?;
        *lock(&http.address) = Some(gateway.address.clone());
        thread::sleep(Duration::from_millis(150 + mix(plan.seed ^ round) % 600));
        // What is on its way is answered; what comes then finds nobody.
        let stopped = gateway.stop()?;
        ensure!(stopped.success(), "round {round}: {stopped}");
    }
    let gateway = Gateway::start(config)?;
    *lock(&http.address) = Some(gateway.address.clone());
    Ok(gateway)
}

/// Sends what is left, until everything is acknowledged.
fn settle(http: &Http, socket: &FakeSlack) -> Result<()> {
    let started = Instant::now();
    loop {
        http.send_due();
        let given_up = lock(&http.slack).ledger().abandoned().count();
        ensure!(given_up == 0, "Slack gave up {given_up} events over HTTP");
        let left = lock(&http.slack).ledger().unacknowledged().count();
        let over_socket = socket.ledger().unacknowledged().count();
        if left + over_socket == 0 {
            return Ok(());
        }
        ensure!(
            started.elapsed() < PATIENCE,
            "{left} events over HTTP and {over_socket} over Socket Mode are not acknowledged"
        );
        thread::sleep(Duration::from_millis(20));
    }
}

fn judge(plan: &Plan, gateway: &Gateway, http: &Http, socket: &FakeSlack) -> Result<Report> {
    let (over_http, over_socket) = (lock(&http.slack).ledger().clone(), socket.ledger());
    ensure!(over_http.abandoned().next().is_none(), "Slack gave up some events");
    let again = |ledger: &headgate_testkit::slack::Ledger, found: &[String]| {
        found.iter().filter(|id| ledger.attempts(id) > 1).count()
    };
    let (by_http, by_socket) = (stored(gateway, "http")?, stored(gateway, "socket")?);
    over_http.check(by_http.iter().map(String::as_str)).context("over HTTP")?;
    over_socket.check(by_socket.iter().map(String::as_str)).context("over Socket Mode")?;
    Ok(Report {
        rounds: plan.rounds,
        over_http: by_http.len(),
        over_socket: by_socket.len(),
        http_again: again(&over_http, &by_http),
        socket_again: again(&over_socket, &by_socket),
    })
}

/// Slack's ids of the events of a channel that are stored.
fn stored(gateway: &Gateway, channel: &str) -> Result<Vec<String>> {
    let mut connection = Connection::open(&gateway.address)?;
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/v1/events?channel={channel}&limit=500{cursor}");
        let page = connection.request("GET", &target, &[], b"")?.json()?;
        for event in page.get("events").and_then(Value::as_array).context("events")? {
            let id = event.pointer("/data/event_id").and_then(Value::as_str);
            all.push(id.with_context(|| format!("an id in {event}"))?.to_owned());
        }
        match page.get("next_cursor").and_then(Value::as_str) {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(all),
        }
    }
}

impl Http {
    /// Lets events happen on both ways until the end.
    fn emit(&self, socket: &FakeSlack) {
        while !self.stop.load(Ordering::SeqCst) {
            lock(&self.slack).emit(now());
            // While nobody listens they wait with Slack, as they do.
            socket.emit();
            thread::sleep(EVERY);
        }
    }

    fn send(&self) {
        while !self.stop.load(Ordering::SeqCst) {
            self.send_due();
            thread::sleep(Duration::from_millis(2));
        }
    }

    fn send_due(&self) {
        let due = lock(&self.slack).due(now());
        for request in due {
            let outcome = self.offer(&request);
            lock(&self.slack).answered(now(), &request.event_id, outcome);
        }
    }

    fn offer(&self, due: &SignedRequest) -> Outcome {
        let Some(address) = lock(&self.address).clone() else { return Outcome::Unreachable };
        let headers: Vec<_> =
            due.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        match request(&address, "POST", "/v1/slack/http", &headers, &due.body) {
            Ok(answer) => Outcome::Status(answer.status),
            Err(_) => Outcome::Unreachable,
        }
    }
}

fn configuration(folder: &Path, api: &str) -> Result<PathBuf> {
    let tables = format!(
        "[[channel]]\nid = \"http\"\ntype = \"slack\"\n\
         signing_secrets = [{{ insecure_inline = \"{SECRET}\" }}]\n\n\
         [[channel]]\nid = \"socket\"\ntype = \"slack\"\n\
         app_token = {{ insecure_inline = \"xapp-1-token\" }}\napi_url = \"{api}\"\n"
    );
    write_config(folder, &tables)
}

fn spawn(http: &Arc<Http>, work: impl FnOnce(&Http) + Send + 'static) -> thread::JoinHandle<()> {
    let http = Arc::clone(http);
    thread::spawn(move || work(&http))
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[expect(clippy::disallowed_methods, reason = "a sender of the outside world has its own clock")]
fn now() -> Timestamp {
    Timestamp::from_unix_ms(chrono::DateTime::<Utc>::from(SystemTime::now()).timestamp_millis())
}

/// A step of splitmix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
