//! What the disk does on its own, printed beside every durable figure.

use anyhow::Result;
use std::{fs::File, os::unix::fs::FileExt, path::Path, time::Instant};

/// The latency of a 4 KiB append with fdatasync.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sync {
    pub(crate) p50_ms: f64,
    pub(crate) p99_ms: f64,
}

/// Measures 500 appends with fdatasync in this folder.
pub(crate) fn measure(folder: &Path) -> Result<Sync> {
    let file = File::create(folder.join("probe"))?;
    let page = [7; 4096];
    let mut spans = Vec::new();
    for at in 0..500 {
        let started = Instant::now();
        file.write_all_at(&page, at * 4096)?;
        file.sync_data()?;
        spans.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    spans.sort_by(f64::total_cmp);
    let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
    Ok(Sync { p50_ms: at(0.5), p99_ms: at(0.99) })
}
