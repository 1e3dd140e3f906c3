//! The next time of expressions in zones, from moments spread over twelve years.

use super::{made, share};
use anyhow::Result;
use headgate_cron::{CronText, DstPolicy, Fields};
use headgate_event::Timestamp;
use std::{hint::black_box, time::Instant};

/// From the common to those with the most rows or the rarest days.
const EXPRESSIONS: [&str; 9] = [
    "* * * * *",
    "*/5 9-17 * * MON-FRI",
    "0 14 * * THU",
    "30 2 * * *",
    "0,30 1,2,3 * * *",
    "0 0 1,15 * FRI",
    "0 0 LW * *",
    "0 0 29 2 +MON",
    "0 0 1W,2W,28W,29W,30W,31W,LW,L 2 +0L,1L,2L,3L,4L,5L,6L,0#1,1#2,2#3,3#4,4#5",
];

/// Prints a line for each expression over all zones, and one over all of them.
pub(super) fn run(calls: usize) -> Result<()> {
    println!("\nthe next time in ns, {} zones, {calls} calls each", made::ZONES.len());
    println!("{:>8} {:>8} {:>8}", "p50", "p99", "worst");
    let mut timings = made::timings();
    let mut all = Vec::new();
    for expression in EXPRESSIONS {
        let mut spans = Vec::new();
        for timezone in made::ZONES {
            let (fields, policy) = (Fields::Five, DstPolicy::default());
            let text = CronText { expression, fields, timezone, policy };
            let timing = timings.cron(text, uuid::Uuid::nil())?;
            for call in 0..calls {
                let second = 1_750_000_000 + (call as u64 * 2_654_435_761 % 380_000_000) as i64;
                let from = Timestamp::from_unix_s(second);
                let started = Instant::now();
                black_box(timing.next_after(black_box(from)));
                spans.push(u64::try_from(started.elapsed().as_nanos())?);
            }
        }
        print(&mut spans, &expression[..expression.len().min(48)]);
        all.extend(spans);
    }
    print(&mut all, "all (aims: p99 3000, worst 50000)");
    Ok(())
}

fn print(spans: &mut [u64], what: &str) {
    spans.sort_unstable();
    let [p50, p99, worst] = [0.5, 0.99, 1.0].map(|part| share(spans, part));
    println!("{p50:>8} {p99:>8} {worst:>8} {what}");
}
