//! The handshake of TLS: timed, counted, and given up when the server stops or needs the room.

use super::{Phase, exchange::Exchange};
use metrics::counter;
use rustls::InvalidMessage;
use std::{future::Future, io, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, sleep},
};
use tokio_rustls::server::TlsStream;

/// The decrypted connection, or none when there is none to have.
pub(super) async fn shake_hands<I>(
    handshake: impl Future<Output = io::Result<TlsStream<I>>>,
    timeout: Duration,
    exchange: Arc<Exchange>,
    mut phase: watch::Receiver<Phase>,
) -> Option<TlsStream<I>> {
    let begun = Instant::now();
    let reason = tokio::select! {
        shaken = handshake => match shaken {
            Ok(io) => return Some(io),
            Err(error) => reason(&error),
        },
        () = sleep(timeout) => "too_slow",
        () = exchange.asked_to_leave() => return None,
        // The stop; no request was begun.
        _ = phase.changed() => return None,
    };
    counter!("headgate_tls_handshakes_failed_total", "reason" => reason).increment(1);
    tracing::debug!(reason, took = ?begun.elapsed(), "a TLS handshake failed");
    None
}

/// What became of a handshake, in a word that is known beforehand.
fn reason(error: &io::Error) -> &'static str {
    let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
    match cause {
        Some(rustls::Error::InvalidMessage(InvalidMessage::InvalidContentType)) => "not_tls",
        Some(rustls::Error::PeerIncompatible(_)) => "incompatible",
        // Such as a client that does not know our issuer.
        Some(rustls::Error::AlertReceived(_)) => "refused_by_client",
        Some(_) => "malformed",
        None => "connection_lost",
    }
}
