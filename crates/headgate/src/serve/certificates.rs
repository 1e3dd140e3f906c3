//! The certificate of a running gateway, read again on SIGHUP and when its files have changed.

use anyhow::Context;
use headgate_event::{Clock, limits::TLS_LOOK_EVERY};
use headgate_http::{Renewal, Tls, TlsError};
use metrics::{counter, gauge};
use std::sync::Arc;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::{Instant, interval_at},
};

/// Looks after the certificate until this is dropped.
#[derive(Debug)]
pub(super) struct Certificates(Option<JoinHandle<()>>);

impl Certificates {
    /// Begins to look after it, where TLS is spoken.
    pub(super) fn begin(tls: Option<&Tls>, clock: &Arc<dyn Clock>) -> anyhow::Result<Self> {
        let Some(tls) = tls.cloned() else { return Ok(Self(None)) };
        let clock = Arc::clone(clock);
        let mut asked = signal(SignalKind::hangup()).context("listen for SIGHUP")?;
        show_end(&tls);
        Ok(Self(Some(tokio::spawn(async move {
            let mut looks = interval_at(Instant::now() + TLS_LOOK_EVERY, TLS_LOOK_EVERY);
            loop {
                let renewed = tokio::select! {
                    _ = asked.recv() => tls.reload(clock.now()),
                    _ = looks.tick() => tls.reload_changed(clock.now()),
                };
                tell(&tls, renewed);
            }
        }))))
    }
}

impl Drop for Certificates {
    fn drop(&mut self) {
        if let Some(task) = &self.0 {
            task.abort();
        }
    }
}

fn tell(tls: &Tls, renewed: Result<Renewal, TlsError>) {
    match renewed {
        Ok(Renewal::Unchanged) => {}
        Ok(Renewal::Renewed) => {
            counter!("headgate_tls_reloads_total", "result" => "renewed").increment(1);
            tracing::info!("the certificate was read again, handshakes use it from here on");
            show_end(tls);
        }
        Err(error) => {
            counter!("headgate_tls_reloads_total", "result" => "kept").increment(1);
            tracing::error!(%error, "the certificate is not changed: its files cannot be used");
        }
    }
}

fn show_end(tls: &Tls) {
    if let Some(end) = tls.valid_until_unix_s() {
        gauge!("headgate_tls_certificate_valid_until_seconds").set(end as f64);
    }
}
