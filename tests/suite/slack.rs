//! A Slack app whose requests come to the running program: signed by Slack's own packages, made
//! again, forged, broken, too large, and cut off by a kill.

mod both_ways;
mod traffic;

use anyhow::{Context, Result, bail, ensure};
use headgate_testkit::slack::{FakeSlack, OpenAnswer, WorkspaceOptions};
use headgate_tests::{
    Gateway, Response, binary, python, request, senders,
    slack::{self, Plan},
    write_config, write_config_of_server,
};
use serde_json::{Value, json};
use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const TARGET: &str = "/v1/slack/team";

/// A gateway whose channel `team` has the secret that is in a file of the folder.
fn configuration(folder: &Path, secret: &str, more: &str) -> Result<PathBuf> {
    std::fs::write(folder.join("secret"), format!("{secret}\n"))?;
    let tables = format!(
        "[[channel]]\nid = \"team\"\ntype = \"slack\"\nsigning_secrets = [{{ file = \"secret\" }}]\n\
         {more}"
    );
    write_config(folder, &tables)
}

/// Sends a body as Slack does, with further headers.
fn deliver(gateway: &Gateway, body: &[u8], more: &[(&str, &str)]) -> Result<Response> {
    let at = senders::unix_now();
    let (signature, time) = (senders::slack(SECRET, at, body), at.to_string());
    let mut headers =
        vec![("x-slack-request-timestamp", time.as_str()), ("x-slack-signature", &signature)];
    headers.extend_from_slice(more);
    request(&gateway.address, "POST", TARGET, &headers, body)
}

fn message(id: &str, text: &str) -> Vec<u8> {
    json!({
        "team_id": "T0ACME", "api_app_id": "A0GATE", "type": "event_callback", "event_id": id,
        "event_time": 1_776_590_124,
        "authorizations": [{"team_id": "T0ACME", "user_id": "U0BOT", "is_bot": true}],
        "event": {
            "type": "message", "channel": "C0ROOM", "channel_type": "channel", "user": "U0ALICE",
            "text": text, "ts": "1776590124.000100", "event_ts": "1776590124.000100",
        },
    })
    .to_string()
    .into_bytes()
}

fn get(gateway: &Gateway, target: &str) -> Result<Response> {
    request(&gateway.address, "GET", target, &[], b"")
}

/// All events, the newest first.
fn events(gateway: &Gateway) -> Result<Vec<Value>> {
    let page = get(gateway, "/v1/events?limit=500")?.json()?;
    Ok(page["events"].as_array().context("events")?.clone())
}

fn newest(gateway: &Gateway) -> Result<Value> {
    events(gateway)?.into_iter().next().context("an event")
}

fn raw(gateway: &Gateway, event: &Value) -> Result<Vec<u8>> {
    let id = event["id"].as_str().context("an id")?;
    Ok(get(gateway, &format!("/v1/events/{id}/raw"))?.body)
}

fn script(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("python").join(name)
}

/// Has Slack's packages sign and send, and says what they read in it themselves.
fn send_by_sdk(gateway: &Gateway, kind: &str, secret: &str) -> Result<Value> {
    let url = format!("http://{}{TARGET}", gateway.address);
    let script = script("slack_sender.py");
    let output = Command::new(python()?).arg(script).args([kind, &url, secret]).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr));
    }
    Ok(serde_json::from_slice(&output.stdout)?)
}

