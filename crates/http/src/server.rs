//! The server loop: from a listening socket to a service, and to an end in good order.
//!
//! Not for what a request means: any `tower` service is served. It stands directly on hyper and
//! adds what hyper leaves open: strict heads, timers that act, bounds, ids, and the drain.

mod alarm;
mod answer_body;
mod connection;
mod exchange;
mod front;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handler;
mod handshake;
mod head;
mod held;
mod listener;
mod refusal;
mod request_ids;
mod slots;
mod tls;
mod watch;

pub use handler::Handler;
pub use slots::{Exempt, Network};
pub use tls::{Renewal, Tls, TlsError, TlsFiles};

use connection::converse;
use exchange::Exchange;
use front::Front;
use handshake::shake_hands;
use headgate_event::{Clock, limits};
use held::HeadRoom;
use listener::{Listener, is_of_one_connection};
use metrics::counter;
use request_ids::RequestIds;
use slots::{Slot, SlotRules, Slots};
use std::{fmt, future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpListener,
    time::{Instant, sleep, timeout},
};
use watch::Watch;

/// What clients may cost.
#[derive(Clone)]
pub struct ServerOptions {
    /// The longest head of a request, in bytes.
    pub head_bytes_max: usize,
    /// How long the head of a request may take: the first from the connection's start, others from
    /// their first byte.
    pub head_timeout: Duration,
    /// How long a kept connection may be idle between requests.
    pub idle_timeout: Duration,
    /// How long an answer may wait for its client to take any of it.
    pub answer_stall_timeout: Duration,
    /// How long a connection that is closed early discards what still comes.
    pub linger_timeout: Duration,
    /// The most connections at one time. Beyond it those that nobody waits for make room, and where
    /// there are none, what comes is closed at once.
    pub connections_max: usize,
    /// The most connections at one time from one IPv4 address or one /64 of IPv6; what comes beyond
    /// it is closed at once. Loopback has no such limit.
    pub connections_per_network_max: usize,
    /// Who else has no such limit, such as a proxy that all senders come through.
    pub network_exempt: Option<Exempt>,
    /// TLS, when it is spoken; then nothing else is.
    pub tls: Option<Tls>,
    /// How long a TLS handshake may take.
    pub handshake_timeout: Duration,
    /// How long a stop waits for what is in hand.
    pub drain_timeout: Duration,
}

/// How the end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainReport {
    /// The connections that were open when the stop came, idle ones too.
    pub open: usize,
    /// Those that were cut when the time was up.
    pub cut: usize,
    /// How long it took.
    pub took: Duration,
}

/// Where the server is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    Serving,
    Draining,
    Cut,
}

/// What every connection is given.
#[derive(Clone, Debug)]
struct Server<S> {
    service: S,
    options: Arc<ServerOptions>,
    clock: Arc<dyn Clock>,
    request_ids: Arc<RequestIds>,
    heads: HeadRoom,
    slots: Slots,
    phase: tokio::sync::watch::Sender<Phase>,
}

impl fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerOptions")
            .field("connections_max", &self.connections_max)
            .field("connections_per_network_max", &self.connections_per_network_max)
            .field("tls", &self.tls)
            .finish_non_exhaustive()
    }
}

impl Default for ServerOptions {
    /// The limits of `headgate_event::limits`.
    fn default() -> Self {
        Self {
            head_bytes_max: limits::HEAD_BYTES_MAX,
            head_timeout: limits::HEAD_TIMEOUT,
            idle_timeout: limits::CONNECTION_IDLE_TIMEOUT,
            answer_stall_timeout: limits::ANSWER_STALL_TIMEOUT,
            linger_timeout: limits::LINGER_TIMEOUT,
            connections_max: limits::CONNECTIONS_MAX,
            connections_per_network_max: limits::CONNECTIONS_PER_NETWORK_MAX,
            network_exempt: None,
            tls: None,
            handshake_timeout: limits::TLS_HANDSHAKE_TIMEOUT,
            drain_timeout: limits::DRAIN_TIMEOUT,
        }
    }
}

