//! What schedules fired, as a consumer sees it; and the test that kills the program while they do.

mod rounds;

use crate::{Connection, Gateway};
use anyhow::{Context, Result, bail, ensure};
use chrono::{DateTime, SecondsFormat, Utc};
pub use rounds::{Plan, Report, run};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant, SystemTime},
};

/// How long a test waits for what has to come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// An event of a schedule.
#[derive(Clone, Debug)]
pub struct Fired {
    /// The event's id.
    pub id: String,
    /// The name of the schedule.
    pub name: String,
    /// When it was due, in seconds since 1970.
    pub second: i64,
    /// The whole event.
    pub event: Value,
}

impl Fired {
    /// Reads an event.
    pub fn read(event: Value) -> Result<Self> {
        let text = |at: &str| {
            let text = event.pointer(at).and_then(Value::as_str).map(str::to_owned);
            text.with_context(|| format!("`{at}` of {event}"))
        };
        let (id, name) = (text("/id")?, text("/data/schedule_name")?);
        let due = DateTime::parse_from_rfc3339(&text("/data/scheduled_at")?)?;
        let by_hand = event.pointer("/data/trigger") == Some(&json!("manual"));
        ensure!(by_hand || due.timestamp_subsec_nanos() == 0, "no whole second: {event}");
        Ok(Self { id, name, second: due.timestamp(), event })
    }

    /// A member of its data.
    #[must_use]
    pub fn data(&self, name: &str) -> &Value {
        self.event.pointer(&format!("/data/{name}")).unwrap_or(&Value::Null)
    }

    /// The id of its delivery; null when it was listed.
    #[must_use]
    pub fn delivery(&self) -> &Value {
        self.event.pointer("/delivery/id").unwrap_or(&Value::Null)
    }
}

/// The second that the wall clock shows.
#[must_use]
pub fn now() -> i64 {
    DateTime::<Utc>::from(SystemTime::now()).timestamp()
}

/// A second as it stands in a configuration.
#[must_use]
pub fn moment(second: i64) -> String {
    let time = DateTime::from_timestamp(second, 0).unwrap_or_default();
    time.to_rfc3339_opts(SecondsFormat::Secs, true)
}

/// Leases for a long time what a subscription has, waiting for it, and settles nothing.
pub fn lease(address: &str, subscription: &str) -> Result<Vec<Fired>> {
    let ask = json!({"max": 500, "wait_ms": 2_000, "lease_ms": 3_600_000}).to_string();
    let target = format!("/v1/subscriptions/{subscription}/lease");
    let answer = Connection::open(address)?.request("POST", &target, &[], ask.as_bytes())?;
    ensure!(answer.status == 200, "lease: {} {}", answer.status, answer.code());
    let mut answer = answer.json()?;
    let deliveries = answer.get_mut("deliveries").and_then(Value::as_array_mut);
    deliveries.context("deliveries")?.drain(..).map(Fired::read).collect()
}

/// Settles deliveries.
pub fn acknowledge(address: &str, subscription: &str, fired: &[Fired]) -> Result<()> {
    let ids: Vec<&Value> = fired.iter().map(Fired::delivery).collect();
    let target = format!("/v1/subscriptions/{subscription}/settle");
    let body = json!({ "ack": ids }).to_string();
    let answer = Connection::open(address)?.request("POST", &target, &[], body.as_bytes())?;
    ensure!(answer.status == 200, "settle: {} {}", answer.status, answer.code());
    let errors = answer.json()?["errors"].clone();
    ensure!(errors == json!([]), "settle: {errors}");
    Ok(())
}

/// Leases and settles until enough has come.
pub fn consume(
    gateway: &Gateway,
    subscription: &str,
    enough: impl Fn(&[Fired]) -> bool,
) -> Result<Vec<Fired>> {
    let (started, mut all) = (Instant::now(), Vec::new());
    while !enough(&all) {
        if started.elapsed() > PATIENCE {
            bail!("only this came of schedules: {:#?}", all.iter().rev().take(5));
        }
        let fired = lease(&gateway.address, subscription)?;
        acknowledge(&gateway.address, subscription, &fired)?;
        all.extend(fired);
    }
    Ok(all)
}

/// All events of schedules that are stored, the oldest first.
pub fn stored(address: &str) -> Result<Vec<Fired>> {
    let mut connection = Connection::open(address)?;
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let target = format!("/v1/events?type=cron.fired&limit=500{cursor}");
        let mut page = connection.request("GET", &target, &[], b"")?.json()?;
        let next = page.get("next_cursor").and_then(Value::as_str).map(str::to_owned);
        let events = page.get_mut("events").and_then(Value::as_array_mut).context("events")?;
        for event in events.drain(..) {
            all.push(Fired::read(event)?);
        }
        match next {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    all.reverse();
    Ok(all)
}

/// The seconds at which each schedule fired; none may be there twice.
pub fn by_name(fired: &[Fired]) -> Result<BTreeMap<&str, Vec<i64>>> {
    let mut all: BTreeMap<&str, Vec<i64>> = BTreeMap::new();
    for fired in fired {
        all.entry(&fired.name).or_default().push(fired.second);
    }
    for (name, seconds) in &mut all {
        seconds.sort_unstable();
        let twice = seconds.windows(2).find(|pair| pair.first() == pair.last());
        ensure!(twice.is_none(), "`{name}` fired twice for {twice:?}");
    }
    Ok(all)
}
