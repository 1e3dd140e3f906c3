//! Consuming: lease and settle over HTTP while the gateway takes in what it can.

use super::{Plan, Stand};
use crate::{
    call::Caller,
    load::{self, End},
    process::Server,
};
use anyhow::Result;
use serde_json::Value;
use std::time::{Duration, Instant};

/// Deliveries asked for at a time.
const MAX: usize = 100;
/// Connections that go on sending.
const SENDERS: usize = 64;

/// Prints deliveries a second for one and for eight consumers.
pub(super) fn run(plan: &Plan, stand: &Stand, server: &Server) -> Result<()> {
    println!("\n{:34} {:>10} {:>8} {:>10}", "lease and ack", "settled/s", "p99 ms", "ingest/s");
    for (name, consumers, senders) in
        [("one", 1, 0), ("one", 1, SENDERS), ("eight", 8, 0), ("eight", 8, SENDERS)]
    {
        let (settled, mut cycles, ingested) =
            load::runtime()?.block_on(measure(plan, stand, server, name, consumers, senders))?;
        cycles.sort_by(f64::total_cmp);
        let p99 = cycles.get((cycles.len().saturating_sub(1)) * 99 / 100).copied().unwrap_or(0.0);
        let aim = if consumers == 8 && senders > 0 { "  (aim 25000)" } else { "" };
        let what = format!("{consumers} consumers, {senders} senders");
        let rate = settled as f64 / plan.span.as_secs_f64();
        println!("{what:34} {rate:>10.0} {p99:>8.1} {ingested:>10.0}{aim}");
    }
    Ok(())
}

async fn measure(
    plan: &Plan,
    stand: &Stand,
    server: &Server,
    name: &'static str,
    consumers: usize,
    senders: usize,
) -> Result<(u64, Vec<f64>, f64)> {
    let tasks: Vec<_> = (0..consumers)
        .map(|_| tokio::spawn(consume(server.address.clone(), name, plan.span)))
        .collect();
    let end = End::After(plan.span);
    let seen = load::send(&server.address, senders, end, &stand.requests).await?;
    let (mut settled, mut cycles) = (0, Vec::new());
    for task in tasks {
        let (count, spans) = task.await??;
        settled += count;
        cycles.extend(spans);
    }
    Ok((settled, cycles, if senders == 0 { 0.0 } else { seen.rate() }))
}

async fn consume(address: String, name: &str, span: Duration) -> Result<(u64, Vec<f64>)> {
    let mut caller = Caller::new(&address).await?;
    let (lease, settle) =
        (format!("/v1/subscriptions/{name}/lease"), format!("/v1/subscriptions/{name}/settle"));
    let ask = format!(r#"{{"max": {MAX}, "wait_ms": 100}}"#);
    let (started, mut settled, mut cycles) = (Instant::now(), 0, Vec::new());
    while started.elapsed() < span {
        let began = Instant::now();
        let ids = delivery_ids(caller.call("POST", &lease, &ask).await?);
        if ids.is_empty() {
            continue;
        }
        let body = serde_json::json!({ "ack": ids }).to_string();
        let answer: Value = caller.json("POST", &settle, &body).await?;
        settled += answer["settled"].as_u64().unwrap_or(0);
        cycles.push(began.elapsed().as_secs_f64() * 1000.0);
    }
    Ok((settled, cycles))
}

/// The ids of the deliveries in an answer, found without reading the events: what a consumer does
/// with them is not measured here.
fn delivery_ids(answer: &[u8]) -> Vec<String> {
    const MARK: &[u8] = br#""delivery":{"id":""#;
    let mut ids = Vec::new();
    let mut rest = answer;
    while let Some(at) = find(rest, MARK) {
        rest = &rest[at + MARK.len()..];
        let end = rest.iter().position(|byte| *byte == b'"').unwrap_or(0);
        ids.push(String::from_utf8_lossy(&rest[..end]).into_owned());
    }
    ids
}

fn find(text: &[u8], mark: &[u8]) -> Option<usize> {
    let first = mark[0];
    let mut from = 0;
    while let Some(at) = text[from..].iter().position(|byte| *byte == first) {
        if text[from + at..].starts_with(mark) {
            return Some(from + at);
        }
        from += at + 1;
    }
    None
}
