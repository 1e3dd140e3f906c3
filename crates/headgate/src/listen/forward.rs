//! The work as a call: the event is posted to a URL.
//!
//! While nobody listens there, nothing is leased, and what is in hand already waits under its
//! lease: an event that was never shown to anyone has lost no attempt.

use super::{leases::Delivered, outcome::Outcome};
use crate::client::{CONNECT_TIMEOUT, ClientError, Transport, retry_after, url};
use bytes::Bytes;
use headgate_client::Backoff;
use http::{HeaderMap, HeaderValue, Method, header};
use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};
use tokio::{net::TcpStream, time::timeout};

/// How long the other side may work on an event before it counts as failed.
const FORWARD_TIMEOUT: Duration = Duration::from_secs(300);

/// A URL that takes events.
#[derive(Debug)]
pub(super) struct Forward {
    url: String,
    /// The host and the port, as a resolver takes them.
    target: String,
    transport: Transport,
    /// Whether the target was there when it was last looked for.
    reached: AtomicBool,
}

impl Forward {
    pub(super) fn new(to: &str) -> Result<Self, ClientError> {
        let uri = url(to)?;
        let default = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        let port = uri.port_u16().unwrap_or(default);
        let target = format!("{}:{port}", uri.host().unwrap_or_default());
        let reached = AtomicBool::new(false);
        Ok(Self { url: to.to_owned(), target, transport: Transport::new(&uri)?, reached })
    }

    /// Resolves when somebody listens at the target; at once when somebody did the last time.
    pub(super) async fn reachable(&self) {
        let mut backoff = Backoff::default();
        while !self.reached.load(Ordering::Relaxed) {
            match timeout(CONNECT_TIMEOUT, TcpStream::connect(&self.target)).await {
                Ok(Ok(_)) => self.reached.store(true, Ordering::Relaxed),
                Ok(Err(error)) => self.wait(&mut backoff, &error.to_string()).await,
                Err(_) => self.wait(&mut backoff, "no answer").await,
            }
        }
    }

    async fn wait(&self, backoff: &mut Backoff, reason: &str) {
        let wait = backoff.next(None);
        tracing::warn!(url = self.url, reason, ?wait, "nobody listens there, nothing is leased");
        tokio::time::sleep(wait).await;
    }

    pub(super) async fn perform(&self, delivered: &Delivered) -> Outcome {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let body = Bytes::from(delivered.json.get().to_owned());
        let mut backoff = Backoff::default();
        let sent = loop {
            let (headers, body) = (headers.clone(), body.clone());
            let sent = self.transport.send(Method::POST, &self.url, headers, body, FORWARD_TIMEOUT);
            match sent.await {
                // It never left, so it is not a failed attempt.
                Err(ClientError::Unreachable { reason, unsent: true, .. }) => {
                    self.reached.store(false, Ordering::Relaxed);
                    self.wait(&mut backoff, &reason).await;
                    self.reachable().await;
                }
                sent => break sent,
            }
        };
        match sent {
            Ok(reply) if reply.status.is_success() => Outcome::Done,
            Ok(reply) => {
                let reason = format!("`{}` answered {}", self.url, reply.status);
                Outcome::again(reason).after(retry_after(&reply.headers))
            }
            Err(error) => Outcome::again(error.to_string()),
        }
    }
}