/// Serves until `stop`, then drains: no new connection is taken, idle ones are closed, requests in
/// hand are finished, and what is left after the drain's time is cut.
///
/// Each request carries an [`Arrival`](crate::Arrival) in its extensions, and each answer its id
/// in `x-request-id`. A connection that was upgraded counts until its service closes it, so the
/// service must end those by itself when the stop comes. Dropping this future cuts at once.
pub async fn serve<S: Handler>(
    listener: TcpListener,
    service: S,
    options: ServerOptions,
    clock: Arc<dyn Clock>,
    stop: impl Future<Output = ()> + Send,
) -> DrainReport {
    Server::new(service, options, clock).run(listener, stop).await
}

impl<S: Handler> Server<S> {
    fn new(service: S, options: ServerOptions, clock: Arc<dyn Clock>) -> Self {
        Self {
            service,
            clock,
            request_ids: Arc::new(RequestIds::new()),
            heads: HeadRoom::new(limits::HEADS_IN_FLIGHT_BYTES_MAX),
            slots: Slots::new(SlotRules {
                total: options.connections_max,
                per_network: options.connections_per_network_max,
                exempt: options.network_exempt.clone(),
            }),
            phase: tokio::sync::watch::Sender::new(Phase::Serving),
            options: Arc::new(options),
        }
    }

    async fn run(
        mut self,
        mut listener: impl Listener,
        stop: impl Future<Output = ()>,
    ) -> DrainReport {
        {
            let mut stop = pin!(stop);
            loop {
                tokio::select! {
                    biased;
                    () = stop.as_mut() => break,
                    () = self.accept(&mut listener) => {}
                }
            }
        }
        drop(listener);
        self.drain().await
    }

    /// Takes one connection, or pauses when the system has no room for one.
    async fn accept(&mut self, listener: &mut impl Listener) {
        match listener.next().await {
            Ok((io, remote)) => self.begin(io, remote),
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "a connection ended before it was taken");
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken for a moment");
                counter!("headgate_http_accept_errors_total").increment(1);
                self.slots.make_room();
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }

    /// Begins a connection in a task of its own, or closes it at once.
    fn begin<I>(&self, io: I, remote: SocketAddr)
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let exchange = Arc::new(Exchange::default());
        let slot = match self.slots.take(remote, &exchange) {
            Ok(slot) => slot,
            Err(full) => {
                let reason = full.reason();
                counter!("headgate_http_connections_refused_total", "reason" => reason)
                    .increment(1);
                tracing::debug!(%remote, reason, "a connection is refused: there is no room");
                return;
            }
        };
        let Some(tls) = &self.options.tls else {
            tokio::spawn(self.converse(io, remote, exchange, slot));
            return;
        };
        let shaken = shake_hands(
            tls.acceptor().accept(io),
            self.options.handshake_timeout,
            Arc::clone(&exchange),
            self.phase.subscribe(),
        );
        let server = self.clone();
        tokio::spawn(async move {
            if let Some(io) = shaken.await {
                server.converse(io, remote, exchange, slot).await;
            }
        });
    }

    fn converse<I>(
        &self,
        io: I,
        remote: SocketAddr,
        exchange: Arc<Exchange>,
        slot: Slot,
    ) -> impl Future<Output = ()> + Send + use<I, S>
    where
        I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let options = Arc::clone(&self.options);
        let io = Watch::new(io, Arc::clone(&exchange), Arc::clone(&options), &self.heads, slot);
        let front = Front {
            service: self.service.clone(),
            remote,
            exchange,
            clock: Arc::clone(&self.clock),
            request_ids: Arc::clone(&self.request_ids),
            head_bytes_max: options.head_bytes_max,
        };
        converse(io, front, options, self.slots.open(), self.phase.subscribe())
    }

    async fn drain(self) -> DrainReport {
        let started = Instant::now();
        let open = self.slots.open();
        self.phase.send_replace(Phase::Draining);
        let drained = timeout(self.options.drain_timeout, self.slots.all_free()).await;
        let cut = if drained.is_ok() { 0 } else { self.slots.open() };
        self.phase.send_replace(Phase::Cut);
        if cut > 0 {
            tracing::warn!(cut, "connections were cut because they did not end in time");
        }
        DrainReport { open, cut, took: started.elapsed() }
    }
}

#[cfg(test)]
mod timed;
