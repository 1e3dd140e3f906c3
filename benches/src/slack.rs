//! Slack: what a verification and a rendering take beside their anchors, and how soon the gateway
//! answers a steady stream of signed events.

use crate::{disk, folder, ingest::build_headgate, load::runtime, process::Server};
use anyhow::{Context, Result, bail, ensure};
use bytes::Bytes;
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Clock, Draft, EventId, Secret, Sink, StoreError,
    Timestamp, Verification, prompt::PromptKey,
};
use headgate_http::{
    Arrival, BodyHold, Intake, IntakeOptions, RawRequest, RequestId, TrustedProxies,
};
use headgate_slack::{
    AgeRule, Payload, Ports, Receipt, SelfEvents, SigningSecret, SlackChannelSpec, SlackSource,
    Transport, draft, sign,
};
use headgate_testkit::ManualClock;
use hmac::{Hmac, KeyInit, Mac};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde_json::{Value, json};
use sha2::Sha256;
use std::{
    collections::BTreeMap,
    hint::black_box,
    net::SocketAddr,
    path::Path,
    process::Command,
    sync::Arc,
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

const SECRET: &str = "8f742231b10e8888abcd99yyyzzz85a5";
const BODY_BYTES: usize = 4 << 10;
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_124);
/// The connections over which Slack sends, each with one request in flight.
const CONNECTIONS: u64 = 16;

/// What to measure.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Calls of each measurement.
    pub(crate) calls: usize,
    /// Events a second.
    pub(crate) rate: u64,
    /// How long they come.
    pub(crate) span: Duration,
}

/// Prints all of it.
pub(crate) fn run(plan: &Plan) -> Result<()> {
    let body = message(0, BODY_BYTES);
    println!("a signed message of {} bytes, {} calls each, in us", body.len(), plan.calls);
    println!("{:>8} {:>8} {:>8}", "p50", "p99", "max");
    verify(plan.calls, &body)?;
    render(plan.calls, &body)?;
    steadily(plan)
}

fn verify(calls: usize, body: &str) -> Result<()> {
    let folder = folder::temporary()?;
    let source = source(folder.path())?;
    let request = request(body)?;
    measure(
        "HMAC-SHA256 of it alone",
        calls,
        || request.body.clone(),
        |body| {
            let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).ok();
            if let Some(mac) = &mut mac {
                mac.update(&body);
            }
            mac.map(Mac::finalize).is_some()
        },
    )?;
    let make = || request.clone();
    measure("verified (aim: p99 20)", calls, make, |request| {
        source.try_release("team", request, AgeRule::Channel).is_ok()
    })
}

fn render(calls: usize, body: &str) -> Result<()> {
    let channel = spec()?.prepare();
    let channel = channel.map_err(|errors| anyhow::anyhow!("{errors:?}"))?;
    let receipt = Receipt {
        received_at: NOW,
        verification: Verification::internal(),
        transport: Transport::Http,
        signed_at: Some(NOW),
        retry_num: None,
        retry_reason: None,
        envelope_id: None,
    };
    let (key, bytes) = (PromptKey::new([7; 32]), Bytes::copy_from_slice(body.as_bytes()));
    measure(
        "read as JSON alone",
        calls,
        || bytes.clone(),
        |bytes| serde_json::from_slice::<Value>(&bytes).is_ok(),
    )?;
    measure(
        "read and rendered (aim: p99 200)",
        calls,
        || bytes.clone(),
        |bytes| {
            let drafted = draft(&channel, &Payload::json(bytes), &receipt, &key);
            matches!(drafted, headgate_slack::Drafted::Event(_))
        },
    )
}

/// Times each call of `work`, which has to do it, on something new.
fn measure<T>(
    what: &str,
    calls: usize,
    make: impl Fn() -> T,
    work: impl Fn(T) -> bool,
) -> Result<()> {
    let mut spans = Vec::with_capacity(calls);
    for _ in 0..calls + calls / 10 {
        let given = make();
        let started = Instant::now();
        let done = work(black_box(given));
        spans.push(started.elapsed().as_nanos() as f64 / 1e3);
        ensure!(done, "{what}: it was refused");
    }
    // The first tenth warms up.
    print(spans.split_off(calls / 10), what);
    Ok(())
}

