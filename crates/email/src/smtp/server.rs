//! The listener: takes connections, bounds them, and ends them in good order.
//!
//! Not for what is said on them: that is the session's.

mod connection;
mod proxied;

use super::{
    ports::{Mailbox, Recipients},
    reply::Reply,
    seats::{Seat, Seats},
    session::{BareNewlines, Conditions, Disk, SessionRules, TlsOffer},
};
use headgate_event::{Clock, limits};
use headgate_http::{Exempt, Intake, IpNet, Tls};
use metrics::counter;
use std::{
    future::Future,
    io::{ErrorKind, Write},
    net::IpAddr,
    pin::pin,
    sync::Arc,
    time::Duration,
};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    time::{Instant, sleep, timeout},
};
use tokio_rustls::TlsAcceptor;

/// How a listener receives.
#[derive(Clone)]
pub struct SmtpOptions {
    /// What every session keeps to. Its [`tls`](SessionRules::tls) is set from `encryption`.
    pub rules: SessionRules,
    /// When TLS is spoken.
    pub encryption: Encryption,
    /// Whose connections begin with a PROXY header (version 1 or 2) that is believed. A connection
    /// from there without one is closed.
    pub proxies: Vec<IpNet>,
    /// Whose bare line ends are mended instead of refused.
    pub normalized: Vec<IpNet>,
    /// The most connections at one time.
    pub connections_max: usize,
    /// The most connections at one time from one network. Loopback has no such limit.
    pub connections_per_network_max: usize,
    /// Who else has no such limit.
    pub network_exempt: Option<Exempt>,
    /// How long a stop waits for messages in hand.
    pub drain_timeout: Duration,
}

/// When TLS is spoken.
#[derive(Clone, Debug, Default)]
pub enum Encryption {
    /// Never.
    #[default]
    None,
    /// After STARTTLS, if the client wants it.
    Offered(Tls),
    /// After STARTTLS, and no message is taken before.
    Required(Tls),
    /// From the first byte (RFC 8314).
    Immediate(Tls),
}

/// What a listener works with.
#[derive(Debug)]
pub struct SmtpPorts<M> {
    /// Knows the addresses.
    pub recipients: Arc<dyn Recipients>,
    /// Stores messages.
    pub mailbox: Arc<M>,
    /// Where messages wait while they arrive, with the bounds that all sources share.
    pub intake: Intake,
    /// Tells when a message was received.
    pub clock: Arc<dyn Clock>,
}

/// How the end went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SmtpReport {
    /// The connections that were open when the stop came.
    pub open: usize,
    /// Those that were cut when the time was up.
    pub cut: usize,
    /// How long it took.
    pub took: Duration,
}

/// Where the listener is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Serving,
    Draining,
    Cut,
}

/// What every connection is given.
struct Shared<M> {
    options: SmtpOptions,
    rules: Arc<SessionRules>,
    acceptor: Option<TlsAcceptor>,
    ports: SmtpPorts<M>,
    seats: Seats,
    life: watch::Sender<Life>,
}

impl SmtpOptions {
    /// The limits of `headgate_event::limits`, without TLS.
    #[must_use]
    pub fn new(host: impl Into<String>) -> Self {
        Self {
            rules: SessionRules::new(host),
            encryption: Encryption::None,
            proxies: Vec::new(),
            normalized: Vec::new(),
            connections_max: limits::SMTP_CONNECTIONS_MAX,
            connections_per_network_max: limits::SMTP_CONNECTIONS_PER_NETWORK_MAX,
            network_exempt: None,
            drain_timeout: limits::DRAIN_TIMEOUT,
        }
    }
}

impl std::fmt::Debug for SmtpOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SmtpOptions")
            .field("rules", &self.rules)
            .field("encryption", &self.encryption)
            .field("connections_max", &self.connections_max)
            .finish_non_exhaustive()
    }
}

