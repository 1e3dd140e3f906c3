//! What the operating system knows of the process and of its disk.

use metrics::gauge;
use std::path::Path;

/// Sets the gauges of the process and of the disk that holds this folder. What cannot be measured
/// here is left as it is.
pub fn measure(folder: &Path) {
    disk(folder);
    process();
}

#[expect(clippy::cast_precision_loss, reason = "a byte more or less of a disk does not count")]
fn disk(folder: &Path) {
    // An error is a folder that is gone, of which the queue says more.
    if let Ok(disk) = rustix::fs::statvfs(folder) {
        // What root could still use is not counted: we are not root.
        gauge!("headgate_disk_free_bytes").set(disk.f_frsize as f64 * disk.f_bavail as f64);
        gauge!("headgate_disk_size_bytes").set(disk.f_frsize as f64 * disk.f_blocks as f64);
    }
}

#[cfg(target_os = "linux")]
#[expect(clippy::cast_precision_loss, reason = "counts below 2^53 are exact")]
fn process() {
    use metrics::counter;
    use procfs::process::{LimitValue, Process};

    let Ok(process) = Process::myself() else { return };
    if let Ok(stat) = process.stat() {
        let ticks = stat.utime + stat.stime;
        counter!("process_cpu_seconds_total").absolute(ticks / procfs::ticks_per_second());
        gauge!("process_resident_memory_bytes").set((stat.rss * procfs::page_size()) as f64);
        gauge!("process_threads").set(stat.num_threads as f64);
    }
    if let Ok(open) = process.fd_count() {
        gauge!("process_open_fds").set(open as f64);
    }
    if let Ok(limits) = process.limits()
        && let LimitValue::Value(most) = limits.max_open_files.soft_limit
    {
        gauge!("process_max_fds").set(most as f64);
    }
}

#[cfg(not(target_os = "linux"))]
fn process() {}
