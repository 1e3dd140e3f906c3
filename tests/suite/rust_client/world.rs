//! A gateway with one open channel and one subscription, and clients of it.

use anyhow::{Context, Result, bail};
use headgate_client::{Builder, Client, Event};
use headgate_tests::{Connection, Gateway, request, write_config};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    ops::Range,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
};
use tempfile::TempDir;

pub(super) const KEY: &str = "a-key-of-the-contract";

/// A gateway that keeps its address over kills.
#[derive(Debug)]
pub(super) struct World {
    pub(super) gateway: Gateway,
    config: PathBuf,
    _folder: TempDir,
}

impl World {
    pub(super) fn start() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = write_config(folder.path(), TABLES)?;
        let gateway = Gateway::start(&config)?;
        let text = std::fs::read_to_string(&config)?;
        std::fs::write(&config, text.replace("127.0.0.1:0", &gateway.address))?;
        Ok(Self { gateway, config, _folder: folder })
    }

    /// Kills the gateway and starts it again at its address.
    pub(super) fn kill(&mut self) -> Result<()> {
        self.gateway.kill_in_place()?;
        self.gateway = Gateway::start(&self.config)?;
        Ok(())
    }

    pub(super) fn client(&self) -> Builder {
        let url = format!("http://{}", self.gateway.address);
        Client::builder().url(url).key(KEY).subscription("agent").concurrency(8)
    }

    /// Sends numbered webhooks; answers their ids.
    pub(super) fn send_many(&self, numbers: Range<usize>) -> Result<BTreeSet<String>> {
        let mut connection = Connection::open(&self.gateway.address)?;
        let send = |number| send(&mut connection, number);
        numbers.map(send).collect()
    }

    pub(super) fn read(&self, path: &str) -> Result<Value> {
        let bearer = format!("Bearer {KEY}");
        let headers = [("authorization", bearer.as_str())];
        request(&self.gateway.address, "GET", path, &headers, b"")?.json()
    }

    /// Waits until nothing is unsettled.
    pub(super) fn until_settled(&self) -> Result<()> {
        let mut status = Value::Null;
        for _ in 0..10_000 {
            status = self.read("/v1/subscriptions/agent")?;
            if status["lag"] == 0 && status["in_flight"] == 0 {
                return Ok(());
            }
        }
        bail!("it is never settled: {status}")
    }

    /// The sum of a metric over its labels.
    pub(super) fn metric(&self, name: &str) -> Result<f64> {
        let bearer = format!("Bearer {KEY}");
        let headers = [("authorization", bearer.as_str())];
        let answer = request(&self.gateway.address, "GET", "/metrics", &headers, b"")?;
        let text = String::from_utf8(answer.body)?;
        let lines = text.lines().filter(|line| line.starts_with(name));
        lines.map(|line| Ok(line.rsplit(' ').next().context("a value")?.parse::<f64>()?)).sum()
    }
}

pub(super) fn send(connection: &mut Connection, number: usize) -> Result<String> {
    let body = format!(r#"{{"number": {number}}}"#);
    let answer = connection.request("POST", "/v1/webhook/in", &[], body.as_bytes())?;
    let id = answer.json()?.get("id").and_then(Value::as_str).map(str::to_owned);
    id.context("an id")
}

/// Consumes until so many events were handled; answers their ids. Each is given once.
pub(super) async fn consume<F, R>(
    builder: Builder,
    count: usize,
    handler: F,
) -> Result<BTreeSet<String>>
where
    F: Fn(Event) -> R + Send + Sync + 'static,
    R: Future<Output = ()> + Send + 'static,
{
    let mut client = builder.build()?;
    let seen = Arc::new(Mutex::new(BTreeSet::new()));
    let (noted, stopper) = (Arc::clone(&seen), client.stopper());
    client.on_event(move |event: Event| {
        let (noted, stopper) = (Arc::clone(&noted), stopper.clone());
        let id = event.id().to_string();
        let handled = handler(event);
        async move {
            handled.await;
            let mut noted = noted.lock().unwrap_or_else(PoisonError::into_inner);
            assert!(noted.insert(id), "it was given twice");
            if noted.len() == count {
                stopper.stop();
            }
        }
    });
    client.run().await?;
    let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Ok(seen)
}

const TABLES: &str = r#"[[api_key]]
name = "agent"
key = { insecure_inline = "a-key-of-the-contract" }
scopes = ["consume", "read", "emit", "admin"]

[[channel]]
id = "in"
type = "webhook"
provider = "none"
verify = "none"

[[subscription]]
name = "agent"
start = "earliest"
retry = { attempts = 100, first = "10ms", longest = "200ms" }

[[subscription]]
name = "patient"
start = "earliest"
retry = { first = "10m", longest = "1h" }

[[subscription]]
name = "read_only"
start = "earliest"
ack = "on_send"
"#;