#[test]
fn what_the_sdk_signs_is_an_event_and_says_what_bolt_reads_in_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let texts = [
        ("mention", "app_mention", json!("<@U0BOT> grüße &amp; \u{2028} Fragen")),
        ("edit", "message", json!("better")),
        ("shared", "message", json!("hello there")),
        ("command", "slash_command", json!("50% & more + ü=1")),
        ("action", "block_actions", json!("42 + 1")),
    ];
    for (kind, event_type, text) in &texts {
        let said = send_by_sdk(&gateway, kind, SECRET)?;
        ensure!(said["status"] == 200 && said["body"] == "", "{kind}: {said}");
        let event = newest(&gateway)?;
        ensure!(event["type"] == "slack.event" && event["channel"]["id"] == "team", "{event}");
        ensure!(event["verification"]["verdict"] == "verified", "{event}");
        ensure!(event["verification"]["covers"] == "body+time", "{event}");
        let data = &event["data"];
        ensure!(data["event_type"] == *event_type && data["text"] == *text, "{kind}: {data}");
        for field in ["channel_id", "user_id", "installation_team_id", "thread_ts"] {
            ensure!(data[field] == said["bolt"][field], "{kind}: {field}: {data} and {said}");
        }
        let prompt = event["prompt_ready"].as_str().context("a prompt")?;
        ensure!(prompt.contains("verified: slack"), "{prompt}");
    }
    let forged = send_by_sdk(&gateway, "mention", "another secret")?;
    ensure!(forged["status"] == 401, "{forged}");
    ensure!(events(&gateway)?.len() == texts.len());
    Ok(())
}

#[test]
fn every_sample_of_headgate_send_is_genuine_to_the_sdk() -> Result<()> {
    let listed = Command::new(binary()?).args(["send", "slack", "--list"]).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    let samples: Vec<&str> = listed.lines().collect();
    ensure!(samples.len() >= 8, "{samples:?}");
    let mut receiver = Command::new(python()?)
        .arg(script("slack_receiver.py"))
        .args([SECRET, &samples.len().to_string()])
        .stdout(Stdio::piped())
        .spawn()?;
    let mut lines = BufReader::new(receiver.stdout.take().context("its output")?).lines();
    let url = format!("http://{}/slack/events", lines.next().context("an address")??);
    for sample in samples {
        let sent = Command::new(binary()?)
            .args(["send", "slack", sample, "--to", &url, "--secret-env", "SLACK"])
            .env("SLACK", SECRET)
            .output()?;
        ensure!(sent.status.success(), "{sample}: {sent:?}");
        let judged: Value = serde_json::from_str(&lines.next().context("a verdict")??)?;
        ensure!(judged["valid"] == true, "{sample}: {judged}");
        if sample != "url_verification" {
            ensure!(judged["team"] == "T0SAMPLE01" && judged["user"].is_string(), "{judged}");
        }
    }
    ensure!(receiver.wait()?.success());
    Ok(())
}

#[test]
fn every_sample_of_headgate_send_is_taken_and_the_samples_of_events_are_stored() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let url = format!("http://{}{TARGET}", gateway.address);
    let listed = Command::new(binary()?).args(["send", "slack", "--list"]).output()?;
    let listed = String::from_utf8(listed.stdout)?;
    for sample in listed.lines() {
        let before = events(&gateway)?.len();
        let sent = Command::new(binary()?)
            .args(["send", "slack", sample, "--to", &url, "--secret-env", "SLACK"])
            .env("SLACK", SECRET)
            .output()?;
        ensure!(sent.status.success(), "{sample}: {sent:?}");
        let stored = usize::from(sample != "url_verification");
        ensure!(events(&gateway)?.len() == before + stored, "{sample}");
        if stored == 1 {
            let prompt = newest(&gateway)?["prompt_ready"].as_str().context("text")?.to_owned();
            ensure!(prompt.contains("alice") || prompt.contains("U0"), "{sample}: {prompt}");
        }
    }
    Ok(())
}

