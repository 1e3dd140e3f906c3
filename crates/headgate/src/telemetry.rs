//! What the program says of itself: its log on stderr, and its metrics.

use crate::failure::Failure;
use anyhow::Context;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
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
    PrometheusBuilder::new().install_recorder().context("record metrics")
}
