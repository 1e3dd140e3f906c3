//! Pushes that the API makes and changes.

use super::{NEXT, SECRET, call, send, stands, verified, well};
use anyhow::{Result, bail, ensure};
use headgate_tests::{
    Gateway, request,
    sink::{Posted, Reply, Sink},
    write_config,
};
use serde_json::{Value, json};

const HUB: &str = "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nverify = \"none\"\n";
const AGENT: &str = "/v1/subscriptions/agent";

fn push(sink: &Sink, secrets: Value) -> Value {
    let push = json!({
        "url": format!("http://{}/hook", sink.address),
        "secrets": secrets,
        "headers": {"Authorization": "Bearer hunter2", "X-Team": "red"}
    });
    json!({"start": "earliest", "push": push})
}

/// Sends events until one is posted as it should be: what is on its way while a push is changed may
/// still go by what it was.
fn posted_until(
    gateway: &Gateway,
    sink: &Sink,
    is_changed: impl Fn(&Posted) -> Result<bool>,
) -> Result<Vec<Posted>> {
    for n in 0..100 {
        let event = send(gateway, &format!("{{\"n\": {n}}}"))?;
        stands(gateway, &event, "agent", "settled")?;
        let posted = sink.posted();
        if posted.last().is_some_and(|last| is_changed(last).unwrap_or_default()) {
            return Ok(posted);
        }
    }
    bail!("a hundred events went by what the push was")
}

#[test]
fn a_push_is_made_changed_and_ended_and_its_secrets_are_never_shown() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let config = write_config(folder.path(), HUB)?;
    let gateway = Gateway::start(&config)?;
    let made = call(&gateway, "PUT", AGENT, &push(&sink, json!([SECRET])))?;
    assert_eq!(made["push"]["headers"], json!(["authorization", "x-team"]));
    assert_eq!(made["retry"]["attempts"], 97);
    let first = send(&gateway, r#"{"n": 1}"#)?;
    stands(&gateway, &first, "agent", "settled")?;
    // What is left out stays as it was given before, also after a restart.
    ensure!(gateway.stop()?.success());
    let gateway = Gateway::start(&config)?;
    let url = format!("http://{}/other", sink.address);
    call(&gateway, "PUT", AGENT, &json!({"start": "earliest", "push": {"url": url}}))?;
    let posted = posted_until(&gateway, &sink, |last| Ok(last.path == "/other"))?;
    assert_eq!(posted[0].path, "/hook");
    for one in &posted {
        assert_eq!(one.headers["authorization"], "Bearer hunter2");
        assert_eq!(one.headers["x-team"], "red");
    }
    assert_eq!(verified(&posted, SECRET)?, posted.len());
    call(&gateway, "PUT", AGENT, &push(&sink, json!([NEXT])))?;
    posted_until(&gateway, &sink, |last| Ok(verified(std::slice::from_ref(last), NEXT)? == 1))?;
    let shown = ["/v1/subscriptions", AGENT, "/metrics"]
        .map(|path| request(&gateway.address, "GET", path, &[], b"").map(|answer| answer.body));
    for body in shown {
        let body = String::from_utf8(body?)?;
        ensure!(!body.contains("hunter2") && !body.contains("whsec_"), "{body}");
    }
    call(&gateway, "DELETE", AGENT, &Value::Null)?;
    let refused = call(&gateway, "PUT", AGENT, &json!({"push": {"url": url}}))?;
    assert_eq!(refused["error"]["code"], "invalid_subscription", "its secrets are forgotten");
    assert!(gateway.logged().iter().all(|line| !line.contains("hunter2")));
    Ok(())
}

#[test]
fn what_cannot_be_pushed_to_is_refused_with_its_field() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let server = "listen = \"127.0.0.1:0\"\npush_private = false";
    let gateway =
        Gateway::start(&headgate_tests::write_config_of_server(folder.path(), server, HUB)?)?;
    let good = "https://example.com/hook";
    for (push, said) in [
        (json!({"url": "ftp://example.com/"}), "`push.url`: expected an `http` or `https` URL"),
        (json!({"url": "https://u:p@example.com/"}), "`push.url`: expected a URL without user"),
        (json!({"url": "http://127.0.0.1:1/"}), "`push.url`: expected a public address"),
        (json!({"url": "http://[::1]/"}), "`push.url`: expected a public address"),
        (json!({"url": good, "secrets": []}), "`push.secrets`: expected 1 to 8 secrets"),
        (json!({"url": good, "secrets": ["whsec_c2hvcnQ="]}), "expected a secret of 24 to 64"),
        (json!({"url": good, "secrets": [SECRET], "headers": {"host": "x"}}), "`push.headers`"),
        (json!({"url": good, "secrets": [SECRET], "ca": "none"}), "`push.ca`"),
        (json!({"url": good, "secrets": [SECRET], "timeout": "1h"}), "`push.timeout`"),
        (json!({"url": good, "secrets": [SECRET], "max_in_flight": 0}), "`push.max_in_flight`"),
        (json!({"url": good, "secrets": [SECRET], "rate": 0}), "`push.rate`"),
        (json!({"url": good, "secrets": [SECRET], "format": "xml"}), "push.format"),
    ] {
        let answer = call(&gateway, "PUT", AGENT, &json!({"push": push}))?;
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        ensure!(message.contains(said), "{push}: {answer}");
    }
    // A name may lead to a private address, which is seen when it is looked up.
    let push = json!({"url": "http://localhost:1/", "secrets": [SECRET]});
    call(&gateway, "PUT", AGENT, &json!({"start": "earliest", "push": push}))?;
    let event = send(&gateway, "{}")?;
    let waiting = stands(&gateway, &event, "agent", "waiting")?;
    assert_eq!(waiting["attempts"][0]["outcome"], "private");
    Ok(())
}

#[test]
fn an_endpoint_that_is_gone_is_paused_until_it_is_resumed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(|posted| match posted.before {
        0 => Reply::Answer(410, "", Vec::new()),
        _ => Reply::Answer(200, "", Vec::new()),
    })?;
    let gateway = Gateway::start(&write_config(folder.path(), &super::pushing(&sink, ""))?)?;
    let event = send(&gateway, "{}")?;
    gateway.said("answered 410")?;
    let shown = call(&gateway, "GET", AGENT, &Value::Null)?;
    assert_eq!(shown["paused"], true);
    assert_eq!(sink.posted().len(), 1);
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    assert_eq!(call(&gateway, "GET", AGENT, &Value::Null)?["paused"], true);
    call(&gateway, "POST", "/v1/subscriptions/agent/resume", &Value::Null)?;
    stands(&gateway, &event, "agent", "settled")?;
    Ok(())
}
