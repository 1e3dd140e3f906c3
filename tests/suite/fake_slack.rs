//! Slack's own client judges the fake Slack that judges our receiver.

use anyhow::{Context, Result, ensure};
use headgate_testkit::slack::{FakeSlack, WorkspaceOptions};
use headgate_tests::python;
use serde_json::Value;
use std::{path::Path, process::Stdio, time::Duration};
use tokio::{
    io::{AsyncBufReadExt, BufReader, Lines},
    process::{Child, ChildStdout, Command},
};

/// Slack's client at work.
struct Reader {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
}

impl Reader {
    /// Acknowledges so many envelopes after the first `skipped`.
    fn start(slack: &FakeSlack, count: usize, skipped: usize) -> Result<Self> {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("python/socket_mode.py");
        let mut child = Command::new(python()?)
            .arg(script)
            .args([slack.api(), count.to_string(), skipped.to_string()])
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        let stdout = child.stdout.take().context("its output")?;
        Ok(Self { child, lines: BufReader::new(stdout).lines() })
    }

    /// Everything that it got, once it has all.
    async fn all(mut self) -> Result<Vec<Value>> {
        let mut received = Vec::new();
        while let Some(line) = self.lines.next_line().await? {
            received.push(serde_json::from_str(&line)?);
        }
        ensure!(self.child.wait().await?.success(), "the client failed");
        Ok(received)
    }
}

fn options() -> WorkspaceOptions {
    WorkspaceOptions {
        ack_timeout: Duration::from_secs(2),
        notice: Duration::from_millis(500),
        ..WorkspaceOptions::default()
    }
}

fn check(slack: &FakeSlack, received: &[Value]) -> Result<()> {
    let taken = received.iter().filter(|line| line.get("skipped") == Some(&false.into()));
    let ids: Vec<_> =
        taken.filter_map(|line| line.get("event_id").and_then(Value::as_str)).collect();
    ensure!(slack.ledger().unacknowledged().next().is_none(), "some are not acknowledged");
    Ok(slack.ledger().check(ids)?)
}

#[tokio::test]
async fn the_client_of_slack_connects_to_the_fake_and_acknowledges_every_event() -> Result<()> {
    let slack = FakeSlack::start(options()).await?;
    let reader = Reader::start(&slack, 30, 0)?;
    slack.until(|slack| slack.connections().len() == 1).await;
    for _ in 0..30 {
        slack.emit();
    }
    let received = reader.all().await?;
    check(&slack, &received)?;
    for line in &received {
        assert_eq!(line.get("type"), Some(&"events_api".into()));
        assert_eq!(line.get("retry_attempt"), Some(&0.into()));
    }
    Ok(())
}

#[tokio::test]
async fn what_it_does_not_acknowledge_comes_again_with_the_same_ids() -> Result<()> {
    let slack = FakeSlack::start(options()).await?;
    let reader = Reader::start(&slack, 1, 1)?;
    slack.until(|slack| slack.connections().len() == 1).await;
    slack.emit();
    let received = reader.all().await?;
    check(&slack, &received)?;
    let of = |name: &str| received.iter().map(|line| line.get(name).cloned()).collect::<Vec<_>>();
    assert_eq!(of("retry_attempt"), [Some(0.into()), Some(1.into())]);
    assert_eq!(of("retry_reason"), [Some("".into()), Some("timeout".into())]);
    assert_eq!(of("envelope_id").first(), of("envelope_id").last());
    Ok(())
}

/// What comes while it changes from one connection to the next it acknowledges over the wrong one
/// now and then, and gets it again. That is its own affair; that it changes is the fake's.
#[tokio::test]
async fn a_refresh_that_the_fake_asks_for_is_one_to_the_client() -> Result<()> {
    let slack = FakeSlack::start(options()).await?;
    let _reader = Reader::start(&slack, 11, 0)?;
    slack.until(|slack| slack.connections().len() == 1).await;
    let first = slack.connections();
    for _ in 0..10 {
        slack.emit();
    }
    slack.until(|slack| slack.ledger().unacknowledged().next().is_none()).await;
    slack.tell(*first.first().context("a connection")?, "refresh_requested");
    let replaced = |slack: &FakeSlack| slack.connections().iter().all(|id| !first.contains(id));
    slack.until(|slack| slack.connections().len() == 1 && replaced(slack)).await;
    assert_eq!(slack.asked(), 2);
    Ok(())
}
