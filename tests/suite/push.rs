//! Pushes of the real program: signed, tried again, paused, kept apart, and not lost.

mod api;
mod changing;
mod earlier;
mod faults;
mod kill;
mod large;

use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway, python, request,
    sink::{Posted, Reply, Sink},
    write_config,
};
use serde_json::{Value, json};
use std::{
    io::Write,
    path::Path,
    process::{Command, Stdio},
};

/// What is signed with; 24 bytes in base64.
pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// The secret after it.
const NEXT: &str = "whsec_plJ3nmyCDGBKInavdOK15jslMfKQ9r8G";

/// An open channel, and a subscription that pushes what comes to the sink.
pub(crate) fn pushing(sink: &Sink, more: &str) -> String {
    format!(
        "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nverify = \"none\"\n\n{}",
        subscription("agent", &sink.address, more)
    )
}

/// A subscription that pushes everything to `/{name}` of an address.
pub(crate) fn subscription(name: &str, address: &str, more: &str) -> String {
    format!(
        "[[subscription]]\nname = \"{name}\"\nstart = \"earliest\"\n\
         retry = {{ attempts = 20, first = \"20ms\", longest = \"100ms\" }}\n{more}\n\
         [subscription.push]\nurl = \"http://{address}/{name}\"\n\
         secrets = [{{ insecure_inline = \"{NEXT}\" }}, {{ insecure_inline = \"{SECRET}\" }}]\n\n"
    )
}

pub(crate) fn well(_: &Posted) -> Reply {
    Reply::Answer(204, "", Vec::new())
}

/// Sends an event and gives its id.
pub(crate) fn send(gateway: &Gateway, body: &str) -> Result<String> {
    let answer =
        request(&gateway.address, "POST", "/v1/webhook/hub", &[], body.as_bytes())?.json()?;
    Ok(answer["id"].as_str().with_context(|| format!("an id in {answer}"))?.to_owned())
}

pub(crate) fn call(gateway: &Gateway, method: &str, path: &str, body: &Value) -> Result<Value> {
    let body = if body.is_null() { String::new() } else { body.to_string() };
    let answer = request(&gateway.address, method, path, &[], body.as_bytes())?;
    if answer.body.is_empty() { Ok(Value::Null) } else { answer.json() }
}

/// The delivery of an event for a subscription, as the API tells it.
pub(crate) fn delivery(gateway: &Gateway, event: &str, name: &str) -> Result<Value> {
    let path = format!("/v1/events/{event}/deliveries");
    let all = call(gateway, "GET", &path, &Value::Null)?;
    let found = all["deliveries"]
        .as_array()
        .and_then(|all| all.iter().find(|one| one["subscription"] == name).cloned());
    found.with_context(|| format!("`{name}` in {all}"))
}

/// Asks again and again, for half a minute at most, until the delivery stands like this.
pub(crate) fn stands(gateway: &Gateway, event: &str, name: &str, standing: &str) -> Result<Value> {
    for _ in 0..3_000 {
        let found = delivery(gateway, event, name)?;
        if found["standing"] == standing {
            return Ok(found);
        }
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    anyhow::bail!("never `{standing}`: {}", delivery(gateway, event, name)?)
}

/// How many of these pushes the library of Standard Webhooks verifies with a secret.
fn verified(posted: &[Posted], secret: &str) -> Result<usize> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/push.py");
    let mut command = Command::new(python()?);
    command.arg(script).arg(secret).stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn()?;
    let mut stdin = child.stdin.take().context("its input")?;
    for one in posted {
        let body = std::str::from_utf8(&one.body)?;
        writeln!(stdin, "{}", json!({"headers": one.headers, "body": body}))?;
    }
    drop(stdin);
    let output = child.wait_with_output()?;
    ensure!(output.status.success(), "not verified");
    Ok(String::from_utf8(output.stdout)?.trim().parse()?)
}

#[test]
fn an_event_is_pushed_and_others_verify_it_with_each_of_its_secrets() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let gateway = Gateway::start(&write_config(folder.path(), &pushing(&sink, ""))?)?;
    let id = send(&gateway, r#"{"n": 1.10, "text": "ünïcode"}"#)?;
    let posted = sink.wait_for("one push", |posted| !posted.is_empty())?;
    assert_eq!((posted[0].id(), posted[0].path.as_str()), (id.as_str(), "/agent"));
    assert_eq!(posted[0].headers["content-type"], "application/json");
    let event: Value = serde_json::from_slice(&posted[0].body)?;
    assert_eq!((&event["id"], &event["delivery"]["attempt"]), (&json!(id), &json!(1)));
    for secret in [NEXT, SECRET] {
        assert_eq!(verified(&posted, secret)?, 1, "{secret}");
    }
    let settled = stands(&gateway, &id, "agent", "settled")?;
    assert_eq!(settled["attempts"][0]["status"], 204);
    assert_eq!(settled["attempts"][0]["outcome"], "acked");
    ensure!(gateway.stop()?.success());
    assert_eq!(sink.posted().len(), 1);
    Ok(())
}

#[test]
fn what_is_not_taken_comes_again_with_a_fresh_signature_until_it_is() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(|posted| match posted.before {
        0 => Reply::Answer(500, "", b"not yet".repeat(1_000)),
        1 => Reply::Cut,
        2 => Reply::Garbage,
        3 => Reply::Answer(302, "location: /elsewhere\r\n", Vec::new()),
        _ => Reply::Answer(200, "", b"thanks".to_vec()),
    })?;
    let gateway = Gateway::start(&write_config(folder.path(), &pushing(&sink, ""))?)?;
    let id = send(&gateway, "{}")?;
    let settled = stands(&gateway, &id, "agent", "settled")?;
    let posted = sink.posted();
    assert_eq!(posted.len(), 5);
    assert!(posted.iter().all(|one| one.path == "/agent" && one.id() == id));
    assert_eq!(verified(&posted, SECRET)?, 5);
    let attempts = settled["attempts"].as_array().context("attempts")?;
    let outcomes: Vec<_> = attempts.iter().map(|one| one["outcome"].as_str()).collect();
    let expected = ["refused", "cut", "garbage", "redirected", "acked"].map(Some);
    assert_eq!(outcomes, expected);
    assert_eq!(attempts[0]["answer"].as_str().map(str::len), Some(1024));
    assert_eq!(attempts[4]["answer"], "thanks");
    Ok(())
}