#[test]
fn questions_of_slack_are_answered_and_are_no_events() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let question =
        br#"{"token": "x", "challenge": "3eZbrw1aB10FEMAGAZd4FyFQ", "type": "url_verification"}"#;
    let answer = deliver(&gateway, question, &[])?;
    ensure!(
        answer.status == 200 && answer.json()? == json!({"challenge": "3eZbrw1aB10FEMAGAZd4FyFQ"})
    );
    let unsigned = request(&gateway.address, "POST", TARGET, &[], question)?;
    ensure!(unsigned.status == 401 && unsigned.code() == "missing_signature");
    ensure!(!String::from_utf8_lossy(&unsigned.body).contains("3eZbrw"));
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let smuggled = b"ssl_check=1&payload=%7B%22type%22%3A%22block_actions%22%7D";
    let answer = request(&gateway.address, "POST", TARGET, &form, smuggled)?;
    ensure!(answer.status == 200 && answer.body.is_empty());
    ensure!(events(&gateway)?.is_empty());
    Ok(())
}

#[test]
fn a_retry_is_the_same_event_and_is_counted_with_its_reason() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let body = message("Ev1", "once");
    // What was never seen is stored although it comes as a retry.
    let retry = [("x-slack-retry-num", "1"), ("x-slack-retry-reason", "http_timeout")];
    let first = deliver(&gateway, &body, &retry)?;
    ensure!(first.status == 200 && first.header("headgate-duplicate").is_none());
    let again = deliver(&gateway, &body, &[("x-slack-retry-num", "2")])?;
    ensure!(again.status == 200 && again.header("headgate-duplicate") == Some("true"));
    let [event] = events(&gateway)?.try_into().ok().context("one event")?;
    ensure!(event["data"]["retry_num"] == 1 && event["data"]["retry_reason"] == "http_timeout");
    let metrics = String::from_utf8(get(&gateway, "/metrics")?.body)?;
    let counted = r#"headgate_slack_retries_total{channel="team",reason="http_timeout"} 1"#;
    ensure!(metrics.contains(counted), "{metrics}");
    ensure!(metrics.contains(r#"headgate_slack_duplicates_total{channel="team"} 1"#), "{metrics}");
    Ok(())
}

#[test]
fn what_was_refused_for_a_wrong_secret_is_released_once_a_reload_mended_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), "a wrong secret", "")?)?;
    let (one, two) = (message("Ev1", "kept"), message("Ev2", "kept too"));
    let question = br#"{"challenge": "c", "type": "url_verification"}"#;
    for body in [one.as_slice(), &two, question] {
        let answer = deliver(&gateway, body, &[])?;
        ensure!(answer.status == 401 && answer.code() == "signature_mismatch");
        let said = String::from_utf8_lossy(&answer.body).into_owned();
        let right = senders::slack("a wrong secret", senders::unix_now(), body);
        ensure!(!said.contains(&right), "the right signature is told: {said}");
    }
    let listed = get(&gateway, "/v1/rejections")?.json()?;
    let kept = listed["rejections"].as_array().context("rejections")?.clone();
    ensure!(kept.len() == 3 && kept[0]["source"] == "slack", "{listed}");
    let explained = |at: usize| -> Result<Value> {
        let target = format!("/v1/rejections/{}/verify", kept[at]["id"].as_str().context("id")?);
        request(&gateway.address, "POST", &target, &[], b"")?.json()
    };
    ensure!(explained(2)?["code"] == "signature_mismatch", "{}", explained(2)?);

    std::fs::write(folder.path().join("secret"), SECRET)?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    ensure!(explained(2)?["verified"] == true, "{}", explained(2)?);
    // Slack's own retry of one comes before the release.
    ensure!(deliver(&gateway, &two, &[("x-slack-retry-num", "1")])?.status == 200);
    let released = request(&gateway.address, "POST", "/v1/rejections/release", &[], b"{}")?;
    let counts = released.json()?;
    ensure!(counts["released"] == 2 && counts["duplicates"] == 1, "{counts}");
    ensure!(counts["still_refused"][0]["code"] == "no_event", "{counts}");
    let stored = events(&gateway)?;
    ensure!(stored.len() == 2 && raw(&gateway, &stored[0])? == one, "{stored:?}");
    ensure!(stored[0]["metadata"]["released_from"] == kept[2]["id"], "{}", stored[0]);
    Ok(())
}

