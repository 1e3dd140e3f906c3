//! Durable ingest of a signed webhook: bare hyper, a plain log, Headgate, in turns.

use crate::{
    disk, folder,
    load::{self, End, Requests, Seen},
    process::Server,
    push,
};
use anyhow::{Context, Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) connections: Vec<usize>,
    pub(crate) span: Duration,
    pub(crate) rounds: usize,
    pub(crate) body_bytes: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Bare,
    Log,
    Headgate,
}

impl Kind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare hyper + HMAC",
            Self::Log => "+ log + fdatasync",
            Self::Headgate => "headgate",
        }
    }
}

#[derive(Debug)]
struct Row {
    rate: f64,
    p99_ms: f64,
}

/// Prints a table for each number of connections and round.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let headgate = build_headgate()?;
    println!(
        "durable ingest of a signed webhook, body {} bytes, {} s a server",
        plan.body_bytes,
        plan.span.as_secs()
    );
    for connections in &plan.connections {
        for round in 1..=plan.rounds {
            println!("\n{connections} connections, round {round} of {}", plan.rounds);
            turn(plan, *connections, &headgate)?;
        }
    }
    Ok(())
}

fn turn(plan: &Plan, connections: usize, headgate: &Path) -> Result<()> {
    let folder = folder::temporary()?;
    let sync = disk::measure(folder.path())?;
    println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    println!(
        "{:22} {:>9} {:>8} {:>8} {:>8} {:>11} {:>8} {:>8}",
        "server", "answers/s", "p50 ms", "p99 ms", "max ms", "CPU s/100k", "RSS MiB", "not 200"
    );
    let bare = measure(Kind::Bare, plan, connections, headgate, folder.path())?;
    let log = measure(Kind::Log, plan, connections, headgate, folder.path())?;
    let ours = measure(Kind::Headgate, plan, connections, headgate, folder.path())?;
    println!(
        "headgate / plain log {:.2} (aim 0.70), headgate / bare hyper {:.2} (aim 0.30)",
        ours.rate / log.rate,
        ours.rate / bare.rate
    );
    let (aim, why) = if sync.p99_ms > 5.0 { (1.5, "slow disk") } else { (6.0, "quiet disk") };
    println!("p99 / fdatasync p99 {:.1} (aim {aim} at 64, {why})", ours.p99_ms / sync.p99_ms);
    Ok(())
}

fn measure(
    kind: Kind,
    plan: &Plan,
    connections: usize,
    headgate: &Path,
    folder: &Path,
) -> Result<Row> {
    let server = Server::start(command(kind, headgate, folder)?)?;
    let requests = Arc::new(Requests::push(plan.body_bytes)?);
    let before = server.cpu_seconds()?;
    let seen = load::run(&server.address, connections, End::After(plan.span), &requests)?;
    let cpu = server.cpu_seconds()? - before;
    print(kind, &seen, cpu, server.resident_mib()?);
    ensure!(seen.refused == 0, "{} answers were not 200", seen.refused);
    Ok(Row { rate: seen.rate(), p99_ms: seen.latency_ms(0.99) })
}

fn print(kind: Kind, seen: &Seen, cpu: f64, resident: f64) {
    let name = kind.name();
    println!(
        "{name:22} {:>9.0} {:>8.2} {:>8.2} {:>8.1} {:>11.2} {resident:>8.0} {:>8}",
        seen.rate(),
        seen.latency_ms(0.5),
        seen.latency_ms(0.99),
        seen.latency_ms(1.0),
        cpu / (seen.answered as f64 / 100_000.0),
        seen.refused
    );
}

pub(crate) fn command(kind: Kind, headgate: &Path, folder: &Path) -> Result<Command> {
    if kind == Kind::Headgate {
        let mut command = Command::new(headgate);
        command.arg("serve").arg("--config").arg(write_config(folder)?);
        return Ok(command);
    }
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("anchor");
    if kind == Kind::Log {
        command.arg("--log").arg(folder.join("plain.log"));
    }
    Ok(command)
}

fn write_config(folder: &Path) -> Result<PathBuf> {
    let path = folder.join("headgate.toml");
    let data = folder.join("headgate");
    let text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"hub\"\n\
         type = \"webhook\"\nprovider = \"github\"\nsecrets = [{{ insecure_inline = \"{}\" }}]\n\
         max_body = \"48MiB\"\n",
        push::SECRET
    );
    std::fs::write(&path, text)?;
    Ok(path)
}

/// Builds the release binary, so that what is measured is what stands in the tree.
pub(crate) fn build_headgate() -> Result<PathBuf> {
    let cargo = option_env!("CARGO").unwrap_or("cargo");
    let built =
        Command::new(cargo).args(["build", "--release", "--package", "headgate"]).status()?;
    ensure!(built.success(), "headgate does not build");
    let benches = std::env::current_exe()?;
    let headgate = benches.parent().context("its folder")?.join("headgate");
    ensure!(headgate.is_file(), "`{}` is missing", headgate.display());
    Ok(headgate)
}
