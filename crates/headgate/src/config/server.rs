//! `[server]`: where to listen, who is believed there, and what may not be open to the world without
//! keys.

use super::{network, section::Section, value::Value};
use headgate_http::IpNet;
use std::net::{Ipv4Addr, SocketAddr};

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

impl Server {
    /// The address of the API.
    #[must_use]
    pub fn api_address(&self) -> SocketAddr {
        self.api_listen.unwrap_or(self.listen)
    }

    /// Whether it may run without API keys: with the API on this machine alone, and not behind a
    /// public URL. A listener of nothing but webhooks may be anywhere: their senders prove
    /// themselves, or the channel says that anyone may send.
    pub fn check_open(&self) -> Result<(), OpenError> {
        let is_local = |address: SocketAddr| address.ip().to_canonical().is_loopback();
        match self.api_listen {
            Some(api_listen) if is_local(api_listen) => return Ok(()),
            Some(api_listen) => return Err(OpenError::ApiListen { api_listen }),
            None if is_local(self.listen) => {}
            None => return Err(OpenError::Listen { listen: self.listen }),
        }
        if self.public_url.is_some() { Err(OpenError::PublicUrl) } else { Ok(()) }
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)),
            api_listen: None,
            public_url: None,
            trusted_proxies: Vec::new(),
        }
    }
}

pub(super) fn read(root: &Section<'_>) -> Option<Server> {
    let Some(value) = root.optional("server") else { return Some(Server::default()) };
    let section = value.section("a table")?;
    let address = |value: Value<'_>| {
        value.parsed("an address and port such as `127.0.0.1:8080`", |text| text.parse().ok())
    };
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
    section.report_unknown(&[]);
    Some(Server {
        listen: listen?,
        api_listen: api_listen.map_or(Some(None), |address| address.map(Some))?,
        public_url: public_url.map_or(Some(None), |url| url.map(Some))?,
        trusted_proxies: trusted_proxies?,
    })
}

fn url_base(text: &str) -> Option<String> {
    let url: http::Uri = text.parse().ok()?;
    let scheme = matches!(url.scheme_str(), Some("http" | "https"));
    let host = url.authority().is_some_and(|host| !host.as_str().contains('@'));
    let plain = url.query().is_none() && !text.contains('#');
    (scheme && host && plain).then(|| text.trim_end_matches('/').to_owned())
}
