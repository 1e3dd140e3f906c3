//! How long an event takes through the program: from the request that brings it to the consumer
//! that leases it over HTTP, reads it from a WebSocket, or is pushed to.

use super::{
    Plan,
    latency::{Moments, tell},
    sink::{Sink, number},
};
use crate::{call::Caller, folder, ingest::build_headgate, process::Server, push};
use anyhow::{Context, Result};
use futures_util::{SinkExt, StreamExt, future::try_join_all};
use serde_json::{Value, json};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};
use tokio::sync::watch;
use tokio_tungstenite::tungstenite::Message;

/// Connections that send.
const SENDERS: usize = 16;
/// How long is waited for what is still under way when all was sent.
const REST: Duration = Duration::from_millis(500);

/// Prints the latencies of each way at this rate.
pub(super) async fn run(plan: &Plan, rate: f64) -> Result<()> {
    let headgate = plan.headgate.clone().map_or_else(build_headgate, Ok)?;
    println!(
        "\nfrom the request to the consumer, through the program, at {rate:.0} events/s (aim: p99 \
         <= 100 ms)"
    );
    for _ in 0..plan.rounds {
        let sink = Sink::start().await?;
        let (_folder, server) = start(&headgate, Some(&sink))?;
        sink.note_arrivals();
        let sent = send(&server.address, plan.span, rate).await?;
        sink.wait_for(sent.len()).await;
        tell("push", sent, sink.arrivals());

        for way in ["lease", "stream"] {
            let (_folder, server) = start(&headgate, None)?;
            let (stop, stopping) = watch::channel(false);
            let address = server.address.clone();
            let consumer = match way {
                "lease" => tokio::spawn(lease(address, stopping)),
                _ => tokio::spawn(stream(address, stopping)),
            };
            let sent = send(&server.address, plan.span, rate).await?;
            tokio::time::sleep(REST).await;
            stop.send_replace(true);
            tell(way, sent, consumer.await??);
        }
    }
    Ok(())
}

/// The program with one open channel and one subscription, which pushes to a sink when there is
/// one.
fn start(headgate: &Path, sink: Option<&Sink>) -> Result<(tempfile::TempDir, Server)> {
    let folder = folder::temporary()?;
    let path: PathBuf = folder.path().join("headgate.toml");
    let data = folder.path().join("headgate");
    let mut text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"hub\"\n\
         type = \"webhook\"\nverify = \"none\"\n\n[[subscription]]\nname = \"agent\"\n\
         start = \"earliest\"\n"
    );
    if let Some(sink) = sink {
        text.push_str(&format!(
            "\n[subscription.push]\nurl = \"http://{}/one\"\nmax_in_flight = 64\n\
             secrets = [{{ insecure_inline = \"{}\" }}]\n",
            sink.address(0),
            super::stand::SECRET
        ));
    }
    std::fs::write(&path, text)?;
    let mut command = Command::new(headgate);
    command.arg("serve").arg("--config").arg(path);
    Ok((folder, Server::start(command)?))
}

/// Sends webhooks at this rate, and notes when each request began.
async fn send(address: &str, span: Duration, rate: f64) -> Result<Moments> {
    let (began, total) = (Instant::now(), (span.as_secs_f64() * rate) as usize);
    let body = push::body(1, 1024);
    let one = |sender: usize| {
        let rest = body.get(1..).unwrap_or_default().to_owned();
        async move {
            let (mut caller, mut sent) = (Caller::new(address).await?, Vec::new());
            for number in (sender..total).step_by(SENDERS) {
                let due = began + Duration::from_secs_f64(number as f64 / rate);
                tokio::time::sleep_until(due.into()).await;
                sent.push((number, Instant::now()));
                let body = format!("{{\"n\":{number},{rest}");
                caller.call("POST", "/v1/webhook/hub", &body).await?;
            }
            anyhow::Ok(sent)
        }
    };
    let sent = try_join_all((0..SENDERS).map(one)).await?;
    Ok(sent.into_iter().flatten().collect())
}

/// Leases over HTTP, and acks over another connection.
async fn lease(address: String, stop: watch::Receiver<bool>) -> Result<Moments> {
    let (mut leasing, mut settling) = (Caller::new(&address).await?, Caller::new(&address).await?);
    let mut seen = Moments::new();
    let ask = json!({"max": 100, "wait_ms": 200}).to_string();
    while !*stop.borrow() {
        let path = "/v1/subscriptions/agent/lease";
        let answer = leasing.call("POST", path, &ask).await?;
        let now = Instant::now();
        let answer: Value = serde_json::from_slice(answer)?;
        let deliveries = answer["deliveries"].as_array().context("deliveries")?;
        let numbers = deliveries.iter().filter_map(|one| one["data"]["body"]["n"].as_u64());
        seen.extend(numbers.filter_map(|n| Some((usize::try_from(n).ok()?, now))));
        let ids: Vec<&Value> = deliveries.iter().map(|one| &one["delivery"]["id"]).collect();
        if !ids.is_empty() {
            let acks = json!({"ack": ids}).to_string();
            settling.call("POST", "/v1/subscriptions/agent/settle", &acks).await?;
        }
    }
    Ok(seen)
}

/// Reads a stream, and acks each event on it.
async fn stream(address: String, mut stop: watch::Receiver<bool>) -> Result<Moments> {
    let url = format!("ws://{address}/v1/stream?subscription=agent&max_in_flight=1000");
    let (mut socket, _) = tokio_tungstenite::connect_async(url).await?;
    let mut seen = Moments::new();
    loop {
        let frame = tokio::select! {
            frame = socket.next() => frame.context("a frame")??,
            _ = stop.wait_for(|stop| *stop) => return Ok(seen),
        };
        let Message::Text(text) = frame else { continue };
        let now = Instant::now();
        seen.extend(number(text.as_bytes()).map(|number| (number, now)));
        let event: Value = serde_json::from_str(&text)?;
        if let Some(id) = event["delivery"]["id"].as_str() {
            let ack = json!({"type": "ack", "id": id}).to_string();
            socket.send(Message::Text(ack.into())).await?;
        }
    }
}
