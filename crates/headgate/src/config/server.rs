//! `[server]`: where to listen, and what may not be open to the world without keys.

use super::{section::Section, tls};
use headgate_event::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX};
use headgate_http::TlsFiles;
use std::net::{Ipv4Addr, SocketAddr};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address of the one listener.
    pub listen: SocketAddr,
    /// The address under which the world reaches it, without `/` at its end.
    pub public_url: Option<String>,
    /// The certificate that TLS is spoken with, as the configuration names it.
    pub tls: Option<TlsFiles>,
    /// How many connections there may be.
    pub connections: Connections,
}

/// How many connections there may be at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connections {
    /// All of them.
    pub total: usize,
    /// Those from one IPv4 address or one /64 of IPv6.
    pub per_network: usize,
}

/// A way in from beyond this machine, without any key that protects the API.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The listener is open to other machines.
    #[error("expected an `[[api_key]]` to listen beyond this machine on `{listen}`, found none")]
    Listen {
        /// The address.
        listen: SocketAddr,
    },
    /// A proxy or a tunnel leads here.
    #[error("expected an `[[api_key]]` to have a `public_url`, found none")]
    PublicUrl,
}

impl OpenError {
    /// The key that opens the way.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "server.listen",
            Self::PublicUrl => "server.public_url",
        }
    }
}

/// No machine of our time holds more connections in one process.
const CONNECTIONS_CONFIGURED_MAX: u32 = 1_000_000;

const LATER: [&str; 2] = ["trusted_proxies", "api_listen"];

impl Server {
    /// Whether it may run without API keys: on this machine alone, and not behind a public URL.
    pub fn check_open(&self) -> Result<(), OpenError> {
        if !self.listen.ip().to_canonical().is_loopback() {
            return Err(OpenError::Listen { listen: self.listen });
        }
        if self.public_url.is_some() { Err(OpenError::PublicUrl) } else { Ok(()) }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            public_url: None,
            tls: None,
            connections: Connections::default(),
        }
    }
}

impl Default for Connections {
    fn default() -> Self {
        Self { total: CONNECTIONS_MAX, per_network: CONNECTIONS_PER_NETWORK_MAX }
    }
}

pub(super) fn read(root: &Section<'_>) -> Option<Server> {
    let Some(value) = root.optional("server") else { return Some(Server::default()) };
    let section = value.section("a table")?;
    let listen = match section.optional("listen") {
        Some(value) => {
            value.parsed("an address and port such as `127.0.0.1:8080`", |text| text.parse().ok())
        }
        None => Some(Server::default().listen),
    };
    let public_url = section.optional("public_url").map(|value| {
        value.parsed("a URL such as `https://in.example.com`, without query", url_base)
    });
    let tls = tls::files(&section);
    let connections = connections(&section);
    section.report_unknown(&LATER);
    Some(Server {
        listen: listen?,
        tls: tls?,
        connections: connections?,
        public_url: public_url.map_or(Some(None), |url| url.map(Some))?,
    })
}

fn connections(server: &Section<'_>) -> Option<Connections> {
    let default = Connections::default();
    let Some(value) = server.optional("connections") else { return Some(default) };
    let section = value.section("a table with `total` and `per_network`")?;
    let number = |key, default: usize| match section.optional(key) {
        Some(value) => value.integer(1..=CONNECTIONS_CONFIGURED_MAX).map(|n| n as usize),
        None => Some(default),
    };
    let total = number("total", default.total);
    let per_network = number("per_network", default.per_network);
    section.report_unknown(&[]);
    Some(Connections { total: total?, per_network: per_network? })
}

fn url_base(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok()?;
    let scheme = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url.authority().is_some_and(|host| !host.as_str().contains('@'));
    let plain = url.query().is_none() && !text.contains('#');
    (scheme && host && plain).then(|| text.trim_end_matches('/').to_owned())
}
