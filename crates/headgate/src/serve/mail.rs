//! The listeners of mail servers: bound, served, drained.

use super::sources::Sources;
use crate::config::{Config, LineEnds, Mail, StartTls};
use anyhow::Context;
use futures_util::future::join_all;
use headgate_email::{
    MailSource,
    smtp::{self, Encryption, SmtpOptions, SmtpPorts, SmtpReport},
};
use headgate_event::Clock;
use headgate_http::Tls;
use std::{
    io::ErrorKind,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle};

/// Where mail servers are listened to, before they are served.
#[derive(Debug)]
pub(super) struct MailListeners {
    plain: Option<TcpListener>,
    immediate: Option<TcpListener>,
}

/// The addresses at which mail servers reach the gateway.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct MailAddresses {
    /// That of SMTP.
    pub(super) plain: Option<SocketAddr>,
    /// That of SMTP with TLS from the first byte.
    pub(super) immediate: Option<SocketAddr>,
}

/// Whether all mail servers that the configuration wants to hear are heard. Clones are the same.
#[derive(Clone, Debug)]
pub(super) struct Hearing(Arc<AtomicBool>);

impl MailListeners {
    /// Takes the addresses of the configuration. Where nobody has configured one, another program
    /// on the demo's is no reason not to start.
    pub(super) async fn bind(config: &Config) -> anyhow::Result<Self> {
        let is_demo = config.file.is_none();
        let plain = match config.mail.listen {
            Some(address) if is_demo => Some(bind_near(address).await?),
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        let immediate = match config.mail.tls_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { plain, immediate })
    }

    pub(super) fn addresses(&self) -> anyhow::Result<MailAddresses> {
        let of = |listener: &TcpListener| listener.local_addr().context("a listener's address");
        Ok(MailAddresses {
            plain: self.plain.as_ref().map(of).transpose()?,
            immediate: self.immediate.as_ref().map(of).transpose()?,
        })
    }

    /// Receives until `stopping` turns true, and until messages in hand are stored.
    pub(super) async fn serve(
        self,
        config: &Config,
        sources: &Sources,
        clock: &Arc<dyn Clock>,
        stopping: &watch::Receiver<bool>,
    ) {
        let plain = self.plain.map(|listener| (listener, offer(config)));
        let immediate = self.immediate.zip(config.tls.clone().map(Encryption::Immediate));
        let serving = plain.into_iter().chain(immediate).map(|(listener, encryption)| {
            let mut stopping = stopping.clone();
            let stop = async move {
                // Whoever could say stop is gone: that is a stop too.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            let options = options(&config.mail, encryption);
            // A task of its own: what goes wrong there is not the end of everything.
            let task = tokio::spawn(smtp::serve(listener, options, ports(sources, clock), stop));
            sources.hearing.until_end(task)
        });
        let serving: Vec<_> = serving.collect();
        sources.hearing.0.store(true, Ordering::SeqCst);
        for SmtpReport { open, cut, took } in join_all(serving).await.into_iter().flatten() {
            tracing::info!(open, cut, ?took, "conversations with mail servers are finished");
        }
    }
}

impl Hearing {
    /// Of nobody as yet.
    pub(super) fn wanted_by(mail: &Mail) -> Self {
        Self(Arc::new(AtomicBool::new(!mail.listens())))
    }

    /// Why mail servers are not heard, if they should be.
    pub(super) fn deaf(&self) -> Option<String> {
        let deaf = !self.0.load(Ordering::SeqCst);
        deaf.then(|| "mail servers are not listened to".to_owned())
    }

    /// Waits for the end of a listener; from there on not all are heard.
    async fn until_end(&self, task: JoinHandle<SmtpReport>) -> Option<SmtpReport> {
        let ended = task.await;
        self.0.store(false, Ordering::SeqCst);
        ended.inspect_err(|error| tracing::error!(%error, "a listener of mail ended early")).ok()
    }
}

fn ports(sources: &Sources, clock: &Arc<dyn Clock>) -> SmtpPorts<MailSource> {
    SmtpPorts {
        recipients: Arc::clone(&sources.mail) as Arc<dyn smtp::Recipients>,
        mailbox: Arc::clone(&sources.mail),
        intake: (*sources.intake).clone(),
        clock: Arc::clone(clock),
    }
}

fn offer(config: &Config) -> Encryption {
    let with = |tls: Option<&Tls>, encryption: fn(Tls) -> Encryption| {
        tls.cloned().map_or(Encryption::None, encryption)
    };
    match config.mail.starttls {
        StartTls::Off => Encryption::None,
        StartTls::Offered => with(config.tls.as_ref(), Encryption::Offered),
        StartTls::Required => with(config.tls.as_ref(), Encryption::Required),
    }
}

/// What mail servers may cost, and whose line ends are mended.
fn options(mail: &Mail, encryption: Encryption) -> SmtpOptions {
    let mut options = SmtpOptions::new(mail.hostname.clone());
    options.encryption = encryption;
    options.rules.message_bytes_max = mail.message_bytes_max;
    options.rules.recipients_max = mail.recipients_max;
    options.proxies = mail.proxies.clone();
    if mail.bare_newlines == LineEnds::Normalized {
        options.normalized = mail.trusted_networks.clone();
    }
    options.connections_max = mail.connections.total;
    options.connections_per_network_max = mail.connections.per_network;
    let trusted = mail.trusted_networks.clone();
    options.network_exempt = Some(Arc::new(move |address| {
        let address = address.to_canonical();
        trusted.iter().any(|network| network.contains(&address))
    }));
    options
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.with_context(|| format!("cannot listen for mail on `{address}`"))
}

/// Takes the address, or any free port beside it.
async fn bind_near(address: SocketAddr) -> anyhow::Result<TcpListener> {
    match TcpListener::bind(address).await {
        Err(error) if error.kind() == ErrorKind::AddrInUse => {
            bind(SocketAddr::new(address.ip(), 0)).await
        }
        bound => bound.with_context(|| format!("cannot listen for mail on `{address}`")),
    }
}
