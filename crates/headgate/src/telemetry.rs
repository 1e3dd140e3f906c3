//! What the program says of itself: its log on stderr, and its metrics.

pub mod metrics;

use crate::failure::Failure;
use anyhow::Context;
use headgate_event::limits::METRICS_UPKEEP_EVERY;
use metrics::Kind;
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use std::io::{self, IsTerminal};
use tracing_subscriber::EnvFilter;

/// Sends the log to stderr: for people on a terminal, as one JSON object a line otherwise.
pub fn log(filter: &str) -> Result<(), Failure> {
    let filter = EnvFilter::try_new(filter)
        .map_err(|error| Failure::usage(format!("`{filter}` is not a log filter: {error}")))?;
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    let set = if io::stderr().is_terminal() {
        log.with_target(false).try_init()
    } else {
        log.json().flatten_event(true).with_current_span(false).with_span_list(false).try_init()
    };
    // A test that runs two commands in one process has set it before.
    drop(set);
    Ok(())
}

/// Records metrics from this moment on. The API shows them; nothing listens for them.
pub fn record_metrics() -> anyhow::Result<PrometheusHandle> {
    let mut builder = PrometheusBuilder::new();
    for metric in metrics::recorded() {
        if let Kind::Histogram(bounds) = metric.kind {
            let name = Matcher::Full(metric.name.to_owned());
            builder = builder.set_buckets_for_metric(name, bounds).context("record metrics")?;
        }
    }
    let handle = builder.install_recorder().context("record metrics")?;
    metrics::describe();
    tokio::spawn(upkeep(handle.clone()));
    Ok(handle)
}

/// Counts what histograms have gathered, which they keep one by one until then: without it memory
/// would grow for as long as nobody asks for metrics.
async fn upkeep(handle: PrometheusHandle) {
    let mut ticks = tokio::time::interval(METRICS_UPKEEP_EVERY);
    loop {
        ticks.tick().await;
        handle.run_upkeep();
    }
}
