//! A million schedules: made and armed, stored, loaded anew, and started again from the store.

use super::{made, ports};
use anyhow::{Context, Result, ensure};
use headgate_cron::CronSource;
use std::{fs, time::Instant};

/// Prints seconds and memory.
pub(super) fn run(count: usize) -> Result<()> {
    let folder = crate::folder::temporary()?;
    crate::load::runtime()?.block_on(async {
        println!("{count} schedules, some 27,000 of them due at different times, 8 zones");
        let before = resident_mib()?;
        let started = Instant::now();
        let mut timings = made::timings();
        let schedules = made::many(count, &mut timings)?;
        let made_in = started.elapsed().as_secs_f64();
        let opened = ports::Opened::open(folder.path())?;
        let source = CronSource::new(schedules, opened.cursors().await?, opened.ports.clone())?;
        let armed_in = started.elapsed().as_secs_f64();
        let armed = resident_mib()?;
        println!("made in {made_in:.2} s, made and armed in {armed_in:.2} s (aim 3)");
        println!("RSS {armed:.0} MiB, {:.0} MiB more than before (aim 286)", armed - before);
        let started = Instant::now();
        let running = source.start();
        opened.kept(count).await;
        println!("cursors stored in {:.2} s", started.elapsed().as_secs_f64());
        println!("RSS {:.0} MiB", resident_mib()?);
        let again = made::many(count, &mut timings)?;
        let started = Instant::now();
        let reloaded = source.reload(again, Vec::new()).await?;
        let seconds = started.elapsed().as_secs_f64();
        ensure!(reloaded.unchanged == count, "unchanged: {}", reloaded.unchanged);
        println!("reload of unchanged ones in {seconds:.2} s (aim 1)");
        println!("RSS {:.0} MiB", resident_mib()?);
        running.stop().await;
        drop(source);
        opened.close().await;
        restart(count, folder.path()).await
    })
}

/// A start that finds all cursors in the state.
async fn restart(count: usize, folder: &std::path::Path) -> Result<()> {
    let opened = ports::Opened::open(folder)?;
    let schedules = made::many(count, &mut made::timings())?;
    let started = Instant::now();
    let cursors = opened.cursors().await?;
    let read_in = started.elapsed().as_secs_f64();
    ensure!(cursors.len() == count, "{} cursors are stored", cursors.len());
    let source = CronSource::new(schedules, cursors, opened.ports.clone())?;
    let seconds = started.elapsed().as_secs_f64();
    println!("restart: cursors read in {read_in:.2} s, read and armed in {seconds:.2} s");
    println!("RSS {:.0} MiB", resident_mib()?);
    drop(source);
    opened.close().await;
    Ok(())
}

fn resident_mib() -> Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: f64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib / 1024.0)
}
