//! The metrics of the running program, read by a parser that nobody here wrote.

use anyhow::{Context, Result, ensure};
use headgate_tests::{Gateway, python, request, write_config};
use serde_json::Value;
use std::{collections::BTreeSet, fs, path::Path, process::Command};

const CHANNEL: &str = "[[channel]]\nid = \"demo\"\ntype = \"webhook\"\nverify = \"none\"\n";

/// The families that a gateway shows, by name.
fn families(gateway: &Gateway) -> Result<Value> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/metrics.py");
    let url = format!("http://{}", gateway.address);
    let read = Command::new(python()?).arg(script).arg(url).output()?;
    ensure!(read.status.success(), "{}", String::from_utf8_lossy(&read.stderr));
    Ok(serde_json::from_slice(&read.stdout)?)
}

/// A request that has to be answered with this status.
fn ask(
    gateway: &Gateway,
    (method, target): (&str, &str),
    body: &str,
    status: u16,
) -> Result<Value> {
    let answer = request(&gateway.address, method, target, &[], body.as_bytes())?;
    ensure!(answer.status == status, "{method} {target}: {}", answer.status);
    Ok(answer.json().unwrap_or_default())
}

fn samples(families: &Value, name: &str) -> Vec<String> {
    let samples = families.get(name).and_then(|family| family.get("samples"));
    let texts = samples.and_then(Value::as_array).into_iter().flatten();
    texts.filter_map(Value::as_str).map(str::to_owned).collect()
}

#[test]
fn every_metric_that_is_shown_is_in_the_docs_with_its_kind_and_its_words() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNEL)?)?;
    ask(&gateway, ("PUT", "/v1/subscriptions/agent"), r#"{"start": "earliest"}"#, 201)?;
    ask(&gateway, ("POST", "/v1/webhook/demo"), r#"{"n": 1}"#, 200)?;
    ask(&gateway, ("POST", "/v1/webhook/nowhere"), "{}", 404)?;
    let leased = ask(&gateway, ("POST", "/v1/subscriptions/agent/lease"), "", 200)?;
    let id = leased.pointer("/deliveries/0/delivery/id").context("a delivery")?;
    let settle = format!(r#"{{"ack": [{id}]}}"#);
    ask(&gateway, ("POST", "/v1/subscriptions/agent/settle"), &settle, 200)?;

    let shown = families(&gateway)?;
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/metrics.md");
    let docs = fs::read_to_string(docs)?;
    for (name, family) in shown.as_object().context("families")? {
        let line = docs.lines().find(|line| line.starts_with(&format!("| `{name}` |")));
        let line = line.with_context(|| format!("`{name}` is not in the docs"))?;
        let kind = family.get("kind").and_then(Value::as_str).context("a kind")?;
        let help = family.get("help").and_then(Value::as_str).context("help")?;
        ensure!(line.contains(&format!("| {kind} |")), "{kind}: {line}");
        ensure!(!help.is_empty() && line.ends_with(&format!("| {help} |")), "`{help}`: {line}");
    }
    for (name, sample) in [
        ("headgate_queue_events_total", "headgate_queue_events_total{} 1"),
        ("headgate_deliveries_leased_total", "headgate_deliveries_leased_total{} 1"),
        ("headgate_log_events", "headgate_log_events{} 1"),
        ("headgate_receiving", "headgate_receiving{} 1"),
        ("headgate_log_sync_seconds", "headgate_log_sync_seconds_count{} 1"),
        (
            "headgate_deliveries_settled_total",
            r#"headgate_deliveries_settled_total{"verb": "ack"} 1"#,
        ),
        (
            "headgate_webhook_rejected_total",
            r#"headgate_webhook_rejected_total{"channel": "", "code": "unknown_channel"} 1"#,
        ),
        ("headgate_subscription_lag", r#"headgate_subscription_lag{"subscription": "agent"} 0"#),
    ] {
        let found = samples(&shown, name);
        ensure!(found.iter().any(|one| one == sample), "`{sample}` is not in {found:?}");
    }
    for name in ["process_resident_memory_bytes", "process_open_fds", "headgate_disk_free_bytes"] {
        let found = samples(&shown, name);
        ensure!(found.len() == 1 && !found.iter().any(|one| one.ends_with(" 0")), "{found:?}");
    }
    Ok(())
}

// Symptom: after a subscription was ended, Prometheus refused all of `/metrics`. Cause: its gauges
// were recorded as well as written, so each name was declared twice. Fix: they are only written.
#[test]
fn metrics_can_be_read_after_a_subscription_has_ended() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNEL)?)?;
    for name in ["one", "two"] {
        ask(&gateway, ("PUT", &format!("/v1/subscriptions/{name}")), "", 201)?;
    }
    request(&gateway.address, "DELETE", "/v1/subscriptions/one", &[], b"")?;
    let lag = samples(&families(&gateway)?, "headgate_subscription_lag");
    ensure!(lag == [r#"headgate_subscription_lag{"subscription": "two"} 0"#], "{lag:?}");
    Ok(())
}

#[test]
fn a_stranger_cannot_make_metrics_grow() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&write_config(folder.path(), CHANNEL)?)?;
    let count = |shown: &Value| -> BTreeSet<String> {
        let families = shown.as_object().into_iter().flatten();
        families.flat_map(|(name, _)| samples(shown, name)).map(series).collect()
    };
    for method in ["GET", "POST"] {
        request(&gateway.address, method, "/v1/webhook/first", &[], b"{}")?;
        request(&gateway.address, method, "/first", &[], b"{}")?;
    }
    families(&gateway)?;
    let before = count(&families(&gateway)?);
    for n in 0..50 {
        for method in ["GET", "POST"] {
            request(&gateway.address, method, &format!("/v1/webhook/c{n}"), &[], b"{}")?;
            request(&gateway.address, method, &format!("/p{n}?q={n}"), &[], b"{}")?;
        }
    }
    let after = count(&families(&gateway)?);
    let more: Vec<_> = after.difference(&before).collect();
    ensure!(more.is_empty(), "{more:?}");
    Ok(())
}

/// A sample without its value.
fn series(sample: String) -> String {
    sample.rsplit_once(' ').map_or(sample.clone(), |(series, _)| series.to_owned())
}