#[test]
fn what_is_signed_is_never_refused_and_kept_byte_for_byte() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let bodies: [&[u8]; 8] = [
        br#"{"type": "event_callback", "event_id": "Ev1", "team_id": "T0NOBODY", "api_app_id": "A0OTHER", "event": {"type": "of_the_future"}}"#,
        br#"{"type": "event_callback", "event_id": "Ev2", "event": }"#,
        br#"{"type": "event_callback", "event_id": null, "team_id": null, "event": null}"#,
        br#"{"type": "event_callback"}"#,
        b"payload=%7Bnot+json",
        b"\xff\xfe\x00 not text",
        b"",
        b"[1, 2",
    ];
    for (at, body) in bodies.into_iter().enumerate() {
        let form = [("content-type", "application/x-www-form-urlencoded")];
        let headers = if body.starts_with(b"payload") { form.as_slice() } else { &[] };
        let answer = deliver(&gateway, body, headers)?;
        let said = String::from_utf8_lossy(body).into_owned();
        ensure!(answer.status == 200, "{said}: {}", answer.status);
        ensure!(events(&gateway)?.len() == at + 1, "{said} is not stored");
        let event = newest(&gateway)?;
        ensure!(raw(&gateway, &event)? == body, "{said}: {event}");
        for field in ["team_id", "event_type", "channel_id", "user_id", "text", "thread_ts", "raw"]
        {
            ensure!(event["data"].get(field).is_some(), "{said}: no `{field}`: {event}");
        }
    }
    Ok(())
}

#[test]
fn a_body_of_a_mebibyte_is_taken_and_one_byte_more_is_not() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let mut body = message("Ev1", "");
    body.resize(1 << 20, b' ');
    ensure!(deliver(&gateway, &body, &[])?.status == 200);
    body.push(b' ');
    let answer = deliver(&gateway, &body, &[])?;
    ensure!(answer.status == 413, "{}", answer.status);
    ensure!(deliver(&gateway, &message("Ev2", "after it"), &[])?.status == 200);
    ensure!(events(&gateway)?.len() == 2);
    Ok(())
}

#[test]
fn an_answer_that_is_configured_is_given_and_own_events_are_dropped_when_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let more = "self_events = \"drop\"\nteam_names = { T0ACME = \"Acme\" }\n[channel.answers]\n\
                view_submission = { response_action = \"clear\" }\n";
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, more)?)?;
    let form = [("content-type", "application/x-www-form-urlencoded")];
    let submission =
        b"payload=%7B%22type%22%3A%22view_submission%22%2C%22trigger_id%22%3A%221%22%7D";
    let answer = deliver(&gateway, submission, &form)?;
    ensure!(answer.status == 200 && answer.json()? == json!({"response_action": "clear"}));
    ensure!(newest(&gateway)?["data"]["event_type"] == "view_submission");
    let menu = b"payload=%7B%22type%22%3A%22block_suggestion%22%2C%22value%22%3A%22a%22%7D";
    ensure!(deliver(&gateway, menu, &form)?.json()? == json!({"options": []}));
    ensure!(deliver(&gateway, &message("Ev1", "a person's"), &[])?.status == 200);
    ensure!(newest(&gateway)?["data"]["team_name"] == "Acme");
    let before = events(&gateway)?.len();
    let own = String::from_utf8(message("Ev2", "my own"))?.replace("U0ALICE", "U0BOT");
    ensure!(deliver(&gateway, own.as_bytes(), &[])?.status == 200);
    ensure!(events(&gateway)?.len() == before);
    Ok(())
}

