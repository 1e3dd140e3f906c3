//! The scan of a replay: every event with its body, in its order, from the folder.

use super::Stand;
use anyhow::Result;
use headgate_event::Timestamp;
use headgate_queue::{Embedded, EmbeddedOptions, Queue};
use headgate_testkit::ManualClock;
use std::{sync::Arc, time::Instant};

/// How many events are read at a time.
const STEP: usize = 500;

/// Prints events a second.
pub(super) fn run(stand: &Stand) -> Result<()> {
    // A scan asks for no time, and a clock at its beginning lets nothing expire.
    let clock = Arc::new(ManualClock::at(Timestamp::from_unix_ms(0)));
    let queue = Embedded::open(&stand.data(), clock, EmbeddedOptions::default())?;
    let runtime = crate::load::runtime()?;
    let (events, bytes, seconds) = runtime.block_on(async {
        let (started, mut from, mut bytes) = (Instant::now(), 1, 0);
        loop {
            let read = queue.read(from, STEP).await?;
            let Some(last) = read.last() else { break };
            from = last.seq + 1;
            bytes += read.iter().map(|stored| stored.raw.len()).sum::<usize>();
        }
        let seconds = started.elapsed().as_secs_f64();
        queue.close().await;
        anyhow::Ok((from - 1, bytes, seconds))
    })?;
    println!(
        "\nreplay scan: {:.0} events/s, {:.0} MiB/s of bodies (aim 100000/s)",
        events as f64 / seconds,
        bytes as f64 / seconds / f64::from(1 << 20)
    );
    Ok(())
}
