//! Cron expressions: the next time, reading, hostile texts, and memory; beside the search of the
//! `cron` crate on one row as the anchor.

use anyhow::{Context, Result, ensure};
use chrono::{DateTime, NaiveDateTime, TimeDelta};
use headgate_cron::{CivilTimes, Expression, Fields, Zones};
use std::{fs, hint::black_box, time::Instant};

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Calls for each expression.
    pub(crate) calls: u32,
    /// Expressions held in memory at one time.
    pub(crate) held: u32,
}

/// From the common to those with the most rows or the rarest days.
const EXPRESSIONS: [&str; 16] = [
    "* * * * *",
    "*/5 9-17 * * MON-FRI",
    "0 14 * * THU",
    "0 0 1,15 * *",
    "0 0 13 * FRI",
    "0 0 L * *",
    "0 0 LW * *",
    "0 0 15W * *",
    "0 0 1W,15W,31W,L * *",
    "0 0 * * FRI#2,MON#1,SUNL",
    "0 0 29 2 *",
    "0 0 29 2 +MON",
    "0 0 29W 2 +MON#5",
    "0 0 1W,2W,28W,29W,30W,31W,LW,L * 0L,1L,2L,3L,4L,5L,6L,0#1,1#2,2#3,3#4,4#5",
    "0 0 1W,2W,28W,29W,30W,31W,LW,L 2 +0L,1L,2L,3L,4L,5L,6L,0#1,1#2,2#3,3#4,4#5",
    "59 59 23 31 12 * 2100",
];

/// Prints a line for each expression, then the texts that take longest, then the memory.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    println!("the next time and reading, in ns, of {} calls each", plan.calls);
    println!("{:>9} {:>8} {:>8} | {:>8} {:>8}", "next p50", "p99", "max", "read p50", "p99");
    let row: cron::Schedule = "0 0 14 * * 5 *".parse()?;
    let anchor = spread(plan.calls, |at| {
        row.after(&at.and_utc()).next();
    });
    println!("{anchor} |                   one row of the crate, by its own search");
    for text in EXPRESSIONS {
        let expression = read(text)?;
        let next = spread(plan.calls, |at| {
            black_box(expression.next_after(at));
        });
        let reading = spread(plan.calls / 100, |_| {
            black_box(read(text).is_ok());
        });
        println!("{next} | {:>8} {:>8} {}", reading.p50, reading.p99, &text[..text.len().min(48)]);
    }
    hostile(plan);
    memory(plan)
}

/// The longest texts, taken or refused.
fn hostile(plan: &Plan) {
    println!("\ntexts of 512 bytes: reading, in ns");
    let fill = |item: &str, rest: &str| {
        let items = item.repeat((512 - rest.len()) / item.len());
        items.trim_end_matches([',', ' ']).to_owned() + rest
    };
    for text in [
        fill("0-59,", " * * * *"),
        fill("*/1,", " * * * *"),
        "0 0 ".to_owned() + &fill("1W,30W,31W,L,", " * 0L,1L,2L,3L,4L,5L,6L,0#1,1#2,2#3,3#4,4#5,6"),
        "0 0 ".to_owned() + &fill("1W,30W,31W,L,", " * +0L,1L,2L,3L,4L,5L,6L,0#1,1#2,2#3,3#4"),
        "0 0 0 1 1 * ".to_owned() + &fill("1970-2100,", ""),
        fill("a", " * * * *"),
        fill("* ", ""),
        fill("\u{fffd}", ""),
    ] {
        let reading = spread(plan.calls / 100, |_| {
            black_box(read(&text).is_ok());
        });
        println!("{reading} {}..", text.chars().take(40).collect::<String>());
    }
    println!("\nnames of time zones that are none: refusing, in ns");
    let zones = Zones::embedded();
    for name in ["America/New_Yrok", "Amerika/Neu_York_Staat", "x"] {
        for name in [name.to_owned(), fill(name, "")] {
            let refusing = spread(plan.calls / 100, |_| {
                black_box(zones.zone(&name).is_err());
            });
            println!("{refusing} {}..", name.chars().take(40).collect::<String>());
        }
    }
}

/// What a million expressions take, no two of which share anything.
fn memory(plan: &Plan) -> Result<()> {
    let before = resident_bytes()?;
    let begin = Instant::now();
    let held = (0..plan.held)
        .map(|n| read(&format!("{} {} {} * {}", n % 60, n / 60 % 24, n % 28 + 1, n % 7)))
        .collect::<Result<Vec<_>>>()?;
    let (read_in, after) = (begin.elapsed(), resident_bytes()?);
    ensure!(held.len() == plan.held as usize, "some are missing");
    println!(
        "\n{} expressions of two rows: read in {} ms, {} bytes each",
        plan.held,
        read_in.as_millis(),
        after.saturating_sub(before) / u64::from(plan.held.max(1)),
    );
    Ok(())
}

fn read(text: &str) -> Result<Expression> {
    Ok(Expression::parse(text, Fields::WithSeconds, b"")?)
}

/// How long calls take, in nanoseconds.
struct Spread {
    p50: u64,
    p99: u64,
    max: u64,
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:>9} {:>8} {:>8}", self.p50, self.p99, self.max)
    }
}

/// Calls at times spread over 60 years.
fn spread(calls: u32, call: impl Fn(NaiveDateTime)) -> Spread {
    let begin = DateTime::from_timestamp(1_000_000_000, 0).unwrap_or_default().naive_utc();
    let mut nanoseconds: Vec<u64> = (0..calls.max(100))
        .map(|n| {
            let at = begin
                + TimeDelta::seconds(i64::from(n.wrapping_mul(2_654_435_761) % 1_900_000_000));
            let start = Instant::now();
            call(black_box(at));
            u64::try_from(start.elapsed().as_nanos()).unwrap_or(u64::MAX)
        })
        .collect();
    nanoseconds.sort_unstable();
    let part = |parts: usize| nanoseconds[(nanoseconds.len() - 1) * parts / 100];
    Spread { p50: part(50), p99: part(99), max: part(100) }
}

fn resident_bytes() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).context("no VmRSS")?;
    let kib: u64 = line.split_whitespace().nth(1).context("no number")?.parse()?;
    Ok(kib << 10)
}
