//! The certificate of a running gateway, read again when its files have changed. A reload of the
//! configuration is the other way to change it.

use headgate_event::{Clock, limits::TLS_LOOK_EVERY};
use headgate_http::{Renewal, Tls, TlsError};
use metrics::{counter, gauge};
use std::sync::Arc;
use tokio::{
    task::JoinHandle,
    time::{Instant, interval_at},
};

/// Looks after the certificate until this is dropped.
#[derive(Debug)]
pub(super) struct Certificates(Option<JoinHandle<()>>);

impl Certificates {
    /// Begins to look after it, where TLS is spoken.
    pub(super) fn begin(tls: Option<&Tls>, clock: &Arc<dyn Clock>) -> Self {
        let Some(tls) = tls.cloned() else { return Self(None) };
        let clock = Arc::clone(clock);
        show_end(&tls);
        Self(Some(tokio::spawn(async move {
            let mut looks = interval_at(Instant::now() + TLS_LOOK_EVERY, TLS_LOOK_EVERY);
            loop {
                looks.tick().await;
                tell(&tls, tls.reload(clock.now()));
            }
        })))
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

/// Shows until when the certificate in use is valid.
pub(super) fn show_end(tls: &Tls) {
    if let Some(end) = tls.valid_until_unix_s() {
        gauge!("headgate_tls_certificate_valid_until_seconds").set(end as f64);
    }
}
