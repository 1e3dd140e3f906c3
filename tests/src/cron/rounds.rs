//! `kill -9` at random moments while many schedules fire each second, and what must hold then.
//!
//! All schedules are due every second and catch up all that they miss. In the end each of them has
//! one event for every second from the first to the last, whatever was under way when the program
//! was killed: events that were stored without their cursors, cursors that were never stored.

use super::{Fired, PATIENCE, by_name, now, stored};
use crate::{Connection, Gateway, write_config};
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The first round is left this much longer, so that the schedules are stored and fire.
const FIRST_MS: u64 = 2_500;

/// It is started again within this, so that some seconds pass without it.
const DOWN_MS: u64 = 3_000;

/// What a run does.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How often the program is killed.
    pub rounds: u64,
    /// How many schedules are due every second.
    pub schedules: usize,
    /// The seed of the moments.
    pub seed: u64,
}

/// What a run has seen.
#[derive(Clone, Copy, Debug, Default)]
pub struct Report {
    /// Kills.
    pub rounds: u64,
    /// Seconds from the first to the last.
    pub seconds: usize,
    /// Events, one of each schedule for each second.
    pub events: usize,
    /// Events that came more than a second late: those that a kill had left out.
    pub late: usize,
}

/// Kills the program as often as planned and checks what has fired.
pub fn run(plan: &Plan, folder: &Path) -> Result<Report> {
    let config = configuration(folder, plan.schedules)?;
    for round in 0..plan.rounds {
        let gateway = Gateway::start(&config).with_context(|| format!("round {round}"))?;
        let alive_ms = u64::from(round == 0) * FIRST_MS + mix(plan.seed ^ round) % 2_500;
        thread::sleep(Duration::from_millis(alive_ms));
        gateway.kill()?;
        let down_ms = mix(plan.seed ^ (round << 16)) % DOWN_MS;
        thread::sleep(Duration::from_millis(down_ms));
    }
    let last = now();
    let gateway = Gateway::start(&config).context("the start after the last kill")?;
    wait_until(&gateway, last)?;
    gateway.stop()?;
    let gateway = Gateway::start(&config)?;
    let fired = stored(&gateway.address)?;
    let seconds = judge(plan, &fired, last)?;
    let is_late = |fired: &&Fired| fired.data("late_by_ms").as_u64() > Some(1_000);
    let late = fired.iter().filter(is_late).count();
    Ok(Report { rounds: plan.rounds, seconds, events: fired.len(), late })
}

/// Waits until all schedules have come to this second.
fn wait_until(gateway: &Gateway, second: i64) -> Result<()> {
    let (started, second) = (Instant::now(), super::moment(second));
    let mut connection = Connection::open(&gateway.address)?;
    let mut cursor = String::new();
    loop {
        let target = format!("/v1/schedules?limit=500&runs=0{cursor}");
        let page = connection.request("GET", &target, &[], b"")?.json()?;
        let schedules = page.get("schedules").and_then(Value::as_array).context("schedules")?;
        let until = |one: &Value| one["dealt_with_until"].as_str().map(str::to_owned);
        let behind = schedules.iter().filter(|one| until(one) < Some(second.clone())).count();
        match page.get("next_cursor").and_then(Value::as_str) {
            _ if behind > 0 => {
                let waited = started.elapsed();
                ensure!(waited < PATIENCE, "{behind} of {} are behind", schedules.len());
            }
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(()),
        }
    }
}

/// Each schedule has fired once for each second from the first of all to `last`; answers how many
/// seconds that is.
fn judge(plan: &Plan, fired: &[Fired], last: i64) -> Result<usize> {
    let by_name = by_name(fired)?;
    ensure!(by_name.len() == plan.schedules, "{} schedules fired", by_name.len());
    let first = fired.iter().map(|fired| fired.second).min().context("a first second")?;
    let all: BTreeSet<i64> = (first..=last).collect();
    for (name, seconds) in &by_name {
        let seconds: BTreeSet<i64> = seconds.iter().copied().collect();
        let lost: Vec<_> = all.difference(&seconds).take(5).collect();
        ensure!(lost.is_empty(), "`{name}` did not fire for {lost:?} of {first} to {last}");
    }
    Ok(all.len())
}

fn configuration(folder: &Path, schedules: usize) -> Result<PathBuf> {
    let mut tables = "[[channel]]\nid = \"timers\"\ntype = \"cron\"\n".to_owned();
    for number in 0..schedules {
        // Both kinds of timing, and both ways to say the same.
        let due = match number % 2 {
            0 => "every = \"1s\"",
            _ => "cron = \"* * * * * *\"\nseconds = true",
        };
        tables += &format!(
            "\n[[channel.schedule]]\nname = \"s{number}\"\n{due}\ncatchup = \"all\"\n\
             catchup_limit = 10000\npayload = {number}\n"
        );
    }
    write_config(folder, &tables)
}

/// A step of splitmix64.
fn mix(seed: u64) -> u64 {
    let mut z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
