//! Large events for many slow endpoints: the program keeps to its memory, and small ones go on.

use super::{NEXT, call, stands, subscription, well};
use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway, request,
    sink::{Posted, Reply, Sink},
    write_config,
};
use serde_json::Value;

const MIB: usize = 1 << 20;
const LARGE: usize = 8 * MIB;
const EVENTS: usize = 6;
const ENDPOINTS: usize = 20;
/// So many fit into the room that pushes have for large events.
const FIT: usize = 15;

fn mostly_silent(posted: &Posted) -> Reply {
    if posted.path == "/agent" { well(posted) } else { Reply::Silent }
}

/// A channel, and a push of what comes to it.
fn channel(id: &str) -> String {
    format!("[[channel]]\nid = \"{id}\"\ntype = \"webhook\"\nverify = \"none\"\n\n")
}

fn pushing(name: &str, channel: &str, sink: &Sink) -> String {
    let channels = format!("channels = [\"{channel}\"]");
    let table = subscription(name, &sink.address, &channels);
    // One secret will do: a build for tests takes its time to sign so many bytes.
    let table = table.replace(&format!("{{ insecure_inline = \"{NEXT}\" }}, "), "");
    table.replace("\nurl =", "\ntimeout = \"5m\"\nurl =")
}

fn send(gateway: &Gateway, channel: &str, body: &str) -> Result<String> {
    let path = format!("/v1/webhook/{channel}");
    let answer = request(&gateway.address, "POST", &path, &[], body.as_bytes())?.json()?;
    Ok(answer["id"].as_str().with_context(|| format!("an id in {answer}"))?.to_owned())
}

/// Symptom: six events of 8 MiB took some GiB while twenty endpoints did not answer. Cause: an
/// endpoint held as many events as `max_in_flight` says, however large. Fix: they are leased once
/// there is room.
#[test]
fn large_events_that_are_not_taken_do_not_fill_the_memory() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(mostly_silent)?;
    let mut tables = channel("large") + &channel("small") + &pushing("agent", "small", &sink);
    for n in 0..ENDPOINTS {
        tables += &pushing(&format!("silent-{n}"), "large", &sink);
    }
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let body = format!("\"{}\"", "x".repeat(LARGE));
    for _ in 0..EVENTS {
        send(&gateway, "large", &body)?;
    }
    sink.wait_for("as many as there is room for", |posted| posted.len() >= FIT)?;
    for n in 0..50 {
        let event = send(&gateway, "small", &format!("{{\"n\": {n}}}"))?;
        stands(&gateway, &event, "agent", "settled")?;
    }
    let silent = sink.posted().iter().filter(|one| one.path != "/agent").count();
    let resident = gateway.resident_bytes()? / MIB;
    ensure!(silent <= FIT + 1, "{silent} large events are on their way");
    ensure!(resident < 1_024, "{resident} MiB are resident");
    let shown = call(&gateway, "GET", "/v1/subscriptions/silent-0", &Value::Null)?;
    ensure!(shown["in_flight"].as_u64() <= Some(4), "it has more than its share: {shown}");
    Ok(())
}
