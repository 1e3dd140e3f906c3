//! How many instructions a signed push costs, counted by callgrind.
//!
//! Where other work shares the machine, times mean little and counts mean the same as ever. The
//! program starts itself under valgrind twice, with fewer and with more requests; the difference
//! is theirs alone. Not counted: HTTP, which comes before, and the kernel.
//!
//! ```text
//! CARGO_PROFILE_RELEASE_STRIP=none CARGO_PROFILE_RELEASE_DEBUG=line-tables-only \
//!     cargo run --release -p headgate-benches --bin headgate-instructions
//! ```
//!
//! `callgrind_annotate --inclusive=yes` on the files that it names says where they go.

use anyhow::{Context, Result, ensure};
use bytes::Bytes;
use clap::{Parser, ValueEnum};
use headgate_event::{
    Accepted, BoxFuture, Channel, ChannelType, Clock, Draft, EventId, Secret, Sink, StoreError,
    Timestamp, prompt::PromptKey,
};
use headgate_http::{Arrival, Intake, IntakeOptions, RequestId, TrustedProxies};
use headgate_queue::{Embedded, EmbeddedOptions, Queue};
use headgate_testkit::ManualClock;
use headgate_webhook::{ChannelSpec, DedupePolicy, Ports, Providers, Settings, WebhookSource};
use http::{Method, Request};
use http_body_util::Full;
use metrics_exporter_prometheus::PrometheusBuilder;
use mimalloc::MiMalloc;
use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

mod folder;
mod push;

/// The allocator that Headgate runs with.
#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

/// Requests in flight, as from so many connections.
const IN_FLIGHT: u64 = 64;
/// 2026-04-19T09:15:25Z.
const NOW: Timestamp = Timestamp::from_unix_s(1_776_590_125);

/// Counts instructions for each request.
#[derive(Debug, Parser)]
struct Arguments {
    /// How many requests are counted.
    #[arg(long, default_value_t = 2_000)]
    requests: u64,
    /// The sizes of the body in bytes.
    #[arg(long, value_delimiter = ',', default_value = "1024,10240")]
    body_bytes: Vec<usize>,
    /// Sends the requests and counts nothing: what runs under valgrind.
    #[arg(long, hide = true)]
    only: Option<End>,
}

/// How far a request goes.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum End {
    /// Verified, normalized and rendered; its event is dropped.
    Received,
    /// Stored by the embedded queue.
    Stored,
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    if let Some(end) = arguments.only {
        let body_bytes = *arguments.body_bytes.first().context("a size")?;
        return send(end, arguments.requests, body_bytes);
    }
    let kept = folder::temporary()?.keep();
    println!("instructions a request; of all threads, and of the one that serves requests");
    for body_bytes in &arguments.body_bytes {
        for end in [End::Received, End::Stored] {
            let few = count(end, IN_FLIGHT * 4, *body_bytes, &kept)?;
            let many = count(end, IN_FLIGHT * 4 + arguments.requests, *body_bytes, &kept)?;
            let each = |few, many| (many - few) / arguments.requests;
            println!(
                "{end:?}, body {body_bytes} bytes: {} {}",
                each(few.all, many.all),
                each(few.serving, many.serving)
            );
        }
    }
    println!("profiles: {}", kept.display());
    Ok(())
}

/// The instructions of a run.
struct Counted {
    all: u64,
    serving: u64,
}

/// Counts the instructions of so many requests, with what comes before and after them.
fn count(end: End, requests: u64, body_bytes: usize, kept: &Path) -> Result<Counted> {
    let name = format!("{end:?}-{body_bytes}-{requests}").to_lowercase();
    let profile = kept.join(&name);
    let status = Command::new("valgrind")
        .args(["--tool=callgrind", "--separate-threads=yes", "--quiet"])
        .arg(format!("--callgrind-out-file={}", profile.display()))
        .arg(std::env::current_exe()?)
        .arg(format!("--only={}", format!("{end:?}").to_lowercase()))
        .arg(format!("--requests={requests}"))
        .arg(format!("--body-bytes={body_bytes}"))
        .stdin(Stdio::null())
        .status()
        .context("valgrind")?;
    ensure!(status.success(), "valgrind: {status}");
    let mut counted = Counted { all: 0, serving: 0 };
    for file in std::fs::read_dir(kept)? {
        let path = file?.path();
        let Some(thread) = thread_of(&path, &name) else { continue };
        let text = std::fs::read_to_string(&path)?;
        let total = text.lines().find_map(|line| line.strip_prefix("totals: "));
        let total: u64 = total.context("totals")?.trim().parse()?;
        counted.all += total;
        counted.serving += if thread == 1 { total } else { 0 };
    }
    ensure!(counted.serving > 0, "no profile `{}-01`", profile.display());
    Ok(counted)
}

