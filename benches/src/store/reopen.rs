//! Reopening: the gateway is killed under load, and started again.

use super::Stand;
use crate::{
    call::Caller,
    load::{self, End},
    process::Server,
};
use anyhow::{Result, ensure};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// How often it is killed.
const ROUNDS: usize = 3;
/// How long it is under load before.
const LOAD: Duration = Duration::from_secs(1);

/// Kills and starts it some times; gives the last that was started.
pub(super) fn run(stand: &Stand, server: Server) -> Result<Server> {
    let mut server = server;
    println!();
    for _ in 0..ROUNDS {
        let requests = Arc::clone(&stand.requests);
        let address = server.address.clone();
        let load = std::thread::spawn(move || {
            // It ends in an error, because the gateway is killed below it.
            let _ = load::run(&address, 64, End::After(2 * LOAD), &requests);
        });
        std::thread::sleep(LOAD);
        drop(server);
        let _ = load.join();
        let started = Instant::now();
        server = stand.start()?;
        let listening = started.elapsed();
        let runtime = load::runtime()?;
        runtime.block_on(async {
            let mut caller = Caller::new(&server.address).await?;
            caller.call("GET", "/readyz", "").await.map(|_| ())
        })?;
        let ready = started.elapsed();
        println!(
            "reopened after kill -9: listening {:.0} ms, ready {:.0} ms (aim 1000 at 1 M), \
             RSS {:.0} MiB",
            listening.as_secs_f64() * 1000.0,
            ready.as_secs_f64() * 1000.0,
            server.resident_mib()?
        );
        ensure!(ready < Duration::from_secs(600), "it took too long to go on");
    }
    Ok(server)
}
