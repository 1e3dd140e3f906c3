//! A push whose URL changes while the program is killed, or that leaves the configuration.

use super::{SECRET, call, pushing, send, stands, well};
use anyhow::{Context, Result, ensure};
use headgate_tests::{
    Gateway, request,
    sink::{Posted, Sink},
    write_config,
};
use serde_json::{Value, json};
use std::{thread, time::Duration};

const HUB: &str = "[[channel]]\nid = \"hub\"\ntype = \"webhook\"\nverify = \"none\"\n";
const AGENT: &str = "/v1/subscriptions/agent";
const ROUNDS: u64 = 12;

/// A push to a path, with a header that says the path.
fn push_to(sink: &Sink, path: &str) -> Value {
    json!({
        "start": "earliest",
        "retry": {"attempts": 100, "first": "10ms", "longest": "50ms"},
        "push": {
            "url": format!("http://{}/{path}", sink.address),
            "secrets": [SECRET],
            "headers": {"x-path": path},
        },
    })
}

/// Changes the URL there and back, with an event each time, until nothing answers any more.
fn change_until_killed(address: &str, pushes: &[Value; 2]) {
    for push in pushes.iter().cycle() {
        let sent = request(address, "PUT", AGENT, &[], push.to_string().as_bytes())
            .and_then(|_| request(address, "POST", "/v1/webhook/hub", &[], b"{}"));
        if sent.is_err() {
            return;
        }
    }
}

fn strayed(posted: &[Posted]) -> Vec<(&str, Option<&String>)> {
    let strays = posted
        .iter()
        .filter(|one| one.headers.get("x-path").map(String::as_str) != one.path.strip_prefix('/'));
    strays.map(|one| (one.path.as_str(), one.headers.get("x-path"))).collect()
}

/// Symptom: after a kill a URL got the headers that were meant for another one.
#[test]
fn a_kill_while_the_url_changes_gives_no_url_the_headers_of_another() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let config = write_config(folder.path(), HUB)?;
    let pushes = ["first", "second"].map(|path| push_to(&sink, path));
    for round in 0..ROUNDS {
        let gateway = Gateway::start(&config)?;
        let (address, pushes) = (gateway.address.clone(), pushes.clone());
        let changing = thread::spawn(move || change_until_killed(&address, &pushes));
        thread::sleep(Duration::from_millis(60 + 17 * round));
        gateway.kill()?;
        ensure!(changing.join().is_ok(), "it goes on until the kill");
    }
    let gateway = Gateway::start(&config)?;
    let event = send(&gateway, "{}")?;
    // Whatever the kills have left, it is pushed to.
    stands(&gateway, &event, "agent", "settled")?;
    let posted = sink.posted();
    ensure!(posted.iter().any(|one| one.path == "/first"), "none came first");
    ensure!(posted.iter().any(|one| one.path == "/second"), "none came second");
    let strays = strayed(&posted);
    ensure!(strays.is_empty(), "{} of {}: {:?}", strays.len(), posted.len(), strays.first());
    Ok(())
}

/// Symptom: the log said that a subscription that left the configuration goes on; its push had
/// ended in silence, because its secrets had left with it.
#[test]
fn a_push_that_leaves_the_configuration_ends_and_that_is_said() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sink = Sink::start(well)?;
    let config = write_config(folder.path(), &pushing(&sink, ""))?;
    let gateway = Gateway::start(&config)?;
    let first = send(&gateway, "{}")?;
    stands(&gateway, &first, "agent", "settled")?;
    write_config(folder.path(), HUB)?;
    gateway.hang_up()?;
    let line = gateway.said("left the configuration")?;
    ensure!(line.contains("nothing is pushed until"), "{line}");
    gateway.said("there are no secrets for its URL to sign with")?;
    let second = send(&gateway, r#"{"n": 2}"#)?;
    let ready = |of: &str| {
        let answer = request(&gateway.address, "GET", &format!("/readyz?of={of}"), &[], b"")?;
        answer.json()
    };
    let consuming = ready("consuming")?;
    assert_eq!((&consuming["ready"], &consuming["receiving"]["ok"]), (&json!(false), &json!(true)));
    let reason = consuming["consuming"]["reasons"][0].as_str().context("a reason")?;
    ensure!(reason.contains("nothing is pushed for `agent`"), "{reason}");
    assert_eq!(super::delivery(&gateway, &second, "agent")?["standing"], "pending");
    // Its secrets are not in the state either: they are to be given.
    let mut ask = push_to(&sink, "agent");
    let secrets = ask["push"]["secrets"].take();
    ask["push"].as_object_mut().context("a push")?.remove("secrets");
    let refused = call(&gateway, "PUT", AGENT, &ask)?;
    assert_eq!(refused["error"]["code"], "invalid_subscription", "{refused}");
    ask["push"]["secrets"] = secrets;
    call(&gateway, "PUT", AGENT, &ask)?;
    stands(&gateway, &second, "agent", "settled")?;
    assert_eq!(ready("consuming")?["ready"], json!(true));
    Ok(())
}
