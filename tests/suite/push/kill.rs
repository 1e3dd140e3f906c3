//! `kill -9` of the gateway while endpoints fail in every way.

use super::{Posted, call, pushing, send, subscription};
use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway,
    sink::{Reply, Sink},
    write_config,
};
use serde_json::Value;
use std::{
    collections::{BTreeMap, BTreeSet},
    thread,
    time::Duration,
};

const ROUNDS: u64 = 6;
const PER_ROUND: u64 = 40;
/// The subscription that never gives up, the one that does soon, and the one whose endpoint says
/// that it is gone.
const NAMES: [&str; 3] = ["agent", "brief", "parting"];

/// Fails in every way, by the id and how often it came, and works in the end; a tenth never does
/// for the one that gives up.
fn badly(posted: &Posted) -> Reply {
    let sum: usize = posted.id().bytes().map(usize::from).sum();
    if posted.path == "/brief" && sum.is_multiple_of(10) {
        return Reply::Answer(400, "", Vec::new());
    }
    if posted.path == "/parting" && posted.before == 0 && sum.is_multiple_of(32) {
        return Reply::Answer(410, "", Vec::new());
    }
    if posted.before > 2 || !sum.is_multiple_of(4) {
        return Reply::Answer(200, "", Vec::new());
    }
    match (sum / 4 + posted.before) % 6 {
        0 => Reply::Late(Duration::from_millis(150)),
        1 => Reply::Silent,
        2 => Reply::Answer(500, "", b"no".to_vec()),
        3 => Reply::Answer(429, "retry-after: 0\r\n", Vec::new()),
        4 => Reply::Cut,
        _ => Reply::Garbage,
    }
}

/// Every event as it stands with a subscription.
fn standings(gateway: &Gateway, events: &BTreeSet<String>) -> Result<BTreeMap<String, Vec<Value>>> {
    let one = |id: &String| {
        let path = format!("/v1/events/{id}/deliveries");
        let told = call(gateway, "GET", &path, &Value::Null)?;
        let all = told["deliveries"].as_array().with_context(|| format!("{told}"))?.clone();
        Ok((id.clone(), all))
    };
    events.iter().map(one).collect()
}

fn is(told: &[Value], name: &str, standing: &str) -> bool {
    told.iter().any(|one| one["subscription"] == name && one["standing"] == standing)
}

/// Notes which events have ended, and how often each was posted by then.
fn note(
    gateway: &Gateway,
    events: &BTreeSet<String>,
    sink: &Sink,
    ended: &mut BTreeMap<(String, &'static str), usize>,
) -> Result<()> {
    let is_left =
        |id: &&String| NAMES.iter().any(|name| !ended.contains_key(&((*id).clone(), *name)));
    let left = events.iter().filter(is_left).cloned().collect();
    // A 410 paused it: somebody looked, and lets it go on.
    call(gateway, "POST", "/v1/subscriptions/parting/resume", &Value::Null)?;
    for (id, told) in standings(gateway, &left)? {
        let posted = sink.posted();
        for name in NAMES {
            if is(&told, name, "settled") || is(&told, name, "dead") {
                let path = format!("/{name}");
                let count = posted.iter().filter(|one| one.id() == id && one.path == path);
                let count = count.count();
                ended.entry((id.clone(), name)).or_insert(count);
            }
        }
    }
    Ok(())
}

#[test]
fn every_event_is_settled_or_dead_and_none_comes_after_its_end() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(badly)?;
    let mut tables = pushing(&sink, "order = \"thread\"");
    let brief = subscription("brief", &sink.address, "");
    tables += &brief.replace("attempts = 20", "attempts = 8");
    tables += &subscription("parting", &sink.address, "");
    let tables = tables.replace("\nurl =", "\ntimeout = \"250ms\"\nurl =");
    let config = write_config(folder.path(), &tables)?;
    let (mut events, mut ended) = (BTreeSet::new(), BTreeMap::new());
    for round in 0..ROUNDS {
        let gateway = Gateway::start(&config)?;
        for n in 0..PER_ROUND {
            events.insert(send(&gateway, &format!("{{\"n\": {}}}", round * PER_ROUND + n))?);
        }
        note(&gateway, &events, &sink, &mut ended)?;
        thread::sleep(Duration::from_millis(40 * round));
        gateway.kill()?;
    }
    let gateway = Gateway::start(&config)?;
    for _ in 0..3_000 {
        note(&gateway, &events, &sink, &mut ended)?;
        if ended.len() == events.len() * NAMES.len() {
            break;
        }
        thread::sleep(Duration::from_millis(10));
    }
    ensure!(ended.len() == events.len() * NAMES.len(), "{} have ended", ended.len());
    let told = standings(&gateway, &events)?;
    let posted = sink.posted();
    for ((id, name), count) in &ended {
        let of = posted.iter().filter(|one| one.id() == id && one.path == format!("/{name}"));
        assert_eq!(of.count(), *count, "{id} came to `{name}` after its end");
    }
    let dead = told.values().filter(|told| is(told, "brief", "dead")).count();
    let lost = told.values().filter(|told| !is(told, "agent", "settled")).count();
    ensure!(dead > 0 && lost == 0, "{dead} are dead, {lost} are lost");
    check_faults(&posted, &told)
}

/// Every way to fail was met, or the test showed less than it says.
fn check_faults(posted: &[Posted], told: &BTreeMap<String, Vec<Value>>) -> Result<()> {
    let attempts = told.values().flatten().filter_map(|one| one["attempts"].as_array()).flatten();
    let outcomes: BTreeSet<&str> =
        attempts.filter_map(|attempt| attempt["outcome"].as_str()).collect();
    for outcome in ["acked", "refused", "throttled", "timed_out", "cut", "garbage", "gone"] {
        ensure!(outcomes.contains(outcome), "none was `{outcome}`: {outcomes:?}");
    }
    let late = posted.iter().any(|one| matches!(badly(one), Reply::Late(_)));
    ensure!(late, "none was answered late");
    Ok(())
}
