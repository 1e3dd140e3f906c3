//! The server loop: from a listening socket to a service, and to an end in good order.
//!
//! Not for what a request means: any `tower` service is served. It stands directly on hyper and
//! adds what hyper leaves open: strict heads, timers that act, bounds, ids, and the drain.

mod alarm;
mod connection;
mod exchange;
mod front;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod handler;
mod head;
mod listener;
mod request_ids;
mod slots;
mod watch;

pub use handler::Handler;

use connection::{converse, protocol};
use exchange::Exchange;
use front::Front;
use headgate_event::{Clock, limits};
use hyper_util::{rt::TokioExecutor, server::conn::auto};
use listener::{Listener, is_of_one_connection};
use request_ids::RequestIds;
use slots::Slots;
use std::{future::Future, net::SocketAddr, pin::pin, sync::Arc, time::Duration};
use tokio::{
    net::TcpListener,
    time::{Instant, sleep, timeout},
};
use watch::Watch;

/// What clients may cost.
#[derive(Clone, Debug)]
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
    /// The most connections at one time; more wait in the system's queue.
    pub connections_max: usize,
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
#[derive(Debug)]
struct Server<S> {
    service: S,
    options: Arc<ServerOptions>,
    clock: Arc<dyn Clock>,
    request_ids: Arc<RequestIds>,
    protocol: Arc<auto::Builder<TokioExecutor>>,
    slots: Slots,
    phase: tokio::sync::watch::Sender<Phase>,
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
            protocol: Arc::new(protocol(&options)),
            slots: Slots::new(options.connections_max),
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

    /// Takes one connection when there is room, or pauses when there is none.
    async fn accept(&mut self, listener: &mut impl Listener) {
        self.slots.room().await;
        match listener.next().await {
            Ok((io, remote)) => self.begin(io, remote),
            Err(error) if is_of_one_connection(&error) => {
                tracing::debug!(%error, "a connection ended before it was taken");
            }
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken for a moment");
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }

    fn begin<I>(&self, io: I, remote: SocketAddr)
    where
        I: tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin + Send + 'static,
    {
        let exchange = Arc::new(Exchange::default());
        let options = Arc::clone(&self.options);
        let io = Watch::new(io, Arc::clone(&exchange), options, self.slots.take());
        let front = Front {
            service: self.service.clone(),
            remote,
            exchange,
            clock: Arc::clone(&self.clock),
            request_ids: Arc::clone(&self.request_ids),
        };
        let (protocol, phase) = (Arc::clone(&self.protocol), self.phase.subscribe());
        tokio::spawn(converse(protocol, io, front, self.options.idle_timeout, phase));
    }

    async fn drain(self) -> DrainReport {
        let started = Instant::now();
        let open = self.slots.taken();
        self.phase.send_replace(Phase::Draining);
        let drained = timeout(self.options.drain_timeout, self.slots.all_free()).await;
        let cut = if drained.is_ok() { 0 } else { self.slots.taken() };
        self.phase.send_replace(Phase::Cut);
        if cut > 0 {
            tracing::warn!(cut, "connections were cut because they did not end in time");
        }
        DrainReport { open, cut, took: started.elapsed() }
    }
}

#[cfg(test)]
mod timed;
