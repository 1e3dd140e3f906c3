//! Firing into the durable queue: how late events are on disk, and how long many at once take.

use super::{made, ports::Opened, share};
use crate::{disk, folder};
use anyhow::{Result, ensure};
use headgate_cron::{CronSource, Rules, Schedule};
use serde_json::value::RawValue;
use std::{
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

/// Schedules that fire each second, spread over it, until the span is over; prints how late each
/// event was on disk.
pub(super) fn steadily(rate: usize, span: Duration) -> Result<()> {
    let folder = folder::temporary()?;
    println!("\n{rate} schedules fire every second for {} s", span.as_secs());
    print_disk(folder.path())?;
    let spread = Rules { jitter: Duration::from_secs(1), ..Rules::default() };
    let mut late = crate::load::runtime()?.block_on(async {
        let opened = Opened::open(folder.path())?;
        let schedules = every_second(rate, spread)?;
        let source = CronSource::new(schedules, Vec::new(), opened.ports.clone())?;
        let running = source.start();
        // The first seconds store the cursors of what was never there.
        tokio::time::sleep(Duration::from_secs(2)).await;
        opened.stored.take();
        tokio::time::sleep(span).await;
        let stored = opened.stored.take();
        running.stop().await;
        opened.close().await;
        anyhow::Ok(stored)
    })?;
    late.sort_unstable();
    println!("{:.0} events a second on disk", late.len() as f64 / span.as_secs_f64());
    let [p50, p99, p999, max] = [0.5, 0.99, 0.999, 1.0].map(|part| share(&late, part) as f64 / 1e3);
    println!(
        "late by ms: p50 {p50:.1} (aim 2), p99 {p99:.1} (aim 10), p99.9 {p999:.1} (aim 50), \
         max {max:.1}"
    );
    print_disk(folder.path())
}

/// Schedules that are all due in one second.
pub(super) fn at_once(count: usize) -> Result<()> {
    let folder = folder::temporary()?;
    println!("\n{count} schedules due in one second");
    print_disk(folder.path())?;
    crate::load::runtime()?.block_on(async {
        let opened = Opened::open(folder.path())?;
        let now = opened.ports.clock.now().unix_s();
        let due = now + 3;
        let mut timings = made::timings();
        let rules = timings.rules(Rules::default());
        let at = headgate_event::Timestamp::from_unix_s(due).to_string();
        let timing = timings.at(&at, None)?;
        let schedules = made::named(count, &timing, &rules)?;
        let source = CronSource::new(schedules, Vec::new(), opened.ports.clone())?;
        let running = source.start();
        let begun = Instant::now();
        while opened.stored.count() < count && begun.elapsed() < Duration::from_secs(60) {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let late_ms = opened.ports.clock.now().unix_ms() - due * 1_000;
        let stored = opened.stored.count();
        ensure!(stored == count, "{stored} of {count} are stored");
        println!("all on disk after {:.2} s (aim 2), none lost", late_ms as f64 / 1e3);
        running.stop().await;
        opened.close().await;
        anyhow::Ok(())
    })?;
    print_disk(folder.path())
}

fn every_second(count: usize, rules: Rules) -> Result<Vec<Schedule>> {
    let mut timings = made::timings();
    let rules: Arc<Rules> = timings.rules(rules);
    let timing = timings.every(Duration::from_secs(1), None)?;
    made::named(count, &timing, &rules)
}

fn print_disk(folder: &Path) -> Result<()> {
    let sync = disk::measure(folder)?;
    println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    Ok(())
}

/// What all events of these measurements carry.
pub(super) fn payload() -> Result<Box<RawValue>> {
    Ok(RawValue::from_string("{\"report\":\"weekly\"}".to_owned())?)
}
