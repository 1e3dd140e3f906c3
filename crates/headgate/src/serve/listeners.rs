//! The one listener, or the two: of senders and of the API.

use super::{
    front::{self, Part},
    mail::{MailAddresses, MailListeners},
    sources::Sources,
};
use crate::config::Config;
use anyhow::Context;
use headgate_api::Api;
use headgate_event::Clock;
use headgate_http::{DrainReport, ServerOptions, TrustedProxies};
use std::{net::SocketAddr, sync::Arc};
use tokio::{net::TcpListener, sync::watch};

/// Where the gateway listens, before it serves.
#[derive(Debug)]
pub(super) struct Listeners {
    public: TcpListener,
    api: Option<TcpListener>,
    mail: MailListeners,
}

/// The addresses at which the gateway is reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Addresses {
    /// That of senders, and of the API where it has none of its own.
    pub(super) public: SocketAddr,
    /// That of the API alone.
    pub(super) api: Option<SocketAddr>,
    /// Those of mail.
    pub(super) mail: MailAddresses,
}

impl Listeners {
    /// Takes the addresses of the configuration.
    pub(super) async fn bind(config: &Config) -> anyhow::Result<Self> {
        let server = &config.server;
        let public = bind(server.listen).await?;
        let api = match server.api_listen {
            Some(address) => Some(bind(address).await?),
            None => None,
        };
        Ok(Self { public, api, mail: MailListeners::bind(config).await? })
    }

    pub(super) fn addresses(&self) -> anyhow::Result<Addresses> {
        let of = |listener: &TcpListener| listener.local_addr().context("a listener's address");
        let api = self.api.as_ref().map(of).transpose()?;
        Ok(Addresses { public: of(&self.public)?, api, mail: self.mail.addresses()? })
    }

    /// Serves until `stopping` turns true and what was begun is finished.
    pub(super) async fn serve(
        self,
        config: &Config,
        sources: &Sources,
        api: &Api,
        clock: Arc<dyn Clock>,
        stopping: &watch::Receiver<bool>,
    ) -> DrainReport {
        let mail = self.mail.serve(config, sources, &clock, stopping);
        let serve = async |listener, part| {
            let service = front::service(sources.clone(), api.clone(), part);
            let mut stopping = stopping.clone();
            let stop = async move {
                // Whoever could say stop is gone: that is a stop too.
                let _ = stopping.wait_for(|stop| *stop).await;
            };
            let options = options(config, part);
            headgate_http::serve(listener, service, options, Arc::clone(&clock), stop).await
        };
        match self.api {
            None => tokio::join!(serve(self.public, Part::Whole), mail).0,
            Some(listener) => {
                let public = serve(self.public, Part::Sources);
                let (public, api, ()) = tokio::join!(public, serve(listener, Part::Api), mail);
                DrainReport {
                    open: public.open + api.open,
                    cut: public.cut + api.cut,
                    took: public.took.max(api.took),
                }
            }
        }
    }
}

/// What clients of a listener may cost, and whether it speaks TLS.
fn options(config: &Config, part: Part) -> ServerOptions {
    let speaks_tls = part != Part::Api || config.server.api_speaks_tls();
    let proxies = TrustedProxies::new(config.server.trusted_proxies.clone());
    ServerOptions {
        connections_max: config.server.connections.total,
        connections_per_network_max: config.server.connections.per_network,
        // All senders come through them.
        network_exempt: Some(Arc::new(move |address| proxies.trusts(address.to_canonical()))),
        tls: config.tls.clone().filter(|_| speaks_tls),
        ..ServerOptions::default()
    }
}

async fn bind(address: SocketAddr) -> anyhow::Result<TcpListener> {
    TcpListener::bind(address).await.with_context(|| format!("cannot listen on `{address}`"))
}