/// The number of the thread whose profile this is, when it is one of that run.
fn thread_of(path: &Path, run: &str) -> Option<u32> {
    path.file_name()?.to_str()?.strip_prefix(run)?.strip_prefix('-')?.parse().ok()
}

/// Sends so many requests through a source, on one thread.
fn send(end: End, requests: u64, body_bytes: usize) -> Result<()> {
    // Histograms count in buckets, as Headgate's do.
    PrometheusBuilder::new().set_buckets(&[0.001, 0.01, 0.1, 1.0])?.install_recorder()?;
    let folder = folder::temporary()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let (sink, queue): (Arc<dyn Sink>, _) = match end {
            End::Received => (Arc::new(Counting::default()), None),
            End::Stored => {
                let clock = Arc::new(ManualClock::at(NOW));
                let options = EmbeddedOptions::default();
                let queue = Embedded::open(&folder.path().join("queue"), clock, options)?;
                let queue = Arc::new(queue);
                (Arc::clone(&queue) as Arc<dyn Sink>, Some(queue))
            }
        };
        let source = Arc::new(source(sink, folder.path().join("spool"))?);
        let sent = Arc::new(AtomicU64::new(0));
        let body = push::body(1, body_bytes);
        let push = Push { signature: push::signature(&body)?, body: Bytes::from(body) };
        let connections: Vec<_> = (0..IN_FLIGHT)
            .map(|_| {
                let (source, sent, push) = (Arc::clone(&source), Arc::clone(&sent), push.clone());
                tokio::spawn(async move {
                    loop {
                        let number = sent.fetch_add(1, Ordering::Relaxed);
                        if number >= requests {
                            return Ok(());
                        }
                        let answer = source.answer(push.request(number)?).await;
                        ensure!(answer.status() == 200, "answered {}", answer.status());
                    }
                })
            })
            .collect();
        for connection in connections {
            connection.await??;
        }
        if let Some(queue) = queue {
            queue.close().await;
        }
        Ok(())
    })
}

fn source(sink: Arc<dyn Sink>, spool: PathBuf) -> Result<WebhookSource> {
    let ports = Ports {
        sink,
        intake: Arc::new(Intake::new(IntakeOptions::new(spool))?),
        proxies: TrustedProxies::new(Vec::new()),
        clock: Arc::new(ManualClock::at(NOW)) as Arc<dyn Clock>,
        prompt_key: PromptKey::new([7; 32]),
        rejections: None,
        fetched: Arc::default(),
        captures: None,
    };
    let channel = ChannelSpec {
        channel: Channel::new("hub", "Hub", ChannelType::Webhook)?,
        provider: "github".to_owned(),
        own: None,
        settings: Settings::new(),
        public_url: None,
        splits: false,
        secrets: vec![Secret::new(push::SECRET)],
        body_bytes_max: None,
        dedupe: DedupePolicy::default(),
        tolerance: None,
        rate: None,
        allow_ips: Vec::new(),
    };
    WebhookSource::new(vec![channel], &Providers::embedded(), ports)
        .map_err(|errors| anyhow::anyhow!("{errors:?}"))
}

/// A push and its signature.
#[derive(Clone)]
struct Push {
    signature: String,
    body: Bytes,
}

impl Push {
    /// The request with this delivery, as the server loop gives it.
    fn request(&self, number: u64) -> Result<Request<Full<Bytes>>> {
        let arrival = Arrival {
            remote: SocketAddr::from((Ipv4Addr::LOCALHOST, 5000)),
            received_at: NOW,
            request_id: RequestId::new("01KAJ3V3W2N9E6W0V8R3M5T7QZ"),
        };
        let request = Request::builder()
            .method(Method::POST)
            .uri("/v1/webhook/hub")
            .header("host", "127.0.0.1")
            .header("user-agent", "GitHub-Hookshot/1")
            .header("content-type", "application/json")
            .header("x-github-event", "push")
            .header("x-github-delivery", format!("{number:016x}"))
            .header("x-hub-signature-256", &self.signature)
            .header("content-length", self.body.len())
            .extension(arrival);
        Ok(request.body(Full::new(self.body.clone()))?)
    }
}

/// Gives each event an id and drops it.
#[derive(Default)]
struct Counting(AtomicU64);

impl Sink for Counting {
    fn accept(&self, drafts: Vec<Draft>) -> BoxFuture<'_, Result<Vec<Accepted>, StoreError>> {
        let next = |_: Draft| {
            let number = self.0.fetch_add(1, Ordering::Relaxed);
            let mut id = [0; 16];
            id[8..].copy_from_slice(&number.to_be_bytes());
            Accepted::New(EventId::from_bytes(id))
        };
        let accepted = drafts.into_iter().map(next).collect();
        Box::pin(async move { Ok(accepted) })
    }
}
