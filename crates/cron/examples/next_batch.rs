//! Says when schedules are due, for judges that compare it with others: `tests/cron/judges`.
//!
//! Each line of standard input is `{"expr", "tz", "after", "n"}`, and each line of standard output
//! `{"next": [..]}` in seconds since 1970, or `{"error": ".."}`.

use headgate_cron::{DstPolicy, Expression, Fields, ZoneFile, ZoneSource, Zones, next_occurrence};
use headgate_event::Timestamp;
use serde_json::{Value, json};
use std::{
    error::Error,
    fs,
    io::{self, BufRead, Write},
    path::PathBuf,
};

/// The zoneinfo folder of this system, which the judges use too.
#[derive(Debug)]
struct Folder(PathBuf);

impl ZoneSource for Folder {
    fn file(&self, name: &str) -> io::Result<Option<ZoneFile>> {
        match fs::read(self.0.join(name)) {
            Ok(bytes) => Ok(Some(ZoneFile { bytes, modified: None })),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let zones = Zones::open(Box::new(Folder("/usr/share/zoneinfo".into())));
    eprintln!("zone data {}", zones.data());
    let mut out = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let answer = match next(&zones, &line?) {
            Ok(next) => json!({ "next": next }),
            Err(error) => json!({ "error": error.to_string() }),
        };
        writeln!(out, "{answer}")?;
    }
    Ok(())
}

fn next(zones: &Zones, line: &str) -> Result<Vec<i64>, Box<dyn Error>> {
    let row: Value = serde_json::from_str(line)?;
    let text = |name: &str| row.get(name).and_then(Value::as_str).ok_or("a text is missing");
    let expression = Expression::parse(text("expr")?, Fields::Five, b"")?;
    let zone = zones.zone(text("tz")?)?;
    let after: Timestamp = text("after")?.parse()?;
    let count = row.get("n").and_then(Value::as_u64).unwrap_or(5).min(1000);
    let next = |after| next_occurrence(&expression, &*zone.rules, DstPolicy::default(), after);
    let due = std::iter::successors(next(after), |last| next(last.at));
    Ok(due.take(usize::try_from(count)?).map(|next| next.at.unix_s()).collect())
}