#[test]
fn the_api_shows_the_channel_and_a_reload_with_a_fault_changes_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&configuration(folder.path(), SECRET, "")?)?;
    let listed = get(&gateway, "/v1/channels")?.json()?;
    let all = listed["channels"].as_array().context("a list")?;
    let channel = all.iter().find(|one| one["id"] == "team").context("the channel")?;
    ensure!(channel["type"] == "slack" && channel["path"] == TARGET, "{listed}");
    ensure!(channel["verification"] == "slack", "{listed}");
    configuration(folder.path(), "another", "self_events = \"ignore\"\n")?;
    gateway.hang_up()?;
    gateway.said("not reloaded, nothing changed")?;
    ensure!(deliver(&gateway, &message("Ev1", "by the old secret"), &[])?.status == 200);
    configuration(folder.path(), "another", "")?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    ensure!(deliver(&gateway, &message("Ev2", "by the old secret"), &[])?.status == 401);
    Ok(())
}

#[test]
fn beside_an_api_of_its_own_the_public_listener_takes_slack_and_that_of_the_api_does_not()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    std::fs::write(folder.path().join("secret"), SECRET)?;
    let server = "listen = \"127.0.0.1:0\"\napi_listen = \"127.0.0.1:0\"";
    let tables = "[[channel]]\nid = \"team\"\ntype = \"slack\"\n\
                  signing_secrets = [{ file = \"secret\" }]\n";
    let gateway = Gateway::start(&write_config_of_server(folder.path(), server, tables)?)?;
    ensure!(deliver(&gateway, &message("Ev1", "taken"), &[])?.status == 200);
    let there = request(&gateway.api_address, "POST", TARGET, &[], &message("Ev2", "not here"))?;
    ensure!(there.status == 404, "{}", there.status);
    let listed = request(&gateway.api_address, "GET", "/v1/events", &[], b"")?.json()?;
    ensure!(listed["events"].as_array().map(Vec::len) == Some(1), "{listed}");
    Ok(())
}

/// Slack makes a delivery again that got no answer. Whatever was answered before a kill is there
/// after it, and all that was not is stored by its retry: each event once.
#[test]
fn after_kills_what_was_acknowledged_is_there_and_retries_add_nothing() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = configuration(folder.path(), SECRET, "")?;
    let mut sent: Vec<Vec<u8>> = Vec::new();
    for round in 0..4 {
        let gateway = Gateway::start(&config)?;
        // All that was acknowledged comes again, as when the answers were lost on their way.
        for body in &sent {
            let again = deliver(&gateway, body, &[("x-slack-retry-num", "1")])?;
            ensure!(again.status == 200 && again.header("headgate-duplicate") == Some("true"));
        }
        for number in 0..10 {
            let body = message(&format!("Ev{round}x{number}"), "before the kill");
            ensure!(deliver(&gateway, &body, &[])?.status == 200);
            sent.push(body);
        }
        gateway.kill()?;
    }
    let gateway = Gateway::start(&config)?;
    let mut stored = events(&gateway)?;
    stored.reverse();
    let raws = stored.iter().map(|event| raw(&gateway, event)).collect::<Result<Vec<_>>>()?;
    ensure!(raws == sent, "{} of {} are stored", raws.len(), sent.len());
    Ok(())
}

#[test]
fn rolling_restarts_lose_and_double_nothing_on_either_way() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let report = slack::run(&Plan { rounds: 3, seed: 11 }, folder.path())?;
    ensure!(report.over_http > 20 && report.over_socket > 20, "too little happened: {report:?}");
    ensure!(report.http_again > 0, "no restart kept anything from being taken: {report:?}");
    Ok(())
}

/// A gateway's channel that receives from this Slack over connections that it opens.
fn over_socket(folder: &Path, api: &str) -> Result<PathBuf> {
    let tables = format!(
        "[[channel]]\nid = \"team\"\ntype = \"slack\"\n\
         app_token = {{ insecure_inline = \"xapp-1-token\" }}\napi_url = \"{api}\"\n"
    );
    write_config(folder, &tables)
}

