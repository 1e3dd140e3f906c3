//! How long the answer to a message takes, from its last byte to `250`, at 20 kept connections.

use super::{
    Plan, Programs,
    receivers::{Kind, Receiver},
    source::{RECIPIENT, SENDER},
};
use crate::{folder, load};
use anyhow::{Result, ensure};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    net::TcpStream,
};

const CONNECTIONS: usize = 20;
/// The size of a message's body.
const BODY_BYTES: usize = 2 << 10;

/// A connection of a client of our own: `smtp-source` tells of no latencies.
#[derive(Debug)]
pub(super) struct Client(BufReader<TcpStream>);

impl Client {
    /// Connects and says hello.
    pub(super) async fn connect(address: &str) -> Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        let mut client = Self(BufReader::new(stream));
        client.expect("220").await?;
        client.say("EHLO bench.example\r\n", "250").await?;
        Ok(client)
    }

    /// Sends bytes and reads a reply of this code.
    pub(super) async fn say(&mut self, text: &str, code: &str) -> Result<()> {
        self.send(text.as_bytes()).await?;
        self.expect(code).await
    }

    /// Sends bytes.
    pub(super) async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.get_mut().write_all(bytes).await?)
    }

    /// Begins a message.
    pub(super) async fn begin(&mut self) -> Result<()> {
        self.say(&format!("MAIL FROM:<{SENDER}>\r\n"), "250").await?;
        self.say(&format!("RCPT TO:<{RECIPIENT}>\r\n"), "250").await?;
        self.say("DATA\r\n", "354").await
    }

    async fn expect(&mut self, code: &str) -> Result<()> {
        let mut line = String::new();
        loop {
            line.clear();
            ensure!(self.0.read_line(&mut line).await? > 0, "the server hung up");
            ensure!(line.starts_with(code), "expected {code}, found `{}`", line.trim_end());
            if line.as_bytes().get(3) != Some(&b'-') {
                return Ok(());
            }
        }
    }
}

/// Prints a line for each receiver.
pub(super) fn run(plan: &Plan, programs: &Programs<'_>) -> Result<()> {
    println!(
        "\nend of DATA to 250, 2 KiB, {CONNECTIONS} connections (aim of headgate: p99 <= 20 ms)\n\
         {:10} {:>9} {:>8} {:>8} {:>8}",
        "receiver", "mails/s", "p50 ms", "p99 ms", "max ms"
    );
    for kind in [Kind::Sink, Kind::Headgate, Kind::Postfix] {
        let folder = folder::temporary()?;
        let receiver = Receiver::start(kind, programs, folder.path())?;
        let spans = load::runtime()?.block_on(measure(&receiver.address, plan.span))?;
        let at = |share: f64| spans[((spans.len() - 1) as f64 * share) as usize];
        println!(
            "{:10} {:>9.0} {:>8.2} {:>8.2} {:>8.1}",
            kind.name(),
            spans.len() as f64 / plan.span.as_secs_f64(),
            at(0.5),
            at(0.99),
            at(1.0)
        );
    }
    Ok(())
}

async fn measure(address: &str, span: Duration) -> Result<Vec<f64>> {
    let (next, started) = (Arc::new(AtomicU64::new(0)), Instant::now());
    let tasks: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let (address, next) = (address.to_owned(), Arc::clone(&next));
            tokio::spawn(async move {
                let (mut client, mut spans) = (Client::connect(&address).await?, Vec::new());
                while started.elapsed() < span {
                    client.begin().await?;
                    client.send(&message(next.fetch_add(1, Ordering::Relaxed))).await?;
                    let ended = Instant::now();
                    client.say("\r\n.\r\n", "250").await?;
                    spans.push(ended.elapsed().as_secs_f64() * 1000.0);
                }
                anyhow::Ok(spans)
            })
        })
        .collect();
    let mut all = Vec::new();
    for task in tasks {
        all.extend(task.await??);
    }
    all.sort_by(f64::total_cmp);
    ensure!(!all.is_empty(), "no message was taken");
    Ok(all)
}

/// A message that no other is a repeat of, without its end.
fn message(number: u64) -> Vec<u8> {
    let mut text = format!(
        "From: Ann <{SENDER}>\r\nTo: {RECIPIENT}\r\nSubject: number {number}\r\n\
         Message-ID: <{number}@example.org>\r\n\r\n"
    );
    while text.len() < BODY_BYTES {
        text += "Rain is forecast for the weekend, so the picking starts on Friday already.\r\n";
    }
    text.trim_end().as_bytes().to_vec()
}
