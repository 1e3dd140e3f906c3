//! A reload that the disk refuses half-way: the log says what changed, and trying again finishes
//! it.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, request, write_config};
use rusqlite::Connection;
use serde_json::Value;
use std::path::Path;

/// Three subscriptions with this lease.
fn tables(lease: &str) -> String {
    let one = |name| format!("[[subscription]]\nname = \"{name}\"\nlease = \"{lease}\"\n");
    ["first", "second", "third"].map(one).concat()
}

fn leases(gateway: &Gateway) -> Result<Vec<u64>> {
    let listed = request(&gateway.address, "GET", "/v1/subscriptions", &[], b"")?.json()?;
    let listed = listed["subscriptions"].as_array().context("subscriptions")?;
    let lease = |one: &Value| one["lease_ms"].as_u64().context("a lease");
    listed.iter().map(lease).collect()
}

/// Lets the state refuse one subscription, as a disk at its end would, or no longer.
fn refuse(folder: &Path, sql: &str) -> Result<()> {
    Ok(Connection::open(folder.join("data/headgate.db"))?.execute_batch(sql)?)
}

#[test]
fn a_reload_that_is_refused_half_way_says_what_changed_and_is_finished_by_the_next() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), &tables("5s"))?)?;
    refuse(
        folder.path(),
        "CREATE TRIGGER full BEFORE UPDATE ON state_subscriptions WHEN NEW.name = 'second'
         BEGIN SELECT RAISE(ABORT, 'the disk is full'); END",
    )?;
    write_config(folder.path(), &tables("7s"))?;
    gateway.hang_up()?;
    let problem = gateway.said("a change could not be made")?;
    ensure!(problem.contains("make subscription `second`"), "{problem}");
    let end = gateway.said("reloaded in part")?;
    ensure!(end.contains("\"changed\":\"subscription `first`\""), "{end}");
    ensure!(leases(&gateway)? == [7_000, 5_000, 5_000]);
    refuse(folder.path(), "DROP TRIGGER full")?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    ensure!(leases(&gateway)? == [7_000; 3]);
    Ok(())
}
