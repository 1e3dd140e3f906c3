//! A queue with many events: what filling, reopening, listing, consuming and scanning it costs.
//!
//! All of it is asked of the release binary over HTTP, but for the scan, which reads the folder
//! as a replay would once the gateway has gone.

mod consume;
mod fill;
mod lists;
mod reopen;
mod scan;

use crate::{
    disk, folder, ingest,
    load::{End, Requests},
    process::Server,
    push,
};
use anyhow::{Result, ensure};
use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) events: u64,
    pub(crate) connections: usize,
    pub(crate) span: Duration,
    pub(crate) body_bytes: usize,
}

/// What is measured: a binary, its folder, and what is sent to it.
#[derive(Debug)]
struct Stand {
    binary: PathBuf,
    folder: PathBuf,
    requests: Arc<Requests>,
}

/// Fills a queue and prints what it does then.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    ensure!(plan.events >= 1_000, "expected 1000 events and more, found {}", plan.events);
    let binary = ingest::build_headgate()?;
    let folder = folder::temporary()?;
    let stand = Stand {
        binary,
        folder: folder.path().to_owned(),
        requests: Arc::new(Requests::various(plan.body_bytes)?),
    };
    println!(
        "a queue with {} events, body {} bytes, {} connections fill it",
        plan.events, plan.body_bytes, plan.connections
    );
    stand.print_disk()?;
    let server = fill::run(plan, &stand)?;
    let server = reopen::run(&stand, server)?;
    lists::run(&server)?;
    stand.print_disk()?;
    consume::run(plan, &stand, &server)?;
    drop(server);
    scan::run(&stand)
}

impl Stand {
    fn start(&self) -> Result<Server> {
        let mut command = Command::new(&self.binary);
        command.arg("serve").arg("--config").arg(self.config()?);
        Server::start(command)
    }

    fn data(&self) -> PathBuf {
        self.folder.join("headgate")
    }

    fn config(&self) -> Result<PathBuf> {
        let path = self.folder.join("headgate.toml");
        let mut text = format!(
            "data_dir = {:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"hub\"\n\
             type = \"webhook\"\nprovider = \"github\"\n\
             secrets = [{{ insecure_inline = \"{}\" }}]\n",
            self.data(),
            push::SECRET
        );
        for name in ["one", "eight"] {
            text += &format!("\n[[subscription]]\nname = \"{name}\"\nstart = \"earliest\"\n");
        }
        std::fs::write(&path, text)?;
        Ok(path)
    }

    fn print_disk(&self) -> Result<()> {
        let sync = disk::measure(&self.folder)?;
        println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
        Ok(())
    }
}

/// Up to so many deliveries more.
fn more(requests: &Requests, count: u64) -> End {
    End::Before(requests.next() + count)
}

/// The bytes of all files in a folder whose names begin so.
fn bytes_of(folder: &Path, prefix: &str) -> Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_name().to_string_lossy().starts_with(prefix) {
            bytes += entry.metadata()?.len();
        }
    }
    Ok(bytes)
}
