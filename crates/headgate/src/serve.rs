//! `headgate serve`: the gateway from its start to its stop, top to bottom.

mod announce;
mod configuration;
mod front;
mod retention;
mod storage;
mod subscriptions;

use crate::{
    cli::ServeArguments,
    clock::SystemClock,
    config::{Config, Environment},
    failure::Failure,
    signals::Signals,
    telemetry,
};
use announce::Announcer;
use anyhow::Context;
use headgate_api::{Access, Api, ApiOptions, StreamRules};
use headgate_event::Clock;
use headgate_http::{DrainReport, Intake, IntakeOptions, ServerOptions};
use headgate_queue::Queue;
use headgate_webhook::{Ports, Providers, WebhookSource};
use metrics_exporter_prometheus::PrometheusHandle;
use std::{sync::Arc, time::Duration};
use tokio::{net::TcpListener, sync::watch};

/// How long open streams may take to say goodbye, once requests are finished.
const STREAMS_TIMEOUT: Duration = Duration::from_secs(5);
/// How long closing the queue may take.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Runs the gateway until a signal asks it to stop.
pub async fn run(arguments: &ServeArguments, environment: &Environment) -> Result<(), Failure> {
    let providers = Providers::embedded();
    let config = configuration::read(arguments, environment, &providers)?;
    let signals = Signals::listen()?;
    let metrics = telemetry::record_metrics()?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);

    let storage = storage::open(&config.data_dir, &clock).await?;
    let queue = Arc::clone(&storage.queue);
    subscriptions::bring_in_line(&*queue, &config.subscriptions).await?;
    let ports = Ports {
        sink: storage.sink,
        intake: Arc::new(intake(&config)?),
        clock: Arc::clone(&clock),
        prompt_key: storage.prompt_key,
    };
    let webhooks = WebhookSource::new(config.channels.clone(), &providers, ports)
        .map_err(configuration::not_taken)?;
    let (stop, stopping) = watch::channel(false);
    let api = Api::new(api_options(&config, &queue, &clock, metrics, stopping));

    let listener = TcpListener::bind(config.server.listen)
        .await
        .with_context(|| format!("cannot listen on `{}`", config.server.listen))?;
    let address = listener.local_addr().context("the address of the listener")?;
    let announcer = Announcer::begin(&config, address, &queue);
    let retaining = tokio::spawn(retention::keep_to(
        config.retention,
        Arc::clone(&storage.embedded),
        stop.subscribe(),
    ));

    let serving = headgate_http::serve(
        listener,
        front::service(webhooks, api.clone()),
        ServerOptions::default(),
        clock,
        async {
            signals.finish().await;
            tracing::info!("stopping: no new connections, what was begun is finished");
            stop.send_replace(true);
        },
    );
    tokio::select! {
        report = serving => {
            let DrainReport { open, cut, took } = report;
            tracing::info!(open, cut, ?took, "requests are finished");
        }
        () = signals.cut() => tracing::warn!("cut by a second signal"),
    }
    announcer.end();
    if tokio::time::timeout(STREAMS_TIMEOUT, api.streams_ended()).await.is_err() {
        tracing::warn!("streams were cut because they did not end in time");
    }
    // What it has begun is finished by the next start, if it does not end in time.
    let _ = tokio::time::timeout(CLOSE_TIMEOUT, retaining).await;
    if tokio::time::timeout(CLOSE_TIMEOUT, queue.close()).await.is_err() {
        return Err(anyhow::anyhow!("the queue did not close within {CLOSE_TIMEOUT:?}").into());
    }
    tracing::info!("stopped");
    Ok(())
}

fn intake(config: &Config) -> anyhow::Result<Intake> {
    let folder = config.data_dir.join("spool");
    Intake::new(IntakeOptions::new(&folder))
        .with_context(|| format!("cannot use `{}` for large bodies", folder.display()))
}

fn api_options(
    config: &Config,
    queue: &Arc<dyn Queue>,
    clock: &Arc<dyn Clock>,
    metrics: PrometheusHandle,
    stop: watch::Receiver<bool>,
) -> ApiOptions {
    let access = match config.api_keys.as_slice() {
        [] => Access::Loopback,
        keys => Access::Keys(keys.to_vec()),
    };
    ApiOptions {
        queue: Arc::clone(queue),
        access,
        clock: Arc::clone(clock),
        version: env!("CARGO_PKG_VERSION"),
        // Whoever can ask has reached the listener, and the queue is asked by the API itself.
        readiness: Arc::new(Vec::new),
        metrics: Some(metrics),
        channels: config.channels.iter().map(front::channel_view).collect(),
        stop,
        stream: StreamRules::default(),
    }
}