/// Over Socket Mode, through two kills: what was not acknowledged comes again, and each event that
/// this Slack ever sent is stored once.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn over_socket_mode_each_event_is_stored_once_through_kills() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let options =
        WorkspaceOptions { ack_timeout: Duration::from_millis(500), ..WorkspaceOptions::default() };
    let slack = FakeSlack::start(options).await?;
    let config = over_socket(folder.path(), &slack.api())?;
    for _ in 0..2 {
        let gateway = Gateway::start(&config)?;
        slack.until(|slack| !slack.connections().is_empty()).await;
        for _ in 0..10 {
            slack.emit();
        }
        slack.until(|slack| slack.ledger().unacknowledged().count() < 5).await;
        gateway.kill()?;
        slack.until(|slack| slack.connections().is_empty()).await;
    }
    let gateway = Gateway::start(&config)?;
    // What is acknowledged by this one came over a connection that it has.
    slack.until(|slack| !slack.connections().is_empty()).await;
    slack.emit();
    slack.until(|slack| slack.ledger().unacknowledged().next().is_none()).await;
    ensure!(get(&gateway, "/readyz")?.status == 200);
    let stored = events(&gateway)?;
    for event in &stored {
        ensure!(event["verification"]["covers"] == "connection", "{event}");
        ensure!(event["data"]["transport"] == "socket", "{event}");
    }
    let ids = stored.iter().filter_map(|event| event["data"]["event_id"].as_str());
    slack.ledger().check(ids)?;
    ensure!(stored.len() == 21, "{}", stored.len());
    let stopped = gateway.stop()?;
    ensure!(stopped.success());
    slack.until(|slack| slack.connections().is_empty()).await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_gateway_that_slack_refuses_is_not_ready_and_says_why_until_a_reload_mends_it()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = FakeSlack::start(WorkspaceOptions::default()).await?;
    slack.answer_every_open(OpenAnswer::Error("invalid_auth".to_owned()));
    let gateway = Gateway::start(&over_socket(folder.path(), &slack.api())?)?;
    gateway.said("needs somebody")?;
    let ready = get(&gateway, "/readyz")?;
    let said = String::from_utf8_lossy(&ready.body).into_owned();
    ensure!(ready.status == 503 && said.contains("channel `team`"), "{said}");
    ensure!(said.contains("invalid_auth") && !said.contains("xapp"), "{said}");
    let channel = ready.json()?["channels"][0].clone();
    ensure!(channel["id"] == "team" && channel["ready"] == false, "{channel}");
    // Beside a channel that others reach, its deafness is its own.
    let hook = "[[channel]]\nid = \"hook\"\ntype = \"webhook\"\nverify = \"none\"\n";
    let alone = std::fs::read_to_string(folder.path().join("headgate.toml"))?;
    std::fs::write(folder.path().join("headgate.toml"), format!("{alone}\n{hook}"))?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    let beside = get(&gateway, "/readyz")?;
    ensure!(beside.status == 200, "a balancer would cut `hook` off: {}", beside.status);
    let beside = beside.json()?;
    ensure!(beside["ready"] == true && beside["receiving"]["reasons"] == json!([]), "{beside}");
    let channel = &beside["channels"][0];
    let reason = channel["reason"].as_str().context("a reason")?;
    ensure!(channel["ready"] == false && reason.contains("invalid_auth"), "{beside}");
    ensure!(request(&gateway.address, "POST", "/v1/webhook/hook", &[], b"{}")?.status == 200);
    slack.answer_every_open(OpenAnswer::Ok);
    gateway.hang_up()?;
    slack.until(|slack| !slack.connections().is_empty()).await;
    slack.emit();
    slack.until(|slack| slack.ledger().unacknowledged().next().is_none()).await;
    let ready = get(&gateway, "/readyz")?.json()?;
    ensure!(ready["channels"] == json!([{"id": "team", "ready": true, "reason": null}]), "{ready}");
    ensure!(events(&gateway)?.len() == 2);
    // A channel that is gone from the configuration receives no more.
    write_config(folder.path(), "")?;
    gateway.hang_up()?;
    slack.until(|slack| slack.connections().is_empty()).await;
    ensure!(get(&gateway, "/readyz")?.status == 200);
    Ok(())
}
