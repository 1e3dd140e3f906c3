//! Endpoints that fail in every way, beside one that does not.

use super::{call, pushing, send, stands, subscription, well};
use anyhow::{Result, ensure};
use headgate_tests::{
    Gateway, request,
    sink::{Posted, Reply, Sink},
    write_config,
};
use serde_json::{Value, json};
use std::{collections::BTreeSet, time::Duration};

/// An endpoint by the name of its path.
fn by_path(posted: &Posted) -> Reply {
    match posted.path.as_str() {
        "/slow" => Reply::Late(Duration::from_millis(300)),
        "/dead" => Reply::Silent,
        "/ill" => Reply::Answer(500, "", Vec::new()),
        "/busy" if posted.before == 0 && posted.id().ends_with(['0', '1']) => {
            Reply::Answer(429, "retry-after: 1\r\n", Vec::new())
        }
        "/cut" => Reply::Cut,
        "/garbage" => Reply::Garbage,
        _ => well(posted),
    }
}

#[test]
fn endpoints_that_fail_keep_nothing_from_one_that_does_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(by_path)?;
    let mut tables = pushing(&sink, "");
    for name in ["slow", "dead", "ill", "busy", "cut", "garbage"] {
        tables += &subscription(name, &sink.address, "");
    }
    let gateway = Gateway::start(&write_config(folder.path(), &tables)?)?;
    let mut events = BTreeSet::new();
    for n in 0..200 {
        events.insert(send(&gateway, &format!("{{\"n\": {n}}}"))?);
    }
    sink.wait_for("every event at the one that is well", |posted| {
        let well = posted.iter().filter(|one| one.path == "/agent");
        well.map(Posted::id).collect::<BTreeSet<_>>().len() == 200
    })?;
    for event in &events {
        stands(&gateway, event, "agent", "settled")?;
        stands(&gateway, event, "busy", "settled")?;
    }
    let busy = sink.posted().into_iter().filter(|one| one.path == "/busy").count();
    ensure!(busy <= 400, "{busy} attempts for 200 events: it was not left alone");
    let metrics = request(&gateway.address, "GET", "/metrics", &[], b"")?.body;
    let metrics = String::from_utf8(metrics)?;
    for line in [
        "headgate_push_attempts_total{subscription=\"agent\",outcome=\"acked\"} 200",
        "headgate_push_attempts_total{subscription=\"busy\",outcome=\"throttled\"}",
        "headgate_push_breaker_open{subscription=\"ill\"}",
        "headgate_push_endpoints 7",
    ] {
        ensure!(metrics.contains(line), "`{line}` is not in the metrics:\n{metrics}");
    }
    Ok(())
}

#[test]
fn a_stop_finishes_what_is_under_way_and_the_next_start_goes_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(|_| Reply::Late(Duration::from_millis(200)))?;
    let config = write_config(folder.path(), &pushing(&sink, ""))?;
    let gateway = Gateway::start(&config)?;
    let events: Vec<String> =
        (0..100).map(|n| send(&gateway, &format!("{{\"n\": {n}}}"))).collect::<Result<_>>()?;
    sink.wait_for("some", |posted| posted.len() >= 20)?;
    ensure!(gateway.stop()?.success());
    let before = sink.posted().len();
    ensure!(before < 100, "it was stopped too late to show anything");
    let gateway = Gateway::start(&config)?;
    for event in &events {
        stands(&gateway, event, "agent", "settled")?;
    }
    assert_eq!(sink.posted().len(), 100, "none was given twice");
    Ok(())
}

#[test]
fn a_reload_changes_what_is_pushed_to_and_pausing_stops_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (first, second) = (Sink::start(well)?, Sink::start(well)?);
    let config = write_config(folder.path(), &pushing(&first, ""))?;
    let gateway = Gateway::start(&config)?;
    send(&gateway, "{}")?;
    first.wait_for("the first", |posted| posted.len() == 1)?;
    write_config(folder.path(), &pushing(&second, ""))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    send(&gateway, r#"{"n": 2}"#)?;
    second.wait_for("the second", |posted| posted.len() == 1)?;
    call(&gateway, "POST", "/v1/subscriptions/agent/pause", &Value::Null)?;
    let third = send(&gateway, r#"{"n": 3}"#)?;
    assert_eq!(super::delivery(&gateway, &third, "agent")?["standing"], "pending");
    call(&gateway, "POST", "/v1/subscriptions/agent/resume", &Value::Null)?;
    stands(&gateway, &third, "agent", "settled")?;
    assert_eq!((first.posted().len(), second.posted().len()), (1, 2));
    let ready = request(&gateway.address, "GET", "/readyz?of=consuming", &[], b"")?.json()?;
    assert_eq!(ready["ready"], json!(true));
    Ok(())
}
