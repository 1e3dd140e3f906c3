//! The load: kept connections that each have one request in flight.

use crate::push;
use anyhow::{Context, Result, bail, ensure};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    runtime::Runtime,
};

const DELIVERY: &str = "0000000000000000";
/// What the deliveries of [`Requests::various`] tell of.
pub(crate) const EVENTS: [&str; 5] = ["push", "issues", "pull_request", "star", "release"];
/// How many repositories they come from.
const REPOSITORIES: usize = 100;

/// Signed GitHub deliveries that are sent in turns, each with a delivery id of its own.
#[derive(Debug)]
pub(crate) struct Requests {
    shapes: Vec<Shape>,
    next: AtomicU64,
}

/// A signed delivery, and where its id is put in for each request.
#[derive(Debug)]
struct Shape {
    bytes: Vec<u8>,
    delivery_at: usize,
}

/// When a load ends.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// After this time.
    After(Duration),
    /// Before the delivery of this number.
    Before(u64),
}

/// What a load of some seconds has seen.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) answered: u64,
    pub(crate) refused: u64,
    pub(crate) seconds: f64,
    micros: Vec<u32>,
}

impl Requests {
    /// The same push again and again, with a JSON body of this size.
    pub(crate) fn push(body_bytes: usize) -> Result<Self> {
        Ok(Self { shapes: vec![Shape::new("push", 1, body_bytes)?], next: AtomicU64::new(0) })
    }

    /// Deliveries of several kinds from several repositories, in turns.
    pub(crate) fn various(body_bytes: usize) -> Result<Self> {
        let shapes = (0..REPOSITORIES).map(|repository| {
            let event = EVENTS[repository % EVENTS.len()];
            Shape::new(event, repository, body_bytes)
        });
        Ok(Self { shapes: shapes.collect::<Result<_>>()?, next: AtomicU64::new(0) })
    }

    /// Deliveries of this size that compression takes hardly anything from.
    pub(crate) fn incompressible(body_bytes: usize) -> Result<Self> {
        let letters = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            char::from(letters[(state >> 32) as usize % letters.len()])
        };
        let noise: String = (0..body_bytes.saturating_sub(12)).map(|_| next()).collect();
        let shape = Shape::of("push", &format!("{{\"noise\":\"{noise}\"}}"))?;
        Ok(Self { shapes: vec![shape], next: AtomicU64::new(0) })
    }

    /// The number of the next delivery.
    pub(crate) fn next(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }
}

impl Shape {
    fn new(event: &str, repository: usize, body_bytes: usize) -> Result<Self> {
        Self::of(event, &push::body(repository, body_bytes))
    }

    fn of(event: &str, body: &str) -> Result<Self> {
        let signature = push::signature(body)?;
        let text = format!(
            "POST /v1/webhook/hub HTTP/1.1\r\nhost: 127.0.0.1\r\nuser-agent: GitHub-Hookshot/1\r\n\
             content-type: application/json\r\nx-github-event: {event}\r\n\
             x-github-delivery: {DELIVERY}\r\nx-hub-signature-256: {signature}\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let delivery_at = text.find(DELIVERY).context("the delivery id")?;
        Ok(Self { bytes: text.into_bytes(), delivery_at })
    }
}

impl Seen {
    /// Answers a second.
    pub(crate) fn rate(&self) -> f64 {
        self.answered as f64 / self.seconds
    }

    /// The latency that this share of the answers kept, in milliseconds.
    pub(crate) fn latency_ms(&self, share: f64) -> f64 {
        let at = ((self.micros.len().saturating_sub(1)) as f64 * share) as usize;
        self.micros.get(at).map_or(0.0, |micros| f64::from(*micros) / 1000.0)
    }
}

/// A runtime as every load of these benchmarks has it.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?)
}

/// Sends over so many connections until the end.
pub(crate) fn run(
    address: &str,
    connections: usize,
    end: End,
    requests: &Arc<Requests>,
) -> Result<Seen> {
    runtime()?.block_on(send(address, connections, end, requests))
}

/// Sends over so many connections until the end.
pub(crate) async fn send(
    address: &str,
    connections: usize,
    end: End,
    requests: &Arc<Requests>,
) -> Result<Seen> {
    let started = Instant::now();
    let tasks: Vec<_> = (0..connections)
        .map(|_| tokio::spawn(one(address.to_owned(), started, end, Arc::clone(requests))))
        .collect();
    let mut all = Seen::default();
    for task in tasks {
        let seen = task.await??;
        all.answered += seen.answered;
        all.refused += seen.refused;
        all.micros.extend(seen.micros);
    }
    all.seconds = started.elapsed().as_secs_f64();
    all.micros.sort_unstable();
    Ok(all)
}

impl End {
    fn reached(self, started: Instant, number: u64) -> bool {
        match self {
            Self::After(span) => started.elapsed() >= span,
            Self::Before(end) => number >= end,
        }
    }
}

async fn one(address: String, started: Instant, end: End, requests: Arc<Requests>) -> Result<Seen> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 << 10];
    let mut seen = Seen::default();
    loop {
        let number = requests.next.fetch_add(1, Ordering::Relaxed);
        if end.reached(started, number) {
            return Ok(seen);
        }
        let shape = &requests.shapes[number as usize % requests.shapes.len()];
        bytes.clear();
        bytes.extend_from_slice(&shape.bytes);
        let delivery = format!("{number:016x}");
        let at = shape.delivery_at;
        bytes[at..at + DELIVERY.len()].copy_from_slice(delivery.as_bytes());
        let sent = Instant::now();
        stream.write_all(&bytes).await?;
        let status = answer(&mut stream, &mut buffer).await?;
        seen.micros.push(u32::try_from(sent.elapsed().as_micros()).unwrap_or(u32::MAX));
        seen.answered += 1;
        seen.refused += u64::from(status != 200);
    }
}

/// Reads one answer with a Content-Length and gives its status.
async fn answer(stream: &mut TcpStream, buffer: &mut [u8]) -> Result<u16> {
    let mut filled = 0;
    loop {
        let read = stream.read(&mut buffer[filled..]).await?;
        ensure!(read > 0, "the server closed the connection");
        filled += read;
        let head = &buffer[..filled];
        let Some(end) = head.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let text = std::str::from_utf8(&head[..end])?;
        let length = text.lines().find_map(|line| {
            let (name, value) = line.split_once(':')?;
            name.eq_ignore_ascii_case("content-length")
                .then(|| value.trim().parse::<usize>().ok())?
        });
        let Some(length) = length else { bail!("no content-length in `{text}`") };
        let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
        if filled >= end + 4 + length {
            return status.context("a status");
        }
    }
}
