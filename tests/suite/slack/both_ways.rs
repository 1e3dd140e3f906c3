//! One channel that receives over HTTP and over Socket Mode, requests however they are sent, and a
//! token that is changed while it is in use.

use super::{SECRET, TARGET, events, get, message, newest, raw};
use anyhow::{Context, Result, ensure};
use headgate_testkit::slack::{FakeSlack, WorkspaceOptions};
use headgate_tests::{Connection, Gateway, senders, write_config};
use serde_json::{Value, json};
use std::path::{Path, PathBuf};

/// A channel with a signing secret and an app token that is in a file.
fn configuration(folder: &Path, api: &str, more: &str) -> Result<PathBuf> {
    std::fs::write(folder.join("token"), "xapp-1-first")?;
    let tables = format!(
        "[[channel]]\nid = \"team\"\ntype = \"slack\"\napp_token = {{ file = \"token\" }}\n\
         signing_secrets = [{{ insecure_inline = \"{SECRET}\" }}]\napi_url = \"{api}\"\n{more}"
    );
    write_config(folder, &tables)
}

/// The head of a request as Slack signs it, with these lines besides.
fn head(body: &[u8], lines: &str) -> Vec<u8> {
    let at = senders::unix_now();
    let signature = senders::slack(SECRET, at, body);
    let head = format!(
        "POST {TARGET} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-slack-signature: {signature}\r\n\
         x-slack-request-timestamp: {at}\r\n{lines}\r\n"
    );
    head.into_bytes()
}

fn whole(body: &[u8]) -> Vec<u8> {
    let length = format!("content-length: {}\r\n", body.len());
    [head(body, &length), body.to_vec()].concat()
}

fn is_acknowledged(slack: &FakeSlack) -> bool {
    slack.ledger().unacknowledged().next().is_none()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_over_http_and_its_mention_over_a_socket_are_one_event_also_when_sent_again()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = FakeSlack::start(WorkspaceOptions::default()).await?;
    let more = "merge_mentions_ms = 1000\nself_events = \"drop\"\n";
    let gateway = Gateway::start(&configuration(folder.path(), &slack.api(), more)?)?;
    slack.until(|slack| slack.connections().len() == 2).await;
    let listed = get(&gateway, "/v1/channels")?.json()?;
    let channels = listed["channels"].as_array().context("a list")?;
    let both = |one: &Value| one["verification"] == "slack, slack_socket";
    ensure!(channels.iter().any(both), "{listed}");

    let text = message("EvText", "<@U0BOT> hi");
    let mut mention: Value = serde_json::from_slice(&text)?;
    (mention["event_id"], mention["event"]["type"]) = ("EvMention".into(), "app_mention".into());
    for attempt in ["first", "again"] {
        let mut connection = Connection::open(&gateway.address)?;
        connection.send(&whole(&text))?;
        slack.emit_envelope("events_api", attempt, &mention);
        let answer = connection.answer()?;
        ensure!(answer.status == 200, "{attempt}: {}", answer.status);
        let repeated = answer.header("headgate-duplicate").is_some();
        ensure!(repeated == (attempt == "again"), "{attempt}");
        slack.until(is_acknowledged).await;
        let [event] = events(&gateway)?.try_into().ok().context(attempt)?;
        let data = &event["data"];
        ensure!(data["event_id"] == "EvText" && data["transport"] == "http", "{attempt}: {data}");
        ensure!(data["is_mention"] == true, "{attempt}: {data}");
        ensure!(event["metadata"]["joined_event_id"] == "EvMention", "{attempt}: {event}");
    }

    let own = json!({"type": "message", "user": "U0BOT", "channel": "C0ROOM", "text": "done",
        "ts": "1776590125.000100"});
    (mention["event_id"], mention["event"]) = ("EvOwn".into(), own);
    slack.emit_envelope("events_api", "EvOwn", &mention);
    slack.until(is_acknowledged).await;
    ensure!(events(&gateway)?.len() == 1, "what the app did itself is stored");
    let metrics = String::from_utf8(get(&gateway, "/metrics")?.body)?;
    let dropped = r#"headgate_slack_own_events_dropped_total{channel="team"} 1"#;
    ensure!(metrics.lines().any(|line| line == dropped), "{metrics}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_with_a_new_token_say_hello_before_those_with_the_old_one_stop() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let slack = FakeSlack::start(WorkspaceOptions::default()).await?;
    let gateway = Gateway::start(&configuration(folder.path(), &slack.api(), "")?)?;
    slack.until(|slack| slack.connections().len() == 2).await;
    let old = slack.connections();
    std::fs::write(folder.path().join("token"), "xapp-1-second")?;
    gateway.hang_up()?;
    gateway.said("\"reloaded\"")?;
    let replaced = |slack: &FakeSlack| {
        let open = slack.connections();
        let left = old.iter().filter(|id| open.contains(id)).count();
        let new = open.len() - left;
        assert!(new > 0 || left == 2, "an old one stopped before a new one said hello");
        new == 2 && left == 0
    };
    slack.until(replaced).await;
    slack.emit();
    slack.until(is_acknowledged).await;
    ensure!(newest(&gateway)?["data"]["transport"] == "socket");
    Ok(())
}

#[test]
fn a_request_is_the_same_in_chunks_with_spaces_around_its_time_and_with_a_header_twice()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let gateway = Gateway::start(&super::configuration(folder.path(), SECRET, "")?)?;
    let send = |bytes: &[u8]| -> Result<u16> {
        let mut connection = Connection::open(&gateway.address)?;
        connection.send(bytes)?;
        Ok(connection.answer()?.status)
    };

    let body = message("EvChunks", "in pieces");
    let mut chunked = head(&body, "transfer-encoding: chunked\r\n");
    for chunk in body.chunks(7) {
        chunked.extend(format!("{:x}\r\n", chunk.len()).into_bytes());
        chunked.extend([chunk, b"\r\n"].concat());
    }
    chunked.extend(b"0\r\n\r\n");
    ensure!(send(&chunked)? == 200);
    ensure!(raw(&gateway, &newest(&gateway)?)? == body);

    // White space around a value is no part of it (RFC 9110, 5.5), and so it is not signed.
    let spaced = String::from_utf8(whole(&message("EvSpaces", "around")))?;
    let spaced = spaced.replace("timestamp: ", "timestamp:  \t");
    ensure!(send(spaced.as_bytes())? == 200);
    let at = senders::unix_now();
    let body = message("EvSigned", "with its spaces");
    // What is signed is the time without them.
    let spaced = format!(" {at} ");
    let signature = senders::slack_of_time(SECRET, &spaced, &body);
    let wrong = format!(
        "POST {TARGET} HTTP/1.1\r\nhost: a\r\nx-slack-signature: {signature}\r\n\
         x-slack-request-timestamp:{spaced}\r\ncontent-length: {}\r\n\r\n",
        body.len(),
    );
    ensure!(send(&[wrong.as_bytes(), &body].concat())? == 401);

    let body = message("EvTwice", "a header twice");
    let twice = format!(
        "x-slack-retry-num: 1\r\nx-slack-retry-num: 2\r\nx-slack-retry-reason: http_error\r\n\
         x-slack-retry-reason: http_timeout\r\ncontent-length: {}\r\n",
        body.len(),
    );
    ensure!(send(&[head(&body, &twice), body].concat())? == 200);
    ensure!(newest(&gateway)?["data"]["retry_num"] == 1);
    ensure!(events(&gateway)?.len() == 3);
    Ok(())
}
