//! Consuming: how fast the clients take, handle and settle what waits, and how much memory they
//! have meanwhile, beside a socket that only reads it.

use crate::{
    disk, folder,
    ingest::build_headgate,
    load::{self, End, Requests},
    process::Server,
    push,
};
use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use serde::{Deserialize, Serialize};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Instant,
};

pub(crate) mod taker;

/// What a client of no work is to consume a second, at least.
const RUST_AIM: f64 = 25_000.0;
const PYTHON_AIM: f64 = 3_000.0;
/// How long each event is worked on where the work is slow, in milliseconds.
const SLOW_MS: u64 = 1_000;
/// So often the work of all that is in hand is done where the work is slow.
const SLOW_ROUNDS: u64 = 10;
/// How many handlers run at one time where they are few.
const FEW: usize = 32;

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) events: u64,
    pub(crate) taken: u64,
    pub(crate) body_bytes: usize,
    pub(crate) concurrency: usize,
    /// A Python that has the package `headgate`.
    pub(crate) python: Option<PathBuf>,
    /// A binary in the place of the one that the tree makes.
    pub(crate) headgate: Option<PathBuf>,
}

/// What one client is to do.
#[derive(Clone, Copy, Debug)]
struct Task {
    subscription: &'static str,
    taken: u64,
    concurrency: usize,
    work_ms: u64,
}

/// What a client says of itself when it is through.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Figures {
    /// Events a second.
    rate: f64,
    /// CPU time an event, in microseconds.
    cpu_us: f64,
    /// Resident before it connected and at most since, in MiB.
    before_mib: f64,
    most_mib: f64,
}

/// What the anchor saw.
struct Read {
    rate: f64,
    mean_bytes: f64,
}

/// Prints a line for each consumer.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let headgate = plan.headgate.clone().map_or_else(build_headgate, Ok)?;
    let folder = folder::temporary()?;
    let sync = disk::measure(folder.path())?;
    println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    let mut command = Command::new(headgate);
    command.arg("serve").arg("--config").arg(write_config(folder.path())?);
    let server = Server::start(command)?;
    let requests = Arc::new(Requests::push(plan.body_bytes)?);
    let filled = load::run(&server.address, 256, End::Before(plan.events), &requests)?;
    ensure!(filled.refused == 0, "{} answers were not 200", filled.refused);
    println!(
        "{} events of {} bytes wait for each; a client of no work takes {} of them",
        plan.events, plan.body_bytes, plan.taken
    );
    println!(
        "{:38} {:>9} {:>9} {:>11} {:>10} {:>12}",
        "consumer", "events/s", "CPU us", "RSS before", "RSS most", "grew in hand"
    );
    let read = load::runtime()?.block_on(reader(&server.address, plan))?;
    println!("{:38} {:>9.0}", "socket, settled by sending", read.rate);
    let in_hand = |events: usize| events as f64 * read.mean_bytes / (1 << 20) as f64;
    let (few, most) = (FEW.min(plan.concurrency), plan.concurrency);
    let clients = [("rust", RUST_AIM), ("python", PYTHON_AIM)];
    for (client, aim) in clients.into_iter().filter(|(client, _)| plan.has(client)) {
        for task in tasks(plan, client, few) {
            let figures = plan.measure(client, &server.address, task)?;
            println!(
                "{:38} {:>9.0} {:>9.1} {:>11.1} {:>10.1} {:>12.1}",
                task.title(client),
                figures.rate,
                figures.cpu_us,
                figures.before_mib,
                figures.most_mib,
                figures.most_mib - figures.before_mib
            );
            if task.work_ms == 0 {
                let part = figures.rate / read.rate;
                println!("    {part:.2} of the socket; aim {aim:.0} events/s");
            }
        }
    }
    println!(
        "frames as they come, in MiB: {few} are {:.1}, {most} are {:.1}",
        in_hand(few),
        in_hand(most)
    );
    Ok(())
}

/// No work, and slow work with few and with many handlers: what waits is the same for each.
fn tasks(plan: &Plan, client: &str, few: usize) -> [Task; 3] {
    let names = match client {
        "rust" => ["rust", "rust-few", "rust-slow"],
        _ => ["python", "python-few", "python-slow"],
    };
    let slow = |subscription, concurrency: usize| Task {
        subscription,
        taken: plan.events.min(SLOW_ROUNDS * concurrency as u64),
        concurrency,
        work_ms: SLOW_MS,
    };
    let no_work = Task {
        subscription: names[0],
        taken: plan.taken.min(plan.events),
        concurrency: plan.concurrency,
        work_ms: 0,
    };
    [no_work, slow(names[1], few), slow(names[2], plan.concurrency)]
}

impl Task {
    fn title(&self, client: &str) -> String {
        let work = match self.work_ms {
            0 => "no work".to_owned(),
            ms => format!("{ms} ms of work"),
        };
        format!("{client}, {} in hand, {work}", self.concurrency)
    }
}

impl Plan {
    fn has(&self, client: &str) -> bool {
        client == "rust" || self.python.is_some()
    }

    /// Runs a client as a process of its own, so that its memory is its own.
    fn measure(&self, client: &str, address: &str, task: Task) -> Result<Figures> {
        let mut command = match (client, &self.python) {
            ("python", Some(python)) => {
                let mut command = Command::new(python);
                command.arg("clients/python/bench.py");
                command
            }
            _ => {
                let mut command = Command::new(std::env::current_exe()?);
                command.arg("taker");
                command
            }
        };
        let numbers = [task.taken, task.concurrency as u64, task.work_ms].map(|n| n.to_string());
        command.arg(format!("http://{address}")).arg(task.subscription).args(numbers);
        let said = command.output()?;
        ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout)
            .with_context(|| format!("figures, not `{}`", String::from_utf8_lossy(&said.stdout)))
    }
}

/// The anchor: frames are read and thrown away.
async fn reader(address: &str, plan: &Plan) -> Result<Read> {
    let url = format!("ws://{address}/v1/stream?subscription=read&max_in_flight=1000");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    socket.next().await.context("hello")??;
    let begun = Instant::now();
    let (mut seen, mut bytes) = (0, 0);
    while seen < plan.taken.min(plan.events) {
        let frame = socket.next().await.context("an event")??;
        if frame.is_text() {
            seen += 1;
            bytes += frame.len();
        }
    }
    let rate = seen as f64 / begun.elapsed().as_secs_f64();
    Ok(Read { rate, mean_bytes: bytes as f64 / seen as f64 })
}

fn write_config(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("headgate.toml");
    let data = folder.join("headgate");
    let mut text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"hub\"\n\
         type = \"webhook\"\nprovider = \"github\"\nsecrets = [{{ insecure_inline = \"{}\" }}]\n",
        push::SECRET
    );
    let clients = ["rust", "rust-few", "rust-slow", "python", "python-few", "python-slow"];
    let explicit = clients.map(|name| (name, "explicit"));
    for (name, ack) in [("read", "on_send")].into_iter().chain(explicit) {
        text.push_str(&format!(
            "\n[[subscription]]\nname = \"{name}\"\nstart = \"earliest\"\nack = \"{ack}\"\n"
        ));
    }
    std::fs::write(&path, text)?;
    Ok(path)
}
