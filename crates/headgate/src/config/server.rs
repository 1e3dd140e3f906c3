//! `[server]`: where to listen, who is believed there, and what may not be open to the world
//! without keys.

use super::{network, section::Section, tls, value::Value};
use headgate_event::limits::{CONNECTIONS_MAX, CONNECTIONS_PER_NETWORK_MAX, DRAIN_DELAY_MAX};
use headgate_http::{IpNet, TlsFiles};
use headgate_push::Reach;
use std::{
    net::{Ipv4Addr, SocketAddr},
    time::Duration,
};

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Server {
    /// The address of the one listener, or of webhooks alone where the API has its own.
    pub listen: SocketAddr,
    /// The address of the API; none when it shares the listener of webhooks.
    pub api_listen: Option<SocketAddr>,
    /// The address under which the world reaches it, without `/` at its end.
    pub public_url: Option<String>,
    /// The proxies that are believed about where a request comes from.
    pub trusted_proxies: Vec<IpNet>,
    /// The certificate that TLS is spoken with, as the configuration names it.
    pub tls: Option<TlsFiles>,
    /// How many connections there may be.
    pub connections: Connections,
    /// How long a stop goes on listening while it says that it is not ready.
    pub drain_delay: Duration,
    /// Which addresses may be pushed to.
    pub push_reach: Reach,
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
    /// The listener of everything is open to other machines.
    #[error(
        "expected an `[[api_key]]`, or an `api_listen` on this machine, to listen beyond it on \
         `{listen}`, found none"
    )]
    Listen {
        /// The address.
        listen: SocketAddr,
    },
    /// The listener of the API is open to other machines.
    #[error(
        "expected an `[[api_key]]` to have the API beyond this machine on `{api_listen}`, found \
         none"
    )]
    ApiListen {
        /// The address.
        api_listen: SocketAddr,
    },
    /// A proxy or a tunnel leads here.
    #[error(
        "expected an `[[api_key]]`, or an `api_listen` on this machine, to have a `public_url`, \
         found none"
    )]
    PublicUrl,
}

impl OpenError {
    /// The key that opens the way.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Listen { .. } => "server.listen",
            Self::ApiListen { .. } => "server.api_listen",
            Self::PublicUrl => "server.public_url",
        }
    }
}

/// No machine of our time holds more connections in one process.
const CONNECTIONS_CONFIGURED_MAX: u32 = 1_000_000;

impl Server {
    /// The most files that connections open: each listener has room of its own.
    #[must_use]
    pub fn connections_max(&self) -> usize {
        self.connections.total * if self.api_listen.is_some() { 2 } else { 1 }
    }

    /// The address of the API.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api_listen.unwrap_or(self.listen)
    }

    /// Whether TLS is spoken where the API is: on the listener that it shares, and on its own
    /// unless that is on this machine, by whose addresses no certificate is made out.
    #[must_use]
    pub fn api_speaks_tls(&self) -> bool {
        self.tls.is_some() && self.api_listen.is_none_or(|address| !is_local(address))
    }

    /// What stands before the paths of the API, which listens at `bound`: the public URL where the
    /// API is behind it.
    #[must_use]
    pub fn api_url(&self, bound: SocketAddr) -> String {
        if let Some(url) = self.public_url.as_ref().filter(|_| self.api_listen.is_none()) {
            return url.clone();
        }
        let scheme = if self.api_speaks_tls() { "https" } else { "http" };
        format!("{scheme}://{bound}")
    }

    /// The host by which the world reaches it.
    #[must_use]
    pub fn public_host(&self) -> Option<String> {
        let url: http::Uri = self.public_url.as_deref()?.parse().ok()?;
        url.host().map(str::to_owned)
    }

    /// Whether it may run without API keys: with the API on this machine alone, and not behind a
    /// public URL. A listener of nothing but webhooks may be anywhere: their senders prove
    /// themselves, or the channel says that anyone may send.
    pub fn check_open(&self) -> Result<(), OpenError> {
        match self.api_listen {
            Some(api_listen) if is_local(api_listen) => return Ok(()),
            Some(api_listen) => return Err(OpenError::ApiListen { api_listen }),
            None if is_local(self.listen) => {}
            None => return Err(OpenError::Listen { listen: self.listen }),
        }
        if self.public_url.is_some() { Err(OpenError::PublicUrl) } else { Ok(()) }
    }
}

fn is_local(address: SocketAddr) -> bool {
    address.ip().to_canonical().is_loopback()
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            api_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
            tls: None,
            connections: Connections::default(),
            drain_delay: Duration::ZERO,
            push_reach: Reach::Anywhere,
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
    let listen = section.optional("listen").map_or(Some(Server::default().listen), address);
    let api_listen = section.optional("api_listen").map(|value| {
        let api_listen = address(value.clone())?;
        // Port 0 is another one each time.
        let same = listen == Some(api_listen) && api_listen.port() != 0;
        if same { value.wrong("another address than that of `listen`") } else { Some(api_listen) }
    });
    let public_url = section.optional("public_url").map(|value| {
        value.parsed("a URL such as `https://in.example.com`, without query", url_base)
    });
    let trusted_proxies =
        section.optional("trusted_proxies").map_or(Some(Vec::new()), |value| network::list(&value));
    let tls = tls::files(&section);
    let connections = connections(&section, Connections::default());
    let drain_delay = section.optional("drain_delay").map_or(Some(Duration::ZERO), drain_delay);
    let push_reach = section.optional("push_private").map_or(Some(Reach::Anywhere), |value| {
        value.truth().map(|may| if may { Reach::Anywhere } else { Reach::PublicOnly })
    });
    section.report_unknown(&[]);
    Some(Server {
        listen: listen?,
        api_listen: api_listen.map_or(Some(None), |address| address.map(Some))?,
        tls: tls?,
        connections: connections?,
        drain_delay: drain_delay?,
        push_reach: push_reach?,
        public_url: public_url.map_or(Some(None), |url| url.map(Some))?,
        trusted_proxies: trusted_proxies?,
    })
}

/// Where to listen.
pub(super) fn address(value: Value<'_>) -> Option<SocketAddr> {
    value.parsed("an address and port such as `127.0.0.1:8080`", |text| text.parse().ok())
}

/// The key `connections` of a listener.
pub(super) fn connections(section: &Section<'_>, default: Connections) -> Option<Connections> {
    let Some(value) = section.optional("connections") else { return Some(default) };
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

fn drain_delay(value: Value<'_>) -> Option<Duration> {
    let delay = value.duration()?;
    let fits = delay <= DRAIN_DELAY_MAX;
    if fits { Some(delay) } else { value.wrong(&format!("at most {}s", DRAIN_DELAY_MAX.as_secs())) }
}

fn url_base(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok()?;
    let scheme = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url.authority().is_some_and(|host| !host.as_str().contains('@'));
    let plain = url.query().is_none() && !text.contains('#');
    (scheme && host && plain).then(|| text.trim_end_matches('/').to_owned())
}