impl Encryption {
    fn parts(&self) -> (TlsOffer, Option<TlsAcceptor>) {
        let acceptor = |tls: &Tls| Some(tls.acceptor_without_protocols());
        match self {
            Self::None => (TlsOffer::None, None),
            Self::Offered(tls) => (TlsOffer::Offered, acceptor(tls)),
            Self::Required(tls) => (TlsOffer::Required, acceptor(tls)),
            Self::Immediate(tls) => (TlsOffer::None, acceptor(tls)),
        }
    }
}

/// Receives until `stop`, then drains: no connection is taken, messages in hand are finished,
/// sessions end with `421 4.3.2`, and what is left after the drain's time is cut.
pub async fn serve<M: Mailbox>(
    listener: TcpListener,
    options: SmtpOptions,
    ports: SmtpPorts<M>,
    stop: impl Future<Output = ()> + Send,
) -> SmtpReport {
    let (tls, acceptor) = options.encryption.parts();
    let shared = Arc::new(Shared {
        rules: Arc::new(SessionRules { tls, ..options.rules.clone() }),
        acceptor,
        ports,
        seats: Seats::new(options.connections_max, options.connections_per_network_max),
        life: watch::Sender::new(Life::Serving),
        options,
    });
    {
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = stop.as_mut() => break,
                () = shared.accept(&listener) => {}
            }
        }
    }
    drop(listener);
    shared.drain().await
}

impl<M: Mailbox> Shared<M> {
    /// Takes one connection, or pauses when the system has no room for one.
    async fn accept(self: &Arc<Self>, listener: &TcpListener) {
        match listener.accept().await {
            Ok((stream, remote)) => match self.seats.take() {
                Some(seat) => {
                    let shared = Arc::clone(self);
                    tokio::spawn(async move { shared.serve(stream, remote, seat).await });
                }
                None => turn_away(stream, "total"),
            },
            // It ended before it was taken; others wait behind it.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken for a moment");
                sleep(limits::ACCEPT_PAUSE).await;
            }
        }
    }

    /// What holds for all sessions at this moment.
    fn conditions(&self) -> Conditions {
        let disk = if self.ports.mailbox.has_room() { Disk::Free } else { Disk::Low };
        Conditions { load: self.seats.load(), disk }
    }

    fn is_counted(&self, address: IpAddr) -> bool {
        let exempt = self.options.network_exempt.as_ref().is_some_and(|exempt| exempt(address));
        !address.is_loopback() && !exempt
    }

    /// Whether an address has a seat for its network, or needs none.
    fn seats(&self, seat: &mut Seat, address: IpAddr) -> bool {
        !self.is_counted(address.to_canonical()) || seat.belongs_to(address)
    }

    fn bare_newlines(&self, address: IpAddr) -> BareNewlines {
        if contains(&self.options.normalized, address) {
            BareNewlines::Normalize
        } else {
            BareNewlines::Reject
        }
    }

    async fn drain(&self) -> SmtpReport {
        let started = Instant::now();
        let open = self.seats.taken();
        self.life.send_replace(Life::Draining);
        let drained = timeout(self.options.drain_timeout, self.seats.all_free()).await;
        let cut = if drained.is_ok() { 0 } else { self.seats.taken() };
        self.life.send_replace(Life::Cut);
        if cut > 0 {
            tracing::warn!(cut, "SMTP connections were cut because they did not end in time");
        }
        SmtpReport { open, cut, took: started.elapsed() }
    }
}

fn contains(networks: &[IpNet], address: IpAddr) -> bool {
    let address = address.to_canonical();
    networks.iter().any(|network| network.contains(&address))
}

/// Says that there is no room, if that takes no time, and closes.
fn turn_away(stream: TcpStream, reason: &'static str) {
    counter!("headgate_smtp_connections_refused_total", "reason" => reason).increment(1);
    let mut line = Vec::new();
    Reply::TOO_MANY_CONNECTIONS.write_to(&mut line);
    // The socket does not block, and a line fits into its empty buffer: no task waits for a client
    // that there is no room for.
    let written = stream.into_std().and_then(|mut stream| stream.write_all(&line));
    if let Err(error) = written {
        tracing::debug!(%error, "a client that is turned away was not told");
    }
}
