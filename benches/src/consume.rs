//! Consuming: how fast the clients take, handle and settle what waits, beside a socket that only
//! reads it.

use crate::{
    disk, folder,
    ingest::build_headgate,
    load::{self, End, Requests},
    process::Server,
    push,
};
use anyhow::{Context, Result, ensure};
use futures_util::StreamExt;
use headgate_client::{Client, Event};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Instant,
};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) events: u64,
    pub(crate) body_bytes: usize,
    pub(crate) concurrency: usize,
    /// A Python that has the package `headgate`.
    pub(crate) python: Option<PathBuf>,
    /// A binary in the place of the one that the tree makes.
    pub(crate) headgate: Option<PathBuf>,
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
        "{} events of {} bytes wait; {} in hand at most",
        plan.events, plan.body_bytes, plan.concurrency
    );
    println!("{:30} {:>9} {:>14}", "consumer", "events/s", "RSS grew, MiB");
    let runtime = load::runtime()?;
    let read = runtime.block_on(reader(&server.address, plan))?;
    println!("{:30} {read:>9.0} {:>14}", "socket, settled by sending", "-");
    let before = resident_mib()?;
    let rust = runtime.block_on(rust_client(&server.address, plan))?;
    println!("{:30} {rust:>9.0} {:>14.1}", "headgate-client, no-op", resident_mib()? - before);
    println!("headgate-client / socket {:.2} (aim 25,000 events/s)", rust / read);
    if let Some(python) = &plan.python {
        python_client(python, &server.address, plan)?;
    }
    Ok(())
}

/// The anchor: frames are read and thrown away.
async fn reader(address: &str, plan: &Plan) -> Result<f64> {
    let url = format!("ws://{address}/v1/stream?subscription=read&max_in_flight=1000");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    socket.next().await.context("hello")??;
    let begun = Instant::now();
    let mut seen = 0;
    while seen < plan.events {
        if socket.next().await.context("an event")??.is_text() {
            seen += 1;
        }
    }
    Ok(seen as f64 / begun.elapsed().as_secs_f64())
}

async fn rust_client(address: &str, plan: &Plan) -> Result<f64> {
    let mut client = Client::builder()
        .url(format!("http://{address}"))
        .subscription("rust")
        .concurrency(plan.concurrency)
        .build()?;
    let (seen, stopper, events) = (Arc::new(AtomicU64::new(0)), client.stopper(), plan.events);
    client.on_event(move |_: Event| {
        if seen.fetch_add(1, Ordering::Relaxed) + 1 == events {
            stopper.stop();
        }
        std::future::ready(())
    });
    let begun = Instant::now();
    client.run().await?;
    Ok(plan.events as f64 / begun.elapsed().as_secs_f64())
}

fn python_client(python: &Path, address: &str, plan: &Plan) -> Result<()> {
    let said = Command::new(python)
        .arg("clients/python/bench.py")
        .args([&format!("http://{address}"), "python", &plan.events.to_string()])
        .arg(plan.concurrency.to_string())
        .output()?;
    ensure!(said.status.success(), "{}", String::from_utf8_lossy(&said.stderr));
    print!("{}", String::from_utf8_lossy(&said.stdout));
    Ok(())
}

fn resident_mib() -> Result<f64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("VmRSS")?;
    let kib = line.split_whitespace().nth(1).and_then(|text| text.parse::<f64>().ok());
    Ok(kib.context("a number")? / 1024.0)
}

fn write_config(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("headgate.toml");
    let data = folder.join("headgate");
    let mut text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"hub\"\n\
         type = \"webhook\"\nprovider = \"github\"\nsecrets = [{{ insecure_inline = \"{}\" }}]\n",
        push::SECRET
    );
    for (name, ack) in [("read", "on_send"), ("rust", "explicit"), ("python", "explicit")] {
        text.push_str(&format!(
            "\n[[subscription]]\nname = \"{name}\"\nstart = \"earliest\"\nack = \"{ack}\"\n"
        ));
    }
    std::fs::write(&path, text)?;
    Ok(path)
}