fn print(mut spans: Vec<f64>, what: &str) {
    spans.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| {
        let at = (spans.len().saturating_sub(1)) as f64 * share;
        spans.get(at as usize).copied().unwrap_or_default()
    };
    println!("{:>8.1} {:>8.1} {:>8.1} {what}", at(0.5), at(0.99), at(1.0));
}

/// Signed events at a steady rate, whatever the answers do; how late each answer came after the
/// moment at which its event was due.
fn steadily(plan: &Plan) -> Result<()> {
    let headgate = build_headgate()?;
    let folder = folder::temporary()?;
    println!("\n{} signed events a second for {} s", plan.rate, plan.span.as_secs());
    print_disk(folder.path())?;
    let data = folder.path().join("data");
    let config = folder.path().join("headgate.toml");
    let text = format!(
        "data_dir = {data:?}\n\n[server]\nlisten = \"127.0.0.1:0\"\n\n[[channel]]\nid = \"team\"\n\
         type = \"slack\"\nsigning_secrets = [{{ insecure_inline = \"{SECRET}\" }}]\n"
    );
    std::fs::write(&config, text)?;
    let mut command = Command::new(headgate);
    command.arg("serve").arg("--config").arg(&config);
    let server = Server::start(command)?;
    let cpu = server.cpu_seconds()?;
    let spans = runtime()?.block_on(async {
        let begun = Instant::now();
        let senders: Vec<_> = (0..CONNECTIONS)
            .map(|number| {
                let address = server.address.clone();
                tokio::spawn(send(address, number, begun, plan.rate, plan.span))
            })
            .collect();
        let mut spans = Vec::new();
        for sender in senders {
            spans.extend(sender.await??);
        }
        anyhow::Ok(spans)
    })?;
    let cpu = server.cpu_seconds()? - cpu;
    println!("{} events, {:.1} CPU s for 100,000", spans.len(), cpu * 1e5 / spans.len() as f64);
    println!("{:>8} {:>8} {:>8}", "p50", "p99", "max");
    print(spans, "ms to the durable answer (aims: p99 50, max 1000)");
    print_disk(folder.path())
}

/// The events of one connection; how late their answers came, in milliseconds.
async fn send(
    address: String,
    number: u64,
    begun: Instant,
    rate: u64,
    span: Duration,
) -> Result<Vec<f64>> {
    let mut stream = TcpStream::connect(&address).await?;
    stream.set_nodelay(true)?;
    let secret = Secret::new(SECRET);
    let (mut spans, mut event) = (Vec::new(), number);
    loop {
        let due = Duration::from_nanos(1_000_000_000 / rate * event);
        if due >= span {
            return Ok(spans);
        }
        let due = begun + due;
        tokio::time::sleep_until(due.into()).await;
        let body = message(event + 1, 1 << 10);
        let now = now();
        let signature = sign(&secret, now, body.as_bytes());
        let head = format!(
            "POST /v1/slack/team HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n\
             x-slack-request-timestamp: {}\r\nx-slack-signature: {signature}\r\n\
             content-length: {}\r\n\r\n{body}",
            now.unix_s(),
            body.len()
        );
        stream.write_all(head.as_bytes()).await?;
        ensure!(answered(&mut stream).await? == 200, "an answer is not 200");
        spans.push(due.elapsed().as_secs_f64() * 1e3);
        event += CONNECTIONS;
    }
}

/// Reads an answer without a body and gives its status.
async fn answered(stream: &mut TcpStream) -> Result<u16> {
    let mut buffer = [0; 4096];
    let mut filled = 0;
    loop {
        let read = stream.read(buffer.get_mut(filled..).context("a shorter answer")?).await?;
        ensure!(read > 0, "the server closed the connection");
        filled += read;
        let head = buffer.get(..filled).unwrap_or_default();
        if head.ends_with(b"\r\n\r\n") {
            let text = std::str::from_utf8(head)?;
            let status = text.split(' ').nth(1).and_then(|code| code.parse().ok());
            return status.context("a status");
        }
        if filled == buffer.len() {
            bail!("no end of the answer");
        }
    }
}

/// A message event of about this size.
fn message(number: u64, bytes: usize) -> String {
    let text = |filler: &str| {
        let text =
            format!("Deploy <https://ci.example.com/{number}|{number}> by <@U0ALICE>: {filler}");
        json!({
            "token": "fake", "team_id": "T0ACME", "api_app_id": "A0GATE", "type": "event_callback",
            "event_id": format!("Ev{number:012}"), "event_time": NOW.unix_s(),
            "authorizations": [{"team_id": "T0ACME", "user_id": "U0BOT", "is_bot": true}],
            "event": {
                "type": "message", "channel": "C0ROOM", "channel_type": "channel",
                "user": "U0ALICE", "ts": format!("1776590124.{:06}", number % 1_000_000),
                "event_ts": format!("1776590124.{:06}", number % 1_000_000), "text": text,
                "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": text}}],
            },
        })
        .to_string()
    };
    // The text is there twice.
    let words = "*Retries* with _jitter_ and a cap &amp; no burst, `so` it goes. ";
    let missing = bytes.saturating_sub(text("").len()) / 2;
    text(words.repeat(missing / words.len() + 1).get(..missing).unwrap_or_default())
}

fn spec() -> Result<SlackChannelSpec> {
    Ok(SlackChannelSpec {
        channel: Channel::new("team", "Team", ChannelType::Slack)?,
        signing_secrets: vec![SigningSecret { secret: Secret::new(SECRET), api_app_id: None }],
        client_certificate: None,
        body_bytes_max: None,
        dedupe: Some(Duration::from_secs(48 * 3600)),
        self_events: SelfEvents::Flag,
        merge_mentions: None,
        team_names: BTreeMap::new(),
        names: BTreeMap::new(),
        answers: BTreeMap::new(),
    })
}

/// Takes nothing: a verification stores nothing.
struct Nowhere;

impl Sink for Nowhere {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        let id = EventId::from_parts(NOW, 1);
        Box::pin(std::future::ready(Ok(vec![Accepted::New(id); drafts.len()])))
    }
}

fn source(spool: &Path) -> Result<SlackSource> {
    let ports = Ports {
        sink: Arc::new(Nowhere),
        intake: Arc::new(Intake::new(IntakeOptions::new(spool.to_owned()))?),
        proxies: TrustedProxies::new(Vec::new()),
        clock: Arc::new(ManualClock::at(NOW)) as Arc<dyn Clock>,
        prompt_key: PromptKey::new([7; 32]),
        rejections: None,
    };
    let source = SlackSource::new(vec![spec()?], ports);
    source.map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

fn request(body: &str) -> Result<RawRequest> {
    let signature = sign(&Secret::new(SECRET), NOW, body.as_bytes());
    let mut headers = HeaderMap::new();
    for (name, value) in [
        ("content-type", "application/json"),
        ("x-slack-request-timestamp", &NOW.unix_s().to_string()),
        ("x-slack-signature", &signature),
        ("user-agent", "Slackbot 1.0 (+https://api.slack.com/robots)"),
        ("accept", "*/*"),
    ] {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_str(value)?);
    }
    Ok(RawRequest {
        method: Method::POST,
        path: "/v1/slack/team".to_owned(),
        query: String::new(),
        headers,
        body: Bytes::copy_from_slice(body.as_bytes()),
        arrival: Arrival {
            remote: SocketAddr::from(([127, 0, 0, 1], 40_000)),
            received_at: NOW,
            request_id: RequestId::new("bench"),
        },
        hold: BodyHold::default(),
    })
}

#[expect(clippy::disallowed_methods, reason = "a benchmark has its own clock")]
fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp::from_unix_ms(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

fn print_disk(folder: &Path) -> Result<()> {
    let sync = disk::measure(folder)?;
    println!("fdatasync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", sync.p50_ms, sync.p99_ms);
    Ok(())
}
